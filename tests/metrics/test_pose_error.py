"""P1 and P2 by hand, against SciPy's alignment, under transforms that may not matter, and where none is fixed."""

import numpy as np
import pytest
import scipy.spatial
import tensorflow as tf
from scipy.spatial.transform import Rotation

from tf_wsgen.metrics.pose_error import mpjpe, protocol_1, protocol_2

MIRROR = np.array([-1.0, 1.0, 1.0])
ROOT = 2


def poses(seed, count=12, joints=6):
    """Millimetres, metres away from the origin."""
    return np.random.default_rng(seed).normal([100.0, -300.0, 4000.0], 300.0, (count, joints, 3))


def centred(points):
    return points - points.mean(axis=-2, keepdims=True)


def mean_distance(a, b):
    return np.linalg.norm(a - b, axis=-1).mean(axis=-1)


def p2_with_proper_rotation(pose, target):
    """SciPy's best rotation, then the least squares scale ⟨Rs, t⟩ / ⟨s, s⟩."""
    pose, target = centred(pose), centred(target)
    rotated = Rotation.align_vectors(target, pose)[0].apply(pose)
    return mean_distance(np.sum(rotated * target) / np.sum(pose * pose) * rotated, target)


def p2_with_reflection(pose, target):
    """SciPy's Procrustes analysis, which admits reflections and divides both poses by the target's norm."""
    ours, theirs, _ = scipy.spatial.procrustes(target, pose)
    return np.linalg.norm(centred(target)) * mean_distance(ours, theirs)


def test_mpjpe_by_hand():
    pose = tf.constant([[[3.0, 4.0, 0.0], [1.0, 1.0, 1.0]], [[0.0, 0.0, 0.0], [1.0, 3.0, 3.0]]])
    target = tf.constant([[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0]]])
    np.testing.assert_allclose(mpjpe(pose, target), [(5.0 + 0.0) / 2, (0.0 + 3.0) / 2])


