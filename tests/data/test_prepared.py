"""The prepared file: what is written comes back, and what is broken is refused by file and place."""

import h5py
import numpy as np
import pytest
from prepared_files import write_prepared
from refusals import refuses, table

from tf_wsgen.data.prepared import PoseGroup, PreparedData, read_prepared
from tf_wsgen.skeleton import HUMAN16

# tests/datasets/test_matlab_files.py and tests/test_files.py try the other process.
pytestmark = pytest.mark.usefixtures("read_here")

JOINTS, ROWS = HUMAN16.joints, 4


def group(rows_2d=ROWS, rows_3d=ROWS, seed=0, **labels):
    rng = np.random.default_rng(seed)
    return PoseGroup(
        rng.normal(500.0, 80.0, (rows_2d, 16, 2)).astype(np.float32) if rows_2d else None,
        rng.normal(0.0, 300.0, (rows_3d, 16, 3)).astype(np.float32) if rows_3d else None,
        **labels,
    )


def full_group():
    labels = {
        "visible": np.tile(np.arange(16) % 2, (ROWS, 1)).astype(np.float32),
        "confidence": np.full((ROWS, 16), 0.25, np.float32),
        "action": np.array(["Walking", "Sitting down", "Grüßen", ""]),
        "subject": np.array(["S1"] * ROWS),
        "sequence": np.array(["a", "a", "b", "c"]),
        "camera": np.array(["54138969"] * ROWS),
        "scene": np.array(["outdoor"] * ROWS),
        "valid": np.array([1, 0, 1, 1], np.float32),
    }
    return group(labels=labels, pose_3d_up=unit_vectors(ROWS))


