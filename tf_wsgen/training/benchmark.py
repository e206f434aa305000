"""How fast an update and a prediction are, on the data and sizes of a configuration."""

import statistics
import time

import tensorflow as tf

from tf_wsgen.config import Config
from tf_wsgen.data.training_data import load_training_data
from tf_wsgen.training.loop import distributed_batches, make_model
from tf_wsgen.training.strategy import make_strategy

CALLS_A_TIMING = 10
POSES_A_CALL = 256


def training_rate(config: Config, repeats: int) -> float:
    """Median updates a second, input pipeline included, compilation not."""
    data, strategy = load_training_data(config.data, config.training.seed), make_strategy(config.training.strategy)
    model = make_model(config, data, strategy)
    model.make_train_function()
    batches = iter(distributed_batches(config, data, strategy))
    per_call = _median_seconds(lambda: model.train_function(batches), repeats)
    return config.training.steps_per_execution / per_call


def lifting_rate(config: Config, repeats: int) -> float:
    """Median poses a second from pixels to hypotheses in millimetres, tracing not included."""
    data = load_training_data(config.data, config.training.seed)
    lifter = make_model(config, data, tf.distribute.get_strategy()).lifter()
    keypoints = tf.random.stateless_normal([POSES_A_CALL, data.skeleton.num_joints, 2], [0, 0], stddev=100.0)
    visible = tf.ones(keypoints.shape[:2])
    sample = tf.function(lambda: lifter.sample(keypoints, visible, config.evaluation.num_hypotheses, 0)["pose_3d"])
    return POSES_A_CALL / _median_seconds(sample, repeats)


def _median_seconds(call, repeats: int) -> float:
    """Median time of one call over `repeats` timings of several calls each."""
    tf.nest.map_structure(lambda value: value.numpy(), call())
    timings = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(CALLS_A_TIMING):
            result = call()
        # Reading a result waits for it.
        tf.nest.map_structure(lambda value: value.numpy(), result)
        timings.append((time.perf_counter() - start) / CALLS_A_TIMING)
    return statistics.median(timings)
