"""From a path to what is in it: a detector's file, or a folder of a file a frame, of any known format."""

import contextlib
import mimetypes
import pathlib
import re
import zipfile
from collections.abc import Iterator

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.detector_csv import csv_content, encoding_of
from tf_wsgen.datasets.readers.detector_formats import (
    JSON_FORMATS,
    coco_joints,
    formats_that_fit,
    image_size,
    mmpose_joints,
    openpose,
    tfjs_joints,
    yolo_people,
)
from tf_wsgen.datasets.readers.detector_hdf5 import hdf5_content
from tf_wsgen.datasets.readers.detector_npz import (
    NPY_SIGNATURE,
    ZIP_SIGNATURE,
    array_content,
    json_arrays,
    videopose3d_content,
)
from tf_wsgen.datasets.readers.json_values import EmptyFrame, Entry, FileContent, Person, first_entry, placed
from tf_wsgen.errors import InputError
from tf_wsgen.files import existing_file, load_json, one_sentence, plain_file

KIND = "a file of detections"
_COCO_FAMILY = ("coco17", "halpe26", "wholebody133", "halpe136", "crowdpose14", "aic14", "jhmdb15")
# The conventions that a format's programs use: the number of joints decides between them where nothing else tells.
FORMAT_CONVENTIONS = {
    "mmpose": (*_COCO_FAMILY, "mpii16"),
    # Pose2Sim writes what RTMPose finds in OpenPose's form.
    "openpose": ("body25", "coco18", "coco17", "halpe26", "wholebody133"),
    "alphapose": ("coco17", "halpe26", "wholebody133", "halpe136"),
    "ultralytics": ("coco17",),
    "coco_results": _COCO_FAMILY,
    "coco_annotations": _COCO_FAMILY,
    "mediapipe": ("mediapipe33",),
    "pose_hg": ("mpii16",),
    # Their files name the joints.
    "sleap": ("coco17",),
    "deeplabcut": ("coco17",),
    "videopose3d": ("coco17",),
    "dwpose": ("coco18", "body25", "coco17"),
    "alphapose_images": ("coco18", "coco17"),
    "openpifpaf": ("coco17", "wholebody133"),
    "tfjs": ("coco17", "mediapipe33"),
    "yolo_txt": ("coco17",),
    "array": ("coco17", "mpii16", "coco18", "body25", "mediapipe33", "halpe26", "wholebody133", "halpe136"),
    "csv": tuple(CONVENTIONS),
}
FORMATS = tuple(FORMAT_CONVENTIONS)
HDF5_FORMATS = ("pose_hg", "sleap", "deeplabcut")
# The formats of which a folder may hold a file a frame.
FRAME_FORMATS = ("openpose", "mmpose", "alphapose", "ultralytics", "coco_results", "mediapipe", "openpifpaf", "tfjs")
OPENPOSE_SUFFIX = "_keypoints.json"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
PICKLE_SUFFIXES = (".pkl", ".pickle", ".p")
# Bytes of an image's labels.
LARGEST_LABELS = 1_000_000
CSV_SUFFIXES = (".csv", ".tsv")
# The formats whose files may tell their joints.
NAMING = {"coco_annotations": coco_joints, "mmpose": mmpose_joints, "tfjs": tfjs_joints}


@contextlib.contextmanager
def naming(path: pathlib.Path) -> Iterator[None]:
    """Puts the file before messages that don't name one."""
    try:
        yield
    except InputError as error:
        named = str(error).startswith(str(path))
        raise InputError(str(error) if named else f"{path}: {error}") from None


def read_file(path: pathlib.Path, format: str, convention: str | None) -> FileContent:
    """What a detector's file, or folder of a file a frame, holds; arguments are those of `read_detections`.

    Raises:
        InputError: The content is not what the format says, with file and place.
    """
    if path.is_dir() and format in (*FRAME_FORMATS, "yolo_txt", "auto"):
        with naming(path):
            labels = []
            if format in ("yolo_txt", "auto") and not list(path.glob("*.json")):
                # Ultralytics makes a folder of labels beside the pictures.
                labels = list(path.glob("*.txt")) or list(path.glob("labels/*.txt"))
            if labels:
                frames = sorted(zip(_frames(labels), labels, strict=True))
                people = [placed(one, f"{file.name}: ") for frame, file in frames for one in _yolo_people(file, frame)]
                return FileContent("yolo_txt", people)
            return _folder(path, format)
    expected = KIND if format == "auto" else f"{KIND} ({format})"
    with plain_file(path, expected) as plain:
        return _content(plain, format, convention, expected)


