"""Arrays of odd values, types and shapes, among others as they should be."""

import numpy as np

ODD_NUMBERS = (0.0, -1.0, 1e-30, 1e6, 1e30, 3e38, -3e38, np.nan, np.inf, -np.inf)


def one_of(rng, usual, odd):
    """Nine times in ten one of the usual."""
    values = usual if rng.random() < 0.9 else odd
    return values[rng.integers(len(values))]


def some_array(rng, shape, mean=300.0, deviation=None):
    """People-like pixels, with odd numbers among them now and then, of any type."""
    values = rng.normal(mean, deviation or 10.0 ** rng.uniform(-3, 4), shape)
    if rng.random() < 0.3 and values.size:
        values.flat[rng.integers(values.size, size=rng.integers(1, 4))] = rng.choice(ODD_NUMBERS)
    kind = rng.choice(
        ["float32", "float64", "int64", "float16", "bool", "object", "str"], p=[0.5, 0.3, 0.1, 0.04, *[0.02] * 3]
    )
    with np.errstate(all="ignore"):
        return values.astype(kind)


def some_visible(rng, shape):
    """Joints that are seen, at times with odd scores, at times none."""
    return (rng.random(shape) < rng.uniform(0.3, 1.3)) * one_of(rng, [1.0, rng.random()], [2.0, -1.0, np.nan])
