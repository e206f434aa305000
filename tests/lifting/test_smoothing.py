"""Smoothing takes jitter away, keeps motion, and knows whose frames are whose."""

import dataclasses

import numpy as np
import pytest

from tf_wsgen.errors import InputError
from tf_wsgen.lifting.result import LiftedPoses, Predictions
from tf_wsgen.lifting.smoothing import LONGEST_GAP, smooth
from tf_wsgen.skeleton import HUMAN16

FRAMES = 60


def predictions(frame, person, pose_3d, root_position=None):
    names = [field.name for field in dataclasses.fields(LiftedPoses)]
    given = {"pose_3d": pose_3d, "root_position": root_position}
    poses = LiftedPoses(**{name: given.get(name, np.zeros(len(frame))) for name in names})
    return Predictions(poses, frame, person, HUMAN16, {})


def motion(frame, person):
    """Quadratic in time, another for each person."""
    time = frame[:, None, None] / 10.0
    return (person[:, None, None] + 1) * time**2 * np.arange(1.0, 49.0).reshape(16, 3)


def test_jitter_goes_and_motion_stays():
    frame, person = np.repeat(np.arange(FRAMES), 2), np.tile([0, 1], FRAMES)
    kept = np.random.default_rng(0).random(len(frame)) > 0.1
    frame, person = frame[kept], person[kept]
    truth = motion(frame, person)
    np.testing.assert_allclose(smooth(predictions(frame, person, truth), 5).poses.pose_3d, truth, rtol=0.02, atol=2.0)
    noise = np.random.default_rng(1).normal(0.0, 10.0, truth.shape)
    found = smooth(predictions(frame, person, truth + noise), 9).poses.pose_3d
    assert np.abs(found - truth).mean() < 0.65 * np.abs(noise).mean()


def test_roots_are_smoothed_as_a_joint_is():
    frame, person = np.repeat(np.arange(FRAMES), 2), np.tile([0, 1], FRAMES)
    poses = np.random.default_rng(1).normal(0.0, 10.0, (len(frame), 16, 3))
    found = smooth(predictions(frame, person, poses, poses[:, 4].copy()), 9).poses
    np.testing.assert_allclose(found.root_position, found.pose_3d[:, 4], atol=1e-9)
    assert smooth(predictions(frame, person, poses), 9).poses.root_position is None


def test_motion_does_not_go_on_over_a_long_gap_and_short_parts_stay():
    frame = np.concatenate([np.arange(20), np.arange(20 + LONGEST_GAP + 1, 44 + LONGEST_GAP), [200, 201]])
    step = np.where(frame[:, None, None] < 25, 0.0, 1000.0) + np.zeros((len(frame), 16, 3))
    step[-1] = 7.0
    given = predictions(frame, np.zeros(len(frame), int), step)
    np.testing.assert_allclose(smooth(given, 9).poses.pose_3d, step, atol=1e-9)


@pytest.mark.parametrize(("window", "frame"), [(4, np.arange(9)), (3, np.arange(9)), (5, np.array(["a.jpg"] * 9))])
def test_what_cannot_be_smoothed(window, frame):
    with pytest.raises(InputError, match=r"smooth is|frames have names"):
        smooth(predictions(frame, np.zeros(9), np.zeros((9, 16, 3))), window)
