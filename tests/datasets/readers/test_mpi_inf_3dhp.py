"""MPI-INF-3DHP: files in the official structure give the known joints; what is broken is refused by file and place."""

import h5py
import numpy as np
import pytest
import scipy.io
from refusals import reading, refuses, table

from tf_wsgen.datasets.readers.mpi_inf_3dhp import read_3dhp
from tf_wsgen.skeleton import HUMAN16

# tests/datasets/test_matlab_files.py and tests/test_files.py try the other process.
pytestmark = pytest.mark.usefixtures("read_here")

FRAMES = 6
# For each joint of ours, its number in the files: r hip, r knee, r ankle, l hip, l knee, l ankle, pelvis, thorax
# (their neck), neck (their head), head (their head top), l shoulder, elbow, wrist, r shoulder, elbow, wrist.
OF_28 = [23, 24, 25, 18, 19, 20, 4, 5, 6, 7, 9, 10, 11, 14, 15, 16]
OF_17 = [8, 9, 10, 11, 12, 13, 14, 1, 16, 0, 5, 6, 7, 2, 3, 4]


def points(joints, dimensions, frames=FRAMES, offset=0.0):
    """(T, J, D) numbers that tell joint, frame and coordinate: y of joint 3 in frame 2 is 130 + 2 + 0.5."""
    frame, joint, coordinate = np.ogrid[:frames, :joints, :dimensions]
    return 100.0 + 10.0 * joint + 40.0 * joint * (coordinate == 0) + frame + 0.5 * coordinate + offset


def cell_array(cells):
    """A MATLAB cell array of 14 × 1, which `np.array` would make a block of numbers."""
    array = np.empty((len(cells), 1), object)
    for index, cell in enumerate(cells):
        array[index, 0] = cell
    return array


def flat(joints, dimensions, offset, frames=FRAMES):
    return points(joints, dimensions, frames, offset).reshape(frames, -1)


def train_content(cameras=14):
    """annot.mat: rows x1 y1 x2 y2 …; cameras are 1000 apart, annot3 is 0.25 from univ_annot3."""
    return {
        "annot2": [flat(28, 2, 1000.0 * camera) for camera in range(cameras)],
        "annot3": [flat(28, 3, 1000.0 * camera + 0.25) for camera in range(cameras)],
        "univ_annot3": [flat(28, 3, 1000.0 * camera) for camera in range(cameras)],
        "cameras": np.arange(cameras, dtype=np.uint8)[None],
        "frames": np.arange(FRAMES, dtype=np.uint16)[:, None],
    }


def write_train(folder, content=None):
    folder.mkdir(parents=True)
    content = train_content() if content is None else content
    variables = {name: cell_array(v) if isinstance(v, list) else v for name, v in content.items()}
    scipy.io.savemat(folder / "annot.mat", variables)


def write_test(folder, **changes):
    """annot_data.mat as h5py sees MATLAB 7.3: axes reversed, (N, 1, 17, 3)."""
    folder.mkdir(parents=True)
    content = {
        "annot2": points(17, 2)[:, None],
        "annot3": points(17, 3, offset=0.25)[:, None],
        "univ_annot3": points(17, 3)[:, None],
        "valid_frame": np.array([1, 1, 0, 1, 0, 1], np.uint8)[:, None],
        "activity_annotation": np.array([1, 2, 0, 5, 7, 4], np.float64)[:, None],
        "bb_crop": np.zeros((FRAMES, 34)),
    } | changes
    with h5py.File(folder / "annot_data.mat", "w", userblock_size=512) as file:
        for name, values in content.items():
            if values is not None:
                file[name] = values


read = reading(read_3dhp)


