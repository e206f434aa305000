"""Keypoints that detectors found in images and videos: any known file → people in our joints, in pixels.

The format, one of `detector_files.FORMATS`, is found by looking into the file, or named.
"""

import dataclasses
import os
import pathlib
from collections import Counter
from collections.abc import Iterator

import numpy as np

from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.keypoint_conventions import Convention, convention_by_name, convention_of, convert
from tf_wsgen.datasets.readers.detector_files import (
    FORMAT_CONVENTIONS,
    FORMATS,
    FileContent,
    frames_of_names,
    naming,
    read_file,
)
from tf_wsgen.datasets.readers.identities import TRACKING, identities
from tf_wsgen.datasets.readers.joint_names import listed, unused_names
from tf_wsgen.datasets.readers.json_values import EmptyFrame, Person
from tf_wsgen.errors import InputError, check_choice
from tf_wsgen.simulation.settings import LOWEST_SCORE
from tf_wsgen.skeleton import HUMAN16

# The formats of data sets of single images; the others' numbered frames are a video's.
IMAGE_FORMATS = ("coco_results", "coco_annotations", "pose_hg")
# Joints below it count as missing in programs, where nobody says otherwise.
LOWEST_CONFIDENCE = 0.1
# No image is as wide (pixels), and no name as long; coordinates that are all as near to 0 are shares of the image.
LARGEST_COORDINATE, LONGEST_NAME, SMALLEST_PERSON = 1e6, 255, 2.0
# Joints may be guessed outside the image, but typically not ten images away, and not a quarter of them beyond its
# left and upper edges.
LARGEST_SHARE, MOST_OUTSIDE = 10.0, 0.25
# Pixels come from detectors, which see none there: more of them than this, and the image's size is wrong.
MOST_BEYOND = 0.1
# Confidences are of a scale of 1, or of 100; of depths many are negative, or most are large.
LARGEST_CONFIDENCE, MOST_NEGATIVE = 100.0, 0.25
TRUNK = [
    HUMAN16.index(joint) for joint in ("right_hip", "left_hip", "right_shoulder", "left_shoulder", "thorax", "pelvis")
]
SIDEWAYS = 0.2
# The formats that define their joints; in the others a number of joints is a guess.
SELF_EVIDENT = ("mediapipe", "pose_hg")
# How the formats begin of what a detector found in a video itself.
VIDEO = "video by"


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
        source_format: Which of `FORMATS`, or "video by" a detector.
        convention: The convention of the file's joints; "named" where their names in the file are none of the known.
        image_size: Width and height in pixels, where known.
        notes: Sentences about what was assumed and left out.
        span: The first and the last frame of the file, where frames are numbers: also those without anybody.
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
    notes: tuple[str, ...] = ()
    span: tuple[int, int] | None = None

    def __len__(self):
        return len(self.keypoints)

    def take(self, rows: np.ndarray) -> "Detections":
        """The rows of these numbers, or where this is true."""
        arrays = {name: values[rows] for name, values in vars(self).items() if isinstance(values, np.ndarray)}
        return dataclasses.replace(self, **arrays)

    def in_frames(self, first: int, end: int) -> "Detections":
        """The rows of the frames from `first` on and before `end`."""
        if self.span is None:
            raise InputError("frames have names, not numbers; expected a video to choose frames of.")
        inside = (self.frame >= first) & (self.frame < end)
        if not inside.any():
            known = f"the file has {self.span[0]} to {self.span[1]}"
            raise InputError(f"nobody is in the frames {first} to {end - 1}; {known}.")
        span = max(first, self.span[0]), min(end - 1, self.span[1])
        return dataclasses.replace(self.take(inside), span=span)

    def of_person(self, who: str) -> "Detections":
        """The rows of a person by number, or of the "largest": who takes the most of the image over all frames."""
        numbers = np.unique(self.person)
        if who == "largest":
            size = np.array([np.ptp(p[v], axis=0).max() for p, v in zip(self.keypoints, self.visible, strict=True)])
            who = str(numbers[np.argmax([size[self.person == number].sum() for number in numbers])])
        chosen = self.person == int(who) if who.isdecimal() else np.zeros(len(self), bool)
        if not chosen.any():
            raise InputError(f"person is {who!r}; expected 'largest' or one of {numbers.tolist()[:20]}.")
        return self.take(chosen)

    @property
    def sureness(self) -> np.ndarray:
        """(N, 16) 0 for missing joints; for the others the confidence between `LOWEST_SCORE` and 1."""
        return np.where(self.visible, self.confidence.clip(LOWEST_SCORE, 1.0), 0.0)

    @property
    def time_line(self) -> tuple[np.ndarray, int]:
        """(N,) integers, the rows' places in the video, and its length in frames; single images follow one another."""
        if self.span is not None and self.source_format not in IMAGE_FORMATS:
            return self.frame - self.span[0], self.span[1] - self.span[0] + 1
        places = _order_of_appearance(self.frame)
        return places, int(places.max()) + 1


