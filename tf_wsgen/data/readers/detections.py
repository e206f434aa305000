"""Keypoints that detectors found in images and videos: any known file → people in our joints, in pixels.

JSON of MMPose, OpenPose (also a folder of frames), AlphaPose, Ultralytics, COCO and MediaPipe, the HDF5 files of
pose-hg, and CSV: a header, and either a row a joint (`frame, person, joint, x, y[, confidence]`) or a row a person
(`frame, person`, then `<joint>_x, <joint>_y[, <joint>_confidence]`), joints by the names of `keypoint_conventions`;
empty cells and joints without a row are missing. The format is found by looking into the file, or named.
"""

import contextlib
import dataclasses
import os
import pathlib
import re
from collections.abc import Iterator

import numpy as np

from tf_wsgen.data.clip import Clip
from tf_wsgen.data.keypoint_conventions import CONVENTIONS, convention_by_name, convention_of, convert
from tf_wsgen.data.readers.detector_formats import (
    JSON_FORMATS,
    Person,
    coco_image_size,
    csv_people,
    first_entry,
    formats_that_fit,
    openpose,
)
from tf_wsgen.data.safe_files import existing_file, hdf5_array, load_json, open_hdf5
from tf_wsgen.errors import InputError
from tf_wsgen.simulation.settings import LOWEST_SCORE

KIND = "a file of detections"
# The conventions that a format's programs use: the number of joints decides between them.
FORMAT_CONVENTIONS = {
    "mmpose": ("coco17", "halpe26", "mpii16"),
    "openpose": ("body25", "coco18"),
    "alphapose": ("coco17", "halpe26"),
    "ultralytics": ("coco17",),
    "coco_results": ("coco17", "halpe26"),
    "coco_annotations": ("coco17", "halpe26"),
    "mediapipe": ("mediapipe33",),
    "pose_hg": ("mpii16",),
    "csv": tuple(CONVENTIONS),
}
FORMATS = tuple(FORMAT_CONVENTIONS)
OPENPOSE_SUFFIX = "_keypoints.json"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# The formats of data sets of single images; the others' numbered frames are a video's.
IMAGE_FORMATS = ("coco_results", "coco_annotations", "pose_hg")
# No image is that wide (pixels), nor is a name that long; and what is that near to 0 are shares of the image.
LARGEST_COORDINATE, LONGEST_NAME, SMALLEST_PERSON = 1e6, 255, 2.0
# Joints may be guessed outside the image, but typically not ten images away.
LARGEST_SHARE = 10.0


@dataclasses.dataclass(frozen=True)
class Detections:
    """People found in images, a row each, sorted by frame, in a frame as in the file; joints of `HUMAN16`.

    Attributes:
        keypoints: (N, 16, 2) float32 pixels, x right, y down; missing joints are 0.
        visible: (N, 16) bool; every row has a visible joint, but hips may be missing.
        confidence: (N, 16) float32 from 0, as the detector scales it (1 where it gives none); missing joints have 0.
        frame: (N,) integers, or texts where images have names.
        person: (N,) integers: the tracker's identity, without one the place in the frame.
        score: (N,) float32, the detector's for the person, or else the mean confidence of its joints that are there.
        source_format: Which of `FORMATS`.
        convention: The convention of the file's joints.
        image_size: Width and height in pixels, where known.
    """

    keypoints: np.ndarray
    visible: np.ndarray
    confidence: np.ndarray
    frame: np.ndarray
    person: np.ndarray
    score: np.ndarray
    source_format: str
    convention: str
    image_size: tuple[int, int] | None = None

    def __len__(self):
        return len(self.keypoints)

    @property
    def sureness(self) -> np.ndarray:
        """(N, 16) 0 for missing joints; for the others the confidence between `LOWEST_SCORE` and 1."""
        return np.where(self.visible, self.confidence.clip(LOWEST_SCORE, 1.0), 0.0)


def read_detections(
    path: str | os.PathLike,
    format: str = "auto",
    convention: str | None = None,
    image_size: tuple[int, int] | None = None,
    lowest_confidence: float = 0.0,
) -> Detections:
    """Reads a file of detections.

    A joint is missing whose confidence is below `lowest_confidence` or which is exactly at (0, 0), the way
    detectors write what they didn't find. People without any joint are left out.

    Args:
        path: The file, or OpenPose's folder of a file a frame.
        format: One of `FORMATS`, or "auto".
        convention: A name in `CONVENTIONS`; None takes what the format has with that number of joints.
        image_size: Width and height in pixels; needed for MediaPipe.
        lowest_confidence: From 0, in the detector's scale.

    Raises:
        InputError: The content is not what the format says, with file, place, what was found and what was
            expected; joints that are not finite; no people; unknown format or convention.
    """
    path = pathlib.Path(path)
    if format not in (*FORMATS, "auto"):
        raise InputError(f"format is {format!r}; expected 'auto' or one of {list(FORMATS)}.")
    if not 0.0 <= lowest_confidence < np.inf:
        raise InputError(f"lowest_confidence is {lowest_confidence}; expected a number from 0.")
    if image_size is not None and not (len(image_size) == 2 and all(0 < n <= LARGEST_COORDINATE for n in image_size)):
        raise InputError(f"image_size is {image_size}; expected width and height in pixels.")
    if convention is not None:
        convention_by_name(convention)

    found_format, content = _open(path, format)
    with _naming(path):
        people, convention, own_size = _people(path, found_format, content, convention)
        return _detections(people, found_format, convention, image_size or own_size, lowest_confidence)


