"""People are followed over the frames of a video though they cross, hide and come back."""

import numpy as np
import pytest

from tf_wsgen.datasets.tracking import LONGEST_GAP, NOBODY, follow

FRAMES, PEOPLE, JOINTS = 600, 3, 16


def video(seed=0, missing_frames=0.05, missing_joints=0.1):
    """Three people who walk through each other: frame, points, visible and who it is, in a random order in a frame."""
    rng = np.random.default_rng(seed)
    shape = rng.normal(0.0, [40.0, 80.0], (PEOPLE, JOINTS, 2))
    time = np.arange(FRAMES)
    phases, heights = np.array([0.0, 2.1, 4.2]), np.array([480.0, 510.0, 545.0])
    x = 960.0 + 700.0 * np.sin(time[:, None] / 60.0 + phases)
    centre = np.stack([x, np.broadcast_to(heights, x.shape)], axis=-1)
    limbs = 15.0 * np.sin(time[:, None, None] / 5.0 + rng.uniform(0, 6, (PEOPLE, JOINTS)))
    points = centre[:, :, None] + shape + limbs[..., None] + rng.normal(0.0, 2.0, (FRAMES, PEOPLE, JOINTS, 2))
    frame, who = np.nonzero(rng.random((FRAMES, PEOPLE)) >= missing_frames)
    order = np.lexsort((rng.random(len(frame)), frame))
    frame, who = frame[order], who[order]
    visible = rng.random((len(frame), JOINTS)) >= missing_joints
    return frame, points[frame, who], visible, who


def switches(found, who):
    """How often a person's number changes."""
    return sum(int((np.diff(found[who == person]) != 0).sum()) for person in range(PEOPLE))


@pytest.mark.parametrize("seed", range(3))
def test_three_people_who_cross(seed):
    frame, points, visible, who = video(seed)
    found = follow(frame, points, visible, np.full(len(frame), NOBODY))
    assert set(found) == {0, 1, 2}
    assert switches(found, who) == 0


@pytest.mark.parametrize("seed", range(3))
def test_numbers_of_the_file_stay_and_gaps_between_them_are_filled(seed):
    frame, points, visible, who = video(seed)
    names = np.array([7, 3, 12])
    rng = np.random.default_rng(seed)
    given = np.where(rng.random(FRAMES)[frame] < 1 / 3, NOBODY, names[who])
    # The first frames number nobody: who is followed then gets the number that comes.
    given[frame < 20] = NOBODY
    found = follow(frame, points, visible, given)
    np.testing.assert_array_equal(found, names[who])


def test_somebody_who_was_away_for_long_is_somebody_new():
    frame = np.array([0, 1, LONGEST_GAP, 3 * LONGEST_GAP])
    points = np.tile(np.random.default_rng(0).normal(500, 50, (JOINTS, 2)), (4, 1, 1))
    found = follow(frame, points, np.ones((4, JOINTS), bool), np.full(4, NOBODY))
    assert found.tolist() == [0, 0, 0, 1]


def test_nobody_is_taken_for_somebody_far_away():
    points = np.random.default_rng(0).normal(500, 50, (1, JOINTS, 2)) + np.array([0.0, 0.0, 2000.0])[:, None, None]
    found = follow(np.arange(3), points, np.ones((3, JOINTS), bool), np.array([NOBODY, 4, NOBODY]))
    assert found.tolist() == [4, 4, 5]
