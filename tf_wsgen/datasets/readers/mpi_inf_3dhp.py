"""MPI-INF-3DHP (Mehta et al., "Monocular 3D Human Pose Estimation In The Wild", 3DV 2017) in its official files.

Training, `S*/Seq*/annot.mat` (MATLAB 5): cell arrays with one cell a camera; a row is a frame, its 28 joints one
after the other: x1 y1 x2 y2 … in `annot2` (N, 56), x1 y1 z1 x2 … in `annot3` and `univ_annot3` (N, 84). Test,
`TS*/annot_data.mat` (MATLAB 7.3, which is HDF5): (N, 1, 17, 2) and (N, 1, 17, 3). All 3D is in millimetres in the
camera frame; `univ_annot3` is the pose scaled to a person of Human3.6M's height, which the protocol measures against.
"""

import os
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from tf_wsgen.data.prepared import check_label
from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.keypoint_conventions import convert
from tf_wsgen.datasets.matlab_files import load_mat
from tf_wsgen.errors import InputError, check_choice, check_stride
from tf_wsgen.files import check_numbers, hdf5_array, open_hdf5

ANNOTATIONS = ("univ_annot3", "annot3")
# The eight of fourteen in common use; the others look down from above.
CAMERAS = (0, 1, 2, 4, 5, 6, 7, 8)
TRAIN_JOINTS, TEST_JOINTS = 28, 17
TRAIN_IMAGE_SIZE = (2048, 2048)
# Of the test sequences: the scene as the papers' tables call it (GS: green screen), and the frames' size.
SCENES = {"TS1": "GS", "TS2": "GS", "TS3": "no GS", "TS4": "no GS", "TS5": "outdoor", "TS6": "outdoor"}
TEST_IMAGE_SIZES = {name: (1920, 1080) if scene == "outdoor" else (2048, 2048) for name, scene in SCENES.items()}
# Activity numbers 1 to 7.
ACTIVITIES = (
    "Standing/Walking",
    "Exercising",
    "Sitting",
    "Reaching/Crouching",
    "On The Floor",
    "Sports",
    "Miscellaneous",
)
TRAIN_PLACE, TEST_PLACE = "S[0-9]*/Seq[0-9]*", "TS[0-9]*"
TRAIN_KIND = "the annot.mat of a training sequence of MPI-INF-3DHP"
TEST_KIND = "the annot_data.mat of a test sequence of MPI-INF-3DHP"


def read_3dhp(
    folder: str | os.PathLike,
    cameras: Sequence[int] = CAMERAS,
    stride: int = 1,
    annotation: str = "univ_annot3",
    only_valid: bool = False,
) -> Iterator[Clip]:
    """Training and test sequences, whichever are there; one sequence is in memory at a time.

    Args:
        folder: The folder with S1 to S8 or TS1 to TS6, or the one above it.
        cameras: Camera numbers of the training sequences, 0 to 13.
        stride: Every how many frames of the training sequences.
        annotation: The 3D: "univ_annot3" or "annot3".
        only_valid: Leave out the test frames that the protocol doesn't count; otherwise they are there with `valid` 0.

    Yields:
        A clip for each training sequence and camera: `subject` (S1), `sequence` (S1/Seq1) and `camera` (0); then one
        for each test sequence: `subject` and `sequence` (TS1), `camera` (0), `scene` (GS, no GS, outdoor), `action`
        (T,) and `valid` (T,).

    Raises:
        InputError: A folder, file or option that is not as described, with what was found and expected.
    """
    check_choice("annotation", annotation, ANNOTATIONS)
    check_stride("stride", stride)
    if not cameras or len(set(cameras)) != len(cameras):
        raise InputError(f"cameras are {list(cameras)}; expected at least one, and each once.")
    train, test = _sequences(folder, TRAIN_PLACE), _sequences(folder, TEST_PLACE)
    if not train and not test:
        raise InputError(f"{folder}: has neither S*/Seq* nor TS*; expected the folder of MPI-INF-3DHP.")
    for place in test:
        if place.name not in SCENES:
            raise InputError(f"{place}: is no test sequence; expected one of {list(SCENES)}.")
    for place in train:
        yield from _train_sequence(place, cameras, stride, annotation)
    for place in test:
        clip = _test_sequence(place, annotation)
        yield clip.take(clip.labels["valid"] > 0) if only_valid else clip


