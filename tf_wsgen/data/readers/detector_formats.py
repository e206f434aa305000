"""What pose detectors write, format by format: the content of a JSON or CSV file → one `Person` after the other.

Nothing is believed: a wrong type anywhere is an `InputError` that names the place in the file, and the file's name
is put before it by the caller. Formats: MMPose and Ultralytics as their programs save results, OpenPose and AlphaPose
output documents, COCO's data and results formats (cocodataset.org), MediaPipe pose landmarks.
"""

import csv
import difflib
import pathlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tf_wsgen.data.keypoint_conventions import CONVENTIONS, Convention, convention_by_name
from tf_wsgen.data.safe_files import existing_file, one_sentence
from tf_wsgen.errors import InputError

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


def mmpose(content: Any) -> Iterator[Person]:
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
            yield _mmpose_person(entry, where, frame)
        else:
            yield from (_mmpose_person(person, f"{where}[{i}]", frame) for i, person in enumerate(instances))


def _mmpose_person(instance: Any, where: str, frame: int | str) -> Person:
    points = numbers(_member(instance, "keypoints", where), f"{where}.keypoints", (None, 2))
    confidence = np.ones(len(points))
    if "keypoint_scores" in instance:
        confidence = numbers(instance["keypoint_scores"], f"{where}.keypoint_scores", (len(points),))
    return Person(
        where, frame, _identity(instance, "track_id", where), points, confidence, _score(instance, "bbox_score", where)
    )


def openpose(content: Any, frame: int | str) -> Iterator[Person]:
    """OpenPose: the file of one frame."""
    for index, person in enumerate(_list(_member(content, "people", "the file"), "people")):
        where = f"people[{index}]"
        points, confidence = _triples(_member(person, "pose_keypoints_2d", where), f"{where}.pose_keypoints_2d")
        yield Person(where, frame, _identity(person, "person_id", where), points, confidence, None)


def results(content: Any) -> Iterator[Person]:
    """COCO results, and AlphaPose's (whose images have names): a list of people with flat keypoints."""
    for index, person in enumerate(_list(content, "the file")):
        where = f"[{index}]"
        points, confidence = _triples(_member(person, "keypoints", where), f"{where}.keypoints")
        frame = _frame(_member(person, "image_id", where), f"{where}.image_id")
        yield Person(where, frame, _identity(person, "idx", where), points, confidence, _score(person, "score", where))


def coco_annotations(content: Any) -> Iterator[Person]:
    """COCO data: the annotations; visibility 1 (labelled, hidden) and 2 are joints that are there."""
    for index, annotation in enumerate(_list(_member(content, "annotations", "the file"), "annotations")):
        where = f"annotations[{index}]"
        points, flags = _triples(_member(annotation, "keypoints", where), f"{where}.keypoints")
        if not np.isin(flags, (0, 1, 2)).all():
            raise InputError(f"{where}.keypoints has visibilities other than 0, 1 and 2.")
        frame = _frame(_member(annotation, "image_id", where), f"{where}.image_id")
        present = (flags > 0).astype(np.float64)
        # What is not finite is left for the check that names it.
        points = np.where(np.isfinite(points) & (flags == 0)[:, None], 0.0, points)
        yield Person(where, frame, _identity(annotation, "track_id", where), points, present, None)


def ultralytics(content: Any) -> Iterator[Person]:
    """Ultralytics: `Results.to_json()` of one image, or a list of those, one a frame."""
    frames = _list(content, "the file")
    many = any(isinstance(frame, list) for frame in frames)
    for index, people in enumerate(frames if many else [frames]):
        place = f"[{index}]" if many else ""
        for i, person in enumerate(_list(people, place)):
            where = f"{place}[{i}]"
            keypoints, inside = _member(person, "keypoints", where), f"{where}.keypoints"
            x = numbers(_member(keypoints, "x", inside), f"{inside}.x", (None,))
            y = numbers(_member(keypoints, "y", inside), f"{inside}.y", (len(x),))
            seen = numbers(keypoints.get("visible", [1.0] * len(x)), f"{inside}.visible", (len(x),))
            identity, score = _identity(person, "track_id", where), _score(person, "confidence", where)
            yield Person(where, index, identity, np.stack([x, y], axis=-1), seen, score)


def mediapipe(content: Any) -> Iterator[Person]:
    """MediaPipe: landmarks of a pose, of several, or a list of frames of those; points are shares of the image."""
    frames = content if isinstance(content, list) and not _is_landmark(content[:1]) else [content]
    for index, frame in enumerate(frames):
        place = f"[{index}]" if frames is content else ""
        for key in ("pose_landmarks", "landmarks", "landmark"):
            # Old and new interfaces wrap them differently, some twice.
            if isinstance(frame, dict) and key in frame:
                place, frame = f"{place}.{key}".lstrip("."), frame[key]
        if frame is None:
            continue
        single = _is_landmark(_list(frame, place or "the file")[:1])
        for i, pose in enumerate([frame] if single else frame):
            where = place if single else f"{place}[{i}]"
            if isinstance(pose, dict) and "landmark" in pose:
                where, pose = f"{where}.landmark", pose["landmark"]
            yield _mediapipe_person(_list(pose, where), where, index)


def _is_landmark(first: list) -> bool:
    return bool(first) and isinstance(first[0], dict) and "x" in first[0]


