"""Unpaired batches as a pure function of seed and update: nothing to store, exact to resume."""

import tensorflow as tf
from tensorflow.random import experimental as random  # pyright: ignore

from tf_wsgen.data.missing_joints import hide_in_batch
from tf_wsgen.data.preprocess import normalise_keypoints
from tf_wsgen.data.training_data import TrainingData
from tf_wsgen.errors import InputError
from tf_wsgen.simulation.settings import SimulationConfig
from tf_wsgen.simulation.simulator import simulate

# Streams of random numbers: shuffles of 2D and of 3D poses, codes, ε,
# hidden joints and simulated pairs are independent of each other.
POSE_2D_STREAM, POSE_3D_STREAM, CODE_STREAM, EPSILON_STREAM, HIDDEN_STREAM, SIMULATION_STREAM = range(1, 7)


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
    return random.index_shuffle(place, _key(seed, stream, update // batches), rows - 1)


def _key(seed: int, stream: int, number: tf.Tensor) -> tf.Tensor:
    return random.stateless_fold_in(tf.constant([seed, stream], tf.int64), number)


def batch_noise(update: tf.Tensor, batch_size: int, num_codes: int, code_size: int, seed: int) -> dict:
    """Codes z ~ N(0, I) (B, H, Z) and mixing weights ε ~ U(0, 1) (B, H) of one batch."""
    return {
        "z": tf.random.stateless_normal([batch_size, num_codes, code_size], _key(seed, CODE_STREAM, update)),
        "epsilon": tf.random.stateless_uniform([batch_size, num_codes], _key(seed, EPSILON_STREAM, update)),
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
        _check_batch(len(array), name, batch_size, shard)
    limbs = [data.skeleton.index(joint) for joint in data.skeleton.limbs]
    if hidden[1] > len(limbs):
        raise InputError(f"training.most_hidden is {hidden[1]}; expected at most {len(limbs)}, the limb joints.")
    pose_2d, visible, pose_3d = (tf.constant(array) for array in (data.pose_2d, data.visible, data.pose_3d))

    def batch(update):
        rows_2d = shuffled_rows(update, pose_2d.shape[0], batch_size, seed, POSE_2D_STREAM)
        rows_3d = shuffled_rows(update, pose_3d.shape[0], batch_size, seed, POSE_3D_STREAM)
        poses, seen = tf.gather(pose_2d, rows_2d), tf.gather(visible, rows_2d)
        if hidden[1]:
            poses, seen = hide_in_batch(poses, seen, limbs, *hidden, _key(seed, HIDDEN_STREAM, update))
        return {
            "pose_2d": poses,
            "visible": seen,
            "pose_3d": tf.gather(pose_3d, rows_3d),
            **batch_noise(update, batch_size, num_codes, code_size, seed),
        }

    return _batches(batch, batch_size, first_update, shard)


def simulated_batches(
    data: TrainingData,
    simulation: SimulationConfig,
    batch_size: int,
    num_codes: int,
    code_size: int,
    seed: int,
    first_update: int = 0,
    shard: tuple[int, int, int] = (0, 1, 1),
) -> tf.data.Dataset:
    """An endless dataset of simulated pairs, update `first_update` first.

    Each batch is simulated anew from distinct 3D rows: `pose_2d`, `visible`, `pose_3d_seen` (B, J, 3; metres,
    camera frame, the pose that was projected), `pose_3d` (B, J, 3; drawn independently of them), `epsilon` and
    `z` (B, H + 1, Z), whose last code is zero. Arguments are those of `unpaired_batches`, and the distributions.

    Raises:
        InputError: Fewer rows than a batch, or a batch that the replicas cannot share.
    """
    _check_batch(len(data.room), "3D", batch_size, shard)
    skeleton, room, pose_3d = data.skeleton, tf.constant(data.room), tf.constant(data.pose_3d)

    def batch(update):
        for_others, for_simulation = tf.unstack(tf.random.split(_key(seed, SIMULATION_STREAM, update), 2))
        rows = shuffled_rows(update, room.shape[0], batch_size, seed, POSE_2D_STREAM)
        others = tf.random.stateless_uniform([2, batch_size], for_others, 0, room.shape[0], tf.int64)
        pairs = simulate(tf.gather(room, rows), tf.gather(room, others), simulation, for_simulation, skeleton)
        normalised = normalise_keypoints(pairs.keypoints, pairs.visible, skeleton)
        noise = batch_noise(update, batch_size, num_codes + 1, code_size, seed)
        rows_3d = shuffled_rows(update, room.shape[0], batch_size, seed, POSE_3D_STREAM)
        return {
            **noise,
            "pose_2d": normalised.pose_2d,
            "visible": normalised.visible,
            "pose_3d_seen": pairs.pose_3d,
            "pose_3d": tf.gather(pose_3d, rows_3d),
            "z": tf.concat([noise["z"][:, :-1], tf.zeros_like(noise["z"][:, :1])], axis=1),
        }

    return _batches(batch, batch_size, first_update, shard)


def _check_batch(rows: int, kind: str, batch_size: int, shard: tuple[int, int, int]) -> None:
    if rows < batch_size:
        raise InputError(f"There are {rows} {kind} training rows; expected at least a batch ({batch_size}).")
    if batch_size % shard[2]:
        raise InputError(f"training.batch_size is {batch_size}; expected a multiple of the {shard[2]} replicas.")


def _batches(batch, batch_size: int, first_update: int, shard: tuple[int, int, int]) -> tf.data.Dataset:
    first, here, replicas = shard

    def part(value):
        return tf.reshape(value, [replicas, batch_size // replicas, *value.shape[1:]])[first : first + here]

    dataset = tf.data.Dataset.counter(start=first_update, dtype=tf.int64).map(batch)
    if replicas > 1:
        dataset = dataset.map(lambda whole: {name: part(value) for name, value in whole.items()}).unbatch()
    return dataset.prefetch(tf.data.AUTOTUNE)
