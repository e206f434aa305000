"""One update means the same on one replica, on two, and in two processes."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.training.loop import distributed_batches, make_model
from tf_wsgen.training.strategy import make_strategy

UPDATES = 5
# The paper's rate: a step ten times longer blows rounding up a hundredfold in five updates. And an ε between gradients
# and rounding noise, of which Adam would otherwise make full steps of either sign: with Adam's usual ε, changing the
# first weights by half a unit in the last place changes MMD² by 1e-5 in five updates, with this one by 1e-6.
CALM = {"optimizer": {"learning_rate": 1e-4, "epsilon": 1e-4}}


@pytest.fixture(scope="module")
def calm_config(small_config):
    return small_config.override(CALM, "test")


@pytest.fixture(scope="module")
def plain(calm_config, small_data):
    """The model after some updates on one replica, a call an update, without XLA; and the losses of each."""
    strategy = make_strategy("one_device")
    model = make_model(calm_config, small_data, strategy)
    batches, step = iter(distributed_batches(calm_config, small_data, strategy)), tf.function(model.train_step)
    losses = [step(next(batches)) for _ in range(UPDATES)]
    return model, [{name: float(value) for name, value in terms.items()} for terms in losses]


def assert_same_weights(model, other):
    assert len(model.averages) == len(model.lifting_variables)
    ours, theirs = ([*one.trainable_variables, *one.averages] for one in (model, other))
    for variable, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(variable, expected, rtol=0.0, atol=1e-5, err_msg=variable.path)


def fitted(config, data, strategy):
    """The model after as many updates by Keras' `fit`, and the losses of the last."""
    model = make_model(config, data, strategy)
    batches = distributed_batches(config, data, strategy)
    history = model.fit(batches, steps_per_epoch=UPDATES, epochs=1, verbose=0, shuffle=False).history
    assert model.updates == UPDATES
    return model, {name: values[-1] for name, values in history.items()}


def test_two_replicas_equal_one(plain, calm_config, small_data):
    """All updates in one call, where Keras' own loop over them fails (keras issue 20164)."""
    config = calm_config.override({"training": {"steps_per_execution": UPDATES}}, "test")
    mirrored = make_strategy("mirrored")
    assert mirrored.num_replicas_in_sync == 2
    model, losses = fitted(config, small_data, mirrored)
    before, last = plain[1][-2:]
    for name, value in last.items():
        np.testing.assert_allclose(losses[name], value, rtol=1e-5, err_msg=name)
    # One update more or less would show.
    assert abs(before["mmd_squared"] / last["mmd_squared"] - 1) > 1e-3
    assert_same_weights(model, plain[0])


def test_compiled_updates_equal_plain_ones(plain, calm_config, small_data):
    config = calm_config.override({"training": {"jit_compile": True}}, "test")
    model, _ = fitted(config, small_data, make_strategy("one_device"))
    assert_same_weights(model, plain[0])


WORKER = """
import sys
import numpy as np
import tensorflow as tf
from tf_wsgen.config import Config, load_config
from tf_wsgen.training import loop
models = []
make_model = loop.make_model
loop.make_model = lambda *arguments: models.append(make_model(*arguments)) or models[-1]
outcome = loop.train(load_config(sys.argv[1]), sys.argv[2])
assert models[0].distribute_strategy.num_replicas_in_sync == 2
np.save(sys.argv[3], np.concatenate([np.asarray(v).ravel() for v in models[0].trainable_variables]))
"""


def test_two_worker_processes_end_with_the_same_weights(plain, calm_config, tmp_path):
    config = calm_config.override({"training": {"strategy": "multi_worker", "updates": UPDATES}}, "test")
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    (tmp_path / "worker.py").write_text(WORKER)
    addresses = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            addresses.append(f"127.0.0.1:{probe.getsockname()[1]}")
    workers = []
    for index in range(2):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        arguments = [tmp_path / "config.yaml", tmp_path / "run", tmp_path / f"weights_{index}.npy"]
        workers.append(
            subprocess.Popen(
                [sys.executable, str(tmp_path / "worker.py"), *map(str, arguments)],
                env={**os.environ, "TF_CONFIG": json.dumps(cluster), "TF_CPP_MIN_LOG_LEVEL": "3"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    try:
        outputs = [worker.communicate(timeout=300)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert [worker.returncode for worker in workers] == [0, 0], "\n".join(outputs)
    first, second = (np.load(tmp_path / f"weights_{index}.npy") for index in range(2))
    np.testing.assert_array_equal(first, second)

    # The chief alone wrote the run, and the two processes did what one replica does.
    assert (tmp_path / "run" / "log.csv").exists()
    alone = np.concatenate([np.asarray(variable).ravel() for variable in plain[0].trainable_variables])
    np.testing.assert_allclose(first, alone, rtol=0.0, atol=1e-5)
