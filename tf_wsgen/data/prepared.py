"""The prepared file: the one HDF5 format between readers and training, checked in full at the door.

Root attributes `joints` (names in order) and `source`; groups `train` and `test` (either may be
missing), each with `pose_2d` (N, J, 2) pixels, x right, y down, and `pose_3d` (M, J, 3) millimetres,
camera frame (x right, y down, z away); either may be absent. Rows of `test` with both are pairs; rows
of `train` are never paired, held-out validation sequences apart. `pose_3d_up` (M, 3), optional, is the unit vector
that points up in the row's camera frame, where the room is known. Optional labels, one value a 2D row:
`visible`, `confidence` (N, J), `action`, `subject`, `sequence`, `camera`, `scene` (texts), `valid` (N,),
`image_width`, `image_height`, `focal_length` (N,) pixels, 0 where not known; where 3D rows differ from 2D rows, the
same names with the prefix `pose_3d_`.
"""

import dataclasses
import os
import pathlib
from collections.abc import Sequence

import h5py
import numpy as np

from tf_wsgen.errors import InputError
from tf_wsgen.files import hdf5_array, hdf5_texts, open_hdf5

KIND = "a prepared HDF5 file"
GROUPS = ("train", "test")
POSES = {"pose_2d": 2, "pose_3d": 3}  # Their dimensions.
TEXT_LABELS = ("action", "subject", "sequence", "camera", "scene")
JOINT_LABELS = ("visible", "confidence")
CAMERA_LABELS = ("image_width", "image_height", "focal_length")
LABELS = (*JOINT_LABELS, *TEXT_LABELS, "valid", *CAMERA_LABELS)
PREFIX_3D = "pose_3d_"
UP = "pose_3d_up"

# Nobody's pelvis is further than this from another joint (mm); 1 % of it tells metres from millimetres.
LARGEST_POSE = 3000.0
# How far from 1 the length of a vector that points up may be.
UNIT_TOLERANCE = 1e-3


@dataclasses.dataclass
class PoseGroup:
    """One group of a prepared file.

    Attributes:
        pose_2d: (N, J, 2) float32 pixels, y down, or None.
        pose_3d: (M, J, 3) float32 millimetres, camera frame, or None.
        labels: Values of the 2D rows by name (see `LABELS`); texts are arrays of str.
        labels_3d: Values of the 3D rows by name, where they differ from the 2D rows'.
        pose_3d_up: (M, 3) float32 unit vectors that point up in each 3D row's camera frame, or None.
    """

    pose_2d: np.ndarray | None = None
    pose_3d: np.ndarray | None = None
    labels: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    labels_3d: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    pose_3d_up: np.ndarray | None = None

    @property
    def paired(self) -> bool:
        """Whether row i of 2D and row i of 3D can be one person at one instant."""
        both = self.pose_2d is not None and self.pose_3d is not None
        return both and len(self.pose_2d) == len(self.pose_3d) and not self.labels_3d

    def only_valid(self) -> "PoseGroup":
        """The group without the rows whose `valid` is 0."""
        valid = self.labels.get("valid")
        valid_3d = valid if self.paired or self.pose_2d is None else self.labels_3d.get("valid")

        def kept(values, valid):
            return values if values is None or valid is None else values[valid > 0]

        return PoseGroup(
            kept(self.pose_2d, valid),
            kept(self.pose_3d, valid_3d),
            {name: kept(values, valid) for name, values in self.labels.items()},
            {name: kept(values, valid_3d) for name, values in self.labels_3d.items()},
            kept(self.pose_3d_up, valid_3d),
        )


@dataclasses.dataclass
class PreparedData:
    """The content of a prepared file."""

    joints: tuple[str, ...]
    source: str
    train: PoseGroup | None = None
    test: PoseGroup | None = None


def read_prepared(path: str | os.PathLike, joints: Sequence[str] | None = None) -> PreparedData:
    """Reads and checks a prepared file, whose joints have to be those named, in order; None admits any.

    Raises:
        InputError: Anything that the format does not allow, with the file, the place, what was found and what was
            expected.
    """
    path = pathlib.Path(path)
    with open_hdf5(path, KIND) as file:
        data = PreparedData(_joints(file, path, joints), _text(file.attrs.get("source", "")))
        for name in GROUPS:
            if name in file:
                setattr(data, name, _read_group(file, name, str(path), len(data.joints)))
    if data.train is None and data.test is None:
        raise InputError(f"{path}: has neither a group 'train' nor 'test'; expected at least one.")
    return data


def _joints(file: h5py.File, path: pathlib.Path, expected: Sequence[str] | None) -> tuple[str, ...]:
    if "joints" not in file.attrs:
        raise InputError(f"{path}: has no root attribute 'joints'; expected the joint names in order.")
    names = tuple(_text(name) for name in np.atleast_1d(file.attrs["joints"]))
    if expected is not None and names != tuple(expected):
        for index, (found, wanted) in enumerate(zip(names, expected, strict=False)):
            if found != wanted:
                raise InputError(f"{path}: joint {index} is {found!r}; expected {wanted!r}.")
        raise InputError(f"{path}: attribute 'joints' has {len(names)} names; expected {len(expected)}.")
    return names


def _text(value) -> str:
    content = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return content.decode("utf-8", "replace")


