"""RepNet's .mat files: flat rows in MATLAB 5 and 7.3, which way y points, and everything broken."""

import h5py
import numpy as np
import pytest
import scipy.io
from refusals import changed, reading, refuses, table

from tf_wsgen.datasets.readers.human36m_mat import read_repnet_mat
from tf_wsgen.skeleton import HUMAN16

# tests/datasets/test_matlab_files.py and tests/test_files.py try the other process.
pytestmark = pytest.mark.usefixtures("read_here")

ROWS = 70
# Heads above, ankles below.
HEIGHT = {"head": -700.0, "neck": -600.0, "thorax": -500.0, "left_ankle": 850.0, "right_ankle": 860.0}
UPRIGHT = np.array([HEIGHT.get(joint, 0.0) for joint in HUMAN16.joints])


def people(dimensions, rows=ROWS, seed=0):
    """(T, 16, D) with y down: millimetres in 3D, and in 2D normalised as this line of work does."""
    points = np.random.default_rng(seed).normal(0.0, 150.0, (rows, 16, dimensions))
    points[..., 1] += UPRIGHT
    return points if dimensions == 3 else points / 400.0


def flat(points):
    """x1 … x16, y1 … y16(, z1 … z16)."""
    return np.concatenate([points[..., axis] for axis in range(points.shape[-1])], axis=1)


def save(path, **content):
    """MATLAB 5, compressed as version 7 does."""
    scipy.io.savemat(path, content, do_compression=True)
    return path


def save_73(path, **content):
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in content.items():
            file[name] = values.T
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return path


read_clips = reading(read_repnet_mat)


def read(path, group="train", **options):
    return read_clips(path, group, **options)


SIGNALLING_NAN = np.uint64(0x7FF0000000000001).view(np.float64)
FLAT_2D, FLAT_3D = flat(people(2)), flat(people(3))


@pytest.mark.parametrize("writer", [save, save_73])
@pytest.mark.parametrize("names", [("poses_2d", "poses_3d"), ("Att2d", "Att3d")])
def test_rows_come_back_by_joint(tmp_path, writer, names):
    path = writer(tmp_path / "data_train.mat", **dict(zip(names, (flat(people(2)), flat(people(3))), strict=True)))
    (clip,) = read(path)
    np.testing.assert_allclose(clip.pose_2d, people(2), rtol=1e-6)
    np.testing.assert_allclose(clip.pose_3d, people(3), rtol=1e-6)
    assert clip.pose_2d.dtype == clip.pose_3d.dtype == np.float32
    assert (clip.where, clip.group, clip.labels) == (str(path), "train", {"sequence": "data_train"})


def test_one_row_by_hand(tmp_path):
    row = np.arange(48.0)[None] * -20
    (clip,) = read(save_73(tmp_path / "a.mat", poses_3d=row))
    # The second joint: x2, y2, z2.
    np.testing.assert_array_equal(clip.pose_3d[0, 1], [-20, -20 * 17, -20 * 33])
    assert clip.pose_2d is None


def test_rows_that_are_not_as_many_are_two_clips(tmp_path):
    path = save_73(tmp_path / "a.mat", poses_2d=flat(people(2)), poses_3d=flat(people(3, 90)))
    first, second = read(path)
    assert (first.where, first.pose_3d, len(first)) == (f"{path}: 2D", None, ROWS)
    assert (second.where, second.pose_2d, len(second)) == (f"{path}: 3D", None, 90)
    assert first.labels == second.labels
    # As many after the stride are still not pairs.
    path = save_73(tmp_path / "a.mat", poses_2d=flat(people(2, 65)), poses_3d=flat(people(3, 66)))
    clips = read(path, "test", stride=64)
    assert [(clip.group, len(clip)) for clip in clips] == [("test", 2), ("test", 2)]
    np.testing.assert_allclose(clips[0].pose_2d, people(2, 65)[[0, 64]], rtol=1e-6)


