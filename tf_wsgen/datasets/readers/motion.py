"""Motion capture as joint positions over time, and what its readers share: lines of text, rotations, names."""

import dataclasses
import os
import pathlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.views import ViewOptions, view_clips
from tf_wsgen.errors import InputError
from tf_wsgen.files import LARGEST_ARRAY, existing_file, one_sentence
from tf_wsgen.skeleton import HUMAN16

# An hour of a hundred joints at 120 frames a second; people's files are below 100 MB.
LARGEST_TEXT = 1_000_000_000
LARGEST_JOINTS = 1000
# No angle or length of a person, in any unit, has as many digits before the point.
LARGEST_NUMBER = 1e9
# A position and a rotation in float64, and what is held beside them while they are made.
BYTES_A_JOINT = 240
# Millimetres of the units that files of motion use; CMU's is 1/0.45 inch.
UNITS = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "cmu": 25.4 / 0.45, "inch": 25.4}
# By the axis of a file that points up: which of its axes are our x, y and z. All are rotations, none is a mirror.
UPS = {
    "y": ("x", "-z", "y"),
    "z": ("x", "y", "z"),
    "x": ("y", "z", "x"),
    "-y": ("x", "z", "-y"),
    "-z": ("x", "-y", "-z"),
    "-x": ("y", "-z", "-x"),
}

JointTable = Mapping[str, Mapping[str, float]]


@dataclasses.dataclass(frozen=True)
class Motion:
    """Positions of a skeleton's joints over time.

    Attributes:
        joints: K names, the root first.
        parents: For each joint the index of its parent, -1 for the root.
        positions: (T, K, 3) float64, mm, world, z up.
        frame_rate: Frames a second.
        unit: Millimetres of the file's unit of length.
    """

    joints: tuple[str, ...]
    parents: tuple[int, ...]
    positions: np.ndarray
    frame_rate: float
    unit: float = 1.0

    def human16(self, table: JointTable) -> np.ndarray:
        """(T, 16, 3) positions in the order of `HUMAN16`, by weights of this motion's joints, as in a `Convention`."""
        result = np.zeros((len(self.positions), HUMAN16.num_joints, 3))
        for index, joint in enumerate(HUMAN16.joints):
            for source, weight in table[joint].items():
                result[:, index] += weight * self.positions[:, self.joints.index(source)]
        return result


def text_lines(path: str | os.PathLike, kind: str) -> Iterator[tuple[int, str]]:
    """The lines of a text that are not blank, stripped, with their numbers from 1.

    Raises:
        InputError: There is no such file, or it is larger than `LARGEST_TEXT`.
    """
    path = existing_file(path, kind, LARGEST_TEXT)
    with one_sentence(path, kind), path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if line:
                yield number, line


def shown(text: str | Sequence[str]) -> str:
    """A text from a file, or several, short enough for a message."""
    text = text if isinstance(text, str) else " ".join(text[:12])
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def numbers(words: Sequence[str], where: str, count: int | None = None) -> list[float]:
    """The numbers that words from a file say.

    Raises:
        InputError: Another count, or a word that is not a finite number.
    """
    if count is not None and len(words) != count:
        raise InputError(f"{where}: has {len(words)} values, {shown(words)}; expected {count}.")
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = [np.nan]
    # Python, unlike the formats, reads 1_0 as 10.
    if not all(-LARGEST_NUMBER < value < LARGEST_NUMBER for value in values) or "_" in "".join(words):
        raise InputError(f"{where}: has {shown(words)}; expected finite numbers.")
    return values


def check_size(frames: int, joints: int, where: str) -> None:
    """Refuses a motion whose positions and rotations would exhaust memory."""
    if frames * joints * BYTES_A_JOINT > LARGEST_ARRAY:
        raise InputError(
            f"{where}: has {frames:,} frames of {joints} joints; expected at most "
            f"{LARGEST_ARRAY // BYTES_A_JOINT // joints:,} frames."
        )