def unit_vectors(rows):
    vectors = np.random.default_rng(3).normal(size=(rows, 3)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def assert_equal_groups(found, expected):
    for name in ("pose_2d", "pose_3d", "pose_3d_up"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        if getattr(expected, name) is not None:
            assert getattr(found, name).dtype == np.float32
    for name in ("labels", "labels_3d"):
        found_labels, expected_labels = getattr(found, name), getattr(expected, name)
        assert set(found_labels) == set(expected_labels)
        for label, values in expected_labels.items():
            np.testing.assert_array_equal(found_labels[label], values)
            assert found_labels[label].dtype.kind == values.dtype.kind


# Groups, and whether their rows pair.
GROUPS = {
    "every label": (full_group(), True),
    "2D alone": (group(rows_3d=0, labels={"action": np.array(["x"] * ROWS)}), False),
    "3D rows of other labels": (
        group(labels={"sequence": np.array(list("abcd"))}, labels_3d={"valid": np.ones(4)}), False),
    "3D alone": (group(rows_2d=0, labels={"sequence": np.array(["x"] * ROWS)}), False),
    "other 3D rows": (
        group(rows_3d=7, labels={"sequence": np.array(list("pqrs"))}, pose_3d_up=unit_vectors(7),
              labels_3d={"sequence": np.array(list("tuvwxyz")), "valid": np.ones(7, np.float32)}), False),
}  # fmt: skip


@table("content paired", GROUPS)
def test_round_trip(tmp_path, content, paired):
    joints = tuple(f"joint {index}" for index in range(16))
    data = PreparedData(joints, "made by hand", train=content, test=group(seed=2))
    write_prepared(str(tmp_path / "a.h5"), data)
    found = read_prepared(str(tmp_path / "a.h5"))
    assert (found.joints, found.source) == (joints, "made by hand")
    assert_equal_groups(found.train, content)
    assert_equal_groups(found.test, data.test)
    assert found.train.paired is content.paired is paired


@pytest.fixture
def sound(tmp_path):
    """A sound file, written with h5py alone so that reader and writer cannot err together."""
    path = tmp_path / "people.h5"
    with h5py.File(path, "w") as file:
        file.attrs["joints"], file.attrs["source"] = list(JOINTS), "by hand"
        for name in ("train", "test"):
            content = group()
            file[f"{name}/pose_2d"], file[f"{name}/pose_3d"] = content.pose_2d, content.pose_3d
            file[f"{name}/visible"] = np.ones((ROWS, 16))
            file[f"{name}/action"] = ["walk"] * ROWS
    return path


def test_a_file_written_by_another_program_is_read(sound):
    data = read_prepared(sound, JOINTS)
    assert data.source == "by hand"
    assert data.test.labels["action"].tolist() == ["walk"] * ROWS
    np.testing.assert_array_equal(data.train.pose_2d, group().pose_2d)


def delete(*places):
    def change(file):
        for place in places:
            del file[place]

    return change


def put(place, values):
    """A mutation: the dataset at `place`, replaced or new."""

    def change(file):
        if place in file:
            del file[place]
        file[place] = values

    return change


def put_element(place, index, value):
    def change(file):
        file[place][index] = value

    return change


def announce(file):
    """A few kilobytes on disk that announce more rows than anybody wrote."""
    del file["train/pose_2d"]
    file.create_dataset("train/pose_2d", shape=(10**6, 16, 2), chunks=(1024, 16, 2), dtype=np.float32)


def keep_outside(file):
    with h5py.File(file.filename + ".other", "w") as other:
        other["poses"] = file["test/pose_3d"][()]
    put("test/pose_3d", h5py.ExternalLink(file.filename + ".other", "poses"))(file)


def joints(names):
    return lambda file: file.attrs.update(joints=list(names))


SWAPPED = (JOINTS[1], JOINTS[0], *JOINTS[2:])
BROKEN = {
    "no joints": (lambda file: file.attrs.pop("joints"), "has no root attribute 'joints'"),
    "joints in another order": (joints(SWAPPED), "joint 0 is 'right_knee'; expected 'right_hip'"),
    "a joint less in the list": (joints(JOINTS[:-1]), "'joints' has 15 names; expected 16"),
    "a joint less in the poses": (put("train/pose_2d", np.ones((4, 15, 2))), r"pose_2d has shape \(4, 15, 2\)"),
    "no groups": (delete("train", "test"), "neither a group 'train' nor 'test'"),
    "a group without poses": (delete("test/pose_2d", "test/pose_3d"), "test has neither 'pose_2d' nor 'pose_3d'"),
    "a group that is a dataset": (put("train", np.ones(3)), "'train' is a dataset; expected a group"),
    "poses that are a group": (lambda file: (delete("train/pose_2d")(file), file.create_group("train/pose_2d")),
        "train/pose_2d is not an array of numbers"),
    "no rows": (put("train/pose_2d", np.ones((0, 16, 2))), "train/pose_2d has 0 rows"),
    "NaN in 2D": (put_element("train/pose_2d", (2, 5, 0), np.nan), "train/pose_2d row 2 is not finite"),
    "metres": (put("train/pose_3d", group().pose_3d / 1e3), "train/pose_3d.*expected millimetres"),
    "unmatched test rows": (put("test/pose_3d", group(0, 5).pose_3d), "test/pose_2d has 4 rows and test/pose_3d 5"),
    "a label too short": (put("train/action", ["walk"] * 3), r"train/action is object .*; expected 4 short texts"),
    "visible twice": (put_element("train/visible", (0, 0), 2), "train/visible holds values other than 0 and 1"),
    "nothing visible": (put_element("test/visible", 3, 0), "test row 3 has no visible joint"),
    "numbers for texts": (put("train/camera", np.arange(ROWS)), "train/camera is int64 of .*; expected 4 short texts"),
    "texts for numbers": (put("train/valid", ["yes"] * ROWS), "train/valid is not an array of numbers"),
    "negative confidence": (put("train/confidence", np.full((ROWS, 16), -1.0)), "train/confidence holds negative"),
    "unknown dataset": (put("train/pose_4d", np.ones(ROWS)), "train/pose_4d is not part of the format"),
    "3D labels without 3D": (
        lambda file: (file.move("train/action", "train/pose_3d_action"), delete("train/pose_3d")(file)),
        "train/pose_3d_action has no 'pose_3d'"),
    "10⁶ rows that nobody wrote": (announce, "announces 128,000,000 bytes but stores"),
    "poses in another file": (keep_outside, "test/pose_3d is kept in another file"),
}  # fmt: skip


@table("change place", BROKEN)
def test_a_broken_file_is_refused_by_name_and_place(sound, change, place):
    with h5py.File(sound, "r+") as file:
        change(file)
    refuses(r"people\.h5: .*" + place, read_prepared, sound, JOINTS)


def test_rows_that_are_not_valid_take_their_up_with_them():
    content = full_group()
    np.testing.assert_array_equal(content.only_valid().pose_3d_up, content.pose_3d_up[[0, 2, 3]])


def test_up_that_is_no_direction_is_refused(tmp_path):
    for up, message in (
        (unit_vectors(ROWS)[:3], r"train/pose_3d_up has shape \(3, 3\); expected \(4, 3\)"),
        (np.diag([1.0, 2.0, 1.0, 1.0])[:, :3], "train/pose_3d_up row 1 has not length 1"),
        (np.full((ROWS, 3), np.nan), "train/pose_3d_up row 0 has not length 1"),
    ):
        write_prepared(tmp_path / "a.h5", PreparedData(JOINTS, "", train=group(pose_3d_up=up)))
        refuses(message, read_prepared, tmp_path / "a.h5", JOINTS)
