"""What a keypoint detector gets wrong: measured errors of a stacked hourglass on 2,958 people of MPII.

Lengths are shares of the person's height in the image, of which a pose's standard deviation is `DEVIATION_BY_HEIGHT`.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_wsgen.simulation.body import parents
from tf_wsgen.simulation.settings import DEVIATION_BY_HEIGHT, LOWEST_SCORE
from tf_wsgen.skeleton import Skeleton

# log σ of the factor that all joints of a person share.
PERSON_FACTOR = 0.3
# Share of people whose legs are exchanged as a whole.
LEG_SWAP = 0.022
# P(outlier | the joint before it on the limb is one).
TAKEN_ALONG = {"knee": 0.5, "ankle": 0.7, "elbow": 0.7, "wrist": 0.7}


class JointError(NamedTuple):
    """Errors of one kind of joint: Gaussian inliers and outliers (σ a coordinate) and exchanges of sides."""

    inlier: float
    outlier: float
    share_of_outliers: float
    swap: float = 0.0


MEASURED = {
    "ankle": JointError(0.0142, 0.120, 0.20, 0.039),
    "knee": JointError(0.0155, 0.106, 0.16, 0.028),
    "hip": JointError(0.0196, 0.088, 0.07, 0.012),
    "wrist": JointError(0.0122, 0.089, 0.195, 0.029),
    "elbow": JointError(0.0116, 0.073, 0.165, 0.023),
    "shoulder": JointError(0.0122, 0.075, 0.065, 0.016),
    "pelvis": JointError(0.0180, 0.128, 0.04),
    "thorax": JointError(0.010, 0.090, 0.05),
    "neck": JointError(0.010, 0.090, 0.05),
    "head": JointError(0.010, 0.090, 0.05),
}


def _kinds(skeleton: Skeleton) -> tuple[str, ...]:
    return tuple(joint.rsplit("_", 1)[-1] for joint in skeleton.joints)


def height_in_image(pose_2d: tf.Tensor) -> tf.Tensor:
    """(B, J, 2) to (B,): the standard deviation of a pose's coordinates about their mean, by `DEVIATION_BY_HEIGHT`."""
    centred = pose_2d - tf.reduce_mean(pose_2d, axis=1, keepdims=True)
    return tf.sqrt(tf.reduce_mean(tf.square(centred), axis=[1, 2])) / DEVIATION_BY_HEIGHT


