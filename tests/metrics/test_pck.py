"""3DPCK, AUC and PCKh by hand, against NumPy, and on the real detections of MPII's validation people."""

import h5py
import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.metrics.pck import (
    AUC_THRESHOLDS,
    PCK_3D_JOINTS,
    auc_3d,
    correct_keypoints,
    head_size_of_box,
    pck_3d,
    pckh,
    pckh_by_joint,
)
from tf_wsgen.skeleton import HUMAN16

# Joint 0 is the root; the others are this far from the target (mm) once the roots agree.
ERRORS = [0.0, 10.0, 149.9, 150.0, 300.0]


def pair(shift=(0.0, 0.0, 0.0)):
    target = np.zeros((5, 3), np.float32)
    pose = target.copy()
    pose[:, 2] = ERRORS
    return tf.constant(pose + np.array(shift, np.float32)), tf.constant(target)


def people(seed=0, count=40, joints=16, dimensions=3, spread=60.0):
    rng = np.random.default_rng(seed)
    target = rng.normal(0.0, 300.0, (count, joints, dimensions))
    return target + rng.normal(0.0, spread, target.shape), target


@pytest.mark.parametrize(
    ("joints", "threshold", "expected"),
    [
        ([0, 1, 2, 3, 4], 150.0, 3 / 5),  # 150 itself does not pass.
        ([1, 2, 3, 4], 150.0, 2 / 4),
        ([3, 4], 150.5, 1 / 2),
        ([0, 1], 10.0, 1 / 2),
        ([0], 0.0, 0.0),
        ([4, 4, 1], 150.0, 1 / 3),
    ],
)
def test_3dpck_by_hand(joints, threshold, expected):
    np.testing.assert_allclose(pck_3d(*pair(), 0, joints, threshold), expected, rtol=1e-6)


def test_3dpck_measures_from_the_root():
    # Metres away, and the same; with joint 4 as root all the others are 300 − e wrong.
    np.testing.assert_allclose(pck_3d(*pair((4000.0, -500.0, 250.0)), 0, range(5)), 3 / 5, rtol=1e-6)
    np.testing.assert_allclose(pck_3d(*pair(), 4, range(5), 150.05), 2 / 5, rtol=1e-6)


def test_3dpck_fits_neither_scale_nor_rotation():
    target = tf.constant([[0.0, 0.0, 0.0], [1000.0, 0.0, 0.0]])
    assert pck_3d(1.14 * target, target, 0, [1]) == 1.0
    assert pck_3d(1.16 * target, target, 0, [1]) == 0.0
    assert pck_3d(tf.reverse(target, [-1]), target, 0, [1]) == 0.0


@pytest.mark.parametrize(("error", "passed"), [(0.0, 30), (4.9, 30), (5.0, 29), (147.0, 1), (150.0, 0), (1e4, 0)])
def test_auc_of_one_joint_counts_the_thresholds_above_its_error(error, passed):
    pose = tf.constant([[0.0, 0.0, 0.0], [0.0, error, 0.0]])
    np.testing.assert_allclose(auc_3d(pose, tf.zeros([2, 3]), 0, [1]), passed / 31, rtol=1e-6)


def test_auc_is_the_mean_of_3dpck_and_both_keep_leading_axes():
    pose, target = (tf.reshape(tf.constant(points), [2, 4, 5, 16, 3]) for points in people())
    joints = [HUMAN16.index(name) for name in PCK_3D_JOINTS]
    auc, at_150 = (function(pose, target, HUMAN16.root_index, joints) for function in (auc_3d, pck_3d))
    assert auc.shape == at_150.shape == (2, 4, 5)
    assert len(AUC_THRESHOLDS) == 31
    centred = [points - points[..., 6:7, :] for points in (pose.numpy(), target.numpy())]
    errors = np.linalg.norm(centred[0] - centred[1], axis=-1)[..., joints]
    np.testing.assert_allclose(at_150, (errors < 150.0).mean(-1), rtol=1e-12)
    np.testing.assert_allclose(auc, np.mean([(errors < 5 * i).mean(-1) for i in range(31)], axis=0), rtol=1e-12)
    assert 0.05 < np.mean(auc) < np.mean(at_150) < 0.95


def test_the_protocols_joints_are_ours_without_pelvis_and_neck():
    assert sorted(PCK_3D_JOINTS) == sorted(set(HUMAN16.joints) - {"pelvis", "neck"})


