"""Calls of the Python API with anything: finite numbers, or one clear sentence.

$WSGEN_FUZZ is the number of calls; the campaign of docs/reliability.md takes 5,000.
"""

import os
import time

import numpy as np
from odd_calls import one_of, some_array, some_visible

import tf_wsgen
from tf_wsgen.errors import InputError

CALLS = int(os.environ.get("WSGEN_FUZZ", "100"))


def some_call(rng):
    """Mostly what can be answered."""
    leading = tuple(rng.integers(0 if rng.random() < 0.1 else 1, 4, rng.integers(0, 3)))
    joints, axes = (16, 2) if rng.random() < 0.9 else tuple(rng.integers(0, 20, 2))
    visible = None
    if rng.random() < 0.7:
        visible = some_visible(rng, (*leading, joints))
    options = {
        "num_hypotheses": one_of(rng, [1, 2, 5], [0, -3]),
        "seed": one_of(rng, [0, 1], [2**31 - 1]),
        "select": one_of(rng, ["zero_code", "mean_shift"], ["best"]),
        "image_size": one_of(
            rng, [None, (640, 480), (1920, 1080)], [(1, 1), (0, 5), (np.nan, 3), (1e9, 1e-9), (1e-3, 9.0)]
        ),
        "focal_length": one_of(rng, [None, None, 500.0], [1e-6, 1e5, 1e12, -1.0]),
        "height": one_of(rng, [None, 1.7, np.full(leading, 1.6)], [0.0, np.nan, np.full((7, 7), 1.6)]),
    }
    return some_array(rng, (*leading, joints, axes)), visible, options


def test_any_call_is_answered_or_refused():
    lifter, rng, answered = tf_wsgen.load_pretrained(), np.random.default_rng(0), 0
    for number in range(CALLS):
        keypoints, visible, options = some_call(rng)
        began = time.process_time()
        try:
            result = lifter(keypoints, visible, **options)
        except InputError:
            continue
        assert time.process_time() - began < 10.0, f"call {number}"
        answered += 1
        for name, values in vars(result).items():
            assert values is None or np.isfinite(values).all(), f"call {number}: {name} of {keypoints!r}, {options}"
    assert answered > CALLS / 10