def rotation_product(axes: str, radians: np.ndarray) -> np.ndarray:
    """(..., 3, 3) R_1 R_2 ..., of which the last turns a vector first, about up to three different axes of "xyz".

    `radians` (..., len(axes)) are their angles.
    """
    if not axes:
        return np.broadcast_to(np.eye(3), (*radians.shape[:-1], 3, 3))
    # A second to import, which those who write motion alone need not wait for.
    from scipy.spatial.transform import Rotation

    return Rotation.from_euler(axes.upper(), radians).as_matrix()


def z_up(positions: np.ndarray, up: str = "y") -> np.ndarray:
    """(..., 3) positions whose axis `up` points up, one of `UPS`, as positions with z up; y up is (x, -z, y)."""
    columns = [positions[..., "xyz".index(axis[-1])] * (-1.0 if axis[0] == "-" else 1.0) for axis in UPS[up]]
    return np.stack(columns, axis=-1)


def files_among(paths: str | os.PathLike | Iterable[str | os.PathLike], suffixes: Sequence[str]) -> list[pathlib.Path]:
    """The files with one of the suffixes: those named, and those anywhere in the folders named, in order.

    Raises:
        InputError: A path that does not exist or is of another kind, or none with the first suffix.
    """
    paths = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    kind = " or ".join(suffixes)
    found = []
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.suffix.lower() in suffixes and file.is_file())
        elif existing_file(path, f"a {kind} file or a folder of them").suffix.lower() in suffixes:
            found.append(path)
        else:
            raise InputError(f"{path}: has the ending {path.suffix!r}; expected {kind}.")
    if not any(path.suffix.lower() == suffixes[0] for path in found):
        raise InputError(
            f"{', '.join(map(str, paths)) or 'no path'}: has no {suffixes[0]} file; expected at least one."
        )
    return list(dict.fromkeys(found))


class Recording(NamedTuple):
    """A file of motion that has not been read yet: where it is, who moves, and the sequence's name."""

    path: pathlib.Path
    subject: str
    sequence: str


def recording_clips(
    recordings: Sequence[Recording],
    poses_of: Callable[[Recording], np.ndarray],
    options: ViewOptions,
    test_subjects: Collection[str],
    test_sequences: Collection[str],
) -> Iterator[Clip]:
    """The views of recordings, read one at a time; the sequences that share a name have the subject in front of it.

    Args:
        recordings: In the order of the clips.
        poses_of: Reads one: (T, 16, 3) mm, world, z up.
        options: Cameras and what they see.
        test_subjects: Whose recordings make the group "test"; all others make "train".
        test_sequences: Sequences that belong to "test" as well.

    Raises:
        InputError: A subject or sequence that no recording has, a sequence twice, and all that the reader and the
            cameras refuse.
    """
    counts = Counter(recording.sequence for recording in recordings)
    recordings = [
        one._replace(sequence=f"{one.subject}_{one.sequence}") if counts[one.sequence] > 1 else one
        for one in recordings
    ]
    for kind, wanted in (("subject", test_subjects), ("sequence", test_sequences)):
        there = {getattr(recording, kind) for recording in recordings}
        unknown = sorted(set(wanted) - there)
        if unknown:
            raise InputError(f"test_{kind}s has {unknown[0]!r}, which no file is of; there are {sorted(there)[:20]}.")
    seen = {}
    for recording in recordings:
        other = seen.setdefault(recording.sequence, recording.path)
        if other is not recording.path:
            raise InputError(
                f"{recording.path}: is the sequence {recording.sequence!r}, as {other} is; expected a name for each."
            )
    for recording in recordings:
        test = recording.subject in test_subjects or recording.sequence in test_sequences
        yield from view_clips(
            poses_of(recording),
            options,
            where=str(recording.path),
            group="test" if test else "train",
            labels={"subject": recording.subject, "sequence": recording.sequence},
        )
