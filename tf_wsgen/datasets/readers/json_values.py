"""People in JSON files: what a reader gives, and values that are checked where they are taken."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import Convention
from tf_wsgen.errors import InputError
from tf_wsgen.files import has_shape

# Integers beyond it are no frame or person, and not exact in other programs' floats.
LARGEST_INTEGER = 2**53
LARGEST_SCORE = 1e6


class Person(NamedTuple):
    """One person in one frame, as the detector says.

    Attributes:
        where: The place in the file, for messages.
        frame: Its number or name.
        person: The tracker's identity, or None.
        points: (K, 2) float64 pixels, in the detector's order of joints; MediaPipe's are shares of the image.
        confidence: (K,) float64, 1 where the detector says nothing.
        score: The detector's for the person, or None.
    """

    where: str
    frame: int | str
    person: int | None
    points: np.ndarray
    confidence: np.ndarray
    score: float | None


class EmptyFrame(NamedTuple):
    """A frame of a video in which nobody was found."""

    frame: int | str


# A person, or what is wrong with the entry, or a frame without any.
Entry = Person | InputError | EmptyFrame


class FileContent(NamedTuple):
    """What a file or folder holds.

    Attributes:
        format: One of `FORMATS`, or what found them.
        entries: The people, and what is wrong with entries that are none.
        convention: The joints that the file itself tells, or None.
        image_size: Width and height in pixels that the file tells, or None.
        notes: Sentences about what was found.
    """

    format: str
    entries: Sequence[Entry]
    convention: Convention | None = None
    image_size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()


def attempt(read: Callable[..., Any], *arguments: Any) -> Any:
    """What is read, or what is wrong with it."""
    try:
        return read(*arguments)
    except InputError as error:
        return error


def in_frame(
    read: Callable[..., Person], people: list, place: str, frame: int | str, *arguments: Any
) -> Iterator[Entry]:
    """The people of a frame: what `read` makes of each in the list at `place`, its place, the frame and the rest."""
    if not people:
        yield EmptyFrame(frame)
    for index, person in enumerate(people):
        yield attempt(read, person, f"{place}[{index}]", frame, *arguments)


def placed(entry: Entry, before: str) -> Entry:
    """An entry whose place, where it has one, begins with what stands before it."""
    if isinstance(entry, InputError):
        return InputError(f"{before}{entry}")
    return entry._replace(where=f"{before}{entry.where}") if isinstance(entry, Person) else entry


def is_landmark(first: list) -> bool:
    """Whether a list begins with a point, an object with x."""
    return bool(first) and isinstance(first[0], dict) and "x" in first[0]


def plain_pose(pose: Any) -> Any:
    """A pose whose joints are points with names: PoseNet had `part` and `position`, ml5 a `pose` around it."""
    pose = pose["pose"] if isinstance(pose, dict) and isinstance(pose.get("pose"), dict) else pose
    joints = pose.get("keypoints") if isinstance(pose, dict) else None
    if not (isinstance(joints, list) and all(isinstance(one, dict) and "position" in one for one in joints)):
        return pose
    places = [one["position"] if isinstance(one["position"], dict) else {} for one in joints]
    named = [place | one | {"name": one.get("part")} for place, one in zip(places, joints, strict=True)]
    return pose | {"keypoints": named}


def has_points(pose: dict) -> bool:
    """Whether a pose has a list of points as its keypoints."""
    keypoints = plain_pose(pose).get("keypoints")
    return isinstance(keypoints, list) and is_landmark(keypoints[:1])


def first_entry(content: Any) -> Any:
    """What the first list in lists that isn't empty begins with; None if all are empty."""
    while isinstance(content, list):
        content = next((inner for inner in content if inner not in (None, [])), None)
    return content


