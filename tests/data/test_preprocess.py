"""Pixels to normalised 2D poses and millimetres to the template frame: by hand, and what must not matter."""

import numpy as np
import pytest
from refusals import refuses, table
from scipy.spatial.transform import Rotation

from tf_wsgen.data import preprocess
from tf_wsgen.data.preprocess import align_rows, make_template, normalise_keypoints, normalise_rows
from tf_wsgen.skeleton import HUMAN16, Skeleton

TINY = Skeleton("tiny", ("root", "right", "left"), (), "root", ("right", "left"), ("right", "left"))
PELVIS, RIGHT_HIP, LEFT_HIP = (HUMAN16.index(joint) for joint in ("pelvis", "right_hip", "left_hip"))
WRIST = HUMAN16.index("left_wrist")


def people(count=5, seed=0):
    return np.random.default_rng(seed).normal(500.0, 120.0, (count, 16, 2)).astype(np.float32)


def seen(count=5, *missing):
    visible = np.ones((count, 16), np.float32)
    visible[:, list(missing)] = 0.0
    return visible


def normalised_in_numpy(keypoints, visible):
    """The definition, one pose at a time in float64."""
    poses = []
    for points, mask in zip(keypoints.astype(np.float64), visible > 0, strict=True):
        root = points[PELVIS] if mask[PELVIS] else (points[RIGHT_HIP] + points[LEFT_HIP]) / 2.0
        centred = (points - root) * [1.0, -1.0]
        centred /= np.std(centred[mask])
        centred[~mask] = 0.0
        poses.append(centred)
    return np.array(poses)


def test_normalise_by_hand():
    # Root-centred with y up: (0, 0), (−2, −4), (2, −8). Mean −2, squared deviations 64 in 6 numbers.
    keypoints = np.array([[10.0, 10.0], [8.0, 14.0], [12.0, 18.0]], np.float32)
    found = normalise_keypoints(keypoints, np.ones(3, np.float32), TINY)
    deviation = np.sqrt(64.0 / 6.0)
    np.testing.assert_allclose(found.deviation, deviation, rtol=1e-6)
    np.testing.assert_allclose(found.pose_2d * deviation, [[0.0, 0.0], [-2.0, -4.0], [2.0, -8.0]], rtol=1e-6)
    np.testing.assert_array_equal(found.root, [10.0, 10.0])
    assert found.usable


@pytest.mark.parametrize("missing", [(), (WRIST, 1, 9), (PELVIS, WRIST), (RIGHT_HIP, LEFT_HIP)])
def test_normalise_against_numpy(missing):
    keypoints, visible = people(), seen(5, *missing)
    found = normalise_keypoints(keypoints, visible, HUMAN16)
    assert found.usable.numpy().all()
    np.testing.assert_allclose(found.pose_2d, normalised_in_numpy(keypoints, visible), atol=2e-5)
    np.testing.assert_array_equal(found.visible, visible)


@pytest.mark.parametrize("junk", [-1e4, np.nan, np.inf])
def test_coordinates_of_missing_joints_do_not_matter(junk):
    keypoints, visible = people(), seen(5, WRIST, PELVIS)
    expected = normalise_keypoints(keypoints, visible, HUMAN16)
    keypoints[:, [WRIST, PELVIS]] = junk
    found = normalise_keypoints(keypoints, visible, HUMAN16)
    for name, values in found._asdict().items():
        np.testing.assert_array_equal(values, getattr(expected, name))
    np.testing.assert_array_equal(found.pose_2d.numpy()[:, WRIST], np.zeros((5, 2)))


@pytest.mark.parametrize("missing", [(), (WRIST, PELVIS)])
def test_place_and_size_in_the_image_do_not_matter(missing):
    visible = seen(5, *missing)
    expected = normalise_keypoints(people(), visible, HUMAN16)
    found = normalise_keypoints(4.0 * people() + np.array([640.0, -320.0], np.float32), visible, HUMAN16)
    np.testing.assert_allclose(found.pose_2d, expected.pose_2d, atol=1e-5)
    np.testing.assert_allclose(found.deviation, 4.0 * expected.deviation, rtol=1e-5)


@pytest.mark.parametrize("missing", [(), (WRIST, PELVIS)])
def test_to_pixels_is_the_way_back(missing):
    keypoints, visible = people(6), seen(6, *missing)
    found = normalise_keypoints(keypoints.reshape(2, 3, 16, 2), visible.reshape(2, 3, 16), HUMAN16)
    pixels = found.to_pixels(np.repeat(found.pose_2d.numpy()[:, :, None], 4, axis=2)).numpy()
    assert pixels.shape == (2, 3, 4, 16, 2)
    for hypothesis in range(4):
        back = pixels[:, :, hypothesis].reshape(6, 16, 2)
        np.testing.assert_allclose(back[visible > 0], keypoints[visible > 0], atol=1e-3)