def detection_clips(detections: Detections, where: str, group: str) -> Iterator[Clip]:
    """The detections as clips of 2D alone, one a person.

    Args:
        detections: What was read.
        where: The file that it was read from. Its name is the sequence, and where frames are single images, their
            numbers or names are.
        group: "train" or "test".
    """
    single_images = detections.source_format in IMAGE_FORMATS or detections.frame.dtype.kind == "U"
    for person in dict.fromkeys(detections.person.tolist()):
        rows = detections.person == person
        yield Clip(
            where=f"{where}: person {person}",
            group=group,
            pose_2d=detections.keypoints[rows],
            labels={
                "visible": detections.visible[rows],
                "confidence": detections.confidence[rows],
                "sequence": detections.frame[rows].astype(str) if single_images else pathlib.Path(where).stem,
                "subject": str(person),
            },
            image_size=detections.image_size,
        )


@contextlib.contextmanager
def _naming(path: pathlib.Path) -> Iterator[None]:
    """Puts the file before messages that don't name one."""
    try:
        yield
    except InputError as error:
        named = str(error).startswith(str(path))
        raise InputError(str(error) if named else f"{path}: {error}") from None


def _open(path: pathlib.Path, format: str) -> tuple[str, object]:
    """The format, found if it is to be found, and the content of a JSON file."""
    if path.is_dir() and format in ("openpose", "auto"):
        return "openpose", None
    expected = KIND if format == "auto" else f"{KIND} ({format})"
    with open(existing_file(path, expected), "rb") as file:
        start = file.read(4096)
    if format in ("csv", "pose_hg"):
        return format, None
    if format == "auto":
        if start.startswith(HDF5_SIGNATURE):
            return "pose_hg", None
        first_line = start.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n")[0]
        if first_line[:1] not in (b"[", b"{"):
            if b"frame" in first_line and b"," in first_line:
                return "csv", None
            raise InputError(f"{path}: is none of the known formats of detections: {list(FORMATS)}.")
    content = load_json(path, expected)
    if format != "auto":
        return format, content
    fitting = formats_that_fit(content)
    if len(fitting) == 1:
        return fitting[0], content
    if isinstance(content, list) and first_entry(content) is None:
        raise InputError(f"{path}: no people found: the list is empty.")
    problem = f"could be any of {fitting}" if fitting else "is none of the known formats of detections"
    raise InputError(f"{path}: {problem}; expected the format to be named, one of {list(FORMATS)}.")


def _people(
    path: pathlib.Path, format: str, content: object, convention: str | None
) -> tuple[list[Person], str, tuple[int, int] | None]:
    """The people, their convention, and the images' size if the file tells it."""
    if format == "csv":
        return *csv_people(path, f"{KIND} (csv)", convention), None
    if format == "pose_hg":
        people = list(_pose_hg_people(path))
    elif format == "openpose":
        people = list(_openpose_people(path, content))
    else:
        people = list(JSON_FORMATS[format](content))
    if not people:
        raise InputError("no people found.")
    if convention is None:
        convention = convention_of(len(people[0].points), FORMAT_CONVENTIONS[format]).name
    expected = len(CONVENTIONS[convention].joints)
    for person in people:
        if len(person.points) != expected:
            raise InputError(f"{person.where} has {len(person.points)} joints; {convention!r} has {expected}.")
    return people, convention, coco_image_size(content) if format == "coco_annotations" else None


def _openpose_people(path: pathlib.Path, content: object) -> Iterator[Person]:
    if not path.is_dir():
        yield from openpose(content, _openpose_frames([path.name])[0])
        return
    files = sorted(path.glob("*" + OPENPOSE_SUFFIX))
    if not files:
        raise InputError(f"the folder has no files *{OPENPOSE_SUFFIX}; expected OpenPose's, one a frame.")
    for file, frame in zip(files, _openpose_frames([file.name for file in files]), strict=True):
        with _naming(file):
            for person in openpose(load_json(file, f"{KIND} (openpose)"), frame):
                yield person._replace(where=f"{file.name}: {person.where}")


def _openpose_frames(names: list[str]) -> list[int] | list[str]:
    """Numbers of the frames of one video, or else the images' names."""
    names = [name.removesuffix(".json").removesuffix("_keypoints") for name in names]
    parts = [re.fullmatch(r"(.*?)([0-9]{1,15})", name) for name in names]
    one_video = all(parts) and len({part[1] for part in parts}) == 1
    return [int(part[2]) for part in parts] if one_video else names


