"""BVH motion capture: any channels, to positions in millimetres, and to a person of a person's size.

A joint's own rotation is the product of its rotation channels in the order of the file, R = R_1 R_2 R_3, so that the
last one turns first; it turns what hangs below the joint. A position channel stands in place of the joint's OFFSET,
but where a joint below the root has only zeros: some programs write them for "not moved".
BVH knows no unit and no up: both are the caller's to say.
"""

import logging
import os
import pathlib
import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.readers.motion import (
    LARGEST_JOINTS,
    LARGEST_NUMBER,
    UNITS,
    UPS,
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
from tf_wsgen.datasets.readers.skeleton_names import given_table, known_table
from tf_wsgen.datasets.views import ViewOptions
from tf_wsgen.errors import InputError, check_choice
from tf_wsgen.skeleton import HUMAN16

BVH = "a BVH motion"
END = "_end"
CHANNELS = [f"{axis}{kind}" for kind in ("position", "rotation") for axis in "xyz"]
# Millimetres along the bones between the two joints furthest from each other (fingertip to toe, about 1.4 times
# the height): of small children and of the tallest adults. Only the inch, which is tried last, can be taken for another
# unit: people of 1 m in inches can be adults in CMU's unit, people of more than 2 m can be children in centimetres.
REACH = (1100.0, 3400.0)
# Millimetres along one side, from the ankle to the top of the head: of small children and of the tallest adults. An
# adult's inches taken for centimetres fall below.
PERSON, SIDE = (800.0, 2400.0), ("left_ankle", "left_knee", "left_hip", "pelvis", "thorax", "neck", "head")
A_NUMBER = "`unit` can also be a number, the millimetres of the file's unit"
# Degrees between neck and head. In motion capture the median of a take is 12, of 99 in 100 takes below 35.
BENT_HEAD = 45.0
# From this mean of the trunks' directions (of length 1) along an axis on, people are taken to stand along it.
ALONG_AXIS = 0.8
_log = logging.getLogger(__name__)


class _Joint(NamedTuple):
    """A joint of the hierarchy as it is read; `position` and `rotation` are (column, axis) of its channels."""

    name: str
    parent: int
    offset: list[float]
    position: list[tuple[int, str]]
    rotation: list[tuple[int, str]]


def read_bvh(path: str | os.PathLike, unit: str | float = "auto", up: str = "y") -> Motion:
    """Reads a motion; an End Site is a joint `<parent>_end`.

    Args:
        path: The file.
        unit: Of its lengths: "mm", "cm", "m", "cmu" (1/0.45 inch, as in CMU's files and BVH made of them), "inch", the
            millimetres of a unit, or "auto", the one in which the skeleton has a person's size; a log entry says which.
        up: The file's axis that points up, of `UPS`.

    Raises:
        InputError: The file is not there or not a whole BVH file (with the line), or has no person's size in any unit.
    """
    millimetres = None if unit == "auto" else _millimetres(unit)
    check_choice("up", up, UPS)
    path = pathlib.Path(path)
    lines = text_lines(path, BVH)
    joints, columns = _read_hierarchy(lines, path)
    values, frame_rate = _read_motion(lines, path, columns)
    check_size(len(values), len(joints), f"{path}")
    positions = _forward_kinematics(joints, values)
    parents = tuple(joint.parent for joint in joints)
    if millimetres is None:
        millimetres = UNITS[_unit_by_size(positions, parents, path)]
    names = tuple(joint.name for joint in joints)
    return Motion(names, parents, millimetres * z_up(positions, up), frame_rate, millimetres)


def _millimetres(unit: str | float) -> float:
    if unit in UNITS:
        return UNITS[unit]
    try:
        millimetres = float(unit)
    except (TypeError, ValueError):
        millimetres = 0.0
    if not 0.0 < millimetres < LARGEST_NUMBER:
        raise InputError(
            f"unit is {unit!r}; expected one of {[*UNITS, 'auto']}, or the millimetres of a unit, a number above 0."
        )
    return millimetres


def bvh_clips(
    paths: str | os.PathLike | Iterable[str | os.PathLike],
    options: ViewOptions = ViewOptions(),
    *,
    unit: str | float = "auto",
    up: str = "y",
    joint_names: Mapping[str, str] | None = None,
    test_subjects: Collection[str] = (),
    test_sequences: Collection[str] = (),
) -> Iterator[Clip]:
    """Views of BVH motions, one file at a time; the subject is the name of a file's folder, the sequence the file's.

    The first frame of many files is a pose of calibration (arms sideways); it is taken as any other. Options are those
    of `read_bvh`, `bvh_poses` and `recording_clips`.

    Raises:
        InputError: What `files_among`, `read_bvh`, `bvh_poses` and `recording_clips` refuse.
    """
    files = files_among(paths, (".bvh",))
    recordings = [Recording(path, path.absolute().parent.name, path.stem) for path in files]

    def poses_of(recording: Recording) -> np.ndarray:
        where = str(recording.path)
        poses = bvh_poses(read_bvh(where, unit, up), where, joint_names)
        _warn_of_up(poses, up, where)
        return poses

    yield from recording_clips(recordings, poses_of, options, test_subjects, test_sequences)


def bvh_poses(motion: Motion, where: str, joint_names: Mapping[str, str] | None = None) -> np.ndarray:
    """(T, 16, 3) mm in the order of `HUMAN16`, by the joints' names.

    Known are the skeletons of `skeleton_names`; for another one `joint_names` has the file's joint for each of
    `HUMAN16` (without a pelvis this is the middle of the hips). A head that does not go on from the neck, as where its
    End Site is at the nose, is told by a log entry.

    Raises:
        InputError: Joints that fit no known skeleton, names that `HUMAN16` or the file do not have, or a body that is
            no person's in size.
    """
    known = joint_names is None
    poses = motion.human16(known_table(motion, where) if known else given_table(joint_names, motion, where))
    side = poses[:, [HUMAN16.index(joint) for joint in SIDE]]
    size = float(np.median(np.linalg.norm(np.diff(side, axis=1), axis=-1).sum(axis=1)))
    if not PERSON[0] < size < PERSON[1]:
        raise InputError(
            f"{where}: the person is {size:.4g} mm from ankle to head; expected {PERSON[0]:g} to {PERSON[1]:g}, "
            f"{_fitting(size / motion.unit)}."
        )
    bend = _degrees_between(*np.diff(side[:, -3:], axis=1).swapaxes(0, 1))
    if bend > BENT_HEAD:
        _log.warning(
            "%s: the head's end is not along the neck but typically %.0f° off; it is taken as the top of the head. The "
            "option `joint_names` names another.",
            *(where, bend),
        )
    return poses


def _degrees_between(first: np.ndarray, second: np.ndarray) -> float:
    """The median angle between vectors (T, 3), those without a length left out; 0 where there are no others."""
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    cosines = ((first * second).sum(axis=-1) / np.maximum(lengths, 1e-9))[lengths > 0.0]
    return float(np.median(np.degrees(np.arccos(cosines.clip(-1.0, 1.0))))) if len(cosines) else 0.0


def _warn_of_up(poses: np.ndarray, up: str, where: str) -> None:
    """Warns where trunks point along an axis that is not up; people may be lying, so that it need not be a mistake."""
    trunk = poses[:, HUMAN16.index("thorax")] - poses[:, HUMAN16.root_index]
    direction = (trunk / np.maximum(np.linalg.norm(trunk, axis=-1, keepdims=True), 1e-9)).mean(axis=0)
    along = int(np.abs(direction).argmax())
    if abs(direction[along]) < ALONG_AXIS or (along == 2 and direction[along] > 0.0):
        return
    axis = UPS[up][along]
    axis = axis if direction[along] > 0.0 else axis[1:] if axis[0] == "-" else f"-{axis}"
    _log.warning("%s: bodies point along %s; unless they lie, the option `up` is %s and not %s.", where, axis, axis, up)


def _fitting(size: float) -> str:
    """For a message, the units in which a length in the file's unit is a person's from ankle to head."""
    fitting = [unit for unit, millimetres in UNITS.items() if PERSON[0] < millimetres * size < PERSON[1]]
    return f"as by the `unit` {' or '.join(fitting)}" if fitting else f"as by no `unit` of {list(UNITS)}; {A_NUMBER}"


def _read_hierarchy(lines: Iterator[tuple[int, str]], path: pathlib.Path) -> tuple[list[_Joint], int]:
    """The joints, parents before their children, and the number of columns of the motion; stops after MOTION."""
    joints: list[_Joint] = []
    columns, open_joints, waiting, begun = 0, [], False, False
    for number, line in lines:
        where = f"{path}: line {number}"
        for statement in filter(str.strip, re.split(r"([{}])", line)):
            words = statement.split()
            key = words[0].upper()
            if not begun:
                if key != "HIERARCHY":
                    raise InputError(f"{where}: is {shown(words)}; expected HIERARCHY, which begins {BVH}.")
                begun = True
            elif waiting != (key == "{"):
                raise InputError(f"{where}: is {shown(words)}; expected {'a brace' if waiting else 'no brace'} here.")
            elif key == "{":
                waiting = False
                open_joints.append(len(joints) - 1)
            elif key in ("ROOT", "JOINT", "END"):
                joints.append(_new_joint(key, words, joints, open_joints, where))
                waiting = True
            elif key == "MOTION":
                if open_joints or not joints:
                    raise InputError(f"{where}: MOTION comes before the end of the hierarchy; expected closed joints.")
                return joints, columns
            elif not open_joints:
                raise InputError(f"{where}: is {shown(words)} outside of a joint; expected MOTION.")
            elif key == "}":
                if not joints[open_joints[-1]].offset:
                    raise InputError(f"{where}: the joint {joints[open_joints[-1]].name!r} ends without an OFFSET.")
                open_joints.pop()
            elif key == "OFFSET":
                joints[open_joints[-1]].offset[:] = numbers(words[1:], where, 3)
            elif key == "CHANNELS":
                columns += _add_channels(joints[open_joints[-1]], words[1:], columns, where)
            else:
                raise InputError(f"{where}: is {shown(words)}; expected JOINT, End Site, OFFSET, CHANNELS or a brace.")
    raise InputError(f"{path}: ends before MOTION; expected {BVH}.")


def _new_joint(key, words, joints, open_joints, where) -> _Joint:
    parent = open_joints[-1] if open_joints else -1
    if (parent < 0) != (key == "ROOT") or (key == "ROOT" and joints):
        raise InputError(f"{where}: is {shown(words)}; expected one ROOT and all other joints within it.")
    name = joints[parent].name + END if key == "END" else " ".join(words[1:])
    if not name or any(joint.name == name for joint in joints):
        raise InputError(f"{where}: the joint's name is {shown(name)}; expected one that no other joint has.")
    if len(joints) == LARGEST_JOINTS:
        raise InputError(f"{where}: has more than {LARGEST_JOINTS} joints; expected a person.")
    return _Joint(name, parent, [], [], [])


def _add_channels(joint: _Joint, words: list[str], columns: int, where: str) -> int:
    names = [word.lower() for word in words[1:]]
    if not words or words[0] != str(len(names)) or len(set(names)) != len(names) or not set(names) <= set(CHANNELS):
        raise InputError(
            f"{where}: CHANNELS {shown(words)}; expected their number and so many of Xposition to Zrotation, each once."
        )
    if joint.position or joint.rotation:
        raise InputError(f"{where}: the joint {joint.name!r} has CHANNELS a second time; expected them once.")
    for column, name in enumerate(names, columns):
        channels = joint.position if name.endswith("position") else joint.rotation
        channels.append((column, name[0]))
    return len(names)


def _read_motion(lines: Iterator[tuple[int, str]], path: pathlib.Path, columns: int) -> tuple[np.ndarray, float]:
    """(T, columns) numbers and the frames a second."""
    header = []
    for key, pattern in (("Frames", r"frames\s*:\s*(\d+)"), ("Frame Time", r"frame\s+time\s*:\s*(\S+)")):
        number, line = next(lines, (0, ""))
        match = re.fullmatch(pattern, line, re.IGNORECASE)
        if not match:
            place = f"{path}: line {number}: is {shown(line)}" if number else f"{path}: ends after MOTION"
            raise InputError(f"{place}; expected '{key}:' and a number.")
        header.append(match[1])
    (seconds,) = numbers(header[1:], f"{path}: Frame Time")
    if not 1e-5 < seconds < 1e3:
        raise InputError(f"{path}: Frame Time is {shown(header[1])}; expected seconds, above 0.")
    values, frames = array("d"), 0
    for number, line in lines:
        values.extend(numbers(line.split(), f"{path}: line {number}", columns))
        frames += 1
    # What is announced is compared as a text: it can have any number of digits.
    announced = header[0].lstrip("0") or "0"
    if not frames or announced not in (str(frames - 1), str(frames), str(frames + 1)):
        raise InputError(
            f"{path}: announces {shown(header[0])} frames and has {frames}; expected as many, and at least one."
        )
    if announced != str(frames):
        _log.warning("%s: announces %s frames and has %d, which are taken.", path, announced, frames)
    return np.array(values).reshape(frames, columns), 1.0 / seconds


def _forward_kinematics(joints: list[_Joint], values: np.ndarray) -> np.ndarray:
    """(T, K, 3) in the file's unit and axes."""
    positions = np.zeros((len(values), len(joints), 3))
    rotations = []
    for index, joint in enumerate(joints):
        local = np.tile(np.array(joint.offset), (len(values), 1))
        if joint.parent < 0 or values[:, [column for column, _ in joint.position]].any():
            for column, axis in joint.position:
                local[:, "xyz".index(axis)] = values[:, column]
        columns = [column for column, _ in joint.rotation]
        own = rotation_product("".join(axis for _, axis in joint.rotation), np.radians(values[:, columns]))
        if joint.parent >= 0:
            above = rotations[joint.parent]
            local = positions[:, joint.parent] + (above @ local[..., None])[..., 0]
            own = above @ own if columns else above
        positions[:, index] = local
        rotations.append(own)
    return positions


def _unit_by_size(positions: np.ndarray, parents: tuple[int, ...], path: pathlib.Path) -> str:
    lengths = np.median(np.linalg.norm(positions - positions[:, np.maximum(parents, 0)], axis=-1), axis=0)
    below, reach = np.zeros(len(parents)), 0.0
    for joint in range(len(parents) - 1, 0, -1):
        branch = below[joint] + lengths[joint]
        reach = max(reach, below[parents[joint]] + branch)
        below[parents[joint]] = max(below[parents[joint]], branch)
    fitting = [unit for unit, size in UNITS.items() if REACH[0] <= size * reach <= REACH[1]]
    if not fitting:
        raise InputError(
            f"{path}: the skeleton is {reach:.4g} long from one end to the other, no person's size in any of "
            f"{list(UNITS)}; {A_NUMBER}."
        )
    _log.warning("%s: taken as in %s, by the person's size; the option `unit` says it for sure.", path, fitting[0])
    return fitting[0]