def test_mpjpe_of_a_perfect_pose_has_a_finite_gradient():
    pose = tf.constant(poses(0), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(pose)
        error = mpjpe(pose, tf.identity(poses(0).astype(np.float32)))
    np.testing.assert_array_equal(error, np.zeros(12))
    np.testing.assert_array_equal(tape.gradient(error, pose), np.zeros(pose.shape))


def test_protocol_1_by_hand():
    # Root-centred the poses are (1,0,0),(0,0,0) and (1,0,5),(0,0,0): apart by 5 and by 0.
    pose, target = tf.constant([[2.0, 7.0, 9.0], [1.0, 7.0, 9.0]]), tf.constant([[1.0, 0.0, 5.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(protocol_1(pose, target, root_index=1), 2.5)
    # The other joint as root: the very same offsets, held against the first joint.
    np.testing.assert_allclose(protocol_1(pose, target, root_index=0), 2.5)
    np.testing.assert_allclose(mpjpe(pose, target), (np.sqrt(66.0) + np.sqrt(131.0)) / 2, rtol=1e-6)


def test_protocol_1_ignores_translation_and_nothing_else():
    pose, target = poses(0), poses(1)
    shift = np.random.default_rng(2).normal(scale=1000.0, size=(len(pose), 1, 3))
    turned = Rotation.from_euler("y", 20, degrees=True).apply(pose.reshape(-1, 3)).reshape(pose.shape)
    error = protocol_1(tf.constant(pose), tf.constant(target), ROOT).numpy()
    np.testing.assert_allclose(protocol_1(tf.constant(pose + shift), tf.constant(target), ROOT), error, rtol=1e-9)
    np.testing.assert_allclose(protocol_1(tf.constant(pose), tf.constant(target + shift), ROOT), error, rtol=1e-9)
    for changed in (1.1 * pose, turned, pose * MIRROR):
        assert np.abs(protocol_1(tf.constant(changed), tf.constant(target), ROOT) - error).min() > 0.1


def test_protocol_2_by_hand():
    # A flat unit square against one whose corners are bent up and down in turn by 0.1. The bend is uncorrelated
    # with x and y, so the best similarity is the identity and each corner stays 0.1 away.
    square = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    twisted = centred(square) + 0.1 * np.array([[0, 0, -1.0], [0, 0, 1.0], [0, 0, -1.0], [0, 0, 1.0]])
    np.testing.assert_allclose(protocol_2(tf.constant(square), tf.constant(twisted)), 0.1, rtol=1e-9)


@pytest.mark.parametrize(("allow_reflection", "oracle"), [(False, p2_with_proper_rotation), (True, p2_with_reflection)])
def test_protocol_2_against_scipy(allow_reflection, oracle):
    pose, target = poses(3), poses(4)
    expected = [oracle(p, t) for p, t in zip(pose, target, strict=True)]
    np.testing.assert_allclose(
        protocol_2(tf.constant(pose), tf.constant(target), allow_reflection), expected, rtol=1e-6
    )
    # What networks and files give is float32; a hundredth of a millimetre is far below what is reported.
    found = protocol_2(tf.constant(pose, tf.float32), tf.constant(target, tf.float32), allow_reflection)
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.parametrize("allow_reflection", [False, True])
@pytest.mark.parametrize("scale", [0.001, 1.0, 7.0])
def test_protocol_2_ignores_the_predictions_rotation_scale_and_place(allow_reflection, scale):
    pose, target = poses(5), poses(6)
    rotation = Rotation.random(len(pose), random_state=7).as_matrix()
    moved = scale * pose @ rotation.transpose(0, 2, 1) + np.arange(3.0 * len(pose)).reshape(-1, 1, 3)
    error, moved_error = (
        protocol_2(tf.constant(p), tf.constant(target), allow_reflection).numpy() for p in (pose, moved)
    )
    np.testing.assert_allclose(moved_error, error, rtol=1e-6)
    # In the target's units: metres of prediction against millimetres of truth are millimetres of error.
    in_metres = protocol_2(tf.constant(pose), tf.constant(target / 1000.0), allow_reflection)
    np.testing.assert_allclose(in_metres, error / 1000.0, rtol=1e-6)


def test_a_mirrored_pose_is_perfect_only_where_reflections_are_allowed():
    # The trap in published numbers: left and right exchanged in depth would cost nothing.
    pose = poses(8)
    mirrored = tf.constant(pose * MIRROR)
    np.testing.assert_allclose(protocol_2(mirrored, tf.constant(pose), allow_reflection=True), 0.0, atol=1e-6)
    assert protocol_2(mirrored, tf.constant(pose)).numpy().min() > 10.0


@pytest.mark.parametrize(
    "measure", [mpjpe, protocol_2, lambda pose, target: protocol_1(pose, target, ROOT)], ids=["mpjpe", "p2", "p1"]
)
def test_leading_axes_are_kept(measure):
    pose, target = poses(11).reshape(2, 3, 2, 6, 3), poses(12).reshape(2, 3, 2, 6, 3)
    found = measure(tf.constant(pose), tf.constant(target))
    assert found.shape == (2, 3, 2)
    alone = measure(tf.constant(pose[1, 2, 0]), tf.constant(target[1, 2, 0]))
    assert alone.shape == ()
    np.testing.assert_allclose(found[1, 2, 0], alone, rtol=1e-9)


LINE, POINT, BODY = np.outer(np.arange(6.0), [100.0, 200.0, -100.0]), np.full((6, 3), 500.0), poses(13)[0]
SPREAD = mean_distance(centred(LINE), 0.0)


@pytest.mark.parametrize("allow_reflection", [False, True])
@pytest.mark.parametrize(
    ("pose", "target", "error"),
    [
        (LINE, 2.0 * LINE[:, ::-1] + 3.0, 0.0),
        (LINE, POINT, 0.0),
        (POINT, LINE, SPREAD),  # A point has no extent to scale: it lands on the target's centre.
        (POINT, POINT, 0.0),
        (POINT, BODY, mean_distance(centred(BODY), 0.0)),
        (BODY, POINT, 0.0),
        (np.zeros((6, 3)), BODY, mean_distance(centred(BODY), 0.0)),
    ],
    ids=["line, line", "line, point", "point, line", "point, point", "point, body", "body, point", "zero, body"],
)
def test_poses_that_fix_no_rotation_get_the_least_error(pose, target, error, allow_reflection):
    found = protocol_2(tf.constant(pose, tf.float32), tf.constant(target, tf.float32), allow_reflection)
    np.testing.assert_allclose(found, error, atol=1e-2)
