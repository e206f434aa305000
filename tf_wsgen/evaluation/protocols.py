"""Protocols 1 and 2 over every row, for each way of choosing a pose, with diversity and baselines."""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_wsgen.batches import in_batches
from tf_wsgen.data.preprocess import normalise_rows
from tf_wsgen.data.training_data import MM_PER_METRE, PairedRows
from tf_wsgen.geometry.alignment import root_centre
from tf_wsgen.geometry.ray import onto_rays
from tf_wsgen.hypotheses.farthest_points import farthest_points
from tf_wsgen.hypotheses.mean_shift import mean_shift
from tf_wsgen.hypotheses.sampling import codes_for_rows, zero_code
from tf_wsgen.lifting.model import Lifter, Sample
from tf_wsgen.metrics.hypothesis_deviation import hypothesis_deviation
from tf_wsgen.metrics.pose_error import protocol_1, protocol_2
from tf_wsgen.metrics.posterior import energy_score
from tf_wsgen.sections import EvaluationConfig
from tf_wsgen.simulation.settings import EXACT

# The choices, in the order of tables. The best hypothesis is an oracle: it looks at the ground truth.
CHOICES = ("zero_code", "mean_shift", "mean_of_hypotheses", "best_hypothesis")
BASELINE_HYPOTHESES = 10


class Evaluator:
    """Errors of every row under both protocols, summarised.

    Args:
        lifter: The trained networks; their weights may change between calls.
        config: Hypotheses a pose, seed, bandwidth, rows a call.
        diversity: Measure STD and STD-FPS too (they need many more hypotheses).
    """

    def __init__(self, lifter: Lifter, config: EvaluationConfig = EvaluationConfig(), diversity: bool = True):
        self.lifter, self.config = lifter, config
        self._measure = tf.function(
            functools.partial(_measure, lifter, config, diversity), reduce_retracing=True, autograph=False
        )

    def __call__(self, rows: PairedRows, progress: Callable[[int], None] | None = None) -> dict:
        """Measures rows; none is dropped.

        Args:
            rows: What to measure on.
            progress: Called with the number of rows done after each call into TensorFlow.

        Returns:
            `num_rows`, `seed`; for each of `CHOICES` `p1`, `p2` (means over rows, mm) and, where the rows
            have actions, `p1_action_mean`, `p2_action_mean` and the same in `per_action`; `energy_score` of
            the whole pose (mm); `diversity`.
        """
        pose_2d, visible = normalise_rows(rows.keypoints, rows.visible, self.lifter.skeleton, "test/pose_2d")
        arrays = (pose_2d, visible, rows.points, rows.pose_3d, np.arange(len(rows), dtype=np.int32))
        per_row = in_batches(self._measure, arrays, self.config.batch_size, progress)
        return _summary(per_row, rows.action, self.config)


def seen(lifter: Lifter, sample: Sample, visible: tf.Tensor, points: tf.Tensor | None) -> tf.Tensor:
    """(B, H, J, 3) millimetres, camera frame; joints that are known to be exact lie on their rays (`onto_rays`).

    Args:
        lifter: The trained networks.
        sample: Hypotheses and their camera.
        visible: (B, J).
        points: (B, J, 2) as `PairedRows.points`, or None.
    """
    poses = lifter.to_camera_frame(*sample)
    return poses if points is None else onto_rays(poses, points[:, None], visible[:, None] >= EXACT)


