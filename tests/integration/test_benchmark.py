"""Matrix products are counted as they are done, and nothing that the mathematics does not need is done."""

import collections
import functools
import json
import time

import numpy as np
import tensorflow as tf

from tf_wsgen.benchmarks.products import Product, matrix_products, run_products
from tf_wsgen.benchmarks.reading import detections_rows
from tf_wsgen.benchmarks.rows import LEAST_ROUNDS, SHORTEST_TIMING, by_turns
from tf_wsgen.benchmarks.training import Straightforward
from tf_wsgen.programs import benchmark
from tf_wsgen.training.loop import distributed_batches, make_model


def test_products_of_a_function_worked_by_hand():
    """Forward x W and its two gradients; a product that nobody asks for is not counted."""
    weight = tf.Variable(tf.ones([3, 5]))

    @tf.function(autograph=False)
    def step(x):
        tf.matmul(x, x, transpose_b=True)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.matmul(x, weight))
        return tape.gradient(loss, [x, weight])

    counts = matrix_products(step.get_concrete_function(tf.TensorSpec([2, 3])))
    # The product itself is not needed for its gradients.
    assert counts == {Product((2, 5), (3, 5), False, True): 1, Product((2, 3), (2, 5), True, False): 1}
    assert [product.operations for product in counts] == [2 * 2 * 3 * 5] * 2
    assert Product((7, 2, 3), (7, 4, 3), False, True).operations == 2 * 7 * 2 * 3 * 4
    assert np.isfinite(run_products(counts, jit_compile=False)()).all()


def test_the_step_does_no_product_twice(small_config, small_data):
    """Of the networks: each layer once forward, once for its weights, once for what it took, if that has a gradient."""
    strategy = tf.distribute.get_strategy()
    config = small_config.override({"loss": {"weight_adversarial": 0.0}}, "test")
    model = make_model(config, small_data, strategy)
    batch = next(iter(distributed_batches(config, small_data, strategy)))
    counts = matrix_products(tf.function(model.train_step, autograph=False).get_concrete_function(batch))
    kernels = [v.shape for v in model.generator_variables if len(v.shape) == 2]
    # Pose and codes have no gradients: three products less.
    width = config.network.width
    inputs = [shape for shape in kernels if shape[0] not in (width, 3 * small_data.skeleton.num_joints)]
    of_kernels = collections.Counter()
    for product, count in counts.items():
        if len(product.left) == 2:
            of_kernels[product] += count
    assert sum(of_kernels.values()) == 3 * len(kernels) - len(inputs)


def test_the_straightforward_step_learns_the_same(small_config, small_data):
    strategy = tf.distribute.get_strategy()
    config = small_config.override({"loss": {"weight_adversarial": 0.0}}, "test")
    model = make_model(config, small_data, strategy)
    other = Straightforward.from_config(model.get_config())
    batch = next(iter(distributed_batches(config, small_data, strategy)))
    for one, two in zip(model.trainable_variables, other.trainable_variables, strict=True):
        two.assign(one)
    ours, theirs = (m.generate(batch["pose_2d"], batch["visible"], batch["z"]) for m in (model, other))
    np.testing.assert_allclose(ours.hypotheses, theirs.hypotheses, atol=1e-5)
    np.testing.assert_allclose(ours.camera, theirs.camera, atol=1e-5)


def test_rows_are_printed_and_written(tmp_path, capsys):
    output = tmp_path / "bench.json"
    benchmark.main(benchmark.Options(only="mean_shift", seconds=0.0, output=str(output)))
    (row,) = json.loads(output.read_text())["rows"]
    assert row["ratio"] == row["value"] / row["limit"] > 0.0
    assert f"{row['what']} " in capsys.readouterr().out


def test_people_in_made_up_files_are_who_they_were():
    """The rows themselves check that everybody is read, and followed."""
    assert [row.unit for row in detections_rows(frames=40)] == ["people/s"] * 3


def test_calls_are_timed_by_turns():
    order = []

    def call(name):
        order.append(name)
        time.sleep(SHORTEST_TIMING)

    timings = by_turns({name: functools.partial(call, name) for name in "ab"}, seconds=0.0)
    assert order == [*"aabb", *"ab" * LEAST_ROUNDS]
    assert all(SHORTEST_TIMING <= timing.best <= timing.median for timing in timings.values())
