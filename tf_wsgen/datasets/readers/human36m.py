"""Human3.6M (Ionescu et al., TPAMI 2014) in VideoPose3D's .npz files, and what its other files share with them.

- `data_3d_h36m.npz`: `positions_3d`, {subject: {action: (T, 32, 3) float32}}, metres, in the world's frame.
- `data_2d_h36m_*.npz`: `positions_2d`, {subject: {action: [(T, J, 2)] * 4}}, pixels, cameras in the order of
  `CAMERA_NAMES`; `metadata`, {"layout_name", "num_joints", "keypoints_symmetry"}, the first not in all files.

Detections may go on for some frames after the motion capture has stopped; they are cut. Each of the 15 actions was
recorded twice ("Walking", "Walking 1"); files differ in the spelling of three. One video is damaged (S11 "Directions",
camera 54138969) and has no detections. VideoPose3D leaves out the whole recording, all four cameras, and so does
`skip_corrupt`; those who keep its other cameras have 1 % more test rows (before the stride 548,819, not 543,344).
"""

import dataclasses
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

import numpy as np

from tf_wsgen.data.human36m_cameras import CAMERA_NAMES, human36m_cameras
from tf_wsgen.data.prepared import check_finite, check_millimetres
from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, HumanPoints, convention_by_name, convert
from tf_wsgen.datasets.readers.videopose3d_files import items_by_subject, layout_of
from tf_wsgen.errors import InputError, check_stride
from tf_wsgen.files import described, load_npz

TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
TEST_STRIDE = 64
ACTIONS = (
    *("Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing", "Purchases"),
    *("Sitting", "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking", "WalkTogether"),
)
OTHER_SPELLINGS = {"TakingPhoto": "Photo", "WalkingDog": "WalkDog", "WalkingTogether": "WalkTogether"}
# The recording with the damaged video, and its camera.
CORRUPT, CORRUPT_CAMERA = ("S11", "Directions"), "54138969"
MM_PER_METRE = 1000.0
# A person who is seen at a few metres is hundreds of pixels tall.
SMALLEST_EXTENT = 10.0
# NumPy need not warn of what is refused a moment later.
UNTIL_CHECKED = {"over": "ignore", "invalid": "ignore"}
KIND_3D = "a VideoPose3D .npz file with positions_3d"
KIND_2D = "a VideoPose3D .npz file with positions_2d"


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which subjects, and every how many of their frames, go to which group; the field takes every 64th test frame.

    Attributes:
        skip_corrupt: Leave out the recording whose video is damaged, S11's first "Directions".
        notice: Is told in a sentence of what is missing or left out.
    """

    train_subjects: Sequence[str] = TRAIN_SUBJECTS
    test_subjects: Sequence[str] = TEST_SUBJECTS
    train_stride: int = 1
    test_stride: int = TEST_STRIDE
    skip_corrupt: bool = True
    notice: Callable[[str], None] = lambda text: None

    def __post_init__(self):
        for name in ("train_stride", "test_stride"):
            check_stride(name, getattr(self, name))
        subjects = [*self.train_subjects, *self.test_subjects]
        for subject in subjects:
            human36m_cameras(subject)
            if subjects.count(subject) > 1:
                raise InputError(f"subject {subject!r} is listed twice; expected each in one group.")


class Recordings(Protocol):
    """A way to store Human3.6M, in a file or folder `where`; the 2D poses in `where_2d`, None to project the 3D."""

    where: str
    where_2d: str | None
    subjects: Collection[str]

    def names(self, subject: str) -> list[str]:
        """The subject's recordings as the files spell them."""
        ...

    def place(self, subject: str, name: str) -> str:
        """File and place of a recording, for messages."""
        ...

    def positions(self, subject: str, name: str) -> np.ndarray:
        """(T, 16, 3) of a recording, millimetres, in the world's frame."""
        ...

    def keypoints(self, subject: str, name: str, camera: str) -> HumanPoints | None:
        """The 2D poses of a recording; None if they are missing."""


