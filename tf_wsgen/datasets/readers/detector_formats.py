"""What pose detectors write, format by format: the content of a file → one `Person` after the other.

Nothing is believed: a wrong type anywhere is an `InputError` that names the place in the file, and the caller puts the
file's name before it. Where only one person is wrong the error is yielded in its place: one bad entry does not sink a
file. Formats: MMPose, Ultralytics, DWPose, OpenPifPaf and TensorFlow.js as their programs save results, OpenPose's and
AlphaPose's output documents, COCO's data and results (cocodataset.org), MediaPipe's pose landmarks, YOLO's labels.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import Convention
from tf_wsgen.datasets.readers.joint_names import convention_of_names, convention_of_set
from tf_wsgen.datasets.readers.json_values import (
    EmptyFrame,
    Entry,
    Person,
    attempt,
    first_entry,
    flat_person,
    frame_of,
    has_points,
    identity_of,
    in_frame,
    is_landmark,
    items,
    landmarks,
    member,
    numbers,
    one_size,
    placed,
    plain_pose,
    score_of,
    triples,
)
from tf_wsgen.errors import InputError

# How dumps of MediaPipe call a frame's own number.
FRAME_KEYS = ("frame", "frame_id", "frame_number", "frame_index", "frame_idx", "frameId", "frameNumber", "frameIndex")
# And the landmarks, in Python and in the browser.
LANDMARK_KEYS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark")


def mmpose(content: Any) -> Iterator[Entry]:
    """MMPose: `instance_info`, or the list in it: of frames, of an image's instances, or of images' lists of them.

    Also what its API and `tools/test.py --out` gave before 1.0, and what Transformers' ViTPose gives.
    """
    place = ""
    if isinstance(content, dict):
        place, content = "instance_info", member(content, "instance_info", "the file")
    for index, entry in enumerate(items(content, place or "the file")):
        where, frame, instances = f"{place}[{index}]", 0, None
        if isinstance(entry, list):
            frame, instances = index, entry
        elif isinstance(entry, dict) and "instances" in entry:
            frame = frame_of(entry.get("frame_id", index), f"{where}.frame_id")
            where += ".instances"
            instances = items(entry["instances"], where)
        if isinstance(entry, dict) and "preds" in entry:
            people, images = items(entry["preds"], where), items(member(entry, "image_paths", where), where)
            if len(people) != len(images):
                raise InputError(f"{where} has {len(people)} preds of {len(images)} images; expected as many.")
            for place, pair in enumerate(zip(people, images, strict=True)):
                yield attempt(_mmpose_tested, *pair, f"{where}.preds[{place}]")
        elif instances is None:
            yield attempt(_mmpose_person, entry, where, frame)
        else:
            yield from in_frame(_mmpose_person, instances, where, frame)


def _mmpose_person(instance: Any, where: str, frame: int | str) -> Person:
    keypoints = member(instance, "keypoints", where)
    # Transformers' ViTPose calls them scores; MMPose before 1.0 has them in the keypoints.
    scores = next((key for key in ("keypoint_scores", "scores") if key in instance), None)
    first = keypoints[0] if scores is None and isinstance(keypoints, list) and keypoints else None
    of_three = isinstance(first, list) and len(first) == 3
    points = numbers(keypoints, f"{where}.keypoints", (None, 3 if of_three else 2))
    points, confidence = points[:, :2], points[:, 2] if of_three else np.ones(len(points))
    if scores is not None:
        confidence = numbers(instance[scores], f"{where}.{scores}", (len(points),))
    return Person(
        where, frame, identity_of(instance, "track_id"), points, confidence, score_of(instance, "bbox_score", where)
    )


def _mmpose_tested(person: Any, image: Any, where: str) -> Person:
    rows = numbers(person, where, (None, 3))
    return Person(where, frame_of(image, f"{where}'s image"), None, rows[:, :2], rows[:, 2], None)


def openpose(content: Any, frame: int | str) -> Iterator[Entry]:
    """OpenPose: the file of one frame; in 2017 the key had no `_2d`."""
    people = items(member(content, "people", "the file"), "people")
    old = any(isinstance(person, dict) and "pose_keypoints" in person for person in people)
    key = "pose_keypoints" if old else "pose_keypoints_2d"
    yield from in_frame(flat_person, people, "people", frame, key, "person_id")


def results(content: Any) -> Iterator[Entry]:
    """COCO results, and AlphaPose's (whose images have names): a list of people with flat keypoints."""
    for index, person in enumerate(items(content, "the file")):
        yield attempt(_result, person, f"[{index}]")


