"""The training step against its matrix products, and against the same mathematics written straightforwardly."""

from collections.abc import Callable

import tensorflow as tf

from tf_wsgen.benchmarks.products import matrix_products, run_products
from tf_wsgen.benchmarks.rows import Row, by_turns
from tf_wsgen.config import Config
from tf_wsgen.data.training_data import TrainingData
from tf_wsgen.lifting.model import Sample, generate
from tf_wsgen.training.adam import FusedAdam
from tf_wsgen.training.loop import distributed_batches, make_model
from tf_wsgen.training.model import WSGen
from tf_wsgen.training.strategy import make_strategy

# What is timed with XLA and without; the faster counts.
KINDS = ("step", "straightforward", "products", "bfloat16")


class Straightforward(WSGen):
    """The same update as one would write it first.

    The networks run once for each code, the trunk once for the generator and once for the camera, and each real pose
    goes through the critic once for each code.
    """

    def generate(self, pose_2d, visible, z) -> Sample:
        """As `WSGen.generate`."""
        samples = [
            generate(self.trunk, self.generator, self.camera, pose_2d, visible, z[:, code : code + 1])
            for code in range(z.shape[1])
        ]
        camera = samples[0].camera
        if len(camera.shape) == 4:
            camera = tf.concat([sample.camera for sample in samples], axis=1)
        return Sample(tf.concat([sample.hypotheses for sample in samples], axis=1), camera)

    def train_step(self, batch: dict) -> dict:
        """As `WSGen.train_step`."""
        return super().train_step({**batch, "pose_3d": tf.repeat(batch["pose_3d"], batch["z"].shape[1], axis=0)})


def one_step(model: WSGen, batch: dict, jit_compile: bool) -> Callable[[], object]:
    """A call that trains the model once with the batch, and waits for it."""
    function = tf.function(model.train_step, jit_compile=jit_compile, autograph=False)
    return lambda: next(iter(function(batch).values())).numpy()


def training_rows(config: Config, data: TrainingData, name: str, seconds: float) -> list[Row]:
    """Rows of one configuration.

    Args:
        config: What is trained.
        data: Its data.
        name: What the rows call it.
        seconds: How long to time.
    """
    strategy = make_strategy("one_device")
    batches = distributed_batches(config, data, strategy)
    batch = next(iter(batches))
    model = make_model(config, data, strategy)
    counts = matrix_products(tf.function(model.train_step, autograph=False).get_concrete_function(batch))
    operations = sum(product.operations * count for product, count in counts.items())
    straightforward = Straightforward.from_config(model.get_config())
    straightforward.compile(
        *(FusedAdam.from_config(adam.get_config()) for adam in (model.optimizer, model.discriminator_optimizer))
    )

    model.make_train_function()
    iterator, pipeline = iter(batches), iter(distributed_batches(config, data, strategy))
    calls = {
        "update": lambda: next(iter(model.train_function(iterator).values())).numpy(),
        "batch": lambda: next(pipeline)["z"].numpy(),
    }
    for compiler, jit_compile in (("", False), (", XLA", True)):
        calls[f"step{compiler}"] = one_step(model, batch, jit_compile)
        calls[f"straightforward{compiler}"] = one_step(straightforward, batch, jit_compile)
        calls[f"products{compiler}"] = run_products(counts, jit_compile)
        calls[f"bfloat16{compiler}"] = run_products(counts, jit_compile, "bfloat16")
    best = {call: timing.best for call, timing in by_turns(calls, seconds).items()}
    best["update"] /= config.training.steps_per_execution
    fastest = {kind: min(best[kind], best[f"{kind}, XLA"]) for kind in KINDS}

    def row(what, taken, against, limit_is):
        return Row("training", f"{name}: {what}", 1e3 * taken, "ms", 1e3 * against, limit_is, against / taken)

    return [
        row("step", best["step"], fastest["products"], "its matrix products"),
        row("step, XLA", best["step, XLA"], fastest["products"], "its matrix products"),
        row("step, the faster", fastest["step"], fastest["straightforward"], "written straightforwardly"),
        row("update with its batch", best["update"], fastest["products"], "its matrix products"),
        row("a batch", best["batch"], fastest["step"], "the step alone"),
        row("its products in bfloat16", fastest["bfloat16"], fastest["products"], "in float32"),
        Row("training", f"{name}: rate of the products", 1e-9 * operations / fastest["products"], "Gflop/s"),
    ]
