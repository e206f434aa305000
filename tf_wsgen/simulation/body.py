"""Bodies of the room (y up, root at the origin, metres): mirrored, recombined, tilted, of other proportions.

Every function is pure: the same poses and `seed` give the same answer.
"""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tf_wsgen.numerics import cross, safe_divide, safe_norm
from tf_wsgen.skeleton import Skeleton

UP = (0.0, 1.0, 0.0)
# By the stature (Drillis and Contini 1966).
ANKLE_HEIGHT = 0.039


def parents(skeleton: Skeleton) -> tuple[tuple[int, int], ...]:
    """(joint, parent) pairs outwards from the root, every joint but the root once.

    Example:
        >>> from tf_wsgen.skeleton import HUMAN16
        >>> parents(HUMAN16)[0]  # the thorax hangs on the pelvis
        (7, 6)
    """
    known, chain = [skeleton.root_index], []
    for joint in known:
        for first, second in skeleton.bone_indices:
            other = second if first == joint else first
            if joint in (first, second) and other not in known:
                known.append(other)
                chain.append((other, joint))
    return tuple(chain)


def subtree(skeleton: Skeleton, top: str) -> tuple[int, ...]:
    """Indices of the joints that hang on a joint, without itself, outwards."""
    found = [skeleton.index(top)]
    for joint, parent in parents(skeleton):
        if parent in found:
            found.append(joint)
    return tuple(found[1:])