def _mediapipe_person(landmarks: list, where: str, frame: int) -> Person:
    rows = []
    for index, landmark in enumerate(landmarks):
        inside = f"{where}[{index}]"
        row = [_member(landmark, "x", inside), _member(landmark, "y", inside), landmark.get("visibility", 1.0)]
        rows.append(numbers(row, inside, (3,)))
    values = np.array(rows).reshape(-1, 3)
    return Person(where or "the file", frame, None, values[:, :2], values[:, 2], None)


# OpenPose is apart: a file is a frame there, and its name has the number.
JSON_FORMATS: dict[str, Callable[[Any], Iterator[Person]]] = {
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


def _identity(person: dict, key: str, where: str) -> int | None:
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


def csv_people(path: pathlib.Path, kind: str, convention: str | None) -> tuple[list[Person], str]:
    """CSV with a header, a row a joint or a row a person: all people, and the convention that has the joints' names."""
    with one_sentence(path, kind), open(existing_file(path, kind), encoding="utf-8-sig", newline="") as file:
        try:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            cells = list(_csv_cells(reader, header))
        except csv.Error as error:
            raise InputError(f"{path}: cannot be read as {kind} ({error}).") from None
    if not cells:
        raise InputError("no people found.")
    table = _convention_of_names(list(dict.fromkeys(joint for _, _, _, joint, _ in cells)), convention)
    place = {joint: index for index, joint in enumerate(table.joints)}
    people: dict[tuple[str, int], Person] = {}
    given = set()
    for line, frame, person, joint, (x, y, confidence) in cells:
        if (frame, person, joint) in given:
            raise InputError(f"line {line}: {joint} of person {person} in frame {frame!r} is there already.")
        given.add((frame, person, joint))
        if (frame, person) not in people:
            empty = np.zeros((len(place), 2)), np.zeros(len(place))
            people[frame, person] = Person(f"line {line}", frame, person, *empty, None)
        people[frame, person].points[place[joint]] = x, y
        people[frame, person].confidence[place[joint]] = confidence
    return list(people.values()), table.name


def _csv_cells(reader, header: list[str]) -> Iterator[tuple[int, str, int, str, list[float]]]:
    """Line, frame, person, joint and [x, y, confidence] of every joint that has coordinates."""
    columns = _csv_columns(header)
    for row in reader:
        line = reader.line_num
        if not row:
            continue
        if len(row) != len(header):
            raise InputError(f"line {line} has {len(row)} cells; expected {len(header)}.")
        cells = dict(zip(header, map(str.strip, row), strict=True))
        if not re.fullmatch(r"[0-9]{1,15}", cells["person"]):
            raise InputError(f"line {line}: person is {cells['person']!r}; expected a whole number from 0.")
        for joint, names in columns.items():
            if any(cells[name] for name in names[:2]):
                joint = joint or cells["joint"]
                yield line, cells["frame"], int(cells["person"]), joint, _csv_numbers(cells, names, line)


def _csv_columns(header: list[str]) -> dict[str, tuple[str, str, str]]:
    """The columns of x, y and confidence, by joint; "" stands for the joint that a row names."""
    columns, known = {"": ("x", "y", "confidence")}, {"frame", "person", "joint"}
    if "joint" not in header:
        stems = [name.rpartition("_")[0] for name in header if name not in known]
        columns = {stem: (f"{stem}_x", f"{stem}_y", f"{stem}_confidence") for stem in stems}
    known.update(name for names in columns.values() for name in names)
    needed = ["frame", "person", *(name for names in columns.values() for name in names[:2])]
    unknown = [name for name in header if name not in known]
    counts = Counter(header)
    lacking = [name for name in needed if name not in counts]
    twice = [name for name in header if counts[name] > 1]
    for problem, names in (("an unknown", unknown), ("no", lacking), ("more than one", twice)):
        if names:
            raise InputError(
                f"line 1 has {problem} column {names[0]!r}; expected frame, person, joint, x, y(, confidence) or "
                "frame, person, <joint>_x, <joint>_y(, <joint>_confidence), …"
            )
    if not columns:
        raise InputError("line 1 has no columns of joints.")
    return columns


def _csv_numbers(cells: dict[str, str], names: Sequence[str], line: int) -> list[float]:
    texts = [cells.get(name, "1") for name in names]
    try:
        return [float(text) for text in texts]
    except ValueError:
        raise InputError(f"line {line}: {', '.join(names)} are {texts}; expected numbers.") from None


def _convention_of_names(names: list[str], convention: str | None) -> Convention:
    """The convention named, or the one with just these joints; failing that, the only one that has them all."""
    tables = list(CONVENTIONS.values()) if convention is None else [convention_by_name(convention)]
    exact = [table for table in tables if set(table.joints) == set(names)]
    fitting = exact or [table for table in tables if set(table.joints) >= set(names)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise InputError(
            f"the joints fit any of {[table.name for table in fitting]}; expected the convention to be named."
        )
    nearest = max(tables, key=lambda table: len(set(table.joints) & set(names)))
    unknown = next(name for name in names if name not in nearest.joints)
    meant = difflib.get_close_matches(unknown, nearest.joints, n=1, cutoff=0.0)[0]
    raise InputError(f"joint {unknown[:40]!r} is unknown in convention {nearest.name!r}; did you mean {meant!r}?")
