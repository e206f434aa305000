"""Hidden joints: how many, which, and what is left of the pose."""

import numpy as np
import pytest
import tensorflow as tf
from refusals import refuses

from tf_wsgen.data.measured_rows import hide_in_rows
from tf_wsgen.data.missing_joints import hide_in_batch
from tf_wsgen.data.preprocess import normalise_rows
from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.skeleton import HUMAN16

LIMBS = [HUMAN16.index(joint) for joint in HUMAN16.limbs]


def people(rows):
    keypoints = np.random.default_rng(0).normal([500.0, 400.0], [60.0, 150.0], (rows, 16, 2)).astype(np.float32)
    return PairedRows(keypoints, np.ones((rows, 16), np.float32), np.zeros((rows, 16, 3), np.float32))


def hidden_in_batch(rows, least, most, seed=0):
    data = people(rows)
    pose_2d, visible = normalise_rows(data.keypoints, data.visible, HUMAN16, "test")
    return hide_in_batch(tf.constant(pose_2d), tf.constant(visible), LIMBS, least, most, tf.constant([seed, 7]))


@pytest.mark.parametrize(("least", "most"), [(0, 0), (0, 2), (8, 8)])
def test_as_many_limbs_as_were_asked_for(least, most):
    _, visible = hidden_in_batch(600, least, most)
    hidden = 16 - visible.numpy().sum(axis=1)
    numbers, counts = np.unique(hidden, return_counts=True)
    assert numbers.tolist() == list(range(least, most + 1))
    # Each number is as likely: within 5 standard deviations.
    np.testing.assert_allclose(counts, 600 / len(numbers), atol=5 * np.sqrt(600 / 4))
    others = [joint for joint in range(16) if joint not in LIMBS]
    assert (visible.numpy()[:, others] == 1).all()
    if most:
        shares = 1 - visible.numpy()[:, LIMBS].mean(axis=0)
        np.testing.assert_allclose(shares, (least + most) / 2 / len(LIMBS), atol=0.07)


def test_what_is_left_is_what_the_door_would_make_of_it_and_the_draw_is_its_seed():
    pose_2d, visible = (values.numpy() for values in hidden_in_batch(50, 0, 2))
    expected, _ = normalise_rows(people(50).keypoints, visible, HUMAN16, "test")
    np.testing.assert_allclose(pose_2d, expected, atol=2e-5)
    assert (pose_2d[visible == 0] == 0).all()
    np.testing.assert_array_equal(visible, hidden_in_batch(50, 0, 2)[1])
    assert (visible != hidden_in_batch(50, 0, 2, seed=1)[1]).numpy().any()


def test_named_joints_and_drawn_ones():
    rows = people(100)
    hidden = hide_in_rows(rows, HUMAN16, "left_wrist, neck", 2, seed=1)
    assert (hidden.visible[:, [HUMAN16.index("left_wrist"), HUMAN16.index("neck")]] == 0).all()
    count = 16 - hidden.visible.sum(axis=1)
    assert set(count) == {3, 4}
    np.testing.assert_array_equal(rows.visible, 1.0)
    np.testing.assert_array_equal(hide_in_rows(rows, HUMAN16, "left_wrist, neck", 2, seed=1).visible, hidden.visible)
    assert (hide_in_rows(rows, HUMAN16, "", 2, seed=2).visible != hidden.visible).any()
    assert hide_in_rows(rows, HUMAN16, "", 0, seed=1) is rows


def test_what_cannot_be_hidden():
    refuses("has 'left_wing'", hide_in_rows, people(3), HUMAN16, "left_wing", 0, seed=0)
    refuses("num_hidden is 9; expected at most 8", hide_in_rows, people(3), HUMAN16, "", 9, seed=0)
