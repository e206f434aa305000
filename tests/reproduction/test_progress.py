"""What is left, by hand."""

import pytest

from tf_wsgen.reproduction.progress import Remaining, Step

A, B, C = Step("train", "a"), Step("train", "b"), Step("measure", "a")


def test_the_time_left_by_hand():
    left = Remaining({A: 1000, B: 500, C: 200})
    assert left.words() == "2 runs and 1 measurement left, time not known yet"
    left.finish(A, 100.0)
    # 0.1 s an update, but nothing was measured yet.
    assert left.seconds() is None
    left.finish(C, 8.0)
    assert left.seconds() == pytest.approx(50.0)
    assert left.words() == "1 run and 0 measurements left, about 00:50"
    left.finish(B, 50.0)
    assert left.words() == "nothing left to train or measure"


def test_work_that_fell_away_has_no_rate():
    left = Remaining({A: 1000, B: 500})
    left.finish(A)
    assert left.seconds() is None
    left.finish(B)
    assert left.seconds() == 0.0
