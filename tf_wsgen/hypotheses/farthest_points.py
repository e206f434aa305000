"""Farthest-point sampling (Eldar et al., 1997): few hypotheses that cover many."""

import tensorflow as tf


def farthest_points(hypotheses: tf.Tensor, count: int) -> tf.Tensor:
    """Indices of `count` hypotheses, each the farthest from those before it; the first is index 0.

    Args:
        hypotheses: (B, N, J, 3); distances are Euclidean over all 3J coordinates.
        count: From 1 to N.

    Returns:
        (B, count) int32.

    Example:
        >>> on_a_line = tf.reshape([0.0, 1.0, 9.0, 5.0], [1, 4, 1, 1]) * tf.ones([1, 4, 2, 3])
        >>> farthest_points(on_a_line, 3).numpy().tolist()
        [[0, 2, 3]]
    """
    shape = tf.shape(hypotheses)
    points = tf.reshape(hypotheses, [shape[0], shape[1], -1])
    chosen = tf.zeros(shape[:1], tf.int32)
    indices, nearest = [chosen], tf.fill(shape[:2], hypotheses.dtype.max)
    for _ in range(count - 1):
        last = tf.gather(points, chosen, batch_dims=1)[:, None]
        nearest = tf.minimum(nearest, tf.reduce_sum(tf.square(points - last), axis=-1))
        chosen = tf.argmax(nearest, axis=1, output_type=tf.int32)
        indices.append(chosen)
    return tf.stack(indices, axis=1)