def bone_lengths(pose: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """(..., J, 3) to (..., J − 1): the length of each joint's bone, in the order of `parents`."""
    joints, above = zip(*parents(skeleton), strict=True)
    return safe_norm(tf.gather(pose, joints, axis=-2) - tf.gather(pose, above, axis=-2))


def body_size(pose: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """(..., J, 3) to (...): the summed length of all bones, the unit in which size is told apart from pose."""
    return tf.reduce_sum(bone_lengths(pose, skeleton), axis=-1)


def stature(pose: tf.Tensor, skeleton: Skeleton) -> tf.Tensor | None:
    """(..., J, 3) to (...): height of the person who stands upright, in the poses' unit.

    The bones from ankles to head, mean of both sides, and below the ankle `ANKLE_HEIGHT` of the whole. None where
    the skeleton has no ankles or no head.
    """
    chain = parents(skeleton)
    above = dict(chain)
    ends = [joint for joint, name in enumerate(skeleton.joints) if name == "head" or name.endswith("ankle")]
    if len(ends) != 3:
        return None
    lengths = bone_lengths(pose, skeleton)
    number = {joint: index for index, (joint, _) in enumerate(chain)}
    total = tf.zeros(tf.shape(lengths)[:-1])
    for end in ends:
        share = 1.0 if skeleton.joints[end] == "head" else 0.5
        while end in above:
            if above[end] != skeleton.root_index or skeleton.joints[end] not in skeleton.hips:
                total += share * lengths[..., number[end]]
            end = above[end]
    return total / (1.0 - ANKLE_HEIGHT)


def resize(pose: tf.Tensor, size: tf.Tensor | float, skeleton: Skeleton) -> tf.Tensor:
    """(..., J, 3) scaled about the root so that `body_size` is `size`."""
    return pose * safe_divide(size, body_size(pose, skeleton))[..., None, None]


def mirror(pose: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """(..., J, 3) reflected at x = 0, left and right joints exchanged: again a body."""
    return tf.gather(pose * tf.constant([-1.0, 1.0, 1.0]), skeleton.opposite_joints, axis=-2)


def turn(pose: tf.Tensor, axis: tf.Tensor, angle: tf.Tensor) -> tf.Tensor:
    """(B, J, 3) turned about unit axes (B, 3) by angles (B,), radians (Rodrigues' formula)."""
    axis, angle = axis[:, None] + tf.zeros_like(pose), angle[:, None, None]
    along = tf.reduce_sum(axis * pose, axis=-1, keepdims=True) * axis
    return along + tf.cos(angle) * (pose - along) + tf.sin(angle) * cross(axis, pose)


def heading(pose: tf.Tensor, pair: Sequence[int]) -> tf.Tensor:
    """(B,) radians about up of the line from the first to the second joint of a pair."""
    line = pose[:, pair[1]] - pose[:, pair[0]]
    return tf.atan2(-line[:, 2], line[:, 0])


def recombine(
    pose: tf.Tensor, other: tf.Tensor, pair: tuple[str, str], chosen: tf.Tensor, skeleton: Skeleton
) -> tf.Tensor:
    """The limbs that hang on a pair of joints taken from another pose.

    The other body is turned about up until its pair (hips, or shoulders) heads the same way; its bones keep
    their directions and take the lengths of this body.

    Args:
        pose: (B, J, 3).
        other: (B, J, 3) the poses to take limbs from.
        pair: Names of the joints, right and left, on which the limbs hang.
        chosen: (B,) bool: the bodies that take them.
        skeleton: The joints.
    """
    ends = [skeleton.index(joint) for joint in pair]
    angle = heading(pose, ends) - heading(other, ends)
    turned = turn(other, tf.broadcast_to(tf.constant(UP), [tf.shape(pose)[0], 3]), angle)
    moving = {joint for name in pair for joint in subtree(skeleton, name)}
    joints = tf.unstack(pose, axis=1)
    own, new = tf.unstack(pose, axis=1), tf.unstack(turned, axis=1)
    for joint, parent in parents(skeleton):
        if joint in moving:
            bone = new[joint] - new[parent]
            length = safe_norm(own[joint] - own[parent], keepdims=True)
            joints[joint] = joints[parent] + safe_divide(bone, safe_norm(bone, keepdims=True)) * length
    return tf.where(chosen[:, None, None], tf.stack(joints, axis=1), pose)


def tilt(pose: tf.Tensor, deviation: float, chosen: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Whole bodies turned about a random horizontal axis: bending, lying, upside down.

    Args:
        pose: (B, J, 3).
        deviation: Standard deviation of the normally distributed angle, degrees.
        chosen: (B,) bool: the bodies that are turned.
        seed: (2,) of the draw.
    """
    for_axis, for_angle = tf.unstack(tf.random.split(seed, 2))
    rows = tf.shape(pose)[:1]
    direction = tf.random.stateless_uniform(rows, for_axis, 0.0, 2.0 * math.pi)
    axis = tf.stack([tf.cos(direction), tf.zeros_like(direction), tf.sin(direction)], axis=-1)
    angle = tf.random.stateless_normal(rows, for_angle, stddev=math.radians(deviation))
    return turn(pose, axis, tf.where(chosen, angle, 0.0))


def vary_proportions(pose: tf.Tensor, deviation: float, seed: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """Bones longer or shorter by factors 1 + N(0, deviation²), alike on both sides, directions kept.

    Args:
        pose: (B, J, 3).
        deviation: Of the factor of each kind of bone.
        seed: (2,) of the draw.
        skeleton: The joints.
    """
    kinds = _bone_kinds(skeleton)
    factor = 1.0 + tf.random.stateless_normal([tf.shape(pose)[0], max(kinds) + 1], seed, stddev=deviation)
    factor = tf.clip_by_value(factor, 0.5, 1.5)
    old = tf.unstack(pose, axis=1)
    new = list(old)
    for (joint, parent), kind in zip(parents(skeleton), kinds, strict=True):
        new[joint] = new[parent] + (old[joint] - old[parent]) * factor[:, kind, None]
    return tf.stack(new, axis=1)


def _bone_kinds(skeleton: Skeleton) -> list[int]:
    """Which factor each bone of `parents` takes: one for a bone and its mirror image."""
    opposite, numbers = skeleton.opposite_joints, {}
    keys = [frozenset([joint, opposite[joint]]) for joint, _ in parents(skeleton)]
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def mean_up(pose: np.ndarray, camera: np.ndarray | None, skeleton: Skeleton) -> np.ndarray:
    """Where up is, of what people do most of the time: the mean direction from root to shoulders that a camera sees.

    Args:
        pose: (M, J, 3) root-centred.
        camera: (M,) names, or None where all rows are one camera's.
        skeleton: The joints.

    Returns:
        (M, 3) unit vectors; Human3.6M's four cameras are found within 3° from people who walk about.
    """
    trunk = pose[:, [skeleton.index(joint) for joint in skeleton.shoulders]].mean(axis=1, dtype=np.float64)
    trunk /= np.maximum(np.linalg.norm(trunk, axis=-1, keepdims=True), 1e-9)
    _, number = np.unique(np.zeros(len(pose)) if camera is None else camera, return_inverse=True)
    total = np.stack([np.bincount(number, weights=values) for values in trunk.T], axis=-1)
    return (total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), 1e-9))[number]


def to_room(pose: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(M, J, 3) root-centred poses of the camera frame (y down, z away) turned so that up is y.

    Args:
        pose: (M, J, 3).
        up: (M, 3) unit vectors that point up in each row's camera frame; (0, −1, 0) for level cameras.

    Returns:
        (M, J, 3) float32. The turn is the shortest, so that the view's heading is kept.
    """
    flipped = pose * np.array([1.0, -1.0, -1.0], np.float32)
    up = up * np.array([1.0, -1.0, -1.0])
    # Shortest rotation of `up` to y: v + (axis × v) + axis × (axis × v) / (1 + cos), axis = up × y.
    axis = np.cross(up, np.array(UP))[:, None]
    across = np.cross(axis, flipped)
    return (flipped + across + np.cross(axis, across) / np.maximum(1.0 + up[:, None, None, 1], 1e-6)).astype(np.float32)