def _result(person: Any, where: str) -> Person:
    found = flat_person(person, where, 0, "keypoints", "idx", "score")
    return found._replace(frame=frame_of(member(person, "image_id", where), f"{where}.image_id"))


def coco_annotations(content: Any) -> Iterator[Entry]:
    """COCO data: the annotations; visibility 1 (labelled, hidden) and 2 are joints that are there."""
    for index, annotation in enumerate(items(member(content, "annotations", "the file"), "annotations")):
        yield attempt(_coco_person, annotation, f"annotations[{index}]")


def _coco_person(annotation: Any, where: str) -> Person:
    points, flags = triples(member(annotation, "keypoints", where), f"{where}.keypoints")
    if not ((flags == 0) | (flags == 1) | (flags == 2)).all():
        raise InputError(f"{where}.keypoints has visibilities other than 0, 1 and 2.")
    frame = frame_of(member(annotation, "image_id", where), f"{where}.image_id")
    # What is not finite is left for the check that names it.
    points = np.where(np.isfinite(points) & (flags == 0)[:, None], 0.0, points)
    # PoseTrack says it here, CVAT in the attributes.
    attributes = annotation.get("attributes")
    tracked = attributes if isinstance(attributes, dict) and "track_id" not in annotation else annotation
    return Person(where, frame, identity_of(tracked, "track_id"), points, (flags > 0).astype(np.float64), None)


def ultralytics(content: Any) -> Iterator[Entry]:
    """Ultralytics: `Results.to_json()` of one image, or a list of those, one a frame."""
    frames = items(content, "the file")
    many = any(isinstance(frame, list) for frame in frames)
    for index, people in enumerate(frames if many else [frames]):
        place = f"[{index}]" if many else ""
        yield from in_frame(_ultralytics_person, items(people, place), place, index)


def _ultralytics_person(person: Any, where: str, frame: int) -> Person:
    keypoints, inside = member(person, "keypoints", where), f"{where}.keypoints"
    x = numbers(member(keypoints, "x", inside), f"{inside}.x", (None,))
    y = numbers(member(keypoints, "y", inside), f"{inside}.y", (len(x),))
    seen = numbers(keypoints.get("visible", [1.0] * len(x)), f"{inside}.visible", (len(x),))
    identity, score = identity_of(person, "track_id"), score_of(person, "confidence", where)
    return Person(where, frame, identity, np.stack([x, y], axis=-1), seen, score)


def mediapipe(content: Any) -> Iterator[Entry]:
    """MediaPipe: landmarks of a pose, of several, or a list of frames of those; points are shares of the image."""
    frames = content if isinstance(content, list) and not is_landmark(content[:1]) else [content]
    for index, frame in enumerate(frames):
        place = f"[{index}]" if frames is content else ""
        number = next((frame[key] for key in FRAME_KEYS if key in frame), index) if isinstance(frame, dict) else index
        number = frame_of(number, f"{place}.frame")
        for key in LANDMARK_KEYS:
            # Old and new interfaces wrap them differently, some twice.
            if isinstance(frame, dict) and key in frame:
                place, frame = f"{place}.{key}".lstrip("."), frame[key]
        if not frame:
            yield EmptyFrame(number)
            continue
        single = is_landmark(items(frame, place or "the file")[:1])
        for i, pose in enumerate([frame] if single else frame):
            where = place if single else f"{place}[{i}]"
            if isinstance(pose, dict) and "landmark" in pose:
                where, pose = f"{where}.landmark", pose["landmark"]
            yield attempt(_mediapipe_person, pose, where, number)