def test_training_sequences_come_by_sequence_and_camera(tmp_path):
    for name in ("S1/Seq1", "S1/Seq2", "S8/Seq1"):
        write_train(tmp_path / name)
    (tmp_path / "S1/notes.txt").write_text("not a sequence")
    clips = read(tmp_path)
    assert [(c.labels["sequence"], c.labels["camera"]) for c in clips] == [
        (name, camera) for name in ("S1/Seq1", "S1/Seq2", "S8/Seq1") for camera in "01245678"
    ]
    last = clips[-1]
    assert last.labels == {"subject": "S8", "sequence": "S8/Seq1", "camera": "8"}
    assert (last.group, last.image_size, len(last)) == ("train", (2048, 2048), FRAMES)
    np.testing.assert_array_equal(last.pose_2d, points(28, 2, offset=8000.0)[:, OF_28])
    np.testing.assert_array_equal(last.pose_3d, points(28, 3, offset=8000.0)[:, OF_28])


def test_one_joint_by_hand(tmp_path):
    # The right knee is joint 24; x1 y1 x2 y2 … puts its y at column 49 of annot2 and its z at column 74 of univ_annot3.
    content = train_content()
    content["annot2"][2][3, 49], content["univ_annot3"][2][3, 74] = -7.0, 4321.0
    write_train(tmp_path / "S3/Seq2", content)
    (clip,) = read(tmp_path, cameras=[2])
    knee = HUMAN16.index("right_knee")
    assert (clip.pose_2d[3, knee, 1], clip.pose_3d[3, knee, 2]) == (-7.0, 4321.0)


# The file's list of cameras, the options, and the cells that are read.
CELLS = {
    "the options": ({}, {"cameras": [13, 3], "stride": 4, "annotation": "annot3"}, [13, 3]),
    "a list of cameras": ({"cameras": np.array([[7, 0, 4, *range(20, 31)]], np.uint8)}, {"cameras": [4]}, [2]),
    "no lists": ({"cameras": [], "frames": []}, {"cameras": [5]}, [5]),
}


@table("changes options cells", CELLS)
def test_cells_of_the_cameras_that_are_asked_for(tmp_path, changes, options, cells):
    content = {name: values for name, values in (train_content() | changes).items() if len(values)}
    write_train(tmp_path / "S1/Seq1", content)
    clips = read(tmp_path, **options)
    assert [clip.labels["camera"] for clip in clips] == [str(camera) for camera in options["cameras"]]
    stride, moved = options.get("stride", 1), 0.25 * ("annotation" in options)
    for clip, cell in zip(clips, cells, strict=True):
        np.testing.assert_array_equal(clip.pose_2d, points(28, 2, offset=1000.0 * cell)[::stride, OF_28])
        np.testing.assert_array_equal(clip.pose_3d, points(28, 3, offset=1000.0 * cell + moved)[::stride, OF_28])


def test_training_is_read_one_sequence_at_a_time(tmp_path):
    write_train(tmp_path / "S1/Seq1")
    (tmp_path / "S1/Seq2").mkdir()
    clips = read_3dhp(tmp_path, cameras=[0])
    assert next(clips).labels["sequence"] == "S1/Seq1"
    refuses(r"Seq2.annot\.mat: there is no such file", next, clips)


def test_test_sequences_keep_all_frames_and_say_which_are_valid(tmp_path):
    write_test(tmp_path / "TS2")
    (clip,) = read(tmp_path)
    np.testing.assert_array_equal(clip.pose_2d, points(17, 2)[:, OF_17])
    np.testing.assert_array_equal(clip.pose_3d, points(17, 3)[:, OF_17])
    labels = {name: values if isinstance(values, str) else values.tolist() for name, values in clip.labels.items()}
    activities = "Standing/Walking,Exercising,,On The Floor,Miscellaneous,Reaching/Crouching".split(",")
    texts = {"subject": "TS2", "sequence": "TS2", "camera": "0", "scene": "GS"}
    assert labels == texts | {"valid": [1, 1, 0, 1, 0, 1], "action": activities}
    (clip,) = read(tmp_path, only_valid=True, annotation="annot3")
    np.testing.assert_array_equal(clip.pose_3d, points(17, 3, offset=0.25)[[0, 1, 3, 5]][:, OF_17])
    np.testing.assert_array_equal(clip.labels["valid"], np.ones(4))
    assert clip.labels["action"].tolist() == [activities[i] for i in (0, 1, 3, 5)]


