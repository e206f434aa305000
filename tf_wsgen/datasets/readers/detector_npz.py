"""2D keypoints in NumPy's files and pickles: VideoPose3D's of one's own videos, plain arrays.

VideoPose3D's are `data_2d_custom_*.npz`, and what its `infer_video` finds in each video with Detectron. Of pickles
also MMAction2's and PYSKL's annotations of videos.
"""

import pathlib
from collections.abc import Iterator, Mapping

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.json_values import (
    Entry,
    FileContent,
    Person,
    attempt,
    in_frame,
    items,
    numbers,
    one_size,
)
from tf_wsgen.datasets.readers.videopose3d_files import items_by_subject, layout_of, metadata_of
from tf_wsgen.errors import InputError
from tf_wsgen.files import LARGEST_COMPRESSION, load_json, load_npy, load_npz, load_pickle, one_sentence

NPY_SIGNATURE, ZIP_SIGNATURE = b"\x93NUMPY", b"PK\x03\x04"


def videopose3d_content(path: pathlib.Path, kind: str, convention: str | None) -> FileContent:
    """All people, the convention that the metadata tells, the videos' size if they have one, and who is who.

    Frames count from 0 in each video. A list of poses is a person; people of several videos have different numbers.

    Raises:
        InputError: Not such a file, or metadata that contradict themselves.
    """
    arrays = load_npz(path, kind)
    where = str(path)
    if {"keypoints", "segments"} <= arrays.keys():
        size = one_size([metadata_of(arrays)], "w", "h")
        with one_sentence(path, kind):
            frames = items(_plain(arrays["keypoints"]), "keypoints")
            return FileContent("videopose3d", list(_detectron(frames)), image_size=size)
    content = items_by_subject(arrays, "positions_2d", where, kind)
    tracks = [
        (f"{subject}/{action}[{index}]", poses)
        for subject, actions in content.items()
        for action, several in actions.items()
        for index, poses in enumerate(several if isinstance(several, (list, tuple)) else [several])
    ]
    people = [entry for number, (place, poses) in enumerate(tracks) for entry in _track(place, number, poses)]
    told = CONVENTIONS[layout_of(arrays, where)] if convention is None and "metadata" in arrays else None
    who = ", ".join(f"{number} is {place}" for number, (place, _) in enumerate(tracks[:10]))
    more = " and so on" if len(tracks) > 10 else ""
    videos = metadata_of(arrays).get("video_metadata")
    size = one_size(list(videos.values()) if isinstance(videos, dict) else None, "w", "h")
    return FileContent("videopose3d", people, told, size, (f"people: {who}{more}",))


def _detectron(frames: list) -> Iterator[Entry]:
    """Detectron's people as VideoPose3D's `infer_video` keeps them: by frame and class, of which 1 is the persons."""
    for frame, classes in enumerate(frames):
        where = f"keypoints[{frame}][1]"
        people = items(classes, f"keypoints[{frame}]")[1:2]
        yield from in_frame(_detectron_person, items(people[0], where) if people else [], where, frame)


def _detectron_person(person: object, where: str, frame: int) -> Person:
    # Rows of x, y, a logit, and the heat map's density at its peak, which is no confidence: VideoPose3D leaves it, too.
    points = numbers(person, where, (4, None))
    return Person(where, frame, None, points[:2].T, np.ones(points.shape[1]), None)


def array_content(path: pathlib.Path, kind: str) -> FileContent | list:
    """People of an array in .npy, .npz or a pickle (`content_of_arrays`); or a pickled list of people as JSON has it.

    Raises:
        InputError: No such array, or several.
    """
    with open(path, "rb") as file:
        start = file.read(len(NPY_SIGNATURE))
    if start.startswith(NPY_SIGNATURE):
        values = load_npy(path, kind)
        return json_arrays(values.tolist()) if values.dtype == object else content_of_arrays({"": values})
    if start.startswith(ZIP_SIGNATURE):
        return content_of_arrays(load_npz(path, kind))
    if start.lstrip()[:1] in (b"[", b"{"):
        return json_arrays(load_json(path, kind, nan=True))
    content = load_pickle(path, kind)
    with one_sentence(path, kind):
        people = [one for one in content if not isinstance(one, list) or one] if isinstance(content, list) else []
        first = people[0][0] if people and isinstance(people[0], list) else next(iter(people), None)
        if isinstance(first, dict) and {"keypoints", "preds"} & first.keys():
            return [_plain(one) for one in content]
        of_frames = len(people) > 1 and not isinstance(first, dict)
        return json_arrays(content) if of_frames else content_of_arrays(_pickled_arrays(content))