def _content(path: pathlib.Path, format: str, convention: str | None, expected: str) -> FileContent:
    with open(existing_file(path, expected), "rb") as file:
        start = file.read(4096)
    if format == "auto":
        format = _format_by_start(path, start)
    with naming(path):
        if format == "csv":
            return csv_content(path, expected, convention)
        if format == "yolo_txt":
            return FileContent(format, _yolo_people(path, _frames([path])[0]))
        if format in HDF5_FORMATS:
            return hdf5_content(path, expected)
        if format == "videopose3d":
            return videopose3d_content(path, expected, convention)
        content = array_content(path, expected) if format == "array" else load_json(path, expected, nan=True)
        if isinstance(content, FileContent):
            return content
    format = format if format not in ("json", "array") else _json_format(path, content)
    with naming(path):
        return _json_content(format, content, _frames([path])[0], convention is None)


def frames_of_names(names: list[str]) -> list[int] | list[str]:
    """Numbers of the frames of one video (`walk_12.jpg`), or else the images' names."""
    stems = [re.sub(r"\.[A-Za-z]{3,4}$", "", name) for name in names]
    parts = [re.fullmatch(r"(.*?)([0-9]{1,15})", stem) for stem in stems]
    numbers = [int(part[2]) for part in parts if part]
    one_video = len(numbers) == len(names) and len({part[1] for part in parts}) == 1
    return numbers if one_video and len(set(numbers)) == len(set(names)) else names


def _frames(files: list[pathlib.Path]) -> list[int] | list[str]:
    return frames_of_names([re.sub(r"(\.predictions|_keypoints)?\.(json|txt)$", "", file.name) for file in files])


def _format_by_start(path: pathlib.Path, start: bytes) -> str:
    """The format of what is no JSON, or "json"."""
    if (mimetypes.guess_type(path)[0] or "").startswith(("image/", "video/")):
        raise InputError(
            f"{path}: is a video or an image; expected {KIND}, or the option --video of scripts/predict.py."
        )
    if start.startswith(HDF5_SIGNATURE):
        return "pose_hg"
    if start.startswith(NPY_SIGNATURE) or path.suffix.lower() in PICKLE_SUFFIXES:
        return "array"
    if start.startswith(ZIP_SIGNATURE):
        with one_sentence(path, KIND), zipfile.ZipFile(path) as archive:
            return "videopose3d" if {"positions_2d.npy", "segments.npy"} & set(archive.namelist()) else "array"
    start = start.decode(encoding_of(start), errors="replace").encode()
    first_line = start.lstrip().split(b"\n")[0]
    if first_line[:1] in (b"[", b"{") or not first_line:
        return "json"
    separated = any(separator in first_line for separator in (b",", b";", b"\t"))
    if separated and (
        b"frame" in first_line or first_line.startswith(b"scorer") or path.suffix.lower() in CSV_SUFFIXES
    ):
        return "csv"
    raise InputError(f"{path}: is none of the known formats of detections: {list(FORMATS)}.")


def _json_format(path: pathlib.Path, content: object) -> str:
    fitting = formats_that_fit(content)
    if len(fitting) == 1:
        return fitting[0]
    if isinstance(content, list) and first_entry(content) is None:
        raise InputError(f"{path}: no people found: the list is empty.")
    problem = f"could be any of {fitting}" if fitting else "is none of the known formats of detections"
    raise InputError(f"{path}: {problem}; expected the format to be named, one of {list(FORMATS)}.")


