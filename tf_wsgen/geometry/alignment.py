"""Rigid and similarity alignment of point sets, batched."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tf_wsgen.numerics import cross, safe_divide, safe_norm


class Similarity(NamedTuple):
    """x ↦ scale · rotation x + translation: (A1..An), (A1..An, 3, 3), (A1..An, 3)."""

    scale: tf.Tensor
    rotation: tf.Tensor
    translation: tf.Tensor

    def __call__(self, points: tf.Tensor) -> tf.Tensor:
        """Transforms (A1..An, P, 3) points."""
        rotated = tf.matmul(points, self.rotation, transpose_b=True)
        return self.scale[..., None, None] * rotated + self.translation[..., None, :]


def root_centre(pose: tf.Tensor, root_index: int) -> tf.Tensor:
    """The pose less its root joint: (A1..An, J, D)."""
    return pose - pose[..., root_index : root_index + 1, :]


def procrustes(source: tf.Tensor, target: tf.Tensor, allow_reflection: bool = False) -> Similarity:
    """The similarity transform that takes `source` to `target` with the least squared error.

    Umeyama (1991): with the singular value decomposition U S Vᵀ of sourceᵀ·target (both centred)
    the rotation is V D Uᵀ, D = diag(1, 1, det(V Uᵀ)), and the scale tr(D S)/‖source‖².

    Args:
        source: (A1..An, P, 3).
        target: (A1..An, P, 3), same leading axes.
        allow_reflection: Take D = I, so that a mirrored pose aligns perfectly (as the paper's
            published program does). By default only proper rotations are admitted.

    Returns:
        A `Similarity`; finite for collinear and coincident points too, where it is not unique.
    """
    source_mean = tf.reduce_mean(source, axis=-2, keepdims=True)
    target_mean = tf.reduce_mean(target, axis=-2, keepdims=True)
    source_centred, target_centred = source - source_mean, target - target_mean
    covariance = tf.matmul(source_centred, target_centred, transpose_a=True)
    singular, left, right = tf.linalg.svd(covariance)
    if not allow_reflection:
        # det(V Uᵀ) = det V · det U, each a triple product (tf.linalg.det does not compile under XLA).
        sign = tf.sign(_determinant(left) * _determinant(right))
        flip = tf.stack([tf.ones_like(sign), tf.ones_like(sign), sign], axis=-1)
        singular, right = singular * flip, right * flip[..., None, :]
    rotation = tf.matmul(right, left, transpose_b=True)
    variance = tf.reduce_sum(tf.square(source_centred), axis=[-2, -1])
    scale = safe_divide(tf.reduce_sum(singular, axis=-1), variance)
    rotated_mean = tf.matmul(source_mean, rotation, transpose_b=True)[..., 0, :]
    return Similarity(scale, rotation, target_mean[..., 0, :] - scale[..., None] * rotated_mean)


def _determinant(matrix: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(cross(matrix[..., 0, :], matrix[..., 1, :]) * matrix[..., 2, :], axis=-1)


def torso_frame(hips_and_shoulders: tf.Tensor, origin: tf.Tensor) -> tf.Tensor:
    """Hips and shoulders in the body's own frame.

    x runs from right to left hip, y is the part of mid-shoulder − mid-hip orthogonal to x,
    z = x × y points forward.

    Args:
        hips_and_shoulders: (A1..An, 4, 3): right hip, left hip, right shoulder, left shoulder.
        origin: (A1..An, 3), the pelvis.

    Returns:
        (A1..An, 4, 3), in the input's units.
    """
    right_hip, left_hip, right_shoulder, left_shoulder = tf.unstack(hips_and_shoulders, axis=-2)
    x_axis = left_hip - right_hip
    x_axis = safe_divide(x_axis, safe_norm(x_axis, keepdims=True))
    up = (right_shoulder + left_shoulder - right_hip - left_hip) / 2.0
    y_axis = up - tf.reduce_sum(up * x_axis, -1, keepdims=True) * x_axis
    y_axis = safe_divide(y_axis, safe_norm(y_axis, keepdims=True))
    axes = tf.stack([x_axis, y_axis, cross(x_axis, y_axis)], axis=-2)
    return tf.matmul(hips_and_shoulders - origin[..., None, :], axes, transpose_b=True)


def to_template(
    pose_3d: tf.Tensor, template: tf.Tensor, template_indices: Sequence[int], root_index: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Poses in the template frame: aligned on hips and shoulders, then root-centred.

    Args:
        pose_3d: (A1..An, J, 3), in any right-handed frame.
        template: (4, 3): right hip, left hip, right shoulder, left shoulder.
        template_indices: The joints that the template's rows stand for.
        root_index: The joint to centre on.

    Returns:
        (A1..An, J, 3) aligned poses in the template's units, and (A1..An) scales s.
    """
    torso = tf.gather(pose_3d, template_indices, axis=-2)
    similarity = procrustes(torso, tf.broadcast_to(template, tf.shape(torso)))
    return root_centre(similarity(pose_3d), root_index), similarity.scale