def outliers(tails: tf.Tensor, seed: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """(B, J) bool: which joints are far off. A limb's joint follows the one before it (`TAKEN_ALONG`).

    Each kind keeps its measured share: what does not follow happens by itself.

    Args:
        tails: (B,) factors on the shares of outliers, 1 as measured.
        seed: (2,) of the draw.
        skeleton: The joints.
    """
    number = tf.random.stateless_uniform([tf.shape(tails)[0], skeleton.num_joints], seed)
    kinds = _kinds(skeleton)
    share = {joint: MEASURED[kind].share_of_outliers * tails for joint, kind in enumerate(kinds)}
    drawn = {skeleton.root_index: number[:, skeleton.root_index] < share[skeleton.root_index]}
    for joint, parent in parents(skeleton):
        chance = share[joint]
        if kinds[joint] in TAKEN_ALONG:
            follows = TAKEN_ALONG[kinds[joint]]
            alone = tf.maximum((chance - follows * share[parent]) / (1.0 - share[parent]), 0.0)
            chance = tf.where(drawn[parent], follows, alone)
        drawn[joint] = number[:, joint] < chance
    return tf.stack([drawn[joint] for joint in range(skeleton.num_joints)], axis=1)


def swap_sides(pose_2d: tf.Tensor, factor: tf.Tensor, seed: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """(B, J, 2) with single pairs of joints, and whole pairs of legs, exchanged between left and right.

    Args:
        pose_2d: (B, J, 2).
        factor: (B,) factors on the measured chances.
        seed: (2,) of the draw.
        skeleton: The joints.
    """
    kinds, opposite = _kinds(skeleton), np.array(skeleton.opposite_joints)
    number = tf.random.stateless_uniform([tf.shape(pose_2d)[0], skeleton.num_joints + 1], seed)
    # Both joints of a pair look at one number.
    first = np.minimum(opposite, np.arange(len(opposite)))
    chance = np.array([MEASURED[kind].swap for kind in kinds], np.float32) * factor[:, None]
    swapped = tf.gather(number, first, axis=1) < chance
    legs = tf.constant([kind in ("hip", "knee", "ankle") for kind in kinds])
    swapped = tf.math.logical_xor(swapped, (number[:, -1:] < LEG_SWAP * factor[:, None]) & legs)
    return tf.where(swapped[..., None], tf.gather(pose_2d, opposite, axis=1), pose_2d)


def detect(pose_2d: tf.Tensor, scale: tf.Tensor, tails: tf.Tensor, seed: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """Points as a detector finds them: sides exchanged, inliers a little off, outliers far off.

    Args:
        pose_2d: (B, J, 2) true points, any unit.
        scale: (B,) factors on the inliers' σ, 1 as measured.
        tails: (B,) factors on the shares of outliers and of exchanged sides, 1 as measured.
        seed: (2,) of the draw.
        skeleton: The joints.

    Returns:
        (B, J, 2) in the same unit.
    """
    for_swap, for_outliers, for_noise, for_person = tf.unstack(tf.random.split(seed, 4))
    rows = tf.shape(pose_2d)[0]
    table = [MEASURED[kind] for kind in _kinds(skeleton)]
    inlier = tf.constant([error.inlier for error in table]) * scale[:, None]
    inlier *= tf.exp(PERSON_FACTOR * tf.random.stateless_normal([rows, 1], for_person))
    sigma = tf.where(outliers(tails, for_outliers, skeleton), tf.constant([error.outlier for error in table]), inlier)
    noise = tf.random.stateless_normal(tf.shape(pose_2d), for_noise)
    swapped = swap_sides(pose_2d, tails, for_swap, skeleton)
    return swapped + noise * sigma[..., None] * height_in_image(pose_2d)[:, None, None]


def scores(error: tf.Tensor, half: float, deviation: float, power_deviation: float, seed: tf.Tensor) -> tf.Tensor:
    """A detector's scores of its joints, from `LOWEST_SCORE` to 1: (half / (error + half) + N(0, deviation²))^p.

    Args:
        error: (B, J) distances from the truth, shares of the person's height.
        half: The error whose score is ½ on average.
        deviation: Of the noise of each joint.
        power_deviation: Standard deviation of log p, which all joints of a person share.
        seed: (2,) of the draw.
    """
    for_noise, for_power = tf.unstack(tf.random.split(seed, 2))
    score = half / (error + half) + deviation * tf.random.stateless_normal(tf.shape(error), for_noise)
    power = tf.exp(power_deviation * tf.random.stateless_normal([tf.shape(error)[0], 1], for_power))
    return tf.clip_by_value(score, LOWEST_SCORE, 1.0) ** power


def rename(
    pose_2d: tf.Tensor, head: float, width: float, chosen: tf.Tensor, seed: tf.Tensor, skeleton: Skeleton
) -> tf.Tensor:
    """Points where another convention has the joints of the same names.

    Neck and head are moved together by N(0, (head · height)²) a coordinate; hips, and shoulders, are 1 + N(0, width²)
    times as far from their middle.

    Args:
        pose_2d: (B, J, 2).
        head: Share of the person's height in the image.
        width: Deviation of the factors.
        chosen: (B,) bool: which people.
        seed: (2,) of the draw.
        skeleton: The joints.
    """
    for_head, for_width = tf.unstack(tf.random.split(seed, 2))
    rows = tf.shape(pose_2d)[0]
    offset = head * tf.random.stateless_normal([rows, 2], for_head) * height_in_image(pose_2d)[:, None]
    wider = width * tf.random.stateless_normal([rows, 2, 1], for_width)
    joints = tf.unstack(pose_2d, axis=1)
    for joint, name in enumerate(skeleton.joints):
        if name in ("neck", "head"):
            joints[joint] += offset
    for number, pair in enumerate((skeleton.hips, skeleton.shoulders)):
        first, second = (skeleton.index(name) for name in pair)
        step = (joints[first] - joints[second]) / 2.0 * wider[:, number]
        joints[first], joints[second] = joints[first] + step, joints[second] - step
    return tf.where(chosen[:, None, None], tf.stack(joints, axis=1), pose_2d)


def derive(points: tf.Tensor, score: tf.Tensor, chosen: tf.Tensor, skeleton: Skeleton) -> tuple[tf.Tensor, tf.Tensor]:
    """Pelvis and thorax in the middle of hips and of shoulders, as where a detector has neither.

    Args:
        points: (B, J, 2) as found.
        score: (B, J), 0 where missing. A derived joint's is the smaller of its parts'.
        chosen: (B,) bool: which people. A pelvis between hips of which one is missing stays as it is.
        skeleton: The joints.
    """
    joints, scores = tf.unstack(points, axis=1), tf.unstack(score, axis=1)
    for name, pair in ((skeleton.root, skeleton.hips), ("thorax", skeleton.shoulders)):
        if name not in skeleton.joints:
            continue
        joint, (first, second) = skeleton.index(name), (skeleton.index(part) for part in pair)
        least = tf.minimum(scores[first], scores[second])
        derived = chosen & ((least > 0.0) | (name != skeleton.root))
        middle = (joints[first] + joints[second]) / 2.0
        joints[joint] = tf.where(derived[:, None], middle, joints[joint])
        scores[joint] = tf.where(derived, least, scores[joint])
    return tf.stack(joints, axis=1), tf.stack(scores, axis=1)
