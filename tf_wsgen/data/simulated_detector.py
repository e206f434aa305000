"""Keypoints of exact views as the detector finds them that training simulates."""

import numpy as np
from numpy.random import Generator

from tf_wsgen.simulation.settings import SimulationConfig
from tf_wsgen.skeleton import HUMAN16


def detected(rng: Generator, pose_2d: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 16, 2) and scores (N, 16) of the detector that training simulates (`tf_wsgen.simulation.detector`).

    Args:
        rng: Of all draws.
        pose_2d: (N, 16, 2) true points, pixels.
        noise: Factor on the measured errors, and up to 1 on the shares of outliers and exchanged sides.
    """
    # TensorFlow is imported here: exact views do without.
    import tensorflow as tf

    from tf_wsgen.simulation import detector

    config, factor = SimulationConfig(), tf.ones(len(pose_2d))
    for_points, for_scores = tf.constant(rng.integers(2**62, size=(2, 2)))
    true = tf.constant(pose_2d, tf.float32)
    points = detector.detect(true, noise * factor, min(noise, 1.0) * factor, for_points, HUMAN16)
    error = tf.norm(points - true, axis=-1) / detector.height_in_image(true)[:, None]
    told = (config.score_error, config.score_deviation, config.score_power_deviation)
    return points.numpy(), detector.scores(error, *told, for_scores).numpy()
