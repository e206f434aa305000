"""Hiding joints: drawn anew for every batch in training, once for every row in evaluation (Table 3)."""

from collections.abc import Sequence

import tensorflow as tf

from tf_wsgen.numerics import safe_divide


def hide_in_batch(
    pose_2d: tf.Tensor, visible: tf.Tensor, limbs: Sequence[int], least: int, most: int, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Hides as many limb joints of each pose as are drawn from `least` to `most`, all numbers equally likely.

    What is left is divided by its own standard deviation, as a pose that comes with missing joints is.

    Args:
        pose_2d: (B, J, 2) normalised.
        visible: (B, J).
        limbs: Indices of the joints that may be hidden.
        least: Fewest joints.
        most: Most joints.
        seed: (2,) of the draw.

    Returns:
        `pose_2d` and `visible` with those joints 0.
    """
    rows, joints = tf.shape(pose_2d)[0], pose_2d.shape[1]
    count_seed, choice_seed = tf.unstack(tf.random.split(seed, 2))
    count = tf.random.stateless_uniform([rows, 1], count_seed, least, most + 1, tf.int32)
    # The joints with the smallest of as many random numbers are a draw without repetition.
    number = tf.random.stateless_uniform([rows, len(limbs)], choice_seed)
    hidden = tf.cast(tf.argsort(tf.argsort(number, axis=1), axis=1) < count, pose_2d.dtype)
    visible = visible * (1.0 - tf.matmul(hidden, tf.one_hot(limbs, joints)))
    mask = visible[..., None] * tf.ones([2])
    total = tf.reduce_sum(mask, axis=[1, 2], keepdims=True)
    mean = safe_divide(tf.reduce_sum(pose_2d * mask, axis=[1, 2], keepdims=True), total)
    variance = safe_divide(tf.reduce_sum(tf.square(pose_2d - mean) * mask, axis=[1, 2], keepdims=True), total)
    return safe_divide(pose_2d * mask, tf.sqrt(variance)), visible
