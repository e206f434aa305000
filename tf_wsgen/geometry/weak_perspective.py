"""The weak-perspective camera M (2×3): projection, and the rotation nearest to it."""

import tensorflow as tf

from tf_wsgen.numerics import cross, safe_divide, safe_norm

# With M scaled to unit norm: |m₁ × m₂| below which its rows count as parallel, a row's length as zero.
PARALLEL_ROWS = 1e-5


def project(camera: tf.Tensor, pose_3d: tf.Tensor) -> tf.Tensor:
    """π(y) = M y for every joint (Eq. 4).

    Args:
        camera: (A1..An, 2, 3).
        pose_3d: (A1..An, J, 3); leading axes broadcast against the camera's.

    Returns:
        (A1..An, J, 2), in the units of the normalised 2D pose.
    """
    # Sums of products fuse into one loop, where a product of many small matrices would not.
    return tf.reduce_sum(tf.expand_dims(pose_3d, -2) * tf.expand_dims(camera, -3), axis=-1)


def per_hypothesis(camera: tf.Tensor) -> tf.Tensor:
    """One camera a pose (B, 2, 3) as (B, 1, 2, 3), which broadcasts over hypotheses; (B, H, 2, 3) as it is."""
    return camera[:, None] if len(camera.shape) == 3 else camera


def rotation_from_camera(camera: tf.Tensor) -> tf.Tensor:
    """The rotation R nearest to M: polar factor of its rows, and their cross product.

    With unit normal n of the rows m₁, m₂ the polar factor has the closed form
    r₁ = (m₁ + m₂×n)/t and r₂ = n×r₁, t = √(|m₁|² + |m₂|² + 2|m₁×m₂|), which needs no singular value
    decomposition. Where the rows are parallel there is no nearest rotation; the
    result is then a finite one whose first row is m₁ normalised.

    Args:
        camera: (A1..An, 2, 3).

    Returns:
        (A1..An, 3, 3) proper rotations from the template frame to the camera frame with x right,
        y up, z towards the viewer.
    """
    entries = tf.concat([camera[..., 0, :], camera[..., 1, :]], axis=-1)
    # Not by [..., None]: TensorFlow Lite has no such slices of cameras by hypothesis.
    camera = safe_divide(camera, tf.expand_dims(safe_norm(entries, keepdims=True), -1))
    first, second = camera[..., 0, :], camera[..., 1, :]
    normal = cross(first, second)
    parallel = safe_norm(normal, keepdims=True) <= PARALLEL_ROWS
    has_first = safe_norm(first, keepdims=True) > PARALLEL_ROWS
    has_second = safe_norm(second, keepdims=True) > PARALLEL_ROWS

    # Rank one: keep the first row (the second if that is all there is), invent a normal to it.
    x_axis = tf.broadcast_to(tf.constant([1.0, 0.0, 0.0], camera.dtype), tf.shape(first))
    first = tf.where(has_first, first, tf.where(has_second, tf.zeros_like(first), x_axis))
    second = tf.where(parallel & has_first, tf.zeros_like(second), second)
    kept = first + second
    least_aligned = tf.one_hot(tf.argmin(tf.abs(kept), axis=-1), 3, dtype=camera.dtype)
    normal = tf.where(parallel, cross(kept, least_aligned), normal)

    row_1 = _unit(first + cross(second, _unit(normal)))
    # Rounding leaves the normal of nearly parallel rows not quite normal.
    normal = _unit(normal - tf.reduce_sum(normal * row_1, axis=-1, keepdims=True) * row_1)
    return tf.stack([row_1, cross(normal, row_1), normal], axis=-2)


def _unit(vector: tf.Tensor) -> tf.Tensor:
    return safe_divide(vector, safe_norm(vector, keepdims=True))
