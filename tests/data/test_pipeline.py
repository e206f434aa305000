"""Batches as a function of seed and update: permutations, resuming, sharing among replicas, noise."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from refusals import refuses

from tf_wsgen.data.pipeline import POSE_2D_STREAM, POSE_3D_STREAM, batch_noise, shuffled_rows, unpaired_batches
from tf_wsgen.data.training_data import TrainingData
from tf_wsgen.skeleton import HUMAN16

BATCH, CODES, CODE_SIZE, ROWS_2D, ROWS_3D = 6, 2, 3, 25, 19


def numbered(rows, *shape):
    """Arrays that hold their row's number, so that a batch tells what it drew."""
    return np.broadcast_to(np.arange(rows, dtype=np.float32).reshape(-1, *[1] * len(shape)), (rows, *shape))


def data(rows_2d=ROWS_2D, rows_3d=ROWS_3D):
    poses = {"pose_2d": numbered(rows_2d, 16, 2), "visible": numbered(rows_2d, 16), "pose_3d": numbered(rows_3d, 16, 3)}
    sizes = {"template": np.zeros((4, 3), np.float32), "scale_ratio": 1.0, "body_height": 1.7}
    rooms = {"room": poses["pose_3d"], "held_out_room": None}
    return TrainingData(skeleton=HUMAN16, source="numbers", **poses, **sizes, **rooms, validation=None)


def batches(count, content=None, **changes):
    options = {"batch_size": BATCH, "num_codes": CODES, "code_size": CODE_SIZE, "seed": 0, **changes}
    dataset = unpaired_batches(data() if content is None else content, **options)
    return list(dataset.take(count).as_numpy_iterator())


def rows(batch, name):
    """The row numbers of a batch; every number of a row must agree."""
    values = batch[name].reshape(len(batch[name]), -1)
    assert (values == values[:, :1]).all()
    return values[:, 0].astype(int).tolist()


