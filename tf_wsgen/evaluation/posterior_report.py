"""The posterior report: how much hypotheses, taken together, say about the truth."""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_wsgen.batches import in_batches
from tf_wsgen.data.preprocess import normalise_keypoints
from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.evaluation.protocols import seen
from tf_wsgen.geometry.alignment import root_centre
from tf_wsgen.geometry.weak_perspective import per_hypothesis, project
from tf_wsgen.hypotheses.sampling import codes_for_rows, zero_code
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.lifting.radius import LEVELS, conformal_radius
from tf_wsgen.metrics import posterior
from tf_wsgen.metrics.pose_error import protocol_1, protocol_2
from tf_wsgen.numerics import safe_norm
from tf_wsgen.sections import EvaluationConfig

# Numbers of hypotheses at which the error of the best is reported.
COUNTS = (1, 5, 10, 50, 200)
# Of the camera frame.
COORDINATES = ("right", "down", "away")
BATCH = 64


def posterior_report(
    lifter: Lifter, rows: PairedRows, config: EvaluationConfig, progress: Callable[[int], None] | None = None
) -> dict:
    """Measures of the hypotheses as samples of a posterior, over rows; camera frame as for P1, mm.

    Args:
        lifter: The trained networks.
        rows: What to measure on.
        config: `posterior_hypotheses` and the seed; `posterior_rows` evenly spaced rows, or all for 0.
        progress: Called with the number of rows done after each call into TensorFlow.

    Returns:
        `num_rows`, `num_hypotheses`; `min_mpjpe` by protocol and N of `COUNTS`; `energy_score` of the `pose` and
        mean over `joint`s; `crps_depth`; `calibration_error` with `calibration_curve` and its `quantiles`;
        `coordinates`, `rank_counts` of all joints but the root by `COORDINATES`; `largest_rank_deviation` of their
        bins from what is expected; `spread_error_correlation`, over joints and rows, of spread and error;
        `radius_coverage` and `radius` (mm) by level where the lifter's radii are calibrated;
        `reprojection` in pixels and normalised; `bone_length_error`, `symmetry_error` (mm, of every hypothesis);
        `depth_share` of the hypotheses' variance; per-joint `joint_error` and `joint_spread` (mm); `p2_histogram`.
    """
    rows = rows.evenly_spaced(config.posterior_rows) if config.posterior_rows else rows
    measure = tf.function(functools.partial(_measure, lifter, config), reduce_retracing=True, autograph=False)
    arrays = (rows.keypoints, rows.visible, rows.points, rows.pose_3d, np.arange(len(rows), dtype=np.int32))
    every = in_batches(measure, arrays, BATCH, progress)
    mean = {name: values.mean(axis=0, dtype=np.float64) for name, values in every.items()}
    skeleton = lifter.skeleton
    others = [joint for joint in range(skeleton.num_joints) if joint != skeleton.root_index]
    ranks = np.moveaxis(every["rank"][:, others], -1, 0)
    coordinates = {
        name: posterior.rank_counts(of_one.reshape(-1), config.posterior_hypotheses)
        for name, of_one in zip(COORDINATES, ranks, strict=True)
    }
    histograms = np.array([counts["ranks"] for counts in coordinates.values()])
    pairs = (every[name][:, others].reshape(-1) for name in ("joint_spread", "joint_error"))
    error, curve = posterior.calibration_error(mean["within"][:, others])
    counts = [count for count in COUNTS if count <= config.posterior_hypotheses]
    histogram, edges = np.histogram(every["min_p2"][:, 0], bins=np.arange(0.0, 255.0, 5.0))
    radius = {}
    if lifter.radius_factors is not None:
        factors = np.asarray(lifter.radius_factors)
        radii = conformal_radius(every["joint_spread"], config.posterior_hypotheses, factors)[:, others]
        held = every["zero_code_error"][:, others, None] <= radii
        levels = [f"{level:.0%}".rstrip("%") for level in LEVELS]
        radius["radius_coverage"] = dict(zip(levels, held.mean(axis=(0, 1)).tolist(), strict=True))
        radius["radius"] = dict(zip(levels, radii.mean(axis=(0, 1), dtype=np.float64).tolist(), strict=True))
    return {
        **radius,
        "num_rows": len(rows),
        "num_hypotheses": config.posterior_hypotheses,
        "min_mpjpe": {
            protocol: {str(count): float(mean[f"min_{protocol}"][index]) for index, count in enumerate(counts)}
            for protocol in ("p1", "p2")
        },
        "energy_score": {"pose": float(mean["energy_pose"]), "joint": float(mean["energy_joint"][others].mean())},
        "crps_depth": float(mean["crps_depth"][others].mean()),
        "calibration_error": error,
        "calibration_curve": curve.tolist(),
        "coordinates": coordinates,
        "largest_rank_deviation": float(np.abs(histograms - 1.0).max()),
        "spread_error_correlation": float(np.corrcoef(*pairs)[0, 1]),
        "quantiles": posterior.QUANTILES.tolist(),
        "reprojection": {"pixels": float(mean["reprojection_pixels"]), "normalised": float(mean["reprojection"])},
        "bone_length_error": float(mean["bone_length_error"]),
        "symmetry_error": float(mean["symmetry_error"]),
        "depth_share": float(mean["depth_share"]),
        "joint_error": dict(zip(skeleton.joints, mean["joint_error"].tolist(), strict=True)),
        "joint_spread": dict(zip(skeleton.joints, mean["joint_spread"].tolist(), strict=True)),
        "p2_histogram": {"edges": edges.tolist(), "rows": histogram.tolist()},
    }