def _mediapipe_person(pose: Any, where: str, frame: int | str) -> Person:
    points, confidence = landmarks(pose, where, "visibility")
    return Person(where or "the file", frame, None, points, confidence, None)


def dwpose(content: Any) -> Iterator[Entry]:
    """DWPose as ComfyUI saves it: a list of frames in OpenPose's form, each with the size of its canvas."""
    for index, frame in enumerate(items(content, "the file")):
        yield from (placed(entry, f"[{index}].") for entry in openpose(frame, index))


def alphapose_images(content: Any) -> Iterator[Entry]:
    """AlphaPose's forms "open" and "cmu": an object of images' names, each with its `people`, or `bodies`."""
    for name, image in content.items():
        bodies = isinstance(image, dict) and "bodies" in image
        place = f"{name}.{'bodies' if bodies else 'people'}"
        people = items(member(image, "bodies" if bodies else "people", name), place)
        yield from in_frame(flat_person, people, place, name, "joints" if bodies else "pose_keypoints_2d")


def openpifpaf(content: Any) -> Iterator[Entry]:
    """OpenPifPaf: the annotations of one image (`*.predictions.json`), or a video's lines, each with `predictions`."""
    keys = ("keypoints", "id_", "score")
    for index, entry in enumerate(items(content, "the file")):
        if not isinstance(entry, dict) or "predictions" not in entry:
            yield attempt(flat_person, entry, f"[{index}]", 0, *keys)
        else:
            frame, place = frame_of(entry.get("frame", index), f"[{index}].frame"), f"[{index}].predictions"
            yield from in_frame(flat_person, items(entry["predictions"], place), place, frame, *keys)


def tfjs(content: Any) -> Iterator[Entry]:
    """TensorFlow.js' pose detection (MoveNet, PoseNet, BlazePose), ml5: a pose, poses, or a list of frames of those.

    PoseNet's older joints have `part` and `position`, and ml5 before 1.0 has the `pose` beside its skeleton.
    """
    many = isinstance(content, list) and any(isinstance(frame, list) for frame in content)
    for index, poses in enumerate(content if many else [content]):
        poses = [poses] if isinstance(poses, dict) else items(poses, f"[{index}]")
        yield from in_frame(_tfjs_person, poses, f"[{index}]" if many else "", index)


def _tfjs_person(pose: Any, where: str, frame: int) -> Person:
    pose = plain_pose(pose)
    keypoints = items(member(pose, "keypoints", where), f"{where}.keypoints")
    # ml5 calls it confidence.
    score = "score" if any(isinstance(one, dict) and "score" in one for one in keypoints[:1]) else "confidence"
    points, confidence = landmarks(keypoints, f"{where}.keypoints", score)
    return Person(where, frame, identity_of(pose, "id"), points, confidence, score_of(pose, score, where))