def _json_content(format: str, content: object, frame: int | str, by_names: bool) -> FileContent:
    if format == "array":
        return json_arrays(content)
    entries = _found(list(openpose(content, frame) if format == "openpose" else JSON_FORMATS[format](content)))
    told = NAMING[format](content) if by_names and format in NAMING else None
    return FileContent(format, entries, told, image_size(format, content))


def _found(entries: list[Entry]) -> list[Entry]:
    """The entries; people's joints that are NaN or null are missing."""
    people = [entry for entry in entries if isinstance(entry, Person)]
    values = [values for one in people for values in (one.points.ravel(), one.confidence)]
    if not values or not np.isnan(np.concatenate(values)).any():
        return entries
    return [_without_nan(entry) if isinstance(entry, Person) else entry for entry in entries]


def _without_nan(person: Person) -> Person:
    missing = np.isnan(person.points).any(axis=-1) | np.isnan(person.confidence)
    points, confidence = np.where(missing[:, None], 0.0, person.points), np.where(missing, 0.0, person.confidence)
    return person._replace(points=points, confidence=confidence)


def _folder(path: pathlib.Path, format: str) -> FileContent:
    files = _frame_files(path, format)
    contents, others = [], []
    for frame, file in sorted(zip(_frames(files), files, strict=True)):
        try:
            with naming(file):
                contents.append(_frame_content(file, frame, format, len(files) == 1))
        except InputError as error:
            others.append(error)
    formats = list(dict.fromkeys(content.format for content in contents if content.format))
    if len(formats) > 1:
        raise InputError(f"the folder has files of {formats}; expected the format to be named.")
    if not formats:
        raise others[0] if others else InputError("no people found.")
    told = next((content.convention for content in contents if content.convention), None)
    return FileContent(formats[0], [entry for content in contents for entry in content.entries] + others, told)


def _yolo_people(file: pathlib.Path, frame: int | str) -> list[Entry]:
    """The people of YOLO's labels of an image; an empty file is a frame without anybody."""
    size = file.stat().st_size
    if size > LARGEST_LABELS:
        raise InputError(f"{file}: has {size:,} bytes; expected the labels of an image.")
    with one_sentence(file, f"{KIND} (yolo_txt)"):
        return list(yolo_people(file.read_text(encoding="utf-8"), frame)) or [EmptyFrame(frame)]


def _frame_files(path: pathlib.Path, format: str) -> list[pathlib.Path]:
    """OpenPose's files, or else all JSON files, of the folder or of the only folder in it that has some."""
    if format in ("openpose", "auto"):
        files = sorted(path.glob("*" + OPENPOSE_SUFFIX))
        if files:
            return files
    pattern = "*" + OPENPOSE_SUFFIX if format == "openpose" else "*.json"
    inside = sorted({file.parent for file in path.glob(f"*/{pattern}")})
    files = sorted(path.glob(pattern)) or (sorted(inside[0].glob(pattern)) if len(inside) == 1 else [])
    if len(inside) > 1 and not files:
        names = ", ".join(folder.name for folder in inside[:3])
        raise InputError(f"the folder has {len(inside)} folders of files {pattern}, {names}; expected one of them.")
    if not files:
        raise InputError(f"the folder has no files {pattern}; expected a file a frame.")
    return files


def _frame_content(file: pathlib.Path, frame: int | str, format: str, alone: bool) -> FileContent:
    """A frame; the only file of a folder may be a video's."""
    expected = KIND if format == "auto" else f"{KIND} ({format})"
    content = load_json(file, expected, nan=True)
    if content == []:
        return FileContent("", [EmptyFrame(frame)])
    found = _json_content(_json_format(file, content) if format == "auto" else format, content, frame, True)
    if found.format not in FRAME_FORMATS:
        raise InputError(f"is a file of {found.format}; expected a file a frame, of {list(FRAME_FORMATS)}.")
    people = [entry for entry in found.entries if isinstance(entry, Person)]
    video = len({person.frame for person in people}) > 1
    if video and not alone:
        raise InputError("holds several frames; expected a file a frame.")
    entries = [
        entry if video or isinstance(entry, InputError) else entry._replace(frame=frame) for entry in found.entries
    ]
    return found._replace(entries=[placed(entry, f"{file.name}: ") for entry in entries])