def drawn(first, count, num_rows, batch_size, seed=0, stream=POSE_2D_STREAM):
    """The row numbers of `count` batches, one after the other."""
    updates = tf.range(first, first + count, dtype=tf.int64)
    return np.concatenate([shuffled_rows(update, num_rows, batch_size, seed, stream) for update in updates]).tolist()


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert set(one) == set(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize(("num_rows", "batch_size"), [(20, 5), (6, 6), (2, 2), (7, 1)])
def test_an_epoch_is_a_permutation_of_its_own(num_rows, batch_size):
    per_epoch = num_rows // batch_size
    orders = [drawn(epoch * per_epoch, per_epoch, num_rows, batch_size) for epoch in (*range(9), 1000)]
    for order in orders:
        assert sorted(order) == list(range(num_rows))
    assert num_rows < 20 or len(set(map(tuple, orders))) == 10


def test_a_remainder_is_left_out_each_epoch_but_not_the_same_rows():
    left_out = []
    for epoch in range(8):
        epoch_rows = drawn(epoch * 4, 4, 23, 5)
        assert len(set(epoch_rows)) == 20  # distinct within the epoch, hence within a batch
        left_out.append(frozenset(range(23)) - set(epoch_rows))
    assert len(set(left_out)) > 1
    assert set().union(*left_out) > left_out[0]


@pytest.mark.parametrize("changes", [{"seed": 1}, {"stream": POSE_3D_STREAM}])
def test_another_seed_or_stream_is_another_order(changes):
    assert drawn(0, 4, 20, 5, **changes) != drawn(0, 4, 20, 5)


def test_2d_and_3d_orders_are_independent_and_visible_belongs_to_2d():
    # With as many rows of both, equal orders would feed pairs to what must be unpaired training.
    drawn_batches = batches(40, data(24, 24))
    pairs = [np.equal(rows(batch, "pose_2d"), rows(batch, "pose_3d")) for batch in drawn_batches]
    assert np.mean(pairs) < 4 / 24  # 1/24 by chance
    for batch in drawn_batches:
        assert rows(batch, "visible") == rows(batch, "pose_2d")


def test_each_set_of_rows_has_its_own_epoch():
    # 25 // 6 = 4 batches until every 2D permutation ends, 19 // 6 = 3 for 3D.
    drawn_batches = batches(12)
    for name, per_epoch in (("pose_2d", 4), ("pose_3d", 3)):
        for start in range(0, 12, per_epoch):
            epoch = [row for batch in drawn_batches[start : start + per_epoch] for row in rows(batch, name)]
            assert len(set(epoch)) == len(epoch) == per_epoch * BATCH


def test_shapes_and_types():
    (batch,) = batches(1)
    assert {name: (values.shape, values.dtype) for name, values in batch.items()} == {
        "pose_2d": ((BATCH, 16, 2), np.float32),
        "visible": ((BATCH, 16), np.float32),
        "pose_3d": ((BATCH, 16, 3), np.float32),
        "z": ((BATCH, CODES, CODE_SIZE), np.float32),
        "epsilon": ((BATCH, CODES), np.float32),
    }


def test_the_seed_decides_everything_and_resuming_is_skipping():
    found = batches(12, seed=5)
    for first in (0, 1, 9):
        assert_same(batches(3, seed=5, first_update=first), found[first : first + 3])
    (other,) = batches(1, seed=6)
    for name in other:
        assert not np.array_equal(found[0][name], other[name]), name


# Of each worker: its first replica, how many it has, and how many there are.
SHARDS = {
    "two workers": [(0, 1, 2), (1, 1, 2)],
    "one worker of two replicas": [(0, 2, 2)],
    "workers of two and one": [(0, 2, 3), (2, 1, 3)],
}


@pytest.mark.parametrize("workers", SHARDS)
def test_the_replicas_parts_make_up_the_batch(workers):
    # An update must mean the same on one replica and on many.
    shards = SHARDS[workers]
    streams = [iter(batches(3 * shard[1], shard=shard)) for shard in shards]
    joined = []
    for _ in range(3):
        pieces = [next(stream) for stream, shard in zip(streams, shards, strict=True) for _ in range(shard[1])]
        joined.append({name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]})
        assert {len(piece["z"]) for piece in pieces} == {BATCH // shards[0][2]}
    assert_same(joined, batches(3))


def test_what_cannot_be_batched_is_refused():
    refuses(r"5 2D training rows; expected at least a batch \(6\)", batches, 1, data(5, 19))
    refuses(r"0 3D training rows; expected at least a batch \(6\)", batches, 1, data(25, 0))
    message = r"training\.batch_size is 6; expected a multiple of the 4 replicas"
    refuses(message, batches, 1, data(), shard=(0, 1, 4))


def test_noise_is_standard_normal_and_uniform():
    count = 64 * 2 * 512
    noise = batch_noise(tf.constant(3, tf.int64), 64, 2, 512, seed=0)
    z, epsilon = noise["z"].numpy(), batch_noise(tf.constant(3, tf.int64), 8192, 2, 1, seed=0)["epsilon"].numpy()
    assert abs(z.mean()) < 4.0 / np.sqrt(count)
    assert abs(z.std() - 1.0) < 4.0 / np.sqrt(2.0 * count)
    assert abs(np.mean(z**4) - 3.0) < 4.0 * np.sqrt(96.0 / count)  # normal, not merely of unit variance
    # The two codes of a pose are independent draws.
    assert abs(np.mean(z[:, 0] * z[:, 1])) < 4.0 / np.sqrt(count / 2)
    assert 0.0 <= epsilon.min() < 0.01 < 0.99 < epsilon.max() <= 1.0
    assert abs(epsilon.mean() - 0.5) < 4.0 * np.sqrt(1.0 / 12.0 / epsilon.size)


def test_noise_depends_on_update_and_seed_and_nothing_else():
    def z(update, seed):
        return batch_noise(tf.constant(update, tf.int64), 4, 2, 8, seed)["z"].numpy()

    np.testing.assert_array_equal(z(3, 0), z(3, 0))
    draws = [z(0, 0), z(1, 0), z(0, 1), z(1, 1)]
    for one, other in itertools.combinations(draws, 2):
        assert np.abs(one - other).min() > 0.0
