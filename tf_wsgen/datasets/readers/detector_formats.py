"""What pose detectors write, format by format: the content of a JSON file → one `Person` after the other.

Nothing is believed: a wrong type anywhere is an `InputError` that names the place in the file, and the file's name
is put before it by the caller. Where only one person is wrong the error is yielded in its place: one bad entry does
not sink a file. Formats: MMPose and Ultralytics as their programs save results, OpenPose and AlphaPose
output documents, COCO's data and results formats (cocodataset.org), MediaPipe pose landmarks.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import Convention
from tf_wsgen.datasets.readers.joint_names import convention_of_names, convention_of_set
from tf_wsgen.errors import InputError

# Integers beyond it are no frame or person, and not exact in other programs' floats.
LARGEST_INTEGER = 2**53
LARGEST_SCORE = 1e6
# How dumps of MediaPipe call a frame's own number.
FRAME_KEYS = ("frame", "frame_id", "frame_number", "frame_index", "frame_idx")


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


def _entry(read: Callable[..., Person], *arguments: Any) -> Entry:
    try:
        return read(*arguments)
    except InputError as error:
        return error


def mmpose(content: Any) -> Iterator[Entry]:
    """MMPose: `instance_info`, or the list in it: of frames, of an image's instances, or of images' lists of them."""
    place = ""
    if isinstance(content, dict):
        place, content = "instance_info", _member(content, "instance_info", "the file")
    for index, entry in enumerate(_list(content, place or "the file")):
        where, frame, instances = f"{place}[{index}]", 0, None
        if isinstance(entry, list):
            frame, instances = index, entry
        elif isinstance(entry, dict) and "instances" in entry:
            frame = _frame(entry.get("frame_id", index), f"{where}.frame_id")
            where += ".instances"
            instances = _list(entry["instances"], where)
        if instances is None:
            yield _entry(_mmpose_person, entry, where, frame)
        elif not instances:
            yield EmptyFrame(frame)
        else:
            yield from (_entry(_mmpose_person, one, f"{where}[{i}]", frame) for i, one in enumerate(instances))


def _mmpose_person(instance: Any, where: str, frame: int | str) -> Person:
    points = numbers(_member(instance, "keypoints", where), f"{where}.keypoints", (None, 2))
    confidence = np.ones(len(points))
    if "keypoint_scores" in instance:
        confidence = numbers(instance["keypoint_scores"], f"{where}.keypoint_scores", (len(points),))
    return Person(
        where, frame, _identity(instance, "track_id"), points, confidence, _score(instance, "bbox_score", where)
    )


def openpose(content: Any, frame: int | str) -> Iterator[Entry]:
    """OpenPose: the file of one frame."""
    people = _list(_member(content, "people", "the file"), "people")
    if not people:
        yield EmptyFrame(frame)
    for index, person in enumerate(people):
        yield _entry(_openpose_person, person, f"people[{index}]", frame)


def _openpose_person(person: Any, where: str, frame: int | str) -> Person:
    points, confidence = _triples(_member(person, "pose_keypoints_2d", where), f"{where}.pose_keypoints_2d")
    return Person(where, frame, _identity(person, "person_id"), points, confidence, None)


def results(content: Any) -> Iterator[Entry]:
    """COCO results, and AlphaPose's (whose images have names): a list of people with flat keypoints."""
    for index, person in enumerate(_list(content, "the file")):
        yield _entry(_result, person, f"[{index}]")


def _result(person: Any, where: str) -> Person:
    points, confidence = _triples(_member(person, "keypoints", where), f"{where}.keypoints")
    frame = _frame(_member(person, "image_id", where), f"{where}.image_id")
    return Person(where, frame, _identity(person, "idx"), points, confidence, _score(person, "score", where))


def coco_annotations(content: Any) -> Iterator[Entry]:
    """COCO data: the annotations; visibility 1 (labelled, hidden) and 2 are joints that are there."""
    for index, annotation in enumerate(_list(_member(content, "annotations", "the file"), "annotations")):
        yield _entry(_coco_person, annotation, f"annotations[{index}]")


def _coco_person(annotation: Any, where: str) -> Person:
    points, flags = _triples(_member(annotation, "keypoints", where), f"{where}.keypoints")
    if not np.isin(flags, (0, 1, 2)).all():
        raise InputError(f"{where}.keypoints has visibilities other than 0, 1 and 2.")
    frame = _frame(_member(annotation, "image_id", where), f"{where}.image_id")
    # What is not finite is left for the check that names it.
    points = np.where(np.isfinite(points) & (flags == 0)[:, None], 0.0, points)
    return Person(where, frame, _identity(annotation, "track_id"), points, (flags > 0).astype(np.float64), None)