def read_detections(
    path: str | os.PathLike,
    format: str = "auto",
    convention: str | None = None,
    image_size: tuple[int, int] | None = None,
    lowest_confidence: float = 0.0,
    track: str = "auto",
) -> Detections:
    """Reads a file of detections.

    A joint is missing whose confidence is below `lowest_confidence` or which is exactly at (0, 0) or (-1, -1), the
    way detectors write what they didn't find. People without any joint are left out; so are entries that are wrong,
    which the notes count. Coordinates that are all within 2 are shares of the image.

    Args:
        path: The file, perhaps compressed by gzip, a folder of a file a frame, or "-" for the standard input.
        format: One of `FORMATS`, or "auto".
        convention: A name in `CONVENTIONS`; None takes what the file says, or else what the format has with that
            number of joints.
        image_size: Width and height in pixels; needed for MediaPipe and all other shares of the image.
        lowest_confidence: From 0, in the detector's scale.
        track: "auto" follows people over the frames of a video where the file does not number them all, "file" takes
            the file's numbers alone, "off" the place in the frame.

    Raises:
        InputError: The content is not what the format says, with file, place, what was found and what was
            expected; nothing left of it; joints that the file names and we don't know; unknown format or convention.
    """
    path = pathlib.Path(path)
    if format not in (*FORMATS, "auto"):
        raise InputError(f"format is {format!r}; expected 'auto' or one of {list(FORMATS)}.")
    check_reading(image_size, lowest_confidence, track)
    if convention is not None:
        convention_by_name(convention)

    content = read_file(path, format, convention)
    with naming(path):
        return detections_of(content, convention, image_size, lowest_confidence, track)


def check_reading(image_size: tuple[int, int] | None, lowest_confidence: float, track: str) -> None:
    """Refuses what `read_detections` cannot take, of what it says there."""
    if not 0.0 <= lowest_confidence < np.inf:
        raise InputError(f"lowest_confidence is {lowest_confidence}; expected a number from 0.")
    if image_size is not None and not (len(image_size) == 2 and all(0 < n <= LARGEST_COORDINATE for n in image_size)):
        raise InputError(f"image_size is {image_size}; expected width and height in pixels.")
    check_choice("track", track, TRACKING)


