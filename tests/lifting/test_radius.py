"""Conformal radii hold what they promise, whatever the spread is worth."""

import numpy as np
import pytest

from tf_wsgen.lifting.radius import COUNTS, LEVELS, conformal_factors, conformal_radius, spread_of


def drawn(rows, seed):
    """Errors and spreads of two joints: one whose spread tells its error, one whose spread says nothing."""
    rng = np.random.default_rng(seed)
    spread = rng.uniform(10.0, 100.0, (rows, 2))
    error = np.stack([0.4 * spread[:, 0] * np.abs(rng.normal(size=rows)), rng.exponential(30.0, rows)], axis=1)
    return error, spread


def test_coverage_of_new_poses():
    factors = np.stack([conformal_factors(*drawn(4000, 0))] * len(COUNTS))
    error, spread = drawn(4000, 1)
    radius = conformal_radius(spread, 10, factors)
    held = (error[..., None] <= radius).mean(axis=0)
    np.testing.assert_allclose(held, [LEVELS, LEVELS], atol=0.03)
    # Where the spread tells the error, the radius follows it.
    wide, narrow = radius[spread[:, 0] > 80.0, 0].mean(), radius[spread[:, 0] < 30.0, 0].mean()
    assert wide > 3.0 * narrow


@pytest.mark.parametrize(("count", "expected"), [(1, 2.0), (2, 3.0), (1000, 2.0 + len(COUNTS) - 1), (10**0.5, None)])
def test_factors_between_numbers_of_hypotheses(count, expected):
    factors = (2.0 + np.arange(len(COUNTS)))[:, None, None] * np.ones((1, len(LEVELS), 3))
    radius = conformal_radius(np.full((4, 3), 10.0), count, factors)
    assert radius.shape == (4, 3, len(LEVELS))
    if expected is None:
        assert 30.0 < radius.min() == radius.max() < 40.0
    else:
        np.testing.assert_allclose(radius, 10.0 * expected)


def test_one_hypothesis_has_no_spread_and_yet_a_radius():
    spread = spread_of(np.zeros((5, 1, 3, 3)))
    np.testing.assert_array_equal(spread, np.zeros((5, 3)))
    assert (conformal_radius(spread, 1, np.ones((len(COUNTS), len(LEVELS), 3))) > 0.0).all()
