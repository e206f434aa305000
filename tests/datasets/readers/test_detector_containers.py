"""Two people over frames, one of them hidden in one, in HDF5 and pickles as their programs lay them out."""

import json
import pickle

import h5py
import numpy as np
import pytest

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, convert
from tf_wsgen.datasets.readers.detections import read_detections
from tf_wsgen.errors import InputError

COCO = CONVENTIONS["coco17"]
FRAMES = [10, 11, 14]
# (frames, people, joints, x y score)
VALUES = np.random.default_rng(0).uniform([50, 50, 0.2], [600, 400, 1.0], (len(FRAMES), 2, 17, 3))
VALUES[1, 1] = np.nan
VALUES[2, 0, 3] = np.nan
COLUMNS = [("DLC", who, joint, axis) for who in "ab" for joint in COCO.joints for axis in ("x", "y", "likelihood")]
FLAT = VALUES.reshape(len(FRAMES), -1)


def deeplabcut_table(path):
    """As pandas' `to_hdf(…, format="table")`."""
    rows = np.zeros(len(FRAMES), [("index", "<i8"), ("values_block_0", "<f8", (len(COLUMNS),))])
    rows["index"], rows["values_block_0"] = FRAMES, FLAT
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.bytes_(b"frame_table")
        group["table"] = rows
        group["table"].attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(COLUMNS, protocol=0))


def deeplabcut_fixed(path):
    """As pandas' `to_hdf(…, format="fixed")`."""
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.bytes_(b"frame")
        group["axis1"], group["block0_values"] = FRAMES, FLAT
        for level, names in enumerate(zip(*COLUMNS, strict=True)):
            known = sorted(set(names))
            group[f"block0_items_level{level}"] = np.array(known, "S")
            group[f"block0_items_label{level}"] = np.array([known.index(name) for name in names], np.int8)


def sleap(path, dims=("track", "xy", "node", "frame")):
    order = [("frame", "track", "node", "xy").index(dim) for dim in dims]
    with h5py.File(path, "w") as file:
        file["tracks"] = VALUES[..., :2].transpose(order)
        scores = [("frame", "track", "node").index(dim) for dim in dims if dim != "xy"]
        file["point_scores"] = VALUES[..., 2].transpose(scores)
        file["node_names"] = np.array(COCO.joints, "S")


def pyskl(path):
    by_person = VALUES.transpose(1, 0, 2, 3)
    annotation = {"frame_dir": "walk", "keypoint": by_person[..., :2], "keypoint_score": by_person[..., 2], "label": 3}
    path.write_bytes(pickle.dumps({"split": {}, "annotations": [annotation]}))


def openpifpaf_lines(path):
    def people(row):
        there = [np.nan_to_num(person) for person in VALUES[row] if np.isfinite(person).any()]
        return [{"keypoints": person.ravel().tolist(), "score": 0.5, "id_": i} for i, person in enumerate(there)]

    lines = [json.dumps({"frame": frame, "predictions": people(row)}) for row, frame in enumerate(FRAMES)]
    path.write_text("\n".join(lines) + "\n")


FILES = {
    "table.h5": (deeplabcut_table, "deeplabcut", FRAMES),
    "fixed.h5": (deeplabcut_fixed, "deeplabcut", FRAMES),
    "sleap.h5": (sleap, "sleap", range(3)),
    "others.h5": (lambda path: sleap(path, ("frame", "track", "node", "xy")), "sleap", range(3)),
    "array.pkl": (lambda path: path.write_bytes(pickle.dumps(VALUES.transpose(1, 0, 2, 3))), "array", range(3)),
    "pyskl.pkl": (pyskl, "array", range(3)),
    "pifpaf.json": (openpifpaf_lines, "openpifpaf", FRAMES),
}


@pytest.mark.parametrize("name", FILES)
def test_people_of_containers(tmp_path, name):
    write, format, (first, second, third) = FILES[name]
    write(tmp_path / name)
    read = read_detections(tmp_path / name)
    assert (read.source_format, read.convention) == (format, "coco17")
    assert read.frame.tolist() == [first, first, second, third, third]
    assert read.person.tolist() == [0, 1, 0, 0, 1]
    there = np.nan_to_num(VALUES[[0, 0, 1, 2, 2], [0, 1, 0, 0, 1]])
    expected = convert(there[..., :2], COCO, there[..., 2] > 0, there[..., 2])
    points = np.where(expected.visible[..., None], expected.points, 0.0)
    np.testing.assert_allclose(np.where(read.visible[..., None], read.keypoints, 0.0), points, atol=1e-3)
    np.testing.assert_allclose(read.confidence, expected.confidence, atol=1e-6)


def broken_sleap(path):
    sleap(path)
    with h5py.File(path, "a") as file:
        del file["node_names"]
        file["node_names"] = np.array(["nose"], "S")


def broken_table(path):
    deeplabcut_table(path)
    with h5py.File(path, "a") as file:
        file["df_with_missing/table"].attrs["values_block_0_kind"] = np.bytes_(b"cos\nsystem\n(S'true'\ntR.")


def two_videos(path):
    path.write_bytes(pickle.dumps([{"keypoint": VALUES}, {"keypoint": VALUES}]))


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.h5", broken_sleap, r"a\.h5: tracks has shape .*expected \(tracks, 2, 1 nodes, frames\)"),
        ("a.h5", broken_table, r"a\.h5: /df_with_missing holds a pickled 'os\.system'; expected NumPy arrays"),
        ("a.pkl", two_videos, r"a\.pkl: has annotations of 2 videos; expected one video a file"),
    ],
)
def test_broken_containers(tmp_path, name, write, message):
    write(tmp_path / name)
    with pytest.raises(InputError, match=message):
        read_detections(tmp_path / name)