def _read_group(file: h5py.File, name: str, path: str, num_joints: int) -> PoseGroup:
    group = file[name]
    if not isinstance(group, h5py.Group):
        raise InputError(f"{path}: '{name}' is a dataset; expected a group.")
    known = {*POSES, UP, *LABELS, *(PREFIX_3D + label for label in LABELS)}
    unknown = sorted(set(group) - known)
    if unknown:
        raise InputError(f"{path}: {name}/{unknown[0]} is not part of the format; expected only {sorted(known)}.")
    poses = {
        key: _poses(file, f"{name}/{key}", path, (None, num_joints, dimensions))
        for key, dimensions in POSES.items()
        if key in group
    }
    if not poses:
        raise InputError(f"{path}: {name} has neither 'pose_2d' nor 'pose_3d'; expected at least one.")
    alone = sorted(key for key in group if key.startswith(PREFIX_3D))
    if alone and "pose_3d" not in poses:
        raise InputError(f"{path}: {name}/{alone[0]} has no 'pose_3d' beside it.")
    rows = {key: len(values) for key, values in poses.items()}
    if name == "test" and len(set(rows.values())) > 1:
        raise InputError(
            f"{path}: test/pose_2d has {rows['pose_2d']} rows and test/pose_3d {rows['pose_3d']}; "
            "expected the same number, row by row one person at one instant."
        )
    # A group of 3D poses alone needs no prefix.
    labels = _labels(file, f"{name}/", path, next(iter(rows.values())), num_joints)
    result = PoseGroup(**poses, labels=labels)
    if alone:
        result.labels_3d = _labels(file, f"{name}/{PREFIX_3D}", path, rows["pose_3d"], num_joints)
    if UP in group:
        up = hdf5_array(file, f"{name}/{UP}", path, (rows["pose_3d"], 3)).astype(np.float32)
        wrong = ~(np.abs(np.linalg.norm(up, axis=1) - 1.0) < UNIT_TOLERANCE)
        if wrong.any():
            place = f"{path}: {name}/{UP} row {np.argmax(wrong)}"
            raise InputError(f"{place} has not length 1; expected unit vectors that point up.")
        result.pose_3d_up = up
    if result.pose_2d is not None and "visible" in result.labels:
        check_some_visible(result.labels["visible"], f"{path}: {name} row")
    return result


def _poses(file: h5py.File, key: str, path: str, shape: tuple[int | None, ...]) -> np.ndarray:
    values, where = hdf5_array(file, key, path, shape).astype(np.float32, copy=False), f"{path}: {key}"
    if not len(values):
        raise InputError(f"{where} has 0 rows; expected at least one.")
    check_finite(values, where, "row")
    if key.endswith("pose_3d"):
        check_millimetres(values, where)
    return values


def _labels(file: h5py.File, prefix: str, path: str, rows: int, num_joints: int) -> dict[str, np.ndarray]:
    labels = {}
    for label in LABELS:
        key = prefix + label
        if key in file and label in TEXT_LABELS:
            labels[label] = np.array(hdf5_texts(file, key, path, rows))
        elif key in file:
            shape = (rows, num_joints) if label in JOINT_LABELS else (rows,)
            labels[label] = hdf5_array(file, key, path, shape).astype(np.float32)
            check_label(labels[label], label, f"{path}: {key}")
    return labels


def check_label(values: np.ndarray | float, label: str, where: str) -> None:
    """Refuses numbers that are negative or not finite, and other values than 0 and 1 of `visible` and `valid`."""
    if not np.all(np.isfinite(values) & (values >= 0)):
        raise InputError(f"{where} holds negative or not finite values; expected numbers from 0.")
    if label in ("visible", "valid") and not np.isin(values, (0, 1)).all():
        raise InputError(f"{where} holds values other than 0 and 1.")


def check_some_visible(visible: np.ndarray, row: str) -> None:
    """Refuses (N, J) rows without a visible joint; `row` is what the message calls one of them, before its number."""
    hidden = ~(visible > 0).any(axis=1)
    if hidden.any():
        raise InputError(f"{row} {np.argmax(hidden)} has no visible joint at all; expected at least one.")


def check_finite(poses: np.ndarray, where: str, row: str) -> None:
    """Refuses (N, J, D) poses that are not finite; `row` is what the message calls one of them."""
    bad = ~np.isfinite(poses).all(axis=(1, 2))
    if bad.any():
        raise InputError(f"{where} {row} {np.argmax(bad)} is not finite ({bad.sum()} such {row}s); expected numbers.")


def check_millimetres(pose_3d: np.ndarray, where: str, unit: str = "millimetres", per_unit: float = 1.0) -> None:
    """Refuses (N, J, 3) poses that in a unit of `per_unit` mm are of no person's size: metres taken for millimetres."""
    with np.errstate(over="ignore", invalid="ignore"):
        extent = np.abs(pose_3d - pose_3d.mean(axis=-2, keepdims=True)).max(axis=(-2, -1))
    typical, largest = float(np.median(extent)) * per_unit, LARGEST_POSE
    if not largest / 100.0 < typical < largest:
        raise InputError(
            f"{where}: joints are typically {typical / per_unit:.4g} from the body's centre; expected {unit}, between "
            f"{largest / 100.0 / per_unit:g} and {largest / per_unit:g}."
        )