def test_scenes_and_image_sizes_of_the_six_test_sequences(tmp_path):
    for number in range(1, 7):
        write_test(tmp_path / f"TS{number}")
    clips = read(tmp_path)
    assert [clip.labels["scene"] for clip in clips] == ["GS", "GS", "no GS", "no GS", "outdoor", "outdoor"]
    assert [clip.image_size for clip in clips] == [(2048, 2048)] * 4 + [(1920, 1080)] * 2


# Folders, and the groups of what is read.
FOLDERS = {
    "both": (["S1/Seq1", "TS1", "TS4"], ["train", "test", "test"]),
    "the test set's own folder": (["S1/Seq1", "mpi_inf_3dhp_test_set/TS1"], ["train", "test"]),
    "a folder more": (["mpi_inf_3dhp/S1/Seq1"], ["train"]),
    "test alone": (["test/TS6"], ["test"]),
}


def write_all(folder, names):
    for name in names:
        (write_test if "TS" in name else write_train)(folder / name)


@table("folders groups", FOLDERS)
def test_both_readers_read_what_is_there(tmp_path, folders, groups):
    write_all(tmp_path, folders)
    assert [clip.group for clip in read(tmp_path, cameras=[0])] == groups


def test_options_reach_both_readers(tmp_path):
    write_all(tmp_path, ["S1/Seq1", "TS1"])
    train, test = read(tmp_path, cameras=[1], stride=3, annotation="annot3", only_valid=True)
    np.testing.assert_array_equal(train.pose_3d, points(28, 3, offset=1000.25)[::3][:, OF_28])
    np.testing.assert_array_equal(test.pose_3d, points(17, 3, offset=0.25)[[0, 1, 3, 5]][:, OF_17])


def put(name, values):
    return lambda content: content.update({name: values})


def put_cell(name, camera, change):
    def apply(content):
        content[name][camera] = change(content[name][camera])

    return apply


def not_finite(cell):
    cell[2, 48] = np.nan
    return cell


BROKEN_TRAIN = {
    "no 2D": (lambda content: content.pop("annot2"), "has no variable 'annot2'"),
    "a block for cells": (put("annot2", np.ones((14, FRAMES, 56))),
        r"annot2 is float64 of shape \(14, 6, 56\); .*cells"),
    "17 joints": (put_cell("annot2", 1, lambda cell: cell[:, :34]), r"camera 1, annot2 is .*\(6, 34\); .*\(N, 56\)"),
    "texts": (put_cell("annot2", 0, lambda _: np.array(["walking"])), "camera 0, annot2 is <U7 of shape"),
    "no frames": (
        lambda content: content.update(annot2=[np.ones((0, 56))] * 14, univ_annot3=[np.ones((0, 84))] * 14, frames=[]),
        "camera 0: has no frames"),
    "2D a frame short": (put_cell("annot2", 8, lambda cell: cell[:-1]), "camera 8: .*: 5 in annot2, 6 in univ_annot3"),
    "frames of another clip": (put("frames", np.arange(7)[:, None]), "different numbers of frames: .* 7 in frames"),
    "a camera less in 3D": (lambda content: content["univ_annot3"].pop(),
        "14 cells and univ_annot3 13; expected as many"),
    "cameras of another rig": (put("cameras", np.arange(20, 34)[None]), r"has no camera 0; its cameras are \[20, 21"),
    "too few cameras listed": (put("cameras", np.arange(8)[None]), "cameras has 8 numbers, annot2 14 cells"),
    "NaN in 2D": (put_cell("annot2", 1, not_finite), "camera 1: 2D frame 2 is not finite"),
}  # fmt: skip