def yolo_people(text: str, frame: int | str) -> Iterator[Entry]:
    """YOLO's labels of one image: class, box, then x, y and perhaps v of each joint, shares of the image.

    What follows the joints, a confidence and a person's number, is told apart by its number of columns: joints of
    three numbers are taken for such where they fit.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield attempt(_yolo_person, line, f"line {number}", frame)


def _yolo_person(line: str, where: str, frame: int | str) -> Person:
    try:
        values = np.array([float(cell) for cell in line.split()])
    except ValueError:
        raise InputError(f"{where}: is {line[:40]!r}; expected numbers: class, box, joints.") from None
    # 17 joints with or without v; then perhaps a confidence, and a number.
    known = {5 + 17 * axes + more: (axes, more) for more in (2, 1, 0) for axes in (2, 3)}
    if len(values) not in known:
        raise InputError(f"{where}: has {len(values)} numbers; expected class, box and 17 joints of 2 or 3.")
    axes, more = known[len(values)]
    joints = values[5 : 5 + 17 * axes].reshape(17, axes)
    person = int(values[-1]) if more == 2 and values[-1] >= 0 and values[-1].is_integer() else None
    confidence = np.minimum(joints[:, 2], 1.0) if axes == 3 else np.ones(17)
    return Person(where, frame, person, joints[:, :2], confidence, float(values[-more]) if more else None)


# OpenPose is apart: a file is a frame there, and its name has the number.
JSON_FORMATS: dict[str, Callable[[Any], Iterator[Entry]]] = {
    "mmpose": mmpose,
    "alphapose": results,
    "ultralytics": ultralytics,
    "coco_results": results,
    "coco_annotations": coco_annotations,
    "mediapipe": mediapipe,
    "dwpose": dwpose,
    "alphapose_images": alphapose_images,
    "openpifpaf": openpifpaf,
    "tfjs": tfjs,
}


def formats_that_fit(content: Any) -> list[str]:
    """The names of the JSON formats that a file's first entries look like; none where there are no entries."""
    if isinstance(content, dict):
        keys = {
            "openpose": {"people"},
            "coco_annotations": {"annotations"},
            "mmpose": {"instance_info"},
            "mediapipe": set(LANDMARK_KEYS),
        }
        found = [name for name, marks in keys.items() if marks & content.keys()]
        image = next(iter(content.values()), None)
        if not found and isinstance(image, dict) and {"bodies", "people"} & image.keys():
            found = ["alphapose_images"]
        return found or ["tfjs"] * has_points(content) or ["array"] * _is_array(content.get("keypoints"))
    entry = first_entry(content)
    if _is_array(content):
        return ["array"]
    if not isinstance(entry, dict):
        return []
    keypoints, image = entry.get("keypoints"), entry.get("image_id")
    flat = isinstance(keypoints, list) and not any(isinstance(value, dict | list) for value in keypoints[:1])
    marks = {
        "mmpose": bool({"instances", "preds"} & entry.keys())
        or (image is None and ("keypoint_scores" in entry or _is_array(keypoints))),
        "alphapose": isinstance(keypoints, list) and isinstance(image, str),
        "ultralytics": isinstance(keypoints, dict),
        "coco_results": isinstance(keypoints, list) and isinstance(image, int | float),
        "mediapipe": bool({*LANDMARK_KEYS, "x"} & entry.keys()),
        "dwpose": "people" in entry,
        "openpifpaf": (flat and image is None and "keypoint_scores" not in entry) or "predictions" in entry,
        "tfjs": has_points(entry),
    }
    return [name for name, fits in marks.items() if fits]


def _is_array(content: Any) -> bool:
    """Whether it is lists in a list, down to a number."""
    inside = isinstance(content, list) and any(isinstance(inner, list) for inner in content)
    return inside and isinstance(first_entry(content), int | float)


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
    categories = content.get("categories")
    categories = categories if isinstance(categories, list) else []
    lists = [one.get("keypoints") for one in categories if isinstance(one, dict)]
    lists = dict.fromkeys(tuple(map(str, names)) for names in lists if isinstance(names, list) and names)
    found = [attempt(convention_of_names, names) for names in lists]
    people = [one for one in found if isinstance(one, Convention)]
    refused = [one for one in found if isinstance(one, InputError)]
    if refused and not people:
        raise refused[0]
    if len(people) > 1:
        raise InputError(f"categories have {len(people)} different lists of joints; expected one.")
    return people[0] if people else None


def tfjs_joints(content: Any) -> Convention | None:
    """The joints by the names of the first pose; None where it names none."""
    pose = plain_pose(first_entry(content))
    joints = pose.get("keypoints") if isinstance(pose, dict) else None
    names = [joint.get("name") for joint in joints if isinstance(joint, dict)] if isinstance(joints, list) else []
    return convention_of_names(names) if names and all(isinstance(name, str) for name in names) else None


def image_size(format: str, content: Any) -> tuple[int, int] | None:
    """Width and height of COCO's images or DWPose's canvases, if the file has them and they are all of one size."""
    if format == "coco_annotations":
        return one_size(content.get("images"), "width", "height")
    return one_size(content, "canvas_width", "canvas_height") if format == "dwpose" else None