def test_head_size_is_six_tenths_of_the_boxs_diagonal():
    boxes = tf.constant([[100.0, 50.0, 130.0, 90.0], [5.0, 5.0, 5.0, 5.0]])
    np.testing.assert_allclose(head_size_of_box(boxes), [30.0, 0.0], rtol=1e-6)


# Two people with head sizes 10 and 40, so limits 5 and 20 pixels; joints wrong by 0, 5, 6, 20 and 21 pixels.
TARGET = np.zeros((2, 5, 2), np.float32)
POSE = np.tile(np.array([[0, 0], [3, 4], [0, 6], [-20, 0], [0, -21]], np.float32), (2, 1, 1))
SIZES = tf.constant([10.0, 40.0])
VISIBLE = np.array([[1, 1, 1, 1, 0], [1, 0, 0, 1, 0]], np.float32)


def test_a_keypoint_at_the_limit_is_correct():
    np.testing.assert_array_equal(correct_keypoints(POSE, TARGET, SIZES), [[1, 1, 0, 0, 0], [1, 1, 1, 1, 0]])
    np.testing.assert_array_equal(correct_keypoints(POSE, TARGET, SIZES, 0.1), [[1, 0, 0, 0, 0]] * 2)


def test_pckh_by_hand():
    np.testing.assert_allclose(pckh(POSE, TARGET, VISIBLE, SIZES), [2 / 4, 2 / 2])
    # Seen twice, once, once, twice and never.
    np.testing.assert_allclose(pckh_by_joint(POSE, TARGET, VISIBLE, SIZES), [1.0, 1.0, 0.0, 0.5, 0.0])


def test_pckh_ignores_where_unseen_joints_are():
    moved = np.where(VISIBLE[..., None] > 0, POSE, 1e6)
    for measure in (pckh, pckh_by_joint):
        np.testing.assert_array_equal(
            measure(moved, TARGET, VISIBLE, SIZES), measure(POSE, TARGET, VISIBLE.astype(bool), SIZES)
        )


def test_pckh_of_a_person_without_joints_is_0_and_no_nan():
    np.testing.assert_array_equal(pckh(POSE, TARGET, np.zeros((2, 5), np.float32), SIZES), [0.0, 0.0])


def test_pckh_keeps_leading_axes():
    pose, target = people(1, 24, 7, 2, 20.0)
    sizes = np.linspace(20.0, 80.0, 24)
    visible = np.random.default_rng(2).integers(0, 2, (24, 7)).astype(float)
    visible[:, 0] = 1.0
    nested = pckh(*(values.reshape(2, 3, 4, *values.shape[1:]) for values in (pose, target, visible, sizes)))
    right = np.linalg.norm(pose - target, axis=-1) <= 0.5 * sizes[:, None]
    np.testing.assert_allclose(np.ravel(nested), (right * visible).sum(1) / visible.sum(1), rtol=1e-12)
    by_joint = pckh_by_joint(pose, target, visible, tf.constant(sizes))
    np.testing.assert_allclose(by_joint, (right * visible).sum(0) / visible.sum(0), rtol=1e-12)


def test_stacked_hourglass_on_mpii(data_folder):
    with h5py.File(data_folder / "mpii_valid_annotations.h5") as file:
        target, flags, head_size = (file[name][()] for name in ("part", "visible", "normalize"))
    with h5py.File(data_folder / "mpii_valid_stacked_hourglass.h5") as file:
        pose = file["preds"][()]
    annotated = (target != 0).any(-1).astype(float)
    in_sight, with_hidden = (pckh_by_joint(pose, target, seen, head_size).numpy() for seen in (flags, annotated))
    total = (in_sight * flags.sum(0)).sum() / flags.sum()
    assert 0.92 < total < 0.945
    # Hidden joints are harder, ankles (0, 5) most of all, the head's ends (8, 9) least: they are never hidden.
    assert (with_hidden <= in_sight).all()
    assert in_sight.argmin() in (0, 5)
    assert with_hidden.min() > 0.75
    # What papers print: all annotated joints but pelvis and thorax (6, 7); about 0.88 for this network.
    counted = np.delete(annotated.sum(0), [6, 7])
    np.testing.assert_allclose((np.delete(with_hidden, [6, 7]) * counted).sum() / counted.sum(), 0.8804, atol=5e-4)
    # A mirrored detection must not score.
    assert pckh_by_joint(pose[:, ::-1], target, flags, head_size).numpy().mean() < 0.3
