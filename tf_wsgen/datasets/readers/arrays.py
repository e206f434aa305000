"""Plain arrays that anybody can save, .npz or HDF5: the way in for data without a reader of its own.

Arrays `pose_2d` (N, K, 2) pixels and `pose_3d` (M, K, 3) in the camera frame, either or both (3D alone may be in a
world with z up, as motion capture is), and beside them the labels of the prepared file: `visible`, `confidence` (N, K),
`action`, `subject`, `sequence`, `camera`, `scene`, `valid` (N,). In HDF5 they are at the top, or in groups `train` and
`test`; in .npz the same is said by the prefixes `train_` and `test_`. The array (or HDF5 attribute) `joints` names the
K joints, in any order, or the caller does. As many rows of 2D as of 3D belong together, unless the 3D rows have labels
of their own (prefix `pose_3d_`).
"""

import contextlib
import os
import pathlib
from collections.abc import Iterator, Mapping

import h5py
import numpy as np

from tf_wsgen.data.prepared import (
    GROUPS,
    JOINT_LABELS,
    LABELS,
    POSES,
    PREFIX_3D,
    TEXT_LABELS,
    check_label,
    check_millimetres,
)
from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, Convention, convention_by_name, convert
from tf_wsgen.errors import InputError, check_choice
from tf_wsgen.files import LONGEST_TEXT, check_numbers, check_stored, described, existing_file, load_npz, open_hdf5
from tf_wsgen.skeleton import HUMAN16

KIND = "poses as plain arrays (.npz or HDF5)"
UNITS = {"mm": ("millimetres", 1.0), "cm": ("centimetres", 10.0), "m": ("metres", 1000.0)}
FRAMES = ("camera", "world_z_up")
LABELS_3D = tuple(PREFIX_3D + name for name in LABELS if name not in JOINT_LABELS)
KNOWN = (*POSES, *LABELS, *LABELS_3D)
# A clip has at most so many rows, so that a file that doesn't fit into memory can be read from HDF5.
ROWS_A_CLIP = 65_536

Array = np.ndarray | h5py.Dataset


def read_arrays(
    path: str | os.PathLike,
    *,
    convention: str | None = None,
    unit: str = "mm",
    frame: str = "camera",
    group: str = "train",
) -> Iterator[Clip]:
    """Poses and labels of a file of plain arrays, as clips of at most `ROWS_A_CLIP` rows.

    Args:
        path: The file, .npz, .h5 or .hdf5.
        convention: The joints, a name in `CONVENTIONS`; may be left out if the file has `joints`.
        unit: The unit of the 3D, "mm", "cm" or "m". It is declared, not guessed, and checked.
        frame: The frame of the 3D: "camera" (x right, y down, z away), or for 3D alone "world_z_up", which is taken as
            seen by a level camera: (x, y, z) is (x, -z, y) there, and `Clip.up` is (0, -1, 0).
        group: The group of a file that has no groups itself.

    Yields:
        Clips of both poses where rows belong together, otherwise of 2D and then of 3D.

    Raises:
        InputError: A file or option that is not as described, with what was found and what was expected.
    """
    check_choice("unit", unit, UNITS)
    check_choice("frame", frame, FRAMES)
    path = existing_file(path, KIND)
    with _opened(path) as (groups, joints):
        groups = _checked(groups, path, group)
        table, order = _joint_order(joints, convention, path)
        for name, members in groups.items():
            yield from _Group(path, name, members, table, order, unit, frame).clips()


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[tuple[dict[str, dict[str, Array]], Array | None]]:
    """The file's arrays by group (or "") and name, and its `joints`."""
    groups: dict[str, dict[str, Array]] = {name: {} for name in ("", *GROUPS)}
    if path.suffix.lower() == ".npz":
        for name, values in load_npz(path, KIND).items():
            group, _, rest = name.partition("_")
            key = (group, rest) if group in GROUPS else ("", name)
            groups[key[0]][key[1]] = values
        yield groups, groups[""].pop("joints", None)
    elif path.suffix.lower() in (".h5", ".hdf5"):
        with open_hdf5(path, KIND) as file:
            for name, member in file.items():
                if isinstance(member, h5py.Group) and name in GROUPS:
                    groups[name].update(member)
                else:
                    groups[""][name] = member
            for group, members in groups.items():
                for name, member in members.items():
                    place = f"{path}: {_shown(group, name)}"
                    if not isinstance(member, h5py.Dataset):
                        raise InputError(f"{place} is not an array; expected only {list(KNOWN)}.")
                    check_stored(member, file, place)
            joints = groups[""].pop("joints", None)
            yield groups, file.attrs.get("joints") if joints is None else joints[()]
    else:
        raise InputError(f"{path}: ends in {path.suffix!r}; expected {KIND}.")