def _pose_hg_people(path: pathlib.Path) -> Iterator[Person]:
    with open_hdf5(path, f"{KIND} (pose_hg)") as file:
        key = "preds" if "preds" in file else "part"
        points = hdf5_array(file, key, str(path), (None, None, 2)).astype(np.float64)
        others = {
            name: hdf5_array(file, name, str(path), (len(points),)) for name in ("index", "person") if name in file
        }
    for name, values in others.items():
        if not (np.isfinite(values).all() and (np.abs(values) < 2**53).all()):
            raise InputError(f"{name} holds values that number nothing; expected integers.")
    frames = others.get("index", np.arange(len(points)))
    for row, (joints, frame) in enumerate(zip(points, frames, strict=True)):
        person = int(others["person"][row]) if "person" in others else None
        yield Person(f"{key}[{row}]", int(frame), person, joints, np.ones(len(joints)), None)


def _detections(
    people: list[Person],
    format: str,
    convention: str,
    image_size: tuple[int, int] | None,
    lowest_confidence: float,
) -> Detections:
    points, confidence = np.stack([p.points for p in people]), np.stack([p.confidence for p in people])
    frame, person = _frames(people), _identities(people)
    _check_numbers(points, confidence, people, person, convention)
    if format == "mediapipe":
        if image_size is None:
            raise InputError("MediaPipe's landmarks are shares of the image; expected image_size to be given.")
        if np.median(np.abs(points)) > LARGEST_SHARE:
            raise InputError("the landmarks are typically many images away; expected shares of the image, not pixels.")
        points = points * image_size
    visible = (confidence >= lowest_confidence) & (points != 0).any(axis=-1)
    if visible.any() and np.abs(points[visible]).max() <= SMALLEST_PERSON:
        raise InputError(
            f"all coordinates are within {SMALLEST_PERSON:g} of 0; expected pixels, not shares of the image."
        )

    mean = (confidence * visible).sum(axis=1) / np.maximum(visible.sum(axis=1), 1)
    score = np.array([m if p.score is None else p.score for p, m in zip(people, mean, strict=True)], np.float32)
    found = convert(points, convention, visible, confidence)
    # Numbers in order, names in the order of the file.
    ranks = frame if frame.dtype.kind == "i" else _order_of_appearance(frame)
    rows = np.argsort(ranks, kind="stable")
    rows = rows[found.visible[rows].any(axis=1)]
    if len(rows) == 0:
        raise InputError("no people found: no joint is there with enough confidence.")
    return Detections(
        keypoints=found.points[rows].astype(np.float32),
        visible=found.visible[rows],
        confidence=found.confidence[rows].astype(np.float32),
        frame=frame[rows],
        person=person[rows],
        score=score[rows],
        source_format=format,
        convention=convention,
        image_size=None if image_size is None else (int(image_size[0]), int(image_size[1])),
    )


def _frames(people: list[Person]) -> np.ndarray:
    """(N,) integers if all are numbers, or images named by numbers; otherwise texts."""
    frames = [person.frame for person in people]
    numbers = [re.fullmatch(r"([0-9]{1,15})(\.[A-Za-z]{3,4})?", str(frame)) for frame in frames]
    if all(numbers):
        return np.array([int(number[1]) for number in numbers], np.int64)
    if all(isinstance(frame, int) for frame in frames):
        return np.array(frames, np.int64)
    names = [str(frame) for frame in frames]
    for name, person in zip(names, people, strict=True):
        if not (name.isprintable() and 0 < len(name) <= LONGEST_NAME):
            raise InputError(f"{person.where}: the frame is called {name[:40]!r}; expected a short printable name.")
    return np.array(names)


def _identities(people: list[Person]) -> np.ndarray:
    """(N,) the tracker's identities; in frames where they don't tell all people apart, places in the frame."""
    by_frame: dict[int | str, list[int]] = {}
    for index, person in enumerate(people):
        by_frame.setdefault(person.frame, []).append(index)
    identities = np.empty(len(people), np.int64)
    for rows in by_frame.values():
        found = [people[row].person for row in rows]
        # Without tracking, some programs write the same number for everybody.
        distinct = None not in found and len(set(found)) == len(found)
        identities[rows] = found if distinct else range(len(rows))
    return identities


def _order_of_appearance(texts: np.ndarray) -> np.ndarray:
    ranks = {text: rank for rank, text in enumerate(dict.fromkeys(texts.tolist()))}
    return np.array([ranks[text] for text in texts.tolist()])


def _check_numbers(
    points: np.ndarray, confidence: np.ndarray, people: list[Person], person: np.ndarray, convention: str
) -> None:
    values = np.concatenate([points, confidence[..., None]], axis=-1)
    bad = ~(np.abs(values) <= LARGEST_COORDINATE).all(axis=-1)
    if bad.any():
        row, joint = np.argwhere(bad)[0]
        (x, y, c), name = values[row, joint], CONVENTIONS[convention].joints[joint]
        raise InputError(
            f"{people[row].where} (frame {people[row].frame}, person {person[row]}): {name} is at ({x:g}, {y:g}) with "
            f"confidence {c:g}; expected finite numbers, pixels in an image."
        )
