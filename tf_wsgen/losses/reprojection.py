"""The reprojection likelihood: a Laplace distribution about the projected pose (Eq. 4)."""

import tensorflow as tf
import tensorflow_probability as tfp

from tf_wsgen.geometry.weak_perspective import per_hypothesis, project


def log_likelihood(
    pose_2d: tf.Tensor, hypotheses: tf.Tensor, camera: tf.Tensor, weights: tf.Tensor, scale: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """log P(x | y) = Σ_j w_j log Laplace(x_j; π(y)_j, b), the constant included (Eq. 4).

    Args:
        pose_2d: (B, J, 2) x, normalised.
        hypotheses: (B, H, J, 3) y.
        camera: (B, 2, 3) M, or (B, H, 2, 3), one a hypothesis.
        weights: (B, J) or (J,): joint weights times visibility.
        scale: b in normalised coordinates; a scalar, or (B, 1, J, 1) where detectors' confidences vary it.

    Returns:
        (B, H), in nats.
    """
    per_joint = _joint_log_probability(pose_2d, hypotheses, camera, scale)
    return tf.reduce_sum(_over_hypotheses(weights) * per_joint, axis=-1)


def reprojection(
    pose_2d: tf.Tensor, hypotheses: tf.Tensor, camera: tf.Tensor, weights: tf.Tensor, scale: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """L_2D: the negative log-likelihood less its constant: mean over poses of (1/2J) Σ_j w_j |M y − x|_j / b.

    Args:
        pose_2d: (B, J, 2) x, normalised.
        hypotheses: (B, H, J, 3) y.
        camera: (B, 2, 3) M, or (B, H, 2, 3), one a hypothesis.
        weights: (B, J) or (J,): joint weights times visibility.
        scale: See `log_likelihood`.

    Returns:
        A scalar; 0 for a perfect reprojection.
    """
    constant = 2.0 * tf.math.log(2.0 * tf.convert_to_tensor(scale, pose_2d.dtype))
    if constant.shape.rank:
        constant = tf.squeeze(constant, axis=-1)
    per_joint = _joint_log_probability(pose_2d, hypotheses, camera, scale) + constant
    return -tf.reduce_mean(_over_hypotheses(weights) * per_joint) / 2.0


def _over_hypotheses(weights: tf.Tensor) -> tf.Tensor:
    return weights[..., None, :]


def _joint_log_probability(pose_2d, hypotheses, camera, scale) -> tf.Tensor:
    """(B, H, J): log-density of each joint's two coordinates."""
    projected = project(per_hypothesis(camera), hypotheses)
    laplace = tfp.distributions.Independent(tfp.distributions.Laplace(projected, scale), reinterpreted_batch_ndims=1)
    return laplace.log_prob(pose_2d[:, None])
