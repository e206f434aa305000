"""Energy scores of simulated pairs: strictly proper, so that the posterior itself makes them smallest."""

import tensorflow as tf

from tf_wsgen.numerics import safe_norm


def energy_score(hypotheses: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
    """ES = mean_i ‖h_i − y‖ − ½ mean_{i≠j} ‖h_i − h_j‖, mean over the batch: fair, without bias for any H.

    Gneiting & Raftery 2007. The gradient is 0, not NaN, where hypotheses coincide.

    Args:
        hypotheses: (B, H, ..., D), H ≥ 2 draws of each posterior.
        truth: (B, ..., D) one draw of the joint distribution each.

    Returns:
        A scalar in the unit of the poses; axes between H and D are averaged.

    Example:
        >>> float(energy_score(tf.constant([[[0.0], [2.0]]]), tf.constant([[1.0]])))
        0.0
    """
    count = hypotheses.shape[1]
    distance = tf.reduce_mean(safe_norm(hypotheses - truth[:, None]))
    pairs = safe_norm(hypotheses[:, :, None] - hypotheses[:, None])
    # The diagonal of the pairs is zero: their mean times H/(H − 1) is that over i ≠ j.
    return distance - 0.5 * tf.reduce_mean(pairs) * count / (count - 1)


def pose_energy(hypotheses: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
    """The energy score of the whole pose, of its 3J numbers: (B, H, J, 3) with (B, J, 3)."""
    return energy_score(
        tf.reshape(hypotheses, [-1, hypotheses.shape[1], hypotheses.shape[2] * 3]),
        tf.reshape(truth, [-1, truth.shape[1] * 3]),
    )


def joint_energy(hypotheses: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
    """The energy score of each joint, averaged: (B, H, J, 3) with (B, J, 3)."""
    return energy_score(hypotheses, truth)


def median_distance(pose: tf.Tensor, truth: tf.Tensor) -> tf.Tensor:
    """Mean ‖g_j − y_j‖, smallest where each joint is its conditional (geometric) median: (B, J, 3) twice."""
    return tf.reduce_mean(safe_norm(pose - truth))