def _measure(
    lifter: Lifter, config: EvaluationConfig, diversity: bool, pose_2d, visible, points, target, numbers
) -> dict:
    """Errors of each row of a batch by "choice/protocol", mm."""
    root = lifter.skeleton.root_index
    count = config.diversity_pool if diversity else 0
    codes = codes_for_rows(numbers, max(config.num_hypotheses, count), lifter.code_size, config.seed)
    pool, camera = lifter.to_common_frame(*lifter.generate(pose_2d, visible, codes))
    sampled = pool[:, : config.num_hypotheses]
    alone = lifter.generate(pose_2d, visible, zero_code(lifter.code_size))
    choices = {
        "zero_code": alone,
        "mean_shift": (mean_shift(sampled, config.bandwidth).pose_3d[:, None], camera),
        "mean_of_hypotheses": (tf.reduce_mean(sampled, axis=1, keepdims=True), camera),
        "best_hypothesis": (sampled, camera),
    }
    flat = [tf.shape(target)[0], 3 * lifter.skeleton.num_joints]
    samples = tf.reshape(seen(lifter, (sampled, camera), visible, points), [flat[0], config.num_hypotheses, flat[1]])
    measured = {"energy_score": energy_score(samples, tf.reshape(root_centre(target, root), flat))}
    for name, sample in choices.items():
        poses = seen(lifter, sample, visible, points)
        truth = tf.repeat(target[:, None], poses.shape[1], axis=1)
        # The best hypothesis is chosen for each protocol on its own.
        measured[f"{name}/p1"] = tf.reduce_min(protocol_1(poses, truth, root), axis=1)
        measured[f"{name}/p2"] = tf.reduce_min(protocol_2(poses, truth), axis=1)
    if diversity:
        unit = MM_PER_METRE * lifter.scale_ratio
        spread = tf.gather(pool, farthest_points(pool, config.diversity_chosen), batch_dims=1)
        measured["std"] = unit * hypothesis_deviation(sampled, root)
        measured["std_fps"] = unit * hypothesis_deviation(spread, root)
    return measured


def _summary(per_row: dict, action: np.ndarray | None, config: EvaluationConfig) -> dict:
    def mean(name, rows=slice(None)):
        return float(per_row[name][rows].mean(dtype=np.float64))

    count = len(per_row["zero_code/p1"])
    summary = {"num_rows": count, "seed": config.seed}
    groups = {} if action is None else {str(name): np.flatnonzero(action == name) for name in np.unique(action)}
    for choice in CHOICES:
        summary[choice] = {protocol: mean(f"{choice}/{protocol}") for protocol in ("p1", "p2")}
        for protocol in ("p1", "p2") if groups else ():
            means = [mean(f"{choice}/{protocol}", rows) for rows in groups.values()]
            summary[choice][f"{protocol}_action_mean"] = float(np.mean(means))
    summary["best_hypothesis"]["num_hypotheses"] = config.num_hypotheses
    summary["energy_score"] = mean("energy_score")
    if "std" in per_row:
        summary["diversity"] = {"std": mean("std"), "std_fps": mean("std_fps")}
    summary["per_action"] = {
        name: {"num_rows": len(rows)}
        | {c: {protocol: mean(f"{c}/{protocol}", rows) for protocol in ("p1", "p2")} for c in CHOICES}
        for name, rows in groups.items()
    }
    return summary


def baselines(training_poses: np.ndarray, rows: PairedRows, seed: int = 0) -> dict:
    """What poses cost that never saw the 2D: P2 of the mean pose and of random real poses, mm.

    Args:
        training_poses: (M, J, 3) training poses in the template frame.
        rows: What to measure on.
        seed: Draws the random poses.

    Returns:
        `mean_pose`, `random_pose` and `best_random_pose` (of 10), each with `p2`.
    """
    mean_pose = training_poses.mean(axis=0, dtype=np.float64).astype(np.float32)
    draws = np.random.default_rng(seed).integers(len(training_poses), size=(len(rows), BASELINE_HYPOTHESES))
    errors = []
    for index in range(-1, BASELINE_HYPOTHESES):
        pose = np.broadcast_to(mean_pose, rows.pose_3d.shape) if index < 0 else training_poses[draws[:, index]]
        errors.append(protocol_2(pose, rows.pose_3d).numpy())
    return {
        "mean_pose": {"p2": float(errors[0].mean(dtype=np.float64))},
        "random_pose": {"p2": float(errors[1].mean(dtype=np.float64))},
        "best_random_pose": {
            "p2": float(np.min(errors[1:], axis=0).mean(dtype=np.float64)),
            "num_hypotheses": BASELINE_HYPOTHESES,
        },
    }
