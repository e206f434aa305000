"""Unpaired batches as a pure function of seed and update: nothing to store, exact to resume."""

import tensorflow as tf

from tf_wsgen.data.missing_joints import hide_in_batch
from tf_wsgen.data.training_data import TrainingData
from tf_wsgen.errors import InputError

# Streams of random numbers: shuffles of 2D and of 3D poses, codes, ε and hidden joints are independent of each other.
POSE_2D_STREAM, POSE_3D_STREAM, CODE_STREAM, EPSILON_STREAM, HIDDEN_STREAM = 1, 2, 3, 4, 5


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


def batch_noise(update: tf.Tensor, batch_size: int, num_codes: int, code_size: int, seed: int) -> dict:
    """Codes z ~ N(0, I) (B, H, Z) and mixing weights ε ~ U(0, 1) (B, H) of one batch."""

    def key(stream):
        return tf.random.experimental.stateless_fold_in(tf.constant([seed, stream], tf.int64), update)

    return {
        "z": tf.random.stateless_normal([batch_size, num_codes, code_size], key(CODE_STREAM)),
        "epsilon": tf.random.stateless_uniform([batch_size, num_codes], key(EPSILON_STREAM)),
    }


def unpaired_batches(
    data: TrainingData,
    batch_size: int,
    num_codes: int,
    code_size: int,
    seed: int,
    first_update: int = 0,
    shard: tuple[int, int, int] = (0, 1, 1),
    hidden: tuple[int, int] = (0, 0),
) -> tf.data.Dataset:
    """An endless dataset of what one update takes, update `first_update` first.

    2D and 3D rows are permuted independently; the rows of a batch are distinct draws. Noise is part of
    the batch, so that an update means the same on one replica and on many (and because XLA draws
    normal numbers on a CPU ten times slower than the pipeline's threads do).

    Args:
        data: The training poses.
        batch_size: Rows of 2D and of 3D poses a batch, over all replicas.
        num_codes: H.
        code_size: Z.
        seed: Seed of the run.
        first_update: Number of the first batch.
        shard: First replica here, replicas here, replicas everywhere: elements are the parts of each
            batch that these replicas take, in order.
        hidden: Fewest and most limb joints to hide in each 2D pose.

    Raises:
        InputError: Fewer rows than a batch, or a batch that the replicas cannot share.
    """
    for name, array in (("2D", data.pose_2d), ("3D", data.pose_3d)):
        if len(array) < batch_size:
            raise InputError(f"There are {len(array)} {name} training rows; expected at least a batch ({batch_size}).")
    first, here, replicas = shard
    if batch_size % replicas:
        raise InputError(f"training.batch_size is {batch_size}; expected a multiple of the {replicas} replicas.")
    limbs = [data.skeleton.index(joint) for joint in data.skeleton.limbs]
    if hidden[1] > len(limbs):
        raise InputError(f"training.most_hidden is {hidden[1]}; expected at most {len(limbs)}, the limb joints.")
    pose_2d, visible, pose_3d = (tf.constant(array) for array in (data.pose_2d, data.visible, data.pose_3d))

    def batch(update):
        rows_2d = shuffled_rows(update, pose_2d.shape[0], batch_size, seed, POSE_2D_STREAM)
        rows_3d = shuffled_rows(update, pose_3d.shape[0], batch_size, seed, POSE_3D_STREAM)
        poses, seen = tf.gather(pose_2d, rows_2d), tf.gather(visible, rows_2d)
        if hidden[1]:
            key = tf.random.experimental.stateless_fold_in(tf.constant([seed, HIDDEN_STREAM], tf.int64), update)
            poses, seen = hide_in_batch(poses, seen, limbs, *hidden, key)
        return {
            "pose_2d": poses,
            "visible": seen,
            "pose_3d": tf.gather(pose_3d, rows_3d),
            **batch_noise(update, batch_size, num_codes, code_size, seed),
        }

    def part(value):
        return tf.reshape(value, [replicas, batch_size // replicas, *value.shape[1:]])[first : first + here]

    dataset = tf.data.Dataset.counter(start=first_update, dtype=tf.int64).map(batch)
    if replicas > 1:
        dataset = dataset.map(lambda whole: {name: part(value) for name, value in whole.items()}).unbatch()
    return dataset.prefetch(tf.data.AUTOTUNE)