def detection_clips(detections: Detections, where: str, group: str) -> Iterator[Clip]:
    """The detections as clips of 2D alone, one a person.

    The name of `where`, the file, is the sequence; where frames are single images, their numbers or names are.
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


def _people(content: FileContent, named: str | None) -> tuple[list[Person], Convention, list[str]]:
    """The people that are as they should be, their joints, and what is to be told."""
    people = [entry for entry in content.entries if isinstance(entry, Person)]
    wrong = [str(entry) for entry in content.entries if isinstance(entry, InputError)]
    if not people:
        raise InputError(wrong[0] if wrong else "no people found.")
    notes = list(content.notes)
    total = len(people) + len(wrong)
    counts = Counter(len(person.points) for person in people)
    if named is not None:
        table = convention_by_name(named)
    elif content.convention is not None:
        table = content.convention
        unused = unused_names(table) if table.name == "named" else []
        says = "as the detector has them" if content.format.startswith(VIDEO) else "as the file says"
        notes.append(f"joints: {table.name}, {says}" + (f"; not used: {listed(unused)}" if unused else ""))
        if len(table.joints) not in counts:
            raise InputError(
                f"{people[0].where} has {len(people[0].points)} joints; the file names {len(table.joints)}: "
                f"{listed(table.joints)}."
            )
    else:
        count = counts.most_common(1)[0][0]
        table = convention_of(count, FORMAT_CONVENTIONS[content.format])
        if content.format not in SELF_EVIDENT:
            notes.append(f"joints: {table.name}, for their number alone, {count} (--convention names another)")
    people, more = _right_and_wrong(people, table)
    wrong += more
    if not people:
        raise InputError(wrong[0])
    if wrong:
        notes.append(f"{len(wrong):,} of {total:,} entries are left out; the first: {wrong[0].rstrip('.')}")
    return people, table, notes


def _right_and_wrong(people: list[Person], table: Convention) -> tuple[list[Person], list[str]]:
    """The people whose joints are as they should be, and what is wrong with the others."""
    fitting, wrong = [], []
    for person in people:
        if len(person.points) == len(table.joints):
            fitting.append(person)
        else:
            wrong.append(f"{person.where} has {len(person.points)} joints; {table.name!r} has {len(table.joints)}.")
    if not fitting:
        return [], wrong
    values = np.stack([np.column_stack([person.points, person.confidence]) for person in fitting])
    bad = ~(np.abs(values) <= LARGEST_COORDINATE).all(axis=-1)
    for row in np.flatnonzero(bad.any(axis=-1)).tolist():
        joint = int(np.argmax(bad[row]))
        x, y, confidence = values[row, joint]
        wrong.append(
            f"{fitting[row].where} (frame {fitting[row].frame}): {table.joints[joint]} is at ({x:g}, {y:g}) with "
            f"confidence {confidence:g}; expected finite numbers, pixels in an image."
        )
    return [fitting[row] for row in np.flatnonzero(~bad.any(axis=-1)).tolist()], wrong


def detections_of(
    content: FileContent,
    convention: str | None,
    image_size: tuple[int, int] | None,
    lowest_confidence: float,
    track: str,
) -> Detections:
    """What `read_detections` makes of a file's content; what a detector found itself goes the same way.

    Raises:
        InputError: Nobody is left of it.
    """
    people, table, notes = _people(content, convention)
    image_size = image_size or content.image_size
    points, confidence = np.stack([p.points for p in people]), np.stack([p.confidence for p in people])
    _check_confidences(confidence[(points != 0).any(axis=-1)])
    frame = _frames(people)
    visible = (confidence >= lowest_confidence) & (points != 0).any(axis=-1) & (points != -1).any(axis=-1)
    if content.format == "mediapipe" or (visible.any() and np.abs(points[visible]).max() <= SMALLEST_PERSON):
        points = _pixels(points, visible, image_size)
        notes = [*notes, f"coordinates: shares of the image, taken times {image_size[0]}x{image_size[1]} pixels"]
    elif image_size is not None and visible.any():
        outside = ((points < 0) | (points > image_size)).any(axis=-1)[visible].mean()
        if outside > MOST_BEYOND:
            size = f"{image_size[0]}x{image_size[1]}"
            notes = [
                *notes,
                f"WARNING: {outside:.0%} of the joints are outside of an image of {size}; is it that large?",
            ]

    mean = (confidence * visible).sum(axis=1) / np.maximum(visible.sum(axis=1), 1)
    score = np.array([m if p.score is None else p.score for p, m in zip(people, mean, strict=True)], np.float32)
    found = convert(points, table, visible, confidence)
    if _crossed(found.points, found.visible):
        notes = [*notes, "WARNING: hips and shoulders have left and right the other way round in most people"]
    notes = [*notes, *_posture(found.points, found.visible)]
    if track == "off":
        people = [person._replace(person=None) for person in people]
    follows = track == "auto" and frame.dtype.kind == "i" and content.format not in IMAGE_FORMATS
    person, about_people = identities(people, frame, found.points, found.visible, follows)
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
        source_format=content.format,
        convention=table.name,
        image_size=None if image_size is None else (int(image_size[0]), int(image_size[1])),
        notes=(*notes, *about_people),
        span=_span(frame, content),
    )


def _crossed(points: np.ndarray, visible: np.ndarray) -> bool:
    """Whether most (N, 16, 2) people have the left hip and the left shoulder on different sides: names are mixed up."""
    hips, shoulders, trunk = (
        points[:, HUMAN16.index(end)] - points[:, HUMAN16.index(start)]
        for start, end in (("right_hip", "left_hip"), ("right_shoulder", "left_shoulder"), ("pelvis", "thorax"))
    )
    # Seen from the side, small differences tell nothing.
    least = SIDEWAYS * np.linalg.norm(trunk, axis=-1)
    broad = (np.linalg.norm(hips, axis=-1) > least) & (np.linalg.norm(shoulders, axis=-1) > least)
    broad &= visible[:, TRUNK].all(axis=-1)
    return broad.any() and ((hips * shoulders).sum(axis=-1)[broad] < 0).mean() > 0.5


def _posture(points: np.ndarray, visible: np.ndarray) -> list[str]:
    """What is to be told of most (N, 16, 2) people: the trunk is along the image's width, or head down."""
    seen = visible[:, TRUNK].all(axis=-1)
    across, down = (points[seen, HUMAN16.index("thorax")] - points[seen, HUMAN16.index("pelvis")]).T
    lying, head_down = np.abs(across) > np.abs(down), down > np.abs(across)
    if seen.any() and lying.mean() > 0.5:
        return ["most people lie in the image: if they don't, the file has y before x, or the video is turned"]
    told = "most people are head down in the image: if they aren't, the file counts y upwards"
    return [told] if seen.any() and head_down.mean() > 0.5 else []


