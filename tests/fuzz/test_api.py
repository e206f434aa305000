"""Calls of the Python API with anything: finite numbers, or one clear sentence.

$WSGEN_FUZZ is the number of calls; the campaign of docs/reliability.md takes 5,000.
"""

import os
import time

import numpy as np

import tf_wsgen
from tf_wsgen.errors import InputError

CALLS = int(os.environ.get("WSGEN_FUZZ", "100"))
ODD_NUMBERS = (0.0, -1.0, 1e-30, 1e6, 1e30, 3e38, -3e38, np.nan, np.inf, -np.inf)


def some_array(rng, shape):
    """People-like pixels, with odd numbers among them now and then, of any type."""
    values = rng.normal(300.0, 10.0 ** rng.uniform(-3, 4), shape)
    if rng.random() < 0.3 and values.size:
        values.flat[rng.integers(values.size, size=rng.integers(1, 4))] = rng.choice(ODD_NUMBERS)
    kind = rng.choice(
        ["float32", "float64", "int64", "float16", "bool", "object", "str"], p=[0.5, 0.3, 0.1, 0.04, *[0.02] * 3]
    )
    with np.errstate(all="ignore"):
        return values.astype(kind)


def some_call(rng):
    """Mostly what can be answered."""

    def one_of(usual, odd):
        values = usual if rng.random() < 0.9 else odd
        return values[rng.integers(len(values))]

    leading = tuple(rng.integers(0 if rng.random() < 0.1 else 1, 4, rng.integers(0, 3)))
    joints, axes = (16, 2) if rng.random() < 0.9 else tuple(rng.integers(0, 20, 2))
    visible = None
    if rng.random() < 0.7:
        visible = (rng.random((*leading, joints)) < rng.uniform(0.3, 1.3)) * one_of(
            [1.0, rng.random()], [2.0, -1.0, np.nan]
        )
    options = {
        "num_hypotheses": one_of([1, 2, 5], [0, -3]),
        "seed": one_of([0, 1], [2**31 - 1]),
        "select": one_of(["zero_code", "mean_shift"], ["best"]),
        "image_size": one_of([None, (640, 480), (1920, 1080)], [(1, 1), (0, 5), (np.nan, 3), (1e9, 1e-9), (1e-3, 9.0)]),
        "focal_length": one_of([None, None, 500.0], [1e-6, 1e5, 1e12, -1.0]),
        "height": one_of([None, 1.7, np.full(leading, 1.6)], [0.0, np.nan, np.full((7, 7), 1.6)]),
    }
    return some_array(rng, (*leading, joints, axes)), visible, options


def test_any_call_is_answered_or_refused():
    lifter, rng, answered = tf_wsgen.load_pretrained(), np.random.default_rng(0), 0
    for number in range(CALLS):
        keypoints, visible, options = some_call(rng)
        began = time.monotonic()
        try:
            result = lifter(keypoints, visible, **options)
        except InputError:
            continue
        assert time.monotonic() - began < 10.0, f"call {number}"
        answered += 1
        for name, values in vars(result).items():
            assert values is None or np.isfinite(values).all(), f"call {number}: {name} of {keypoints!r}, {options}"
    assert answered > CALLS / 10