def ultralytics(content: Any) -> Iterator[Entry]:
    """Ultralytics: `Results.to_json()` of one image, or a list of those, one a frame."""
    frames = _list(content, "the file")
    many = any(isinstance(frame, list) for frame in frames)
    for index, people in enumerate(frames if many else [frames]):
        place = f"[{index}]" if many else ""
        if people == []:
            yield EmptyFrame(index)
        for i, person in enumerate(_list(people, place)):
            yield _entry(_ultralytics_person, person, f"{place}[{i}]", index)


def _ultralytics_person(person: Any, where: str, frame: int) -> Person:
    keypoints, inside = _member(person, "keypoints", where), f"{where}.keypoints"
    x = numbers(_member(keypoints, "x", inside), f"{inside}.x", (None,))
    y = numbers(_member(keypoints, "y", inside), f"{inside}.y", (len(x),))
    seen = numbers(keypoints.get("visible", [1.0] * len(x)), f"{inside}.visible", (len(x),))
    identity, score = _identity(person, "track_id"), _score(person, "confidence", where)
    return Person(where, frame, identity, np.stack([x, y], axis=-1), seen, score)


def mediapipe(content: Any) -> Iterator[Entry]:
    """MediaPipe: landmarks of a pose, of several, or a list of frames of those; points are shares of the image."""
    frames = content if isinstance(content, list) and not _is_landmark(content[:1]) else [content]
    for index, frame in enumerate(frames):
        place = f"[{index}]" if frames is content else ""
        number = next((frame[key] for key in FRAME_KEYS if key in frame), index) if isinstance(frame, dict) else index
        number = _frame(number, f"{place}.frame")
        for key in ("pose_landmarks", "landmarks", "landmark"):
            # Old and new interfaces wrap them differently, some twice.
            if isinstance(frame, dict) and key in frame:
                place, frame = f"{place}.{key}".lstrip("."), frame[key]
        if not frame:
            yield EmptyFrame(number)
            continue
        single = _is_landmark(_list(frame, place or "the file")[:1])
        for i, pose in enumerate([frame] if single else frame):
            where = place if single else f"{place}[{i}]"
            if isinstance(pose, dict) and "landmark" in pose:
                where, pose = f"{where}.landmark", pose["landmark"]
            yield _entry(_mediapipe_person, pose, where, number)


def _is_landmark(first: list) -> bool:
    return bool(first) and isinstance(first[0], dict) and "x" in first[0]


def _mediapipe_person(landmarks: Any, where: str, frame: int | str) -> Person:
    rows = []
    for index, landmark in enumerate(_list(landmarks, where)):
        inside = f"{where}[{index}]"
        row = [_member(landmark, "x", inside), _member(landmark, "y", inside), landmark.get("visibility", 1.0)]
        rows.append(numbers(row, inside, (3,)))
    values = np.array(rows).reshape(-1, 3)
    return Person(where or "the file", frame, None, values[:, :2], values[:, 2], None)


# OpenPose is apart: a file is a frame there, and its name has the number.
JSON_FORMATS: dict[str, Callable[[Any], Iterator[Entry]]] = {
    "mmpose": mmpose,
    "alphapose": results,
    "ultralytics": ultralytics,
    "coco_results": results,
    "coco_annotations": coco_annotations,
    "mediapipe": mediapipe,
}


def formats_that_fit(content: Any) -> list[str]:
    """The names of the JSON formats that a file's first entries look like; none where there are no entries."""
    if isinstance(content, dict):
        keys = {
            "openpose": {"people"},
            "coco_annotations": {"annotations"},
            "mmpose": {"instance_info"},
            "mediapipe": {"landmarks", "pose_landmarks", "landmark"},
        }
        return [name for name, marks in keys.items() if marks & content.keys()]
    entry = first_entry(content)
    if not isinstance(entry, dict):
        return []
    keypoints, image = entry.get("keypoints"), entry.get("image_id")
    marks = {
        "mmpose": "instances" in entry or ("keypoint_scores" in entry and image is None),
        "alphapose": isinstance(keypoints, list) and isinstance(image, str),
        "ultralytics": isinstance(keypoints, dict),
        "coco_results": isinstance(keypoints, list) and isinstance(image, int),
        "mediapipe": bool({"landmarks", "pose_landmarks", "landmark", "x"} & entry.keys()),
    }
    return [name for name, fits in marks.items() if fits]


def first_entry(content: Any) -> Any:
    """What the first list in lists that isn't empty begins with; None if all are empty."""
    while isinstance(content, list):
        content = next((inner for inner in content if inner not in (None, [])), None)
    return content


