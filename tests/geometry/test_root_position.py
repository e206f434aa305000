"""Where people stand: exact for their true poses, near it with outliers and lifted poses."""

import numpy as np

from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.geometry.perspective_camera import PerspectiveCamera
from tf_wsgen.geometry.root_position import root_positions

CAMERA = PerspectiveCamera("a", np.eye(3), np.zeros(3), np.full(2, 1400.0), np.array([640.0, 360.0]))


def scene(rows=200, seed=0):
    """Poses (mm), places, and pixels."""
    poses = synthetic_people(seed=seed).test.pose_3d[:rows].astype(float)
    poses -= poses[:, 6:7]
    roots = np.random.default_rng(seed).uniform([-1500, -500, 3000], [1500, 500, 8000], (len(poses), 3))
    return poses, roots, CAMERA.project(poses + roots[:, None])


def test_true_poses_are_where_they_are():
    poses, roots, points = scene()
    visible = np.random.default_rng(1).uniform(size=points.shape[:2]) < 0.8
    points[~visible] = 1e6
    found = root_positions(poses, points, visible, (1280, 720), 1400.0)
    np.testing.assert_allclose(found, roots, atol=1e-6)
    one = root_positions(poses[3], points[3], visible[3], (1280, 720), 1400.0)
    np.testing.assert_allclose(one, roots[3], atol=1e-6)
    # Size is depth.
    np.testing.assert_allclose(root_positions(2 * poses, points, visible, (1280, 720), 1400.0), 2 * roots, atol=1e-6)


def test_an_outlier_hardly_moves_anybody():
    poses, roots, points = scene()
    points += np.random.default_rng(2).normal(0.0, 2.0, points.shape)
    points[:, 2] += [150.0, -100.0]
    found = root_positions(poses, points, np.ones(points.shape[:2]), (1280, 720), 1400.0)
    assert np.median(np.abs(found[:, 2] / roots[:, 2] - 1.0)) < 0.01
    assert np.median(np.linalg.norm(found - roots, axis=1)[:, None] / roots[:, 2:]) < 0.015


def test_nobody_is_behind_the_camera():
    poses, _, points = scene(20)
    found = root_positions(poses, 2 * CAMERA.centre - points, np.ones(points.shape[:2]), (1280, 720), 1400.0)
    assert ((poses + found[:, None])[..., 2] > 0).all()