def _shown(group: str, name: str) -> str:
    return f"{group} {name}".strip()


def _checked(groups: dict[str, dict[str, Array]], path: pathlib.Path, default: str) -> dict[str, dict[str, Array]]:
    """The groups that are there, if each has poses and nothing unknown."""
    groups = {group: members for group, members in groups.items() if members}
    for group, members in groups.items():
        for name in members:
            if name not in KNOWN:
                raise InputError(f"{path}: {_shown(group, name)!r} is not known; expected only {list(KNOWN)}.")
        if not members.keys() & POSES.keys():
            raise InputError(f"{path}: {group or default} has {sorted(members)}; expected pose_2d or pose_3d.")
    if "" in groups and len(groups) > 1:
        raise InputError(f"{path}: has arrays both inside and outside of groups; expected one or the other.")
    if not groups:
        raise InputError(f"{path}: has no arrays; expected pose_2d or pose_3d.")
    return {group or default: members for group, members in groups.items()}


def _joint_order(joints: Array | None, convention: str | None, path: pathlib.Path) -> tuple[Convention, list[int]]:
    """The convention, and for each of its joints the index in the file."""
    table = None if convention is None else convention_by_name(convention)
    if joints is None:
        if table is None:
            raise InputError(
                f"{path}: has no 'joints' and no convention is named; expected one of {list(CONVENTIONS)}."
            )
        return table, list(range(len(table.joints)))
    names = _texts(np.atleast_1d(joints), f"{path}: joints").tolist()
    if len(set(names)) != len(names):
        raise InputError(f"{path}: joints names a joint twice: {names}.")
    candidates = list(CONVENTIONS.values()) if table is None else [table]
    nearest = min(candidates, key=lambda candidate: len(set(candidate.joints) ^ set(names)))
    unknown = [name for name in names if name not in nearest.joints]
    missing = [name for name in nearest.joints if name not in names]
    if unknown or missing:
        raise InputError(
            f"{path}: joints are not those of {nearest.name!r}: unknown {unknown}, missing {missing}; "
            f"expected the joints of {'a convention' if table is None else 'this convention'}, in any order."
        )
    return nearest, [names.index(name) for name in nearest.joints]