ACTIONS = {
    "Walking_2dGT_3d_test": "Walking",
    "SittingDown_2dSHFT_3d_test": "SittingDown",
    "Photo": "Photo",
    "data_2dGT_3d_test": None,
}


def test_the_action_comes_from_the_name(tmp_path):
    for name, action in ACTIONS.items():
        (clip,) = read(save_73(tmp_path / f"{name}.mat", poses_3d=FLAT_3D))
        assert clip.labels == {"sequence": name} | ({"action": action} if action else {})


# The frame's way up.

TURNED = {2: [1, -1], 3: [1, -1, -1]}


@pytest.mark.parametrize("up", [(), (2,), (3,), (2, 3)])
def test_y_is_turned_down_where_it_points_up(tmp_path, up):
    stored = {d: flat(people(d) * TURNED[d] if d in up else people(d)) for d in (2, 3)}
    path = save_73(tmp_path / "a.mat", poses_2d=stored[2], poses_3d=stored[3])
    told = []
    (clip,) = read(path, notice=told.append)
    np.testing.assert_allclose(clip.pose_2d, people(2), rtol=1e-6)
    np.testing.assert_allclose(clip.pose_3d, people(3), rtol=1e-6)
    expected = [f"{path}: most heads are below the ankles in {d}D" for d in up]
    assert [text.partition(",")[0] for text in told] == expected


def test_a_turned_pose_is_no_mirror_image(tmp_path):
    acrobats = people(3) * [1, -1, 1]
    (clip,) = read(save_73(tmp_path / "a.mat", poses_3d=flat(acrobats)))
    four = [HUMAN16.index(name) for name in ("right_hip", "left_hip", "head", "left_ankle")]
    poses = (clip.pose_3d, acrobats)
    triple = [np.linalg.det(np.diff(points[:, four].astype(np.float64), axis=1)) for points in poses]
    np.testing.assert_allclose(*triple, rtol=1e-3)


# Broken files.


BROKEN = {
    "other variables": ({"pose2d": FLAT_2D}, r"has none of \['poses_2d', 'Att2d', 'poses_3d', 'Att3d'\]"),
    "both names": ({"poses_2d": FLAT_2D, "Att2d": FLAT_2D}, "has both poses_2d and Att2d; expected one of them"),
    "columns for rows": ({"poses_2d": FLAT_2D.T}, r"poses_2d is float64 of shape \(32, 70\); expected .* \(N, 32\)"),
    "no rows": ({"poses_3d": FLAT_3D[:0]}, "poses_3d"),
    "metres": ({"poses_3d": FLAT_3D / 1000}, "joints are typically .* expected millimetres"),
    "NaN in 2D": ({"poses_2d": changed(FLAT_2D, (5, 31), np.nan)}, "2D frame 5 is not finite"),
    # Its cast makes NumPy warn.
    "signalling NaN": ({"poses_2d": changed(FLAT_2D, (5, 31), SIGNALLING_NAN)}, "2D frame 5 is not finite"),
    "too large for float32": ({"poses_3d": changed(FLAT_3D, (7, 20), 1e300)}, "3D frame 7 is not finite"),
    "cells": ({"poses_2d": np.array([[FLAT_2D, FLAT_2D]], object)}, "poses_2d is object of shape .*; expected numbers"),
}  # fmt: skip


@table("content message", BROKEN)
def test_broken_variables_are_refused_by_name(tmp_path, content, message):
    path = save(tmp_path / "a.mat", **content)
    refuses(r"a\.mat.*" + message, read, path)


def test_rows_that_are_only_announced_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file.create_dataset("poses_3d", (48, 10**12), "f8", chunks=(48, 1024))
    refuses(r"a\.mat: poses_3d announces 384,000,000,000,000 bytes but stores 0", read, tmp_path / "a.mat")


def test_options_are_checked(tmp_path):
    path = save(tmp_path / "a.mat", poses_2d=FLAT_2D)
    refuses(r"group is 'valid'; expected one of \['train', 'test'\]", read, path, "valid")
    for stride in (0, True):
        refuses(f"stride is {stride}; expected a whole number from 1", read, path, stride=stride)