UNUSABLE = {
    "pelvis and a hip missing": (people(1), seen(1, PELVIS, LEFT_HIP)),
    "nothing seen": (people(1), np.zeros((1, 16), np.float32)),
    "one place": (np.full((1, 16, 2), 7.0, np.float32), seen(1)),
    "only the pelvis seen": (people(1), 1.0 - seen(1, PELVIS)),
    "pixels that no image has": (1e5 * people(1), seen(1)),
}


@table("keypoints visible", UNUSABLE)
def test_a_row_without_root_or_size_is_zeros_or_refused_by_number(monkeypatch, keypoints, visible):
    rows = np.concatenate([people(6), keypoints]), np.concatenate([seen(6), visible])
    found = normalise_keypoints(*rows, HUMAN16)
    np.testing.assert_array_equal(found.usable, [True] * 6 + [False])
    np.testing.assert_array_equal(found.pose_2d[6], np.zeros((16, 2)))
    np.testing.assert_allclose(found.pose_2d[:6], normalised_in_numpy(people(6), seen(6)), atol=2e-5)
    assert all(np.isfinite(values).all() for values in found)
    monkeypatch.setattr(preprocess, "CHUNK", 4)  # the number counts from the file's start, not the chunk's
    message = r"a\.h5: train/pose_2d row 6 cannot be normalised: expected .* a visible pelvis"
    refuses(message, normalise_rows, *rows, HUMAN16, "a.h5: train/pose_2d")


def test_normalise_rows_takes_every_row_whatever_the_chunk(monkeypatch):
    monkeypatch.setattr(preprocess, "CHUNK", 4)
    pose_2d, visible = normalise_rows(people(9), None, HUMAN16, "file")
    np.testing.assert_allclose(pose_2d, normalised_in_numpy(people(9), seen(9)), atol=2e-5)
    np.testing.assert_array_equal(visible, np.ones((9, 16)))  # where a file says nothing, all joints are seen
    assert (pose_2d.dtype, visible.dtype) == (np.float32, np.float32)


# A person in the template frame, metres: x to the left, y up, z forward; the torso is not symmetric.
BODY = np.random.default_rng(3).normal(0.0, 0.3, (16, 3)).astype(np.float32)
BODY[list(HUMAN16.template_indices)] = [[-0.12, 0.0, 0.0], [0.14, 0.0, 0.0], [-0.17, 0.47, 0.03], [0.19, 0.53, -0.03]]
BODY[PELVIS] = 0.0
# In the body's own frame mid-shoulder lies straight above mid-hip: both at x = 0.01, z = 0.
TORSO = BODY[list(HUMAN16.template_indices)]


def copies(scales, seed=0):
    """The body, scaled, turned and moved."""
    rotation = Rotation.random(len(scales), random_state=seed).as_matrix()
    shift = np.random.default_rng(seed).normal(size=(len(scales), 1, 3))
    return (np.reshape(scales, (-1, 1, 1)) * BODY @ rotation.transpose(0, 2, 1) + shift).astype(np.float32)


def test_the_template_is_the_mean_torso_over_people_however_turned():
    template = make_template(copies([1.0] * 5), HUMAN16)
    assert template.dtype == np.float32
    np.testing.assert_allclose(template, TORSO, atol=1e-6)
    np.testing.assert_allclose(make_template(copies([0.5, 1.0, 3.0]), HUMAN16), 1.5 * TORSO, atol=1e-6)


def test_turned_moved_and_scaled_copies_align_to_one_pose_and_the_ratio_is_the_mean_of_1_over_s():
    # s = 1.25, 1 and 2/3: the mean of 1/s is 1.1, one over their mean would be 1.03.
    aligned, ratio = align_rows(copies([0.8, 1.0, 1.5]), TORSO, HUMAN16, "file")
    np.testing.assert_allclose(aligned, np.broadcast_to(BODY, aligned.shape), atol=1e-5)
    np.testing.assert_allclose(ratio, 1.1, rtol=1e-5)
    assert aligned.dtype == np.float32


def test_the_root_is_at_the_origin_even_where_the_torso_does_not_fit():
    moved = copies([1.0, 2.0])
    moved[:, HUMAN16.index("left_shoulder")] += 0.3
    aligned, _ = align_rows(moved, TORSO, HUMAN16, "file")
    np.testing.assert_array_equal(aligned[:, PELVIS], np.zeros((2, 3)))


def test_align_rows_takes_or_refuses_every_row_whatever_the_chunk(monkeypatch):
    rows = copies([0.8, 1.0, 1.5, 2.0, 0.5])
    whole, ratio = align_rows(rows, TORSO, HUMAN16, "file")
    monkeypatch.setattr(preprocess, "CHUNK", 2)
    aligned, chunked_ratio = align_rows(rows, TORSO, HUMAN16, "file")
    np.testing.assert_allclose(aligned, whole, atol=1e-6)
    np.testing.assert_allclose(chunked_ratio, ratio, rtol=1e-6)
    rows[3, list(HUMAN16.template_indices)] = 0.5
    message = r"a\.h5: train/pose_3d row 3 has hips and shoulders in one place"
    refuses(message, align_rows, rows, TORSO, HUMAN16, "a.h5: train/pose_3d")