class _Group:
    """One group's arrays, checked against each other; rows are read when they are asked for."""

    def __init__(
        self,
        path: pathlib.Path,
        name: str,
        arrays: Mapping[str, Array],
        table: Convention,
        order: list[int],
        unit: str,
        frame: str,
    ):
        self.path, self.name, self.table, self.order, self.unit, self.frame = path, name, table, order, unit, frame
        self.poses = {key: arrays[key] for key in POSES if key in arrays}
        for key, poses in self.poses.items():
            check_numbers(poses, (None, len(table.joints), POSES[key]), self.where(key), "fiub")
            if not len(poses):
                raise InputError(f"{self.where(key)} has no rows.")
        if frame != "camera" and "pose_2d" in self.poses:
            raise InputError(
                f"{self.where('pose_2d')} has no camera that tells what it sees of poses in the world frame; expected "
                "3D alone, or poses in the camera frame."
            )
        self.paired = self._pairs(arrays)
        # Labels without the prefix are those of the 2D rows; of the 3D rows where there are no others.
        self.labels = self._labels(arrays, "", len(next(iter(self.poses.values()))))
        if "pose_2d" not in self.poses and self.labels.keys() & set(JOINT_LABELS):
            raise InputError(
                f"{self.where('pose_3d')} stands beside visible or confidence; expected those with 2D alone."
            )
        self.labels_3d = self._labels(arrays, PREFIX_3D, len(self.poses.get("pose_3d", ())))

    def where(self, key: str) -> str:
        """File and place, for messages."""
        return f"{self.path}: {self.name} {key}"

    def _pairs(self, arrays: Mapping[str, Array]) -> bool:
        own = [name for name in LABELS_3D if name in arrays]
        if own and len(self.poses) < 2:
            raise InputError(f"{self.where(own[0])} needs both pose_2d and pose_3d beside it.")
        if len(self.poses) < 2:
            return False
        rows_2d, rows_3d = (len(values) for values in self.poses.values())
        if self.name == "test" and (own or rows_2d != rows_3d):
            raise InputError(
                f"{self.path}: test has {rows_2d} rows in pose_2d and {rows_3d} in pose_3d"
                f"{f' with {own[0]}' if own else ''}; expected pairs, row by row one person at one instant."
            )
        return rows_2d == rows_3d and not own

    def _labels(self, arrays: Mapping[str, Array], prefix: str, rows: int) -> dict[str, Array]:
        labels = {}
        for name in LABELS:
            key, where = prefix + name, self.where(prefix + name)
            if key not in arrays:
                continue
            values = arrays[key]
            if name not in TEXT_LABELS:
                shape = (rows, len(self.table.joints)) if name in JOINT_LABELS else (rows,)
                check_numbers(values, shape, where, "fiub")
            elif values.shape != (rows,) or values.dtype.itemsize > LONGEST_TEXT:
                raise InputError(f"{where} is {described(values)}; expected {rows} texts.")
            labels[name] = _texts(values[()], where) if name in TEXT_LABELS else values
        _check_sequences(labels, self.where("sequence"))
        return labels

    def clips(self) -> Iterator[Clip]:
        """At most `ROWS_A_CLIP` rows each: of both poses where they belong together, else of 2D and then of 3D."""
        together = self.paired or len(self.poses) == 1
        for keys in [tuple(self.poses)] if together else [("pose_2d",), ("pose_3d",)]:
            labels = self.labels if together or keys == ("pose_2d",) else self.labels_3d
            total = len(self.poses[keys[0]])
            for start in range(0, total, ROWS_A_CLIP):
                rows = slice(start, min(start + ROWS_A_CLIP, total))
                yield self._clip(keys, {name: values[rows] for name, values in labels.items()}, rows)

    def _clip(self, keys: tuple[str, ...], labels: dict[str, np.ndarray], rows: slice) -> Clip:
        where = f"{self.where(' and '.join(keys))}, rows {rows.start} to {rows.stop - 1}"
        pose_2d = pose_3d = up = None
        if "pose_2d" in keys:
            if "visible" in labels:
                check_label(labels["visible"], "visible", f"{where}: visible")
            of_joints = {name: labels[name][:, self.order] for name in JOINT_LABELS if name in labels}
            poses = convert(self.poses["pose_2d"][rows][:, self.order], self.table, **of_joints)
            pose_2d = poses.points
            if "visible" in labels or not poses.visible.all():
                labels["visible"] = poses.visible.astype(np.float32)
            if poses.confidence is not None:
                labels["confidence"] = poses.confidence
        if "pose_3d" in keys:
            poses = convert(self.poses["pose_3d"][rows][:, self.order], self.table)
            if not poses.visible.all():
                lacking = [joint for joint in HUMAN16.joints if joint not in self.table.human16]
                raise InputError(f"{where}: the joints of {self.table.name!r} give no {lacking}; expected all in 3D.")
            unit, per_unit = UNITS[self.unit]
            # What is not finite is refused with its row when the clip is checked.
            if np.isfinite(poses.points).all():
                check_millimetres(poses.points, where, unit, per_unit)
            pose_3d = poses.points * per_unit
            if self.frame == "world_z_up":
                x, y, z = np.moveaxis(pose_3d, -1, 0)
                pose_3d, up = np.stack([x, -z, y], axis=-1), np.array([0.0, -1.0, 0.0])
        return Clip(where, self.name, pose_2d, pose_3d, labels, up=up)


def _check_sequences(labels: Mapping[str, np.ndarray], where: str) -> None:
    """Refuses a sequence that comes twice: rows of one name apart from each other."""
    if "sequence" not in labels:
        return
    names = np.stack([labels[name] for name in ("subject", "sequence", "camera") if name in labels])
    changes = np.flatnonzero((names[:, 1:] != names[:, :-1]).any(axis=0)) + 1
    first = {}
    for row in [0, *changes.tolist()]:
        begun = first.setdefault(tuple(names[:, row]), row)
        if begun != row:
            raise InputError(
                f"{where} {str(labels['sequence'][row])!r} begins at row {begun} and again at row {row}; expected the "
                "rows of one sequence (of one subject and camera, where they are told) together, or another name."
            )


def _texts(values: np.ndarray, where: str) -> np.ndarray:
    """Texts, as NumPy, h5py or MATLAB's readers give them; whole numbers are names too."""
    values = np.asarray(values)
    if values.dtype.kind in "iu":
        return values.astype(str)
    items = values.tolist()
    if values.dtype.kind not in "USO" or values.ndim != 1 or not all(isinstance(item, str | bytes) for item in items):
        raise InputError(f"{where} is {values.dtype} of shape {values.shape}; expected a list of texts.")
    return np.array([item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in items], str)