def mmpose_joints(content: Any) -> Convention | None:
    """The joints that MMPose's `meta_info` names, one by one or as a data set; None where it does not."""
    about = content.get("meta_info") if isinstance(content, dict) else None
    if not isinstance(about, dict):
        return None
    names = about.get("keypoint_id2name")
    if not isinstance(names, dict) or not names:
        return convention_of_set(about.get("dataset_name"))
    return convention_of_names([names.get(str(index)) for index in range(len(names))])


def coco_joints(content: Any) -> Convention | None:
    """The joints that a COCO data file's categories list; of several lists the one that is a person's.

    Raises:
        InputError: No list, or several different ones, name a person's joints.
    """
    categories = content.get("categories") if isinstance(content, dict) else None
    categories = categories if isinstance(categories, list) else []
    lists = [one.get("keypoints") for one in categories if isinstance(one, dict)]
    lists = list(dict.fromkeys(tuple(map(str, names)) for names in lists if isinstance(names, list) and names))
    found = [_tried_names(names) for names in lists]
    people = [one for one in found if isinstance(one, Convention)]
    refused = [one for one in found if isinstance(one, InputError)]
    if refused and not people:
        raise refused[0]
    if len(people) > 1:
        raise InputError(f"categories have {len(people)} different lists of joints; expected one.")
    return people[0] if people else None


def _tried_names(names: tuple[str, ...]) -> Convention | InputError:
    try:
        return convention_of_names(names)
    except InputError as error:
        return error


def coco_image_size(content: Any) -> tuple[int, int] | None:
    """Width and height of the images of a COCO data file, if it says so and they are all of one size."""
    sizes = set()
    images = content.get("images", []) if isinstance(content, dict) else []
    for image in images if isinstance(images, list) else []:
        size = (image.get("width"), image.get("height")) if isinstance(image, dict) else (None, None)
        sizes.add(size if all(isinstance(n, int) and n > 0 for n in size) else None)
    return sizes.pop() if len(sizes) == 1 else None


def numbers(values: Any, where: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """Lists of JSON numbers as a float64 array; None in the shape admits any length.

    Raises:
        InputError: Anything but numbers in lists of that shape.
    """
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"{where} has rows of different lengths; expected {_shape_text(shape)}.") from None
    if array.dtype.kind not in "fiu" and array.size:
        raise InputError(f"{where} is {_kind(values)}; expected {_shape_text(shape)}.")
    fits = array.ndim == len(shape) and all(e in (None, n) for e, n in zip(shape, array.shape, strict=True))
    if not fits:
        found = " x ".join(map(str, array.shape)) or "one"
        raise InputError(f"{where} has {found} numbers; expected {_shape_text(shape)}.")
    return array.astype(np.float64)


def _shape_text(shape: tuple[int | None, ...]) -> str:
    return " x ".join("N" if length is None else str(length) for length in shape) + " numbers" if shape else "a number"


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list with other things than numbers", str: "a text", type(None): "null"}
    return names.get(type(value), f"{value!r}")


def _member(value: Any, key: str, where: str) -> Any:
    if not isinstance(value, dict):
        raise InputError(f"{where} is {_kind(value)}; expected an object with {key!r}.")
    if key not in value:
        raise InputError(f"{where} has no {key!r}; it has {sorted(value)[:8]}.")
    return value[key]


def _list(value: Any, where: str) -> list:
    if not isinstance(value, list):
        raise InputError(f"{where} is {_kind(value)}; expected a list.")
    return value


def _triples(values: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    """(K, 2) points and (K,) confidences, from three numbers a joint."""
    flat = numbers(values, where, (None,))
    if flat.size == 0 or flat.size % 3:
        raise InputError(f"{where} has {flat.size} numbers; expected three a joint: x, y, confidence.")
    rows = flat.reshape(-1, 3)
    return rows[:, :2], rows[:, 2]


def _is_integer(value: Any) -> bool:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool) and abs(value) < LARGEST_INTEGER


def _frame(value: Any, where: str) -> int | str:
    if isinstance(value, str):
        return value
    if not _is_integer(value):
        raise InputError(f"{where} is {_kind(value)}; expected a frame's number or an image's name.")
    return int(value)


def _identity(person: dict, key: str) -> int | None:
    """The tracker's identity, which some wrap in lists; what is no number from 0 means that there is none."""
    value = person.get(key)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return int(value) if _is_integer(value) and value >= 0 else None


def _score(person: dict, key: str, where: str) -> float | None:
    if key not in person:
        return None
    value = person[key][0] if isinstance(person[key], list) and len(person[key]) == 1 else person[key]
    score = float(numbers(value, f"{where}.{key}", ()))
    if not abs(score) <= LARGEST_SCORE:
        raise InputError(f"{where}.{key} is {score:g}; expected a finite number, at most {LARGEST_SCORE:g}.")
    return score
