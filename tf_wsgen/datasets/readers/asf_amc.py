"""Acclaim motion capture, as of CMU: a skeleton (.asf) and its motions (.amc), y up, to positions in millimetres.

The formats follow "Acclaim Skeleton File Definition 1.10" and Vicon's notes on it. A bone begins at its parent's end;
its own rotation turns it there, about axes that are fixed to the parent: with C the bone's axes in the rest pose and
M the product of its rotations, R = R_parent C M C⁻¹, and its end is at the parent's end + R (length · direction).
Angles of one line are turned in the order of `dof` (the root's: of `order`), the first of them first.
"""

import dataclasses
import os
import pathlib
from array import array
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.motion import (
    LARGEST_JOINTS,
    Motion,
    Recording,
    check_size,
    files_among,
    numbers,
    recording_clips,
    rotation_product,
    shown,
    text_lines,
    z_up,
)
from tf_wsgen.datasets.views import ViewOptions
from tf_wsgen.errors import InputError

ASF, AMC = "an ASF skeleton", "an AMC motion"
ROOT = "root"
INCH = 25.4
# CMU captured at 120 frames a second; the files don't say so.
FRAME_RATE = 120.0
RADIANS = {"deg": np.pi / 180.0, "rad": 1.0}
# As whitespace; comments reach to the end of the line.
SEPARATORS = str.maketrans("(),", "   ")
BONE_KEYS = ("name", "direction", "length", "axis")


@dataclasses.dataclass(frozen=True)
class AsfSkeleton:
    """What an ASF file says about K joints: the root, and the end of each bone in the order of the file.

    Attributes:
        path: The file.
        joints: K names.
        parents: Indices of the parents, -1 for the root.
        order: The joints' indices, parents before their children.
        offsets: (K, 3) mm, y up: a bone's length times its direction in the rest pose.
        axes: (K, 3, 3) a bone's axes in the rest pose, as columns.
        channels: For each joint what a line of motion gives, of tx, ty, tz, rx, ry, rz.
        unit: Millimetres of the file's unit of length.
        radians: Radians of the file's unit of angle.
    """

    path: pathlib.Path
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    order: tuple[int, ...]
    offsets: np.ndarray
    axes: np.ndarray
    channels: tuple[tuple[str, ...], ...]
    unit: float
    radians: float


def read_asf(path: str | os.PathLike) -> AsfSkeleton:
    """Reads a skeleton.

    Raises:
        InputError: The file is not there or not a whole ASF skeleton; with the line, where there is one.
    """
    parser = _AsfParser(pathlib.Path(path))
    for number, words in _statements(path, ASF):
        parser.add(f"{path}: line {number}", words)
    return parser.skeleton()


def read_amc(skeleton: AsfSkeleton, path: str | os.PathLike) -> Motion:
    """Reads a motion of a skeleton; its joints are the root and the bones' ends.

    Raises:
        InputError: The file is not there, not an AMC motion, or not of this skeleton; with the line.
    """
    values, radians = _read_channels(skeleton, path)
    frames = len(values[ROOT]) // len(skeleton.channels[0])
    check_size(frames, len(skeleton.joints), f"{path}")
    by_joint = [
        np.array(values.get(joint, ())).reshape(frames, len(channels))
        for joint, channels in zip(skeleton.joints, skeleton.channels, strict=True)
    ]
    positions = z_up(_forward_kinematics(skeleton, by_joint, radians))
    return Motion(skeleton.joints, skeleton.parents, positions, FRAME_RATE)


