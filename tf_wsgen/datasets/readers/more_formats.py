"""What further programs write: DWPose, AlphaPose's other forms, OpenPifPaf, TensorFlow.js, YOLO's labels."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import Convention
from tf_wsgen.datasets.readers.detector_formats import openpose
from tf_wsgen.datasets.readers.joint_names import convention_of_names
from tf_wsgen.datasets.readers.json_values import (
    Entry,
    Person,
    attempt,
    first_entry,
    flat_person,
    frame_of,
    identity_of,
    in_frame,
    items,
    landmarks,
    member,
    one_size,
    score_of,
)
from tf_wsgen.errors import InputError


def dwpose(content: Any) -> Iterator[Entry]:
    """DWPose as ComfyUI saves it: a list of frames in OpenPose's form, each with the size of its canvas."""
    for index, frame in enumerate(items(content, "the file")):
        for entry in openpose(frame, index):
            yield entry if not isinstance(entry, Person) else entry._replace(where=f"[{index}].{entry.where}")


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
    """TensorFlow.js' pose detection (MoveNet, PoseNet, BlazePose), ml5: a pose, poses, or a list of frames of those."""
    many = isinstance(content, list) and any(isinstance(frame, list) for frame in content)
    for index, poses in enumerate(content if many else [content]):
        poses = [poses] if isinstance(poses, dict) else items(poses, f"[{index}]")
        yield from in_frame(_tfjs_person, poses, f"[{index}]" if many else "", index)


def _tfjs_person(pose: Any, where: str, frame: int) -> Person:
    keypoints = items(member(pose, "keypoints", where), f"{where}.keypoints")
    # ml5 calls it confidence.
    score = "score" if any(isinstance(one, dict) and "score" in one for one in keypoints[:1]) else "confidence"
    points, confidence = landmarks(keypoints, f"{where}.keypoints", score)
    return Person(where, frame, identity_of(pose, "id"), points, confidence, score_of(pose, score, where))


def tfjs_joints(content: Any) -> Convention | None:
    """The joints by the names of the first pose; None where it names none."""
    pose = first_entry(content)
    joints = pose.get("keypoints") if isinstance(pose, dict) else None
    names = [joint.get("name") for joint in joints if isinstance(joint, dict)] if isinstance(joints, list) else []
    return convention_of_names(names) if names and all(isinstance(name, str) for name in names) else None


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


def canvas_size(content: Any) -> tuple[int, int] | None:
    """Width and height of DWPose's canvases, if they are all of one size."""
    return one_size(content, "canvas_width", "canvas_height")


MORE_FORMATS: dict[str, Callable[[Any], Iterator[Entry]]] = {
    "dwpose": dwpose,
    "alphapose_images": alphapose_images,
    "openpifpaf": openpifpaf,
    "tfjs": tfjs,
}
