"""The weak-perspective constraint on the camera (Wandt and Rosenhahn, 2019)."""

import tensorflow as tf

from tf_wsgen.numerics import safe_divide, safe_norm


def camera_constraint(camera: tf.Tensor) -> tf.Tensor:
    """L_cam: mean over the batch of Σ|(2/tr(M Mᵀ)) M Mᵀ − I₂|, entry by entry: (B, 2, 3) to a scalar.

    It is 0 where the rows of M are orthogonal and of one length.
    """
    # tr(M Mᵀ) = ‖M‖²: scaling M first keeps small cameras from vanishing in the square.
    norm = safe_norm(tf.concat([camera[..., 0, :], camera[..., 1, :]], axis=-1), keepdims=True)
    unit = safe_divide(camera, norm[..., None])
    scaled = 2.0 * tf.matmul(unit, unit, transpose_b=True)
    return tf.reduce_mean(tf.reduce_sum(tf.abs(scaled - tf.eye(2, dtype=camera.dtype)), axis=[-2, -1]))
