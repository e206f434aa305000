"""Latent codes as pure functions of a seed."""

import tensorflow as tf

# No standard normal number is larger; of much larger ones the networks would make numbers that are not finite.
LARGEST_CODE = 1e3


def zero_code(code_size: int) -> tf.Tensor:
    """The code z = 0, the most likely one under N(0, I): (1, 1, Z)."""
    return tf.zeros([1, 1, code_size])


def usable_codes(z: tf.Tensor) -> tf.Tensor:
    """Which codes (A1..An, Z) hold finite numbers of at most `LARGEST_CODE`: (A1..An) bool."""
    return tf.reduce_all(tf.abs(z) <= LARGEST_CODE, axis=-1)


def shared_codes(num_hypotheses: tf.Tensor | int, code_size: int, seed: tf.Tensor | int) -> tf.Tensor:
    """Codes for serving, the same for every pose: (1, N, Z) ~ N(0, I).

    A pose's hypotheses then depend on the pose, N and the seed, never on the batch it came in, and
    hypothesis n of one video frame continues as hypothesis n of the next.
    """
    return tf.random.stateless_normal([1, num_hypotheses, code_size], tf.stack([seed, 0]))


def codes_for_rows(rows: tf.Tensor, num_hypotheses: int, code_size: int, seed: int) -> tf.Tensor:
    """Codes for measuring, independent between rows: (B, N, Z) ~ N(0, I).

    Args:
        rows: (B,) int32 row numbers; a row's codes depend on its number and the seed alone.
        num_hypotheses: N.
        code_size: Z.
        seed: At least 0.
    """

    def draw(row):
        return tf.random.stateless_normal([num_hypotheses, code_size], tf.stack([seed, row]))

    signature = tf.TensorSpec([num_hypotheses, code_size], tf.float32)
    return tf.map_fn(draw, rows, fn_output_signature=signature)
