"""The diversity loss: different codes must give different poses (Eq. 6)."""

import itertools

import tensorflow as tf

from tf_wsgen.numerics import safe_divide


def diversity(hypotheses: tf.Tensor, z: tf.Tensor, threshold: float = 1.0) -> tf.Tensor:
    """L_reg: mean over pairs of codes of relu(τ − mean|G₁ − G₂| / mean|z₁ − z₂|).

    Eq. 6 up to a constant and its sign, so it is added to what is minimised.

    Args:
        hypotheses: (B, H, J, 3), H ≥ 2, metres.
        z: (B, H, Z).
        threshold: τ.

    Returns:
        A scalar from 0 to τ.

    Raises:
        ValueError: One hypothesis only.
    """
    if hypotheses.shape[1] < 2:
        raise ValueError(f"hypotheses have shape {hypotheses.shape}; expected at least 2 a pose to compare.")
    terms = []
    for first, second in itertools.combinations(range(hypotheses.shape[1]), 2):
        pose_distance = tf.reduce_mean(tf.abs(hypotheses[:, first] - hypotheses[:, second]), axis=[-2, -1])
        code_distance = tf.reduce_mean(tf.abs(z[:, first] - z[:, second]), axis=-1)
        terms.append(tf.nn.relu(threshold - safe_divide(pose_distance, code_distance)))
    return tf.reduce_mean(terms)
