"""Alignment against SciPy and against transforms that are known; points that fix none: metrics/test_pose_error.py."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.transform import Rotation

from tf_wsgen.geometry.alignment import procrustes, root_centre, to_template, torso_frame

MIRROR = np.array([-1.0, 1.0, 1.0])


def clouds(count=20, points=7, seed=0):
    return np.random.default_rng(seed).normal(size=(count, points, 3))


def centred(points):
    return points - points.mean(axis=-2, keepdims=True)


def test_root_centre_by_hand():
    pose = tf.constant([[[1.0, 2.0], [4.0, 8.0], [0.0, 0.0]]])
    np.testing.assert_array_equal(root_centre(pose, 1), [[[-3.0, -6.0], [0.0, 0.0], [-4.0, -8.0]]])


@pytest.mark.parametrize("allow_reflection", [False, True])
def test_procrustes_recovers_a_known_similarity(allow_reflection):
    source = clouds()
    rng = np.random.default_rng(1)
    rotation = Rotation.random(len(source), random_state=2).as_matrix()
    scale, translation = rng.uniform(0.1, 5.0, len(source)), rng.normal(size=(len(source), 3))
    target = scale[:, None, None] * source @ rotation.transpose(0, 2, 1) + translation[:, None]
    found = procrustes(tf.constant(source), tf.constant(target), allow_reflection)
    np.testing.assert_allclose(found.scale, scale, rtol=1e-10)
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-10)
    np.testing.assert_allclose(found.translation, translation, atol=1e-10)
    np.testing.assert_allclose(found(tf.constant(source)), target, atol=1e-10)


def test_procrustes_by_default_finds_scipys_proper_rotation_and_the_best_scale():
    source, target = clouds(seed=3), clouds(seed=4)
    found = procrustes(tf.constant(source), tf.constant(target))
    for s, t, scale, rotation in zip(
        centred(source), centred(target), found.scale.numpy(), found.rotation.numpy(), strict=True
    ):
        expected = Rotation.align_vectors(t, s)[0].as_matrix()
        np.testing.assert_allclose(rotation, expected, atol=1e-6)
        # With the rotation fixed the least squares scale is ⟨Rs, t⟩ / ⟨s, s⟩.
        np.testing.assert_allclose(scale, np.sum(s @ expected.T * t) / np.sum(s * s), rtol=1e-6)
    np.testing.assert_allclose(np.linalg.det(found.rotation), 1.0 + 0 * found.scale, rtol=1e-9)


# Right hip, left hip, right shoulder, left shoulder: facing −x, left side towards −y, one shoulder raised.
TORSO = np.array([[5.0, 1.0, 0.0], [5.0, -1.0, 0.0], [5.5, 2.0, 3.0], [5.5, -1.0, 5.0]], np.float32)


def test_torso_frame_by_hand():
    # x = (0, −1, 0). Mid-shoulder − mid-hip = (0.5, 0.5, 4); without its part along x (0.5, 0, 4), so
    # y = (0.5, 0, 4)/√16.25 and z = x × y = (−4, 0, 0.5)/√16.25.
    n = np.sqrt(16.25)
    axes = np.array([[0.0, -1.0, 0.0], [0.5 / n, 0.0, 4.0 / n], [-4.0 / n, 0.0, 0.5 / n]])
    origin = np.array([5.0, 0.0, 0.0], np.float32)
    expected = (TORSO - origin) @ axes.T
    np.testing.assert_allclose(expected[0], [-1.0, 0.0, 0.0], atol=1e-12)  # the right hip lies at −x
    np.testing.assert_allclose(torso_frame(tf.constant(TORSO), tf.constant(origin)), expected, atol=1e-6)


def test_torso_frame_does_not_depend_on_where_the_body_stands_and_faces():
    rotation = Rotation.random(10, random_state=0).as_matrix().astype(np.float32)
    shift = np.random.default_rng(0).normal(size=(10, 1, 3)).astype(np.float32)
    origin = TORSO[:2].mean(axis=0)
    moved = torso_frame(
        tf.constant(TORSO @ rotation.transpose(0, 2, 1) + shift), tf.constant(rotation @ origin + shift[:, 0])
    )
    still = torso_frame(tf.constant(TORSO), tf.constant(origin)).numpy()
    np.testing.assert_allclose(moved, np.broadcast_to(still, moved.shape), atol=1e-5)


def test_torso_frame_of_coincident_points_is_zero():
    np.testing.assert_array_equal(torso_frame(tf.ones([4, 3]), tf.ones([3])), np.zeros((4, 3)))


def test_to_template_undoes_a_similarity_and_centres_the_root():
    pose = clouds(1, points=9, seed=8)[0]
    indices, root = (2, 0, 5, 7), 3
    rotation = Rotation.random(4, random_state=1).as_matrix()
    scale = np.array([0.5, 1.0, 2.0, 1000.0])
    moved = scale[:, None, None] * pose @ rotation.transpose(0, 2, 1) + np.arange(12.0).reshape(4, 1, 3)
    aligned, found = to_template(tf.constant(moved), tf.constant(pose[list(indices)]), indices, root)
    np.testing.assert_allclose(aligned, np.broadcast_to(pose - pose[root], aligned.shape), atol=1e-9)
    np.testing.assert_allclose(found, 1.0 / scale, rtol=1e-9)


def test_to_template_never_mirrors():
    # A body seen in a left-handed frame must not silently become a sound one.
    pose = clouds(1, points=9, seed=9)[0]
    aligned, _ = to_template(tf.constant(pose * MIRROR), tf.constant(pose[:4]), (0, 1, 2, 3), 0)
    assert np.abs(aligned - (pose - pose[0])).max() > 0.1