def _train_sequence(place: pathlib.Path, cameras: Sequence[int], stride: int, annotation: str) -> Iterator[Clip]:
    path, name = place / "annot.mat", f"{place.parent.name}/{place.name}"
    content = load_mat(path, TRAIN_KIND, ("annot2", annotation, "cameras", "frames"))
    cells_2d, cells_3d = _cells(content, "annot2", path), _cells(content, annotation, path)
    numbers = np.ravel(content.get("cameras", np.arange(len(cells_2d)))).tolist()
    if not len(numbers) == len(cells_2d) == len(cells_3d):
        raise InputError(
            f"{path}: cameras has {len(numbers)} numbers, annot2 {len(cells_2d)} cells and {annotation} "
            f"{len(cells_3d)}; expected as many."
        )
    for camera in cameras:
        if camera not in numbers:
            raise InputError(f"{path}: has no camera {camera}; its cameras are {numbers}.")
        where, cell = f"{path}: camera {camera}", numbers.index(camera)
        flat_2d, flat_3d = cells_2d[cell], cells_3d[cell]
        check_numbers(flat_2d, (None, 2 * TRAIN_JOINTS), f"{where}, annot2")
        check_numbers(flat_3d, (None, 3 * TRAIN_JOINTS), f"{where}, {annotation}")
        counts = {"annot2": len(flat_2d), annotation: len(flat_3d)}
        if "frames" in content:
            counts["frames"] = content["frames"].size
        _check_counts(counts, where)
        yield Clip(
            where,
            "train",
            _converted(flat_2d[::stride].reshape(-1, TRAIN_JOINTS, 2)),
            _converted(flat_3d[::stride].reshape(-1, TRAIN_JOINTS, 3)),
            {"subject": place.parent.name, "sequence": name, "camera": str(camera)},
            TRAIN_IMAGE_SIZE,
        )


def _test_sequence(place: pathlib.Path, annotation: str) -> Clip:
    path = place / "annot_data.mat"
    with open_hdf5(path, TEST_KIND) as file:
        pose_2d = hdf5_array(file, "annot2", str(path), (None, 1, TEST_JOINTS, 2))[:, 0]
        pose_3d = hdf5_array(file, annotation, str(path), (None, 1, TEST_JOINTS, 3))[:, 0]
        valid = hdf5_array(file, "valid_frame", str(path), (None, 1))[:, 0]
        activity = hdf5_array(file, "activity_annotation", str(path), (None, 1))[:, 0]
    counts = {"annot2": pose_2d, annotation: pose_3d, "valid_frame": valid, "activity_annotation": activity}
    _check_counts({name: len(values) for name, values in counts.items()}, str(path))
    check_label(valid, "valid", f"{path}: valid_frame")
    return Clip(
        str(path),
        "test",
        _converted(pose_2d),
        _converted(pose_3d),
        {
            "subject": place.name,
            "sequence": place.name,
            "camera": "0",
            "scene": SCENES[place.name],
            "action": _actions(activity, valid, path),
            "valid": valid.astype(np.float32),
        },
        TEST_IMAGE_SIZES[place.name],
    )


def _actions(activity: np.ndarray, valid: np.ndarray, path: pathlib.Path) -> np.ndarray:
    # Frames that don't count may have no activity.
    known = np.isin(activity, np.arange(len(ACTIVITIES)) + 1)
    bad = ~known & (valid > 0)
    if bad.any():
        frame = int(np.argmax(bad))
        raise InputError(
            f"{path}: activity_annotation of frame {frame} is {activity[frame]}; expected 1 to {len(ACTIVITIES)}."
        )
    return np.array(["", *ACTIVITIES])[np.where(known, activity, 0).astype(int)]


def _sequences(folder: str | os.PathLike, pattern: str) -> list[pathlib.Path]:
    """The sequences' folders in `folder` or in the folders right below it, each sequence once."""
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; expected the folder of MPI-INF-3DHP.")
    places = [place for above in ("", "*/") for place in folder.glob(above + pattern) if place.is_dir()]
    places.sort(key=lambda place: (place.parent.name, place.name))
    depth, first = pattern.count("/") + 1, {}
    for place in places:
        name = "/".join(place.parts[-depth:])
        if name in first:
            raise InputError(f"{place}: is there twice, also as {first[name]}; expected each sequence once.")
        first[name] = place
    return places


def _cells(content: dict[str, np.ndarray], name: str, path: pathlib.Path) -> list[np.ndarray]:
    if name not in content:
        raise InputError(f"{path}: has no variable {name!r}; expected {TRAIN_KIND}.")
    cells = content[name]
    if cells.dtype != object:
        raise InputError(f"{path}: {name} is {cells.dtype} of shape {cells.shape}; expected cells, one a camera.")
    return cells.ravel().tolist()


def _check_counts(counts: dict[str, int], where: str) -> None:
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{count} in {name}" for name, count in counts.items())
        raise InputError(f"{where}: has different numbers of frames: {listed}; expected as many in each.")


def _converted(points: np.ndarray) -> np.ndarray:
    return convert(points, f"mpi_inf_3dhp_{points.shape[1]}").points
