"""Guarded arithmetic: every epsilon of the package that protects a value or a gradient lives here."""

import tensorflow as tf

# Squared length below which a vector has no direction worth following.
TINY = 1e-12


def safe_norm(x: tf.Tensor, axis: int = -1, keepdims: bool = False) -> tf.Tensor:
    """Euclidean norm √Σx² over `axis` with a gradient of 0, not NaN, at x = 0.

    Args:
        x: (A1..An) float tensor.
        axis: The axis to sum over.
        keepdims: Keep that axis with length 1.
    """
    squared = tf.reduce_sum(tf.square(x), axis=axis, keepdims=keepdims)
    positive = squared > 0.0
    # The inner `where` keeps √'s infinite slope out of the branch that is not taken.
    return tf.where(positive, tf.sqrt(tf.where(positive, squared, 1.0)), 0.0)


def safe_divide(numerator: tf.Tensor, denominator: tf.Tensor) -> tf.Tensor:
    """The quotient numerator / denominator, and 0 with gradient 0 where |denominator|² < `TINY`."""
    usable = tf.square(denominator) > TINY
    return tf.where(usable, numerator / tf.where(usable, denominator, 1.0), 0.0)


def cross(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """The cross product a × b of (A1..An, 3), written out: TFLite has no operation for it.

    Raises:
        ValueError: Vectors that don't have three elements.
    """
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(f"cross takes vectors of 3 elements; found shapes {a.shape} and {b.shape}.")
    a_x, a_y, a_z = tf.unstack(a, axis=-1)
    b_x, b_y, b_z = tf.unstack(b, axis=-1)
    return tf.stack([a_y * b_z - a_z * b_y, a_z * b_x - a_x * b_z, a_x * b_y - a_y * b_x], axis=-1)


def pairwise_squared_distance(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """‖a_i − b_j‖² for every pair: (A1..An, N, D) and (A1..An, M, D) to (A1..An, N, M).

    Computed as ‖a‖² + ‖b‖² − 2⟨a, b⟩, never below 0: differences of every pair would not fit in memory
    for many long vectors. Its absolute error is that of the largest ‖a‖², so centre the vectors first.
    """
    squares = tf.reduce_sum(tf.square(a), -1)[..., :, None] + tf.reduce_sum(tf.square(b), -1)[..., None, :]
    return tf.maximum(squares - 2.0 * tf.matmul(a, b, transpose_b=True), 0.0)