def _plain(value):
    """A pickle's content as JSON has it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist() if value.dtype != object else _plain(value.tolist())
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def json_arrays(content: object) -> FileContent:
    """People of an array that is lists in lists, alone or by its name in an object.

    Frames may have different numbers of people.
    """
    if not isinstance(content, dict):
        found = attempt(numbers, content, "the file")
        of_frames = attempt(_frames_of_people, content) if isinstance(found, InputError) else found
        if isinstance(of_frames, InputError):
            raise found
        return content_of_arrays({"": of_frames}, by_frame=of_frames is not found)
    found = {name: attempt(numbers, values, name) for name, values in content.items() if isinstance(values, list)}
    return content_of_arrays({name: values for name, values in found.items() if isinstance(values, np.ndarray)})


def _frames_of_people(content: object) -> np.ndarray:
    """(frames, people, joints, 2 or 3) of lists of different numbers of people, filled up with NaN."""
    frames = [numbers(frame, f"[{index}]") for index, frame in enumerate(items(content, "the file"))]
    shapes = {frame.shape[-2:] for frame in frames if frame.size}
    if len(shapes) != 1 or max(frame.ndim for frame in frames) > 3:
        raise InputError("frames have joints of different shapes; expected the same everywhere.")
    (shape,) = shapes
    people = [frame.reshape(-1, *shape) for frame in frames]
    most = max(map(len, people))
    if len(frames) * most > LARGEST_COMPRESSION * sum(map(len, people)):
        raise InputError(f"a frame has {most:,} people, and nearly all {len(frames):,} frames have none.")
    filled = np.full((len(frames), most, *shape), np.nan)
    for frame, found in zip(filled, people, strict=True):
        frame[: len(found)] = found
    return filled


def content_of_arrays(arrays: Mapping[str, np.ndarray], by_frame: bool = False) -> FileContent:
    """People of a plain array.

    It is a pose (joints, 2 or 3), a person's (frames, joints, 2 or 3), people's (people, frames, joints, 2 or 3), or
    (frames, people, joints, 2 or 3) where the first axis is the longer one. Confidences are its third numbers, or
    another array without its last axis. MHFormer's `reconstruction` has Human3.6M's joints. MMAction2's annotation of
    a video has `keypoint` (people, frames, joints, 2) and `keypoint_score`. MediaPipe's 33 joints may have x, y, z and
    a confidence. (frames, 1, 1, 17, 3) is MoveNet's y, x, confidence.

    Raises:
        InputError: No such array, or several.
    """
    arrays = {name: one[..., [0, 1, 3]] if one.shape[-2:] == (33, 4) else one for name, one in arrays.items()}
    movenet = [name for name, one in arrays.items() if one.shape[1:] == (1, 1, 17, 3) and one.dtype.kind in "fiu"]
    arrays |= {name: arrays[name][:, 0, 0][..., [1, 0, 2]] for name in movenet}
    shaped = {name: values for name, values in arrays.items() if values.shape[-1:] in ((2,), (3,))}
    fitting = {name: values for name, values in shaped.items() if values.ndim in (3, 4)}
    fitting = fitting or {name: values[None] for name, values in shaped.items() if values.ndim == 2}
    if len(fitting) != 1:
        raise _other_arrays(arrays)
    ((name, points),) = fitting.items()
    if points.shape[-1] == 2 or name == "keypoint":
        scores = [one for one in arrays.values() if one.shape == arrays[name].shape[:-1] and one.dtype.kind in "fiu"]
        if len(scores) > 1:
            raise _other_arrays(arrays)
        if scores and points.dtype.kind in "fiu":
            points = np.concatenate([points[..., :2], scores[0].reshape(points.shape[:-1])[..., None]], axis=-1)
    told = CONVENTIONS["human36m_17"] if name == "reconstruction" and points.shape[-2] == 17 else None
    by_frame |= points.ndim == 4 and points.shape[0] > points.shape[1] and name != "keypoint"
    tracks = points.swapaxes(0, 1) if by_frame else points.reshape(-1, *points.shape[-3:])
    # Frame by frame nobody says that the places are the same people's.
    people = [
        entry
        for place, poses in enumerate(tracks)
        for entry in _track(
            f"{name}[:, {place}]" if by_frame else f"{name}[{place}]", None if by_frame else place, poses
        )
    ]
    notes = [f"people: {len(tracks)}, each in {tracks.shape[1]:,} frames, as the array {name!r} has them"]
    if name in movenet:
        notes.append("coordinates: y before x, as MoveNet has them in arrays (frames, 1, 1, 17, 3)")
    return FileContent("array", people, told, notes=tuple(notes))


def _other_arrays(arrays: Mapping[str, np.ndarray]) -> InputError:
    shapes = {name: values.shape for name, values in list(arrays.items())[:8]}
    return InputError(f"has arrays {shapes}; expected one (frames, joints, 2 or 3), or of people of those.")


def _pickled_arrays(content: object) -> dict[str, np.ndarray]:
    """The arrays of a pickle by name."""
    if isinstance(content, dict) and "annotations" in content:
        content = content["annotations"]
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if isinstance(content, list) and any(isinstance(one, dict) for one in content):
        raise InputError(f"has annotations of {len(content):,} videos; expected one video a file.")
    if isinstance(content, list):
        content = {"": np.asarray(content)}
    arrays = content if isinstance(content, dict) else {"": content}
    return {str(name): values for name, values in arrays.items() if isinstance(values, np.ndarray)}


def _track(place: str, person: int | None, poses: object) -> Iterator[Entry]:
    shape = poses.shape if isinstance(poses, np.ndarray) and poses.dtype.kind in "fiu" else ()
    if len(shape) != 3 or shape[2] not in (2, 3):
        yield InputError(f"{place} is no array of numbers of shape (frames, joints, 2).")
        return
    points = poses[..., :2].astype(np.float64)
    confidence = poses[..., 2].astype(np.float64) if shape[2] == 3 else np.ones(shape[:2])
    missing = np.isnan(poses).any(axis=-1)
    points[missing], confidence[missing] = 0.0, 0.0
    for frame in range(shape[0]):
        yield Person(f"{place}[{frame}]", frame, person, points[frame], confidence[frame], None)
