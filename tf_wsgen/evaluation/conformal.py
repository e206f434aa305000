"""Radii of joints, calibrated on held-out rows."""

import functools

import numpy as np
import tensorflow as tf

from tf_wsgen.batches import in_batches
from tf_wsgen.data.preprocess import normalise_rows
from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.geometry.alignment import root_centre
from tf_wsgen.hypotheses.sampling import shared_codes, zero_code
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.lifting.radius import COUNTS, conformal_factors
from tf_wsgen.metrics.posterior import joint_spread
from tf_wsgen.numerics import safe_norm

BATCH = 64


def radius_factors(lifter: Lifter, rows: PairedRows, size_deviation: float, seed: int = 0) -> np.ndarray:
    """What `conformal_radius` takes, of the distances of rows' truths from the zero code's poses.

    Args:
        lifter: The trained networks.
        rows: Held-out rows; those with a joint hidden count too.
        size_deviation: Truths are 1 + N(0, size_deviation²) times as large, as people are.
        seed: Of codes and sizes.

    Returns:
        (`COUNTS`, `LEVELS`, J).
    """
    size = 1.0 + size_deviation * np.random.default_rng(seed).standard_normal((len(rows), 1, 1))
    truth = (rows.pose_3d * size).astype(np.float32)
    pose_2d, visible = normalise_rows(rows.keypoints, rows.visible, lifter.skeleton, "held-out rows")
    codes = tf.concat([zero_code(lifter.code_size), shared_codes(COUNTS[-1], lifter.code_size, seed)], axis=1)
    measure = tf.function(functools.partial(_measure, lifter, codes), reduce_retracing=True, autograph=False)
    error, *spreads = in_batches(measure, (pose_2d, visible, truth), BATCH)
    return np.stack([conformal_factors(error, spread) for spread in spreads])


def _measure(lifter: Lifter, codes: tf.Tensor, pose_2d, visible, truth) -> list[tf.Tensor]:
    """Of each row (B, J) the chosen pose's errors, and spreads of `COUNTS` hypotheses, mm."""
    poses = lifter.to_camera_frame(*lifter.generate(pose_2d, visible, codes))
    error = safe_norm(poses[:, 0] - root_centre(truth, lifter.skeleton.root_index))
    return [error, *(joint_spread(poses[:, 1 : 1 + count]) for count in COUNTS)]