def numbers(values: Any, where: str, shape: tuple[int | None, ...] | None = None) -> np.ndarray:
    """Lists of JSON numbers as a float64 array; null is not a number. None in the shape admits any length.

    Raises:
        InputError: Anything but numbers in lists of that shape.
    """
    lengths = ("N" if length is None else str(length) for length in shape or ())
    expected = "lists of numbers of one length" if shape is None else " x ".join(lengths) + " numbers"
    try:
        array = np.asarray(values)
        if array.ndim and array.dtype == object:
            array = np.array([np.nan if one is None else one for one in array.flat]).reshape(array.shape)
    except ValueError:
        raise InputError(f"{where} has rows of different lengths; expected {expected}.") from None
    if array.dtype.kind not in "fiu" and array.size:
        raise InputError(f"{where} is {kind_of(values)}; expected {expected}.")
    if shape is not None and not has_shape(array, shape):
        found = " x ".join(map(str, array.shape)) or "one"
        raise InputError(f"{where} has {found} numbers; expected {expected}.")
    return array.astype(np.float64)


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list with other things than numbers", str: "a text", type(None): "null"}
    return names.get(type(value), f"{value!r}")


def member(value: Any, key: str, where: str) -> Any:
    """The member of a JSON object."""
    if not isinstance(value, dict):
        raise InputError(f"{where} is {kind_of(value)}; expected an object with {key!r}.")
    if key not in value:
        raise InputError(f"{where} has no {key!r}; it has {sorted(value)[:8]}.")
    return value[key]


def items(value: Any, where: str) -> list:
    """The items of a JSON list."""
    if not isinstance(value, list):
        raise InputError(f"{where} is {kind_of(value)}; expected a list.")
    return value


def triples(values: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    """(K, 2) points and (K,) confidences, from three numbers a joint."""
    flat = numbers(values, where, (None,))
    if flat.size == 0 or flat.size % 3:
        raise InputError(f"{where} has {flat.size} numbers; expected three a joint: x, y, confidence.")
    rows = flat.reshape(-1, 3)
    return rows[:, :2], rows[:, 2]


def flat_person(
    person: Any, where: str, frame: int | str, key: str = "keypoints", identity: str = "", score: str = ""
) -> Person:
    """A person whose joints are x, y, confidence one after the other; by the keys of joints, identity and score."""
    points, confidence = triples(member(person, key, where), f"{where}.{key}")
    return Person(where, frame, identity_of(person, identity), points, confidence, score_of(person, score, where))


def landmarks(values: Any, where: str, confidence: str) -> tuple[np.ndarray, np.ndarray]:
    """(K, 2) points and (K,) confidences, 1 where there is none, from objects with x, y and perhaps a confidence."""
    try:
        rows = numbers([[one["x"], one["y"], one.get(confidence, 1.0)] for one in values], where, (None, 3))
    except (InputError, LookupError, TypeError, AttributeError):
        # Something is wrong: where?
        rows = np.zeros((0, 3))
        for index, one in enumerate(items(values, where)):
            inside = f"{where}[{index}]"
            numbers([member(one, "x", inside), member(one, "y", inside), one.get(confidence, 1.0)], inside, (3,))
    return rows[:, :2], rows[:, 2]


def _is_integer(value: Any) -> bool:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool) and abs(value) < LARGEST_INTEGER


def frame_of(value: Any, where: str) -> int | str:
    """A frame's number, or its image's name."""
    if isinstance(value, str):
        return value
    if not _is_integer(value):
        raise InputError(f"{where} is {kind_of(value)}; expected a frame's number or an image's name.")
    return int(value)


def identity_of(person: dict, key: str) -> int | None:
    """The tracker's identity, which some wrap in lists; what is no number from 0 means that there is none."""
    value = person.get(key)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return int(value) if _is_integer(value) and value >= 0 else None


def score_of(person: dict, key: str, where: str) -> float | None:
    """A person's score, or None."""
    if key not in person:
        return None
    value = person[key][0] if isinstance(person[key], list) and len(person[key]) == 1 else person[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_SCORE:
        raise InputError(f"{where}.{key} is {kind_of(value)}; expected a finite number, at most {LARGEST_SCORE:g}.")
    return float(value)


def one_size(images: Any, width: str, height: str) -> tuple[int, int] | None:
    """Width and height by their keys in a list of objects, if these are all of one size."""
    images = images if isinstance(images, list) else []
    sizes = [(one.get(width), one.get(height)) if isinstance(one, dict) else (None, None) for one in images]
    across, down = sizes[0] if sizes and all(size == sizes[0] for size in sizes) else (None, None)
    return (across, down) if isinstance(across, int) and isinstance(down, int) and min(across, down) > 0 else None