def cmu_clips(
    paths: str | os.PathLike | Iterable[str | os.PathLike],
    options: ViewOptions = ViewOptions(frame_stride=6),
    *,
    test_subjects: Collection[str] = (),
    test_sequences: Collection[str] = (),
) -> Iterator[Clip]:
    """Views of CMU's motions, one file at a time; every sixth frame (20 a second) unless `options` say otherwise.

    A motion `02_01.amc` is of the skeleton `02.asf` (the longest name with which its own begins) among the files
    given or else beside it; the subject is "02", the sequence "02_01". The other options are those of
    `recording_clips`.

    Raises:
        InputError: What `files_among`, `read_asf`, `read_amc` and `recording_clips` refuse, or a motion without
            skeleton.
    """
    files = files_among(paths, (".amc", ".asf"))
    given = [path for path in files if path.suffix.lower() == ".asf"]
    skeleton_of = {path: _skeleton_path(path, given) for path in files if path.suffix.lower() == ".amc"}
    recordings = [Recording(path, asf.stem, path.stem) for path, asf in skeleton_of.items()]
    skeletons: dict[pathlib.Path, AsfSkeleton] = {}

    def poses_of(recording: Recording) -> np.ndarray:
        asf = skeleton_of[recording.path]
        if asf not in skeletons:
            skeletons.clear()  # Files come subject by subject.
            skeletons[asf] = read_asf(asf)
        return cmu_poses(read_amc(skeletons[asf], recording.path), str(recording.path))

    yield from recording_clips(recordings, poses_of, options, test_subjects, test_sequences)


def cmu_poses(motion: Motion, where: str) -> np.ndarray:
    """(T, 16, 3) mm in the order of `HUMAN16`, by the names of CMU's bones.

    Raises:
        InputError: The motion lacks one of the bones.
    """
    table = CONVENTIONS["cmu"].human16
    missing = sorted({bone for weights in table.values() for bone in weights} - set(motion.joints))
    if missing:
        raise InputError(f"{where}: the skeleton has no bones {missing}; expected CMU's names of bones.")
    return motion.human16(table)


def _skeleton_path(amc: pathlib.Path, given: list[pathlib.Path]) -> pathlib.Path:
    beside = [path for path in amc.parent.iterdir() if path.suffix.lower() == ".asf"]
    for candidates in (given, beside):
        fitting = [path for path in candidates if f"{amc.stem}_".startswith(f"{path.stem}_")]
        if fitting:
            # A folder of subjects can have two of one name: the nearer one counts.
            return max(fitting, key=lambda path: (len(path.stem), path.parent == amc.parent))
    raise InputError(
        f"{amc}: has no skeleton; expected {amc.stem.partition('_')[0]}.asf beside it or among the files given."
    )


