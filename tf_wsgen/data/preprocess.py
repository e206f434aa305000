"""From pixels and millimetres to what the networks see (the conventions of the template frame)."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_wsgen.errors import InputError
from tf_wsgen.geometry.alignment import to_template, torso_frame
from tf_wsgen.numerics import safe_divide
from tf_wsgen.simulation.settings import EXACT
from tf_wsgen.skeleton import Skeleton

# A pose whose visible joints deviate less than this (pixels) has no shape to normalise.
SMALLEST_DEVIATION = 1e-3
# Pixels that no image has.
LARGEST_PIXEL = 1e6
# Rows a call, so that a large file needs little memory.
CHUNK = 65_536


class NormalisedPose(NamedTuple):
    """A 2D pose as the networks take it, and the way back to pixels.

    Attributes:
        pose_2d: (A1..An, J, 2) root-centred, y up, divided by its standard deviation; 0 where missing.
        visible: (A1..An, J) as given, at most 1, 0 missing; a root put at the mid-hip counts as missing.
        root: (A1..An, 2) the root's pixels.
        deviation: (A1..An) the standard deviation, pixels.
        usable: (A1..An) bool: the root is known, directly or from both hips, no visible joint is further than
            `LARGEST_PIXEL`, and the pose has a size.
    """

    pose_2d: tf.Tensor
    visible: tf.Tensor
    root: tf.Tensor
    deviation: tf.Tensor
    usable: tf.Tensor

    def to_pixels(self, projected: tf.Tensor) -> tf.Tensor:
        """Projections (A1..An, H, J, 2) in normalised coordinates to pixels, y down."""
        return projected * _DOWN * self.deviation[..., None, None, None] + self.root[..., None, None, :]


_DOWN = np.array([1.0, -1.0], np.float32)


def normalise_keypoints(keypoints: tf.Tensor, visible: tf.Tensor, skeleton: Skeleton) -> NormalisedPose:
    """Root-centres, turns y up, and divides by the standard deviation of the visible coordinates.

    The deviation is that of the 2J root-centred numbers (of the visible joints' where some are
    missing), their mean removed, ddof 0. A missing root is the mid-hip.

    Args:
        keypoints: (A1..An, J, 2) pixels, y down; values of missing joints don't matter.
        visible: (A1..An, J) 0 missing; else 1, how sure the detector is, or `EXACT`.
        skeleton: The joints.

    Returns:
        A `NormalisedPose`; rows that are not `usable` hold zeros, never NaN.
    """
    seen = visible > 0.0
    keypoints = tf.where(seen[..., None], keypoints, 0.0)
    right, left = skeleton.hip_indices
    root_seen = seen[..., skeleton.root_index]
    hips_seen = seen[..., right] & seen[..., left]
    mid_hip = (keypoints[..., right, :] + keypoints[..., left, :]) / 2.0
    root = tf.where(root_seen[..., None], keypoints[..., skeleton.root_index, :], mid_hip)

    centred = tf.where(seen[..., None], (keypoints - root[..., None, :]) * _DOWN, 0.0)
    mask = tf.cast(seen, keypoints.dtype)[..., None] * tf.ones([2], keypoints.dtype)
    count = tf.reduce_sum(mask, axis=[-2, -1])
    mean = safe_divide(tf.reduce_sum(centred, axis=[-2, -1]), count)
    squared = tf.square(centred - mean[..., None, None]) * mask
    deviation = tf.sqrt(safe_divide(tf.reduce_sum(squared, axis=[-2, -1]), count))

    in_image = tf.reduce_all(tf.abs(keypoints) <= LARGEST_PIXEL, axis=[-2, -1])
    usable = (root_seen | hips_seen) & in_image & (deviation > SMALLEST_DEVIATION)
    pose_2d = tf.where(usable[..., None, None], safe_divide(centred, deviation[..., None, None]), 0.0)
    sureness = tf.where(seen, tf.minimum(visible, EXACT), 0.0)
    return NormalisedPose(pose_2d, sureness, root, deviation, usable)


def normalise_rows(
    keypoints: np.ndarray, visible: np.ndarray | None, skeleton: Skeleton, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """`normalise_keypoints` for all rows of a file: (N, J, 2) and (N, J) float32.

    Args:
        keypoints: (N, J, 2) pixels.
        visible: (N, J), or None where every joint is seen.
        skeleton: The joints.
        where: What to call the rows in an error.

    Raises:
        InputError: A row without root and hips, with pixels that no image has, or with all joints in one place.
    """
    visible = np.ones(keypoints.shape[:2], np.float32) if visible is None else visible
    poses = []
    for start in range(0, len(keypoints), CHUNK):
        rows = slice(start, start + CHUNK)
        normalised = normalise_keypoints(keypoints[rows], visible[rows], skeleton)
        usable = normalised.usable.numpy()
        if not usable.all():
            raise InputError(
                f"{where} row {start + np.argmin(usable)} cannot be normalised: expected pixels of at most "
                f"{LARGEST_PIXEL:,.0f}, a visible {skeleton.root} or both hips, and joints in more than one place."
            )
        poses.append(normalised.pose_2d.numpy())
    return np.concatenate(poses), visible.astype(np.float32)


def make_template(pose_3d: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The mean of hips and shoulders in each pose's own frame: (M, J, 3) metres to (4, 3) metres."""
    torso = pose_3d[:, list(skeleton.template_indices)]
    return torso_frame(torso, pose_3d[:, skeleton.root_index]).numpy().mean(axis=0, dtype=np.float64).astype(np.float32)


def align_rows(pose_3d: np.ndarray, template: np.ndarray, skeleton: Skeleton, where: str) -> tuple[np.ndarray, float]:
    """All 3D rows in the template frame, root-centred, and the scale ratio.

    Args:
        pose_3d: (M, J, 3) metres.
        template: (4, 3) metres.
        skeleton: The joints.
        where: What to call the rows in an error.

    Returns:
        (M, J, 3) float32 and the mean of 1/s over the rows.

    Raises:
        InputError: A row whose hips and shoulders coincide.
    """
    chunks = [
        to_template(pose_3d[start : start + CHUNK], template, skeleton.template_indices, skeleton.root_index)
        for start in range(0, len(pose_3d), CHUNK)
    ]
    aligned, scale = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    if (scale <= 0).any():
        raise InputError(f"{where} row {np.argmin(scale)} has hips and shoulders in one place; expected a person.")
    return aligned, float(np.mean(1.0 / scale, dtype=np.float64))
