"""The critic's gradient penalty, on the MMD witness between real and generated poses."""

from collections.abc import Callable

import tensorflow as tf

from tf_wsgen.losses.mmd import critic_kernel, feature_centre

# Keeps the slope of the gradient's norm finite where the gradient is zero.
NORM_EPSILON = 1e-5


def interpolate(hypotheses: tf.Tensor, real: tf.Tensor, epsilon: tf.Tensor) -> tf.Tensor:
    """ŷ = ε·real + (1 − ε)·generated: (B, H, J, 3), (B or B·H, J, 3), (B, H) to (B·H, J, 3).

    With one real pose per 2D pose, real b is paired with each of the H generated poses of b; with as
    many real as generated poses they are paired row by row.
    """
    shape = tf.shape(hypotheses)
    real = tf.reshape(real, [shape[0], -1, shape[2], 3])
    epsilon = epsilon[..., None, None]
    return tf.reshape(epsilon * real + (1.0 - epsilon) * hypotheses, [-1, *hypotheses.shape[2:]])


def gradient_penalty(
    critic: Callable[[tf.Tensor], tf.Tensor],
    interpolated: tf.Tensor,
    generated_features: tf.Tensor,
    real_features: tf.Tensor,
    dot_weight: float = 10.0,
) -> tf.Tensor:
    """mean (√(‖∇_ŷ f‖² + 10⁻⁵) − 1)², f(ŷ) = mean_j k(D(ŷ), D(real_j)) − mean_j k(D(ŷ), D(gen_j)).

    The gradient runs through the kinematic chain space too (Li et al., MMD GAN; Bińkowski et al., 2018).

    Args:
        critic: D, from (N, J, 3) poses to (N, F) features.
        interpolated: (N, J, 3) ŷ.
        generated_features: (G, F) D of the generated poses.
        real_features: (R, F) D of the real poses.
        dot_weight: See `critic_kernel`.
    """
    centre = feature_centre(real_features)
    generated_features, real_features = generated_features - centre, real_features - centre
    with tf.GradientTape() as tape:
        tape.watch(interpolated)
        features = critic(interpolated) - centre
        towards_real = tf.reduce_mean(critic_kernel(features, real_features, dot_weight), axis=1)
        towards_generated = tf.reduce_mean(critic_kernel(features, generated_features, dot_weight), axis=1)
        # Each ŷ has its own witness value, so the sum's gradient holds each one's own.
        witness = tf.reduce_sum(towards_real - towards_generated)
    gradient = tape.gradient(witness, interpolated)
    norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=[1, 2]) + NORM_EPSILON)
    return tf.reduce_mean(tf.square(norm - 1.0))
