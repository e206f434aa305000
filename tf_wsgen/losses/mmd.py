"""The adversarial loss: unbiased MMD² under a mixed kernel (Eq. 8, 9)."""

import tensorflow as tf

from tf_wsgen.numerics import pairwise_squared_distance

# α of the rational quadratic kernels that are summed.
ALPHAS = (0.1, 1.0, 10.0)


def critic_kernel(a: tf.Tensor, b: tf.Tensor, dot_weight: float = 10.0) -> tf.Tensor:
    """k(a, b) = Σ_α (1 + ‖a − b‖²/2α)^(−α) + w ⟨a, b⟩ for every pair (Eq. 9).

    Args:
        a: (N, F) critic features.
        b: (M, F) critic features.
        dot_weight: w; the paper writes 1, its published program uses 10.

    Returns:
        (N, M).
    """
    squared = pairwise_squared_distance(a, b)
    rational_quadratic = tf.add_n([tf.exp(-alpha * tf.math.log1p(squared / (2.0 * alpha))) for alpha in ALPHAS])
    return rational_quadratic + dot_weight * tf.matmul(a, b, transpose_b=True)


def feature_centre(real: tf.Tensor) -> tf.Tensor:
    """The mean of the real poses' (M, F) features, to subtract from all features: (1, F), no gradient.

    MMD² and the witness' gradient don't change when one vector is added to all features, so nothing
    keeps Adam from letting that vector grow until float32 cancels. Centring is the same mathematics
    with safe numbers.
    """
    return tf.stop_gradient(tf.reduce_mean(real, axis=0, keepdims=True))


def mmd_squared(generated: tf.Tensor, real: tf.Tensor, dot_weight: float = 10.0) -> tf.Tensor:
    """The unbiased estimate of MMD² between two sets of features (Eq. 8): a scalar, perhaps negative.

    Args:
        generated: (N, F) critic features of generated poses, N ≥ 2.
        real: (M, F) critic features of distinct real poses, M ≥ 2.
        dot_weight: See `critic_kernel`.
    """
    centre = feature_centre(real)
    generated, real = generated - centre, real - centre
    between = tf.reduce_mean(critic_kernel(generated, real, dot_weight))
    return _mean_off_diagonal(generated, dot_weight) + _mean_off_diagonal(real, dot_weight) - 2.0 * between


def _mean_off_diagonal(features: tf.Tensor, dot_weight: float) -> tf.Tensor:
    kernel = critic_kernel(features, features, dot_weight)
    count = tf.cast(tf.shape(features)[0], features.dtype)
    return (tf.reduce_sum(kernel) - tf.linalg.trace(kernel)) / (count * (count - 1.0))
