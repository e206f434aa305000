"""Unpaired batches as a pure function of seed and update: nothing to store, exact to resume."""

import numpy as np
import tensorflow as tf

from tf_wsgen.errors import InputError

# Streams of shuffles: 2D poses and 3D poses are permuted independently of each other.
POSE_2D_STREAM, POSE_3D_STREAM = 1, 2


def shuffled_rows(update: tf.Tensor, rows: int, batch_size: int, seed: int, stream: int) -> tf.Tensor:
    """Distinct row numbers of one batch: slices of a permutation, a fresh one when it is used up.

    A remainder smaller than a batch is left out of each permutation, another one each time.

    Args:
        update: int64 scalar, number of the batch, from 0.
        rows: Rows to permute, at least `batch_size`.
        batch_size: Rows a batch.
        seed: Seed of the run.
        stream: Which sequence of permutations.

    Returns:
        (batch_size,) int64.
    """
    batches = rows // batch_size
    place = (update % batches) * batch_size + tf.range(batch_size, dtype=tf.int64)
    key = tf.random.experimental.stateless_fold_in(tf.constant([seed, stream], tf.int64), update // batches)
    return tf.random.experimental.index_shuffle(place, key, rows - 1)


def unpaired_batches(
    pose_2d: np.ndarray, visible: np.ndarray, pose_3d: np.ndarray, batch_size: int, seed: int, first_update: int = 0
) -> tf.data.Dataset:
    """An endless dataset of {pose_2d, visible, pose_3d}, batch `first_update` first.

    2D and 3D rows are permuted independently; the rows of a batch are distinct draws.

    Args:
        pose_2d: (N, J, 2).
        visible: (N, J).
        pose_3d: (M, J, 3).
        batch_size: Rows of each a batch.
        seed: Seed of the run.
        first_update: Number of the first batch.

    Raises:
        InputError: Fewer rows than a batch.
    """
    for name, array in (("2D", pose_2d), ("3D", pose_3d)):
        if len(array) < batch_size:
            raise InputError(f"There are {len(array)} {name} training rows; expected at least a batch ({batch_size}).")
    pose_2d, visible, pose_3d = (tf.constant(array) for array in (pose_2d, visible, pose_3d))

    def batch(update):
        rows_2d = shuffled_rows(update, pose_2d.shape[0], batch_size, seed, POSE_2D_STREAM)
        rows_3d = shuffled_rows(update, pose_3d.shape[0], batch_size, seed, POSE_3D_STREAM)
        return {
            "pose_2d": tf.gather(pose_2d, rows_2d),
            "visible": tf.gather(visible, rows_2d),
            "pose_3d": tf.gather(pose_3d, rows_3d),
        }

    dataset = tf.data.Dataset.counter(start=first_update, dtype=tf.int64)
    return dataset.map(batch).prefetch(tf.data.AUTOTUNE)