def _check_confidences(given: np.ndarray) -> None:
    given = given[given != -1]  # What some write of joints that they did not find.
    if given.size and ((given < 0).mean() > MOST_NEGATIVE or np.median(given) > LARGEST_CONFIDENCE):
        raise InputError(
            f"the joints' third numbers are from {given.min():g} to {given.max():g}, which are no confidences; "
            "expected poses in 2D (of 3D or MediaPipe's x, y, z give x and y alone)."
        )


def _pixels(points: np.ndarray, visible: np.ndarray, image_size: tuple[int, int] | None) -> np.ndarray:
    """(N, K, 2) pixels, of shares of the image."""
    if np.median(np.abs(points)) > LARGEST_SHARE:
        raise InputError("the landmarks are typically many images away; expected shares of the image, not pixels.")
    if (points[visible] < 0).sum() > MOST_OUTSIDE * points[visible].size:
        raise InputError(
            "coordinates are from -1 to 1, as of 3D in metres; expected 2D: pixels, or shares of the image from 0 to 1."
        )
    if image_size is None:
        raise InputError(
            "coordinates are shares of the image, not pixels; expected the image's size, --image_size WIDTHxHEIGHT "
            "(image_size in Python)."
        )
    return points * image_size


def _frames(people: list[Person]) -> np.ndarray:
    """(N,) integers if all are numbers, or images named by numbers; otherwise texts."""
    frames = [person.frame for person in people]
    if not all(isinstance(frame, int) for frame in frames):
        frames = frames_of_names(list(map(str, frames)))
    if isinstance(frames[0], int):
        return np.array(frames, np.int64)
    for name, person in zip(map(str, frames), people, strict=True):
        if not (name.isprintable() and 0 < len(name) <= LONGEST_NAME):
            raise InputError(f"{person.where}: the frame is called {name[:40]!r}; expected a short printable name.")
    return np.array(frames)


def _span(frame: np.ndarray, content: FileContent) -> tuple[int, int] | None:
    if frame.dtype.kind != "i":
        return None
    empty = [entry.frame for entry in content.entries if isinstance(entry, EmptyFrame) and isinstance(entry.frame, int)]
    return min(frame.tolist() + empty), max(frame.tolist() + empty)


def _order_of_appearance(texts: np.ndarray) -> np.ndarray:
    ranks = {text: rank for rank, text in enumerate(dict.fromkeys(texts.tolist()))}
    return np.array([ranks[text] for text in texts.tolist()])