@table("change message", BROKEN_TRAIN)
def test_broken_training_files_are_refused_by_name_and_place(tmp_path, change, message):
    content = train_content()
    change(content)
    write_train(tmp_path / "S2/Seq1", content)
    refuses(r"S2.Seq1.annot\.mat: .*" + message, read, tmp_path)


def rows(count):
    return np.ones((count, 1))


BROKEN_TEST = {
    "no 2D": ({"annot2": None}, "has no dataset 'annot2'"),
    "no valid frames listed": ({"valid_frame": None}, "has no dataset 'valid_frame'"),
    "28 joints": ({"annot2": points(28, 2)[:, None]}, r"annot2 has shape \(6, 1, 28, 2\); expected \(N, 1, 17, 2\)"),
    "MATLAB's axes": ({"univ_annot3": points(17, 3).T[:, :, None]}, r"univ_annot3 has shape \(3, 17, 1, 6\)"),
    "2D a frame short": ({"annot2": points(17, 2, 5)[:, None]}, "different numbers of frames: 5 in annot2, 6 in univ"),
    "validity a frame short": ({"valid_frame": rows(5)}, "5 in valid_frame"),
    "half valid": ({"valid_frame": 0.5 * rows(FRAMES)}, "valid_frame holds values other than 0 and 1"),
    "activity 8": ({"activity_annotation": 8 * rows(FRAMES)}, "of frame 0 is 8.0; expected 1 to 7"),
    "no frames": (
        {"annot2": np.ones((0, 1, 17, 2)), "univ_annot3": np.ones((0, 1, 17, 3)),
         "valid_frame": rows(0), "activity_annotation": rows(0)}, "has no frames"),
    "metres": ({"univ_annot3": points(17, 3)[:, None] / 1e3}, "joints are typically .* expected millimetres"),
}  # fmt: skip


@table("changes message", BROKEN_TEST)
def test_broken_test_files_are_refused_by_name_and_place(tmp_path, changes, message):
    write_test(tmp_path / "TS3", **changes)
    refuses(r"TS3.annot_data\.mat: .*" + message, read, tmp_path)


def test_a_file_of_the_other_matlab_version_is_refused(tmp_path):
    write_test(tmp_path / "TS1")
    (tmp_path / "S1/Seq1").mkdir(parents=True)
    (tmp_path / "TS1/annot_data.mat").rename(tmp_path / "S1/Seq1/annot.mat")
    refuses(r"annot\.mat: cannot be read as the annot\.mat of a training sequence", read, tmp_path)


OPTIONS = {
    "no cameras": ({"cameras": []}, "cameras are .*; expected at least one"),
    "a camera twice": ({"cameras": [0, 1, 0]}, r"cameras are \[0, 1, 0\]; expected .* each once"),
    "camera 14": ({"cameras": [0, 14]}, "has no camera 14"),
    "stride 0": ({"stride": 0}, "stride is 0; expected a whole number from 1"),
    "2D for 3D": ({"annotation": "annot2"}, r"annotation is 'annot2'; expected one of \['univ_annot3', 'annot3'\]"),
}


@table("options message", OPTIONS)
def test_options_that_mean_nothing_are_refused(tmp_path, options, message):
    write_train(tmp_path / "S1/Seq1")
    refuses(message, read, tmp_path, **options)


def test_folders_without_the_data_set_are_refused(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"x")
    refuses(r"neither S\*/Seq\* nor TS\*", read, tmp_path)
    refuses("nowhere: there is no such folder", read, tmp_path / "nowhere")
    refuses("no such folder", read, tmp_path / "a.mat")


def test_sequences_that_cannot_be_are_refused(tmp_path):
    for place, name in (("train", "S1/Seq1"), ("test", "TS1")):
        write_all(tmp_path / place, [name, f"copy/{name}"])
        refuses(r"is there twice, also as .*; expected each sequence once", read, tmp_path / place)
    write_test(tmp_path / "more/TS7")
    refuses(r"TS7: is no test sequence; expected one of \['TS1'", read, tmp_path / "more")