def _statements(path: str | os.PathLike, kind: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in text_lines(path, kind):
        words = line.partition("#")[0].translate(SEPARATORS).split()
        if words:
            yield number, words


class _Bone(NamedTuple):
    """A bone as it is read, in the file's units: its offset, and the turns of its axes, the last of them first."""

    offset: np.ndarray
    order: str
    turns: np.ndarray
    channels: tuple[str, ...]


class _AsfParser:
    """Takes an ASF file line by line."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.section = None
        self.header: dict[str, Any] = {}
        self.open_bone: dict[str, tuple[str, list[str]]] | None = None
        self.bones: dict[str, _Bone] = {}
        self.parents: dict[str, str] = {}

    def add(self, where: str, words: list[str]) -> None:
        key = words[0].lower()
        if key.startswith(":"):
            self.section = key[1:]
        elif self.section is None:
            raise InputError(f"{where}: is {shown(words)}; expected {ASF}, which begins with a ':' section.")
        elif self.section in ("units", "root", "bonedata"):
            readers = {"units": self._unit, "root": self._root, "bonedata": self._bone}
            readers[self.section](where, key, words[1:])
        elif self.section == "hierarchy" and key not in ("begin", "end"):
            self._children(where, words[0], words[1:])

    def _unit(self, where, key, words) -> None:
        if key == "length":
            (self.header["length"],) = numbers(words, where, 1)
            if self.header["length"] <= 0.0:
                raise InputError(f"{where}: the unit of length is {shown(words)}; expected a number above 0.")
        elif key == "angle":
            if len(words) != 1 or words[0].lower() not in RADIANS:
                raise InputError(f"{where}: the unit of angle is {shown(words)}; expected 'deg' or 'rad'.")
            self.header["angle"] = RADIANS[words[0].lower()]

    def _root(self, where, key, words) -> None:
        if key == "order":
            tokens = [word.lower() for word in words]
            if sorted(tokens) != ["rx", "ry", "rz", "tx", "ty", "tz"]:
                raise InputError(f"{where}: the root's order is {shown(words)}; expected TX TY TZ RX RY RZ, any order.")
            self.header["order"] = tuple(tokens)
        elif key in ("position", "orientation") and any(numbers(words, where, 3)):
            # Programs disagree about whether it comes before or after the motion.
            raise InputError(f"{where}: the root's {key} is {shown(words)}; expected 0 0 0.")

    def _bone(self, where, key, words) -> None:
        if key == "begin":
            if self.open_bone is not None:
                raise InputError(f"{where}: a bone begins within a bone; expected 'end' first.")
            self.open_bone = {}
        elif self.open_bone is None:
            raise InputError(f"{where}: is {shown([key, *words])}; expected 'begin' of a bone.")
        elif key != "end":
            self.open_bone[key] = (where, words)
        else:
            self._close(where, self.open_bone)
            self.open_bone = None

    def _close(self, where, bone) -> None:
        for key in BONE_KEYS:
            if key not in bone:
                raise InputError(f"{where}: the bone has no {key!r}; expected {list(BONE_KEYS)}.")
        place, name = bone["name"]
        if len(name) != 1 or name[0] in (ROOT, *self.bones):
            raise InputError(f"{place}: the bone's name is {shown(name)}; expected one that no other bone has.")
        if len(self.bones) == LARGEST_JOINTS - 1:
            raise InputError(f"{place}: has more than {LARGEST_JOINTS - 1} bones; expected a person.")
        direction = np.array(numbers(bone["direction"][1], bone["direction"][0], 3))
        (length,) = numbers(bone["length"][1], bone["length"][0], 1)
        size = np.linalg.norm(direction)
        if length < 0.0 or (size == 0.0 and length > 0.0):
            raise InputError(f"{bone['length'][0]}: a length of {length:g} along {direction}; expected a direction.")
        place, (*angles, order) = bone["axis"][0], bone["axis"][1] or [""]
        if sorted(order.lower()) != ["x", "y", "z"]:
            raise InputError(f"{place}: the order of the axis is {shown(order)}; expected XYZ in any order.")
        order = order.lower()[::-1]
        angles = numbers(angles, place, 3)
        turns = np.array([angles["xyz".index(axis)] for axis in order])
        place, dof = bone.get("dof", (where, []))
        dof = [word.lower() for word in dof]
        if len(set(dof)) != len(dof) or not set(dof) <= {"rx", "ry", "rz"}:
            raise InputError(f"{place}: dof is {shown(dof)}; expected some of rx, ry and rz.")
        offset = direction * (length / size) if size else direction
        self.bones[name[0]] = _Bone(offset, order, turns, tuple(dof))

    def _children(self, where, parent, children) -> None:
        for name in (parent, *children):
            if name not in (ROOT, *self.bones):
                raise InputError(f"{where}: has the bone {shown(name)}, which is not in the bone data.")
        for child in children:
            if child == ROOT or child in self.parents:
                raise InputError(
                    f"{where}: gives {child!r} a second parent; expected one for each bone, none for root."
                )
            self.parents[child] = parent

    def skeleton(self) -> AsfSkeleton:
        for key, section in (("length", "units"), ("angle", "units"), ("order", "root")):
            if key not in self.header:
                raise InputError(f"{self.path}: has no {key!r} in :{section}; expected {ASF}.")
        if self.open_bone is not None or not self.bones:
            raise InputError(f"{self.path}: ends before its bones do; expected {ASF}.")
        order = [ROOT]
        for joint in order:
            order += [child for child, parent in self.parents.items() if parent == joint]
        lost = [name for name in self.bones if name not in order]
        if lost:
            raise InputError(f"{self.path}: the hierarchy does not join {lost[0]!r} to the root.")
        joints = (ROOT, *self.bones)
        parents = [joints.index(self.parents[name]) if name != ROOT else -1 for name in joints]
        unit, radians = INCH / self.header["length"], self.header["angle"]
        bones = [_Bone(np.zeros(3), "xyz", np.zeros(3), self.header["order"]), *self.bones.values()]
        return AsfSkeleton(
            self.path,
            joints,
            tuple(parents),
            tuple(joints.index(name) for name in order),
            unit * np.array([bone.offset for bone in bones]),
            np.array([rotation_product(bone.order, radians * bone.turns) for bone in bones]),
            tuple(bone.channels for bone in bones),
            unit,
            radians,
        )


def _read_channels(skeleton: AsfSkeleton, path: str | os.PathLike) -> tuple[dict[str, array], float]:
    """The numbers of every joint that moves, frame after frame, and the radians of the file's unit of angle."""
    counts = {joint: len(channels) for joint, channels in zip(skeleton.joints, skeleton.channels, strict=True)}
    values = {joint: array("d") for joint, count in counts.items() if count}
    radians, frame, begun, missing = skeleton.radians, None, 0, set()
    for number, words in _statements(path, AMC):
        where, name = f"{path}: line {number}", words[0]
        if name in missing:
            values[name].extend(numbers(words[1:], where, counts[name]))
            missing.discard(name)
        elif len(words) == 1 and name.isdecimal():
            _check_whole(path, frame, begun, missing)
            if frame is not None and int(name[:18]) != frame + 1:
                raise InputError(f"{where}: frame {shown(name)} follows frame {frame}; expected {frame + 1}.")
            frame, begun, missing = int(name[:18]), number, set(values)
        elif name.startswith(":"):
            radians = {":degrees": RADIANS["deg"], ":radians": RADIANS["rad"]}.get(name.lower(), radians)
        elif frame is None:
            raise InputError(f"{where}: is {shown(words)}; expected the number of the first frame.")
        elif name in values:
            raise InputError(f"{where}: gives {name!r} a second time in frame {frame}; expected each bone once.")
        elif name in counts:
            numbers(words[1:], where, 0)
        else:
            raise InputError(f"{where}: has the bone {shown(name)}, which {skeleton.path} does not have.")
    if frame is None:
        raise InputError(f"{path}: has no frames; expected {AMC}.")
    _check_whole(path, frame, begun, missing)
    return values, radians


def _check_whole(path, frame: int | None, begun: int, missing: set[str]) -> None:
    if missing:
        raise InputError(
            f"{path}: line {begun}: frame {frame} lacks {sorted(missing)[:4]}; expected every bone that moves."
        )


def _forward_kinematics(skeleton: AsfSkeleton, values: list[np.ndarray], radians: float) -> np.ndarray:
    """(T, K, 3) mm, y up, of each joint's (T, channels) numbers."""
    frames = len(values[0])
    positions = np.zeros((frames, len(skeleton.joints), 3))
    rotations: dict[int, np.ndarray] = {}
    for joint in skeleton.order:
        channels, axes, parent = skeleton.channels[joint], skeleton.axes[joint], skeleton.parents[joint]
        # The first turn comes first, so it stands last in the product.
        turns = [column for column, channel in enumerate(channels) if channel[0] == "r"][::-1]
        letters = "".join(channels[column][1] for column in turns)
        own = rotation_product(letters, radians * values[joint][:, turns])
        local = axes @ own @ axes.T
        rotations[joint] = local if parent < 0 else rotations[parent] @ local
        start = positions[:, parent]
        if parent < 0:
            columns = [channels.index(channel) for channel in ("tx", "ty", "tz")]
            start = skeleton.unit * values[joint][:, columns]
        positions[:, joint] = start + rotations[joint] @ skeleton.offsets[joint]
    return positions
