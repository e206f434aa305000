"""Rows as they are measured: exact or as a detector finds them, joints hidden, along the ray or not; or simulated."""

import dataclasses

import numpy as np
import tensorflow as tf

from tf_wsgen.data.preprocess import normalise_keypoints
from tf_wsgen.data.training_data import MM_PER_METRE, PairedRows
from tf_wsgen.errors import InputError
from tf_wsgen.geometry.ray import ray_through
from tf_wsgen.sections import EvaluationConfig
from tf_wsgen.simulation.settings import EXACT, SimulationConfig
from tf_wsgen.simulation.simulator import find_keypoints, simulate
from tf_wsgen.skeleton import Skeleton

# Pixels in the unit of simulated keypoints.
FOCAL_LENGTH = 1000.0


def measured_rows(
    rows: PairedRows, config: EvaluationConfig, simulation: SimulationConfig, skeleton: Skeleton
) -> PairedRows:
    """Rows with what the configuration wants done to their 2D, in this order: detector, hidden joints, ray."""
    if config.detector:
        rows = detect_in_rows(rows, simulation, skeleton, config.seed)
    elif config.exact_2d:
        rows = dataclasses.replace(rows, visible=np.where(rows.visible > 0, np.float32(EXACT), np.float32(0.0)))
    rows = hide_in_rows(rows, skeleton, config.hidden_joints, config.num_hidden, config.seed)
    return along_ray(rows, skeleton) if config.along_ray and rows.camera is not None else rows


def detect_in_rows(rows: PairedRows, simulation: SimulationConfig, skeleton: Skeleton, seed: int) -> PairedRows:
    """Rows whose 2D is as the simulated detector finds it; no joint is missing that was not."""
    hidden = {field.name: 0.0 for field in dataclasses.fields(simulation) if field.name.startswith("hide_")}
    noisy = dataclasses.replace(simulation, detector_share=1.0, **hidden)
    key = tf.constant([seed, 1], tf.int64)
    keypoints, score = find_keypoints(tf.constant(rows.keypoints), noisy, key, skeleton)
    return dataclasses.replace(rows, keypoints=keypoints.numpy(), visible=rows.visible * score.numpy())


def along_ray(rows: PairedRows, skeleton: Skeleton) -> PairedRows:
    """Rows as cameras would see them that look at each root, the truth turned with them (`tf_wsgen.geometry.ray`)."""
    root = normalise_keypoints(rows.keypoints, rows.visible, skeleton).root
    ray = ray_through(root, rows.camera[:, :2], rows.camera[:, 2])
    keypoints, pose_3d = ray.to_virtual(rows.keypoints), ray.to_ray_frame(rows.pose_3d)
    points = (keypoints - ray.centre) / ray.focal_length
    return dataclasses.replace(rows, keypoints=keypoints.numpy(), pose_3d=pose_3d.numpy(), points=points.numpy())


def hide_in_rows(rows: PairedRows, skeleton: Skeleton, joints: str, count: int, seed: int) -> PairedRows:
    """Rows with `joints` (names with commas between them) hidden, and in each row `count` limb joints at random.

    The draw is a pure function of the row's number, the count and the seed.

    Raises:
        InputError: A joint that the skeleton does not have, or more joints than there are limbs.
    """
    names = [name.strip() for name in joints.split(",") if name.strip()]
    unknown = sorted(set(names) - set(skeleton.joints))
    if unknown:
        raise InputError(f"evaluation.hidden_joints has {unknown[0]!r}; expected joints of {list(skeleton.joints)}.")
    if count > len(skeleton.limbs):
        raise InputError(f"evaluation.num_hidden is {count}; expected at most {len(skeleton.limbs)}, the limb joints.")
    if not names and not count:
        return rows
    visible = rows.visible.copy()
    visible[:, [skeleton.index(name) for name in names]] = 0.0
    limbs = np.array([skeleton.index(name) for name in skeleton.limbs])
    number = np.random.default_rng([seed, count]).uniform(size=(len(rows), len(limbs)))
    np.put_along_axis(visible, limbs[np.argsort(number, axis=1)[:, :count]], 0.0, axis=1)
    return dataclasses.replace(rows, visible=visible)


def simulated_rows(
    room: np.ndarray, simulation: SimulationConfig, count: int, skeleton: Skeleton, seed: int = 0
) -> PairedRows:
    """Simulated pairs to measure on, always the same for a seed; none is known to be exact, as no detector's is.

    At most `count` poses are taken, spread evenly over `room`, (V, J, 3) metres, y up, root-centred: held-out poses.
    """
    for_others, for_simulation = tf.unstack(tf.random.split(tf.constant([seed, 0], tf.int64), 2))
    rows = np.linspace(0, len(room) - 1, min(count, len(room))).round().astype(int)
    others = tf.random.stateless_uniform([2, len(rows)], for_others, 0, len(room), tf.int64)
    # Draws that are known to be exact are left out; the detector's share of the others is larger.
    untold = (1.0 - simulation.detector_share) * (1.0 - simulation.known_exact_share)
    share = simulation.detector_share / max(simulation.detector_share + untold, 1e-6)
    simulation = dataclasses.replace(simulation, known_exact_share=0.0, detector_share=share)
    pairs = simulate(tf.constant(room[rows]), tf.gather(room, others), simulation, for_simulation, skeleton)
    return PairedRows(
        pairs.keypoints.numpy() * FOCAL_LENGTH, pairs.visible.numpy(), pairs.pose_3d.numpy() * np.float32(MM_PER_METRE)
    )
