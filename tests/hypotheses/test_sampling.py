"""Latent codes: what they are a function of, what they are not, and that they are normal."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tf_wsgen.hypotheses.sampling import codes_for_rows, shared_codes

N, Z = 3, 5


def codes(rows, seed=7, num_hypotheses=N):
    return codes_for_rows(tf.constant(rows, tf.int32), num_hypotheses, Z, seed).numpy()


@pytest.mark.parametrize("draw", [lambda seed: shared_codes(N, Z, seed).numpy(), lambda seed: codes([0, 9], seed)])
def test_codes_are_a_pure_function_of_the_seed(draw):
    first = draw(3)
    tf.random.set_seed(99)  # TensorFlow's global state must not come in.
    np.testing.assert_array_equal(draw(3), first)
    assert not np.isclose(draw(4), first).any()


def test_shared_codes_take_tensors_for_serving():
    serve = tf.function(
        lambda count, seed: shared_codes(count, Z, seed), input_signature=[tf.TensorSpec([], tf.int32)] * 2
    )
    np.testing.assert_array_equal(serve(N, 3), shared_codes(N, Z, 3))


def test_a_rows_codes_depend_on_its_number_alone():
    rows = np.array([5, 0, 123_456, 2, 17])
    together = codes(rows)
    np.testing.assert_array_equal(np.concatenate([codes(rows[:2]), codes(rows[2:])]), together)
    np.testing.assert_array_equal(codes(rows[::-1]), together[::-1])
    np.testing.assert_array_equal(codes([17, 17]), together[[4, 4]])


def test_rows_hypotheses_and_seeds_are_all_different():
    # All pairs of seed and row: a key such as seed + row would give (1, 0) and (0, 1) the same codes.
    drawn = np.concatenate([codes([0, 1, 2], seed) for seed in (0, 1, 2)]).reshape(-1, Z)
    assert len(np.unique(drawn, axis=0)) == 3 * 3 * N


def test_more_hypotheses_begin_with_the_fewer():
    # So the best of 200 is never worse than the best of 10, and switching diversity off moves no error.
    np.testing.assert_array_equal(codes([1, 8], num_hypotheses=40)[:, :N], codes([1, 8]))


@pytest.mark.parametrize(
    "values",
    [
        lambda: shared_codes(200, 100, 1).numpy()[0],
        lambda: tf.function(codes_for_rows)(tf.range(2000), 2, Z, 1).numpy().reshape(-1, 2 * Z),
    ],
    ids=["shared_codes", "codes_for_rows"],
)
def test_codes_are_standard_normal_and_uncorrelated(values):
    values = values()
    count = values.size
    assert abs(values.mean()) < 4.0 / np.sqrt(count)
    assert abs(values.var() - 1.0) < 4.0 * np.sqrt(2.0 / count)
    assert scipy.stats.kstest(values.ravel(), "norm").pvalue > 0.01
    # Column against column over the rows: a row's coordinates or hypotheses must not repeat one another.
    correlation = np.corrcoef(values.T) - np.eye(values.shape[1])
    assert np.abs(correlation).max() < 5.0 / np.sqrt(len(values))