def read_videopose3d(
    positions_3d: str | os.PathLike,
    positions_2d: str | os.PathLike | None = None,
    *,
    keypoints_2d_convention: str | None = None,
    **selection,
) -> Iterator[Clip]:
    """Human3.6M from VideoPose3D's files.

    Args:
        positions_3d: `data_3d_h36m.npz`, with 32 or 17 joints.
        positions_2d: `data_2d_h36m_*.npz`; None projects the 3D with the subject's cameras.
        keypoints_2d_convention: A name in `CONVENTIONS`, in place of what the metadata says.
        selection: Fields of `Selection`.

    Yields:
        A clip for each recording and camera: `action` (one of `ACTIONS`, or an unknown one as it is), `subject`,
        `sequence` (the same in all four cameras), `camera`, and `confidence` where the detections have a third column.

    Raises:
        InputError: A file or option that is not as described, with what was found and what was expected.
    """
    chosen = Selection(**selection)
    if keypoints_2d_convention is not None:
        convention_by_name(keypoints_2d_convention)
        if positions_2d is None:
            raise InputError("keypoints_2d_convention is given without positions_2d.")
    yield from clips_of(_VideoPose3D(positions_3d, positions_2d, keypoints_2d_convention), chosen)


def clips_of(recordings: Recordings, selection: Selection) -> Iterator[Clip]:
    """The clips of a way to store Human3.6M: training subjects, then test subjects, recordings by name, cameras.

    Raises:
        InputError: None of the subjects is there, a recording is there twice, or what the recordings raise.
    """
    wanted = [*selection.train_subjects, *selection.test_subjects]
    missing = [subject for subject in wanted if subject not in recordings.subjects]
    if missing == wanted:
        there = sorted(recordings.subjects)[:8]
        raise InputError(f"{recordings.where}: has none of the subjects {wanted}; it has {there}.")
    for subject in missing:
        selection.notice(f"{recordings.where}: has no subject {subject}; its rows are missing.")
    for group, subjects, stride in (
        ("train", selection.train_subjects, selection.train_stride),
        ("test", selection.test_subjects, selection.test_stride),
    ):
        for subject in subjects:
            if subject in recordings.subjects:
                for sequence, name in _sequences(recordings, subject).items():
                    yield from _recording(recordings, selection, group, subject, sequence, name, stride)


def _sequences(recordings: Recordings, subject: str) -> dict[str, str]:
    """The files' spelling of each recording, by the usual spelling and in its order."""
    spelt = {}
    for name in recordings.names(subject):
        sequence = reconcile(name)
        if spelt.setdefault(sequence, name) != name:
            place = recordings.place(subject, name)
            raise InputError(
                f"{place}: is {sequence!r} again, after {spelt[sequence]!r}; expected each recording once."
            )
    return dict(sorted(spelt.items()))


def reconcile(name: str) -> str:
    """A recording's name in the usual spelling: "WalkingDog_1" is "WalkDog 1"."""
    words = name.replace("_", " ").split()
    return " ".join([OTHER_SPELLINGS.get(words[0], words[0]), *words[1:]]) if words else name


def action_of(sequence: str) -> str:
    """The action of a recording: "WalkDog" of "WalkDog 1"."""
    return re.sub(r" \d+$", "", sequence)


def _recording(
    recordings: Recordings, selection: Selection, group: str, subject: str, sequence: str, name: str, stride: int
) -> Iterator[Clip]:
    place = recordings.place(subject, name)
    corrupt = (subject, sequence) == CORRUPT
    if corrupt and selection.skip_corrupt:
        selection.notice(f"{place}: left out, as the video of camera {CORRUPT_CAMERA} is damaged.")
        return
    world = recordings.positions(subject, name)
    for camera in human36m_cameras(subject):
        where = f"{place}, camera {camera.name}"
        seen = recordings.keypoints(subject, name, camera.name) if recordings.where_2d is not None else None
        if recordings.where_2d is not None and seen is None:
            if corrupt and camera.name == CORRUPT_CAMERA:
                selection.notice(f"{where}: left out, as the video is damaged and has no detections.")
                continue
            raise InputError(f"{where}: has no 2D poses in {recordings.where_2d}; expected those of every camera.")
        of_sequence = {"action": action_of(sequence), "sequence": f"{subject} {sequence}"}
        labels = {**of_sequence, "subject": subject, "camera": camera.name}
        pose_3d = camera.to_camera_frame(world[::stride])
        if pose_3d[..., 2].min() <= 0.0:
            raise InputError(f"{where}: a joint lies behind the camera; expected positions in the world's frame.")
        if seen is None:
            pose_2d = camera.project(pose_3d)
        else:
            # Videos go on for some frames after the motion capture; twice as many are another frame rate.
            if not len(world) <= len(seen.points) < 2 * len(world):
                raise InputError(
                    f"{where}: has {len(seen.points)} frames in 2D and {len(world)} in 3D; expected as many or a few "
                    "more in 2D."
                )
            rows = slice(0, len(world), stride)
            pose_2d = seen.points[rows]
            if seen.confidence is not None:
                labels["confidence"] = seen.confidence[rows]
        with np.errstate(**UNTIL_CHECKED):
            pose_2d, pose_3d = pose_2d.astype(np.float32), pose_3d.astype(np.float32)
        yield Clip(where, group, pose_2d, pose_3d, labels, camera.image_size, camera.up, camera.mean_focal_length)


