"""Projection, and the closed-form rotation against a singular value decomposition."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.geometry.weak_perspective import project, rotation_from_camera

RANK_ONE = {
    "second row zero": [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]],
    "first row zero": [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]],
    "equal rows": [[1.0, -2.0, 0.5], [1.0, -2.0, 0.5]],
    "opposite rows": [[1.0, -2.0, 0.5], [-1.0, 2.0, -0.5]],
    "parallel, second longer": [[0.1, 0.2, 0.3], [10.0, 20.0, 30.0]],
    "parallel, second tiny": [[1.0, 2.0, 3.0], [1e-8, 2e-8, 3e-8]],
    "along x": [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
    "along y": [[0.0, 2.0, 0.0], [0.0, 1.0, 0.0]],
    "along -z": [[0.0, 0.0, -2.0], [0.0, 0.0, 0.0]],
    "zero": [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
}


def cameras(count=200, seed=0):
    """Random cameras whose second singular value is at least a tenth of the first."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.normal(size=(count, n, n)))[0] for n in (2, 3))
    singular = np.zeros((count, 2, 3))
    singular[:, 0, 0] = 1.0
    singular[:, 1, 1] = rng.uniform(0.1, 1.0, count)
    return rng.uniform(0.5, 2.0, (count, 1, 1)) * left @ singular @ right


def polar_rotation(camera):
    """The oracle: polar factor U Vᵀ of the rows in float64, and their cross product."""
    left, _, right = np.linalg.svd(camera, full_matrices=False)
    rows = left @ right
    return np.concatenate([rows, np.cross(rows[:, :1], rows[:, 1:])], axis=1)


def assert_proper(rotation, tolerance=1e-5):
    np.testing.assert_allclose(rotation @ np.swapaxes(rotation, -1, -2), np.eye(3) + 0 * rotation, atol=tolerance)
    np.testing.assert_allclose(np.linalg.det(rotation), 1.0 + 0 * rotation[..., 0, 0], atol=tolerance)


def test_project_by_hand():
    camera = tf.constant([[1.0, 2.0, 0.0], [0.0, 0.0, -3.0]])
    pose = tf.constant([[1.0, 1.0, 1.0], [0.5, -1.0, 2.0]])
    np.testing.assert_array_equal(project(camera, pose), [[3.0, -3.0], [-1.5, -6.0]])


def test_project_broadcasts_one_camera_over_hypotheses():
    rng = np.random.default_rng(0)
    camera, hypotheses = rng.normal(size=(2, 2, 3)), rng.normal(size=(2, 4, 5, 3))
    projected = project(tf.constant(camera)[:, None], tf.constant(hypotheses))
    np.testing.assert_allclose(projected, np.einsum("bdc,bhjc->bhjd", camera, hypotheses), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-4, 1e-2, 1.0, 1e2, 1e4])
def test_rotation_is_the_polar_factor(scale):
    camera = cameras()
    rotation = rotation_from_camera(tf.constant(scale * camera, tf.float32)).numpy()
    np.testing.assert_allclose(rotation, polar_rotation(camera), atol=5e-6)
    assert_proper(rotation)


def test_a_camera_that_looks_straight_on_gives_the_identity():
    # x right, y up, z towards the viewer: the template frame itself.
    camera = tf.constant([[0.7, 0.0, 0.0], [0.0, 0.7, 0.0]])
    np.testing.assert_allclose(rotation_from_camera(camera), np.eye(3), atol=1e-7)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize("camera", RANK_ONE.values(), ids=RANK_ONE)
def test_rank_one_cameras_give_a_rotation_that_agrees_with_the_first_row(camera, scale):
    camera = scale * np.array(camera, np.float32)
    rotation = rotation_from_camera(tf.constant(camera)).numpy()
    assert_proper(rotation)
    if np.any(camera[0]):
        np.testing.assert_allclose(rotation[0], camera[0] / np.linalg.norm(camera[0]), atol=1e-6)


@pytest.mark.parametrize("camera", RANK_ONE.values(), ids=RANK_ONE)
def test_gradient_is_finite_at_rank_one(camera):
    camera = tf.constant(camera)
    with tf.GradientTape() as tape:
        tape.watch(camera)
        value = tf.reduce_sum(rotation_from_camera(camera) * tf.reshape(tf.range(1.0, 10.0), [3, 3]))
    assert np.isfinite(tape.gradient(value, camera)).all()


def test_gradient_against_finite_differences():
    theoretical, numerical = tf.test.compute_gradient(rotation_from_camera, [tf.constant(cameras(2))], delta=1e-6)
    np.testing.assert_allclose(theoretical[0], numerical[0], atol=1e-6)