def _measure(lifter: Lifter, config: EvaluationConfig, keypoints, visible, points, target, numbers) -> dict:
    """The measures of each row of a batch."""
    skeleton, count = lifter.skeleton, config.posterior_hypotheses
    normalised = normalise_keypoints(keypoints, visible, skeleton)
    codes = codes_for_rows(numbers, count, lifter.code_size, config.seed)
    hypotheses, camera = lifter.generate(normalised.pose_2d, normalised.visible, codes)
    samples = seen(lifter, (hypotheses, camera), normalised.visible, points)
    truth = root_centre(target, skeleton.root_index)
    repeated = tf.repeat(truth[:, None], count, axis=1)
    flat = [tf.shape(samples)[0], count, 3 * skeleton.num_joints]
    by_joint = tf.transpose(samples, [0, 2, 1, 3])
    projected = project(per_hypothesis(camera), hypotheses)
    weights = normalised.visible / tf.reduce_sum(normalised.visible, axis=-1, keepdims=True)

    def reprojection_error(predicted, observed):
        return tf.reduce_mean(tf.reduce_sum(safe_norm(predicted - observed[:, None]) * weights[:, None], -1), -1)

    alone = lifter.generate(normalised.pose_2d, normalised.visible, zero_code(lifter.code_size))
    chosen = seen(lifter, alone, normalised.visible, points)
    measured = {
        "zero_code_error": safe_norm(chosen[:, 0] - truth),
        "energy_pose": posterior.energy_score(tf.reshape(samples, flat), tf.reshape(truth, [flat[0], flat[2]])),
        "energy_joint": posterior.energy_score(by_joint, truth),
        "crps_depth": posterior.crps(by_joint[..., 2], truth[..., 2]),
        "rank": tf.reduce_sum(tf.cast(samples < repeated, tf.int32), axis=1),
        "within": posterior.within_quantiles(samples, truth),
        "reprojection": reprojection_error(projected, normalised.pose_2d),
        "reprojection_pixels": reprojection_error(normalised.to_pixels(projected), keypoints),
        "bone_length_error": tf.reduce_mean(
            posterior.bone_length_error(samples, repeated, skeleton.bone_indices), axis=-1
        ),
        "symmetry_error": tf.reduce_mean(
            posterior.symmetry_error(samples, skeleton.bone_indices, skeleton.symmetric_bones), axis=-1
        ),
        "depth_share": posterior.depth_share(samples),
        "joint_error": tf.reduce_mean(safe_norm(samples - repeated), axis=1),
        "joint_spread": posterior.joint_spread(samples),
    }
    counts = [number for number in COUNTS if number <= count]
    errors = {"p1": protocol_1(samples, repeated, skeleton.root_index), "p2": protocol_2(samples, repeated)}
    for protocol, error in errors.items():
        best = [tf.reduce_min(error[:, :number], axis=1) for number in counts]
        measured[f"min_{protocol}"] = tf.stack(best, axis=1)
    return measured
