"""The weak-perspective constraint on the camera (Wandt and Rosenhahn, 2019)."""

import tensorflow as tf

from tf_wsgen.numerics import safe_divide


def camera_constraint(camera: tf.Tensor) -> tf.Tensor:
    """L_cam: mean over the batch of Σ|(2/tr(M Mᵀ)) M Mᵀ − I₂|, entry by entry: (B, 2, 3) to a scalar.

    It is 0 where the rows of M are orthogonal and of one length.
    """
    gram = tf.matmul(camera, camera, transpose_b=True)
    scaled = safe_divide(2.0 * gram, tf.linalg.trace(gram)[..., None, None])
    return tf.reduce_mean(tf.reduce_sum(tf.abs(scaled - tf.eye(2, dtype=camera.dtype)), axis=[-2, -1]))