def world_positions(points: np.ndarray, convention: str, where: str, unit: str, per_unit: float) -> np.ndarray:
    """(T, 16, 3) float64 millimetres of (T, J, 3) joints of a convention in a unit of `per_unit` millimetres.

    Raises:
        InputError: No frames, numbers that are not finite, or a size that tells another unit.
    """
    if not len(points):
        raise InputError(f"{where}: has no frames.")
    with np.errstate(**UNTIL_CHECKED):
        points = convert(points, convention).points
    check_finite(points, f"{where}: 3D", "frame")
    points = points.astype(np.float64)
    check_millimetres(points, where, unit, per_unit)
    return points * per_unit


def detected_points(keypoints: np.ndarray, convention: str, where: str) -> HumanPoints:
    """Detections (T, J, 2), or (T, J, 3) with the confidence, as ours.

    Raises:
        InputError: Another type or shape, no frames, or a size that isn't in pixels.
    """
    joints = len(CONVENTIONS[convention].joints)
    if _shape(keypoints)[1:] not in ((joints, 2), (joints, 3)):
        raise InputError(
            f"{where}: 2D poses are {described(keypoints)}; expected numbers of shape (frames, {joints}, 2), "
            f"joints as {convention}."
        )
    if not len(keypoints):
        raise InputError(f"{where}: has no frames in 2D.")
    confidence = keypoints[..., 2] if keypoints.shape[2] == 3 else None
    with np.errstate(**UNTIL_CHECKED):
        points = convert(keypoints[..., :2], convention, confidence=confidence)
    # What is not finite is refused with its frame when the clip is checked.
    if np.isfinite(points.points).all() and np.median(np.ptp(points.points, axis=1)) < SMALLEST_EXTENT:
        raise InputError(f"{where}: 2D poses are less than {SMALLEST_EXTENT:g} across; expected pixels.")
    return points


def _shape(value) -> tuple[int, ...]:
    """The shape of an array of numbers, () of anything else."""
    return value.shape if isinstance(value, np.ndarray) and value.dtype.kind in "fiu" else ()


class _VideoPose3D:
    """`Recordings` in VideoPose3D's two files."""

    def __init__(self, positions_3d: str | os.PathLike, positions_2d: str | os.PathLike | None, convention: str | None):
        self.where, self.where_2d = str(positions_3d), None if positions_2d is None else str(positions_2d)
        self.data_3d = items_by_subject(load_npz(positions_3d, KIND_3D), "positions_3d", self.where, KIND_3D)
        self.subjects = self.data_3d.keys()
        if self.where_2d is not None:
            arrays = load_npz(self.where_2d, KIND_2D)
            self.data_2d = items_by_subject(arrays, "positions_2d", self.where_2d, KIND_2D)
            self.convention = convention or layout_of(arrays, self.where_2d)

    def names(self, subject: str) -> list[str]:
        return list(self.data_3d[subject])

    def place(self, subject: str, name: str) -> str:
        return f"{self.where}: {subject}/{name}"

    def positions(self, subject: str, name: str) -> np.ndarray:
        where, points = self.place(subject, name), self.data_3d[subject][name]
        convention = {(32, 3): "human36m_32", (17, 3): "human36m_17"}.get(_shape(points)[1:])
        if convention is None:
            raise InputError(f"{where}: is {described(points)}; expected numbers of shape (frames, 32 or 17, 3).")
        return world_positions(points, convention, where, "metres", MM_PER_METRE)

    def keypoints(self, subject: str, name: str, camera: str) -> HumanPoints | None:
        where = f"{self.where_2d}: {subject}/{name}"
        # The two files may spell differently.
        found = [key for key in self.data_2d.get(subject, ()) if reconcile(key) == reconcile(name)]
        if len(found) > 1:
            raise InputError(f"{where}: is there as {found}; expected each recording once.")
        if not found:
            return None
        cameras = self.data_2d[subject][found[0]]
        cameras = list(cameras) if isinstance(cameras, np.ndarray) and cameras.ndim else cameras
        if not isinstance(cameras, (list, tuple)) or len(cameras) != len(CAMERA_NAMES):
            raise InputError(f"{where}: is {described(cameras)}; expected a list of 2D poses, one a camera, of four.")
        keypoints = cameras[CAMERA_NAMES.index(camera)]
        return None if keypoints is None else detected_points(keypoints, self.convention, f"{where}, camera {camera}")
