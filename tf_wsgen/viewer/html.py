"""Predictions as one HTML file: 2D input beside hypotheses in 3D, to turn, play and compare; it loads nothing.

The page is `viewer.html` with `panels.html`, `viewer.css`, plotly.js, the numbers, `drawing.js` and `viewer.js` put in.
Numbers go as 16-bit steps, so that plotly.js takes most of the file's bytes.

Where radii are calibrated, the chosen pose's ellipsoids are the hypotheses' one standard deviation, and a skin to be
seen, about the chosen joint and scaled until the root mean square of the three semi-axes is the 50 % radius. Without
calibration, and for a hypothesis, they are one standard deviation and the skin about the hypotheses' mean.
"""

import base64
import html
import importlib.resources
import json
import os
import pathlib
import string
from collections.abc import Mapping

import numpy as np

from tf_wsgen.errors import InputError
from tf_wsgen.files import existing_file, whole_file
from tf_wsgen.lifting.result import LiftedPoses, Predictions
from tf_wsgen.skeleton import Skeleton

# Poses drawn in 3D, the chosen ones included: about 25 MB in the file, as much as a telephone's browser takes.
MOST_POSES = 110_000
MOST_IMAGE_BYTES = 100_000_000
# Millimetres and pixels; a step is larger only where values leave 16 bits.
STEP = 0.1
LARGEST_STEPS = np.iinfo(np.int16).max
# Room around the poses, as a share of their extent, and the smallest extent, which a single point needs.
MARGIN, SMALLEST_EXTENT = 0.06, 1.0
IMAGE_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def write_html(
    predictions: Predictions,
    output: str | os.PathLike,
    *,
    images: Mapping[object, str | os.PathLike] | None = None,
    title: str | None = None,
) -> None:
    """Writes the viewer, atomically: whole, or not at all.

    Args:
        predictions: What was lifted, R rows in frames.
        output: The HTML file.
        images: JPEG or PNG files by frame, as `predictions.frame` names it (a number may be a text). Frames
            without one are drawn on white, images of other frames are left out. They are drawn as large as
            `predictions.about["image_size"]` says, and as they are without.
        title: Shown above; the source of the predictions by default.

    Raises:
        InputError: No rows or too many; arrays that don't fit together or aren't finite; a person twice in a
            frame; an image that can't be read, images too large or of other frames alone; or a file that can't
            be written.
    """
    from plotly.offline import get_plotlyjs

    _check(predictions)
    if title is None:
        title = f"3D poses: {_told('source', predictions.about.get('source', 'predictions'))}"
    numbers = json.dumps(_describe(predictions, images or {}), allow_nan=False, separators=(",", ":"))
    page = string.Template(packaged("viewer.html")).substitute(
        title=_escaped(title),
        style=packaged("viewer.css"),
        panels=packaged("panels.html"),
        plotly=get_plotlyjs(),
        # JSON has "<" only inside texts, where this means the same and can't close the element.
        numbers=numbers.replace("<", "\\u003c"),
        drawing=packaged("drawing.js"),
        viewer=packaged("viewer.js"),
    )
    with whole_file(output) as partial:
        partial.write_text(page, encoding="utf-8")


def check_page(frames: np.ndarray, people: np.ndarray, num_hypotheses: int, images: Mapping) -> None:
    """Refuses what `write_html` would refuse of the rows' frames and people and of images, before they are lifted."""
    _check_rows(frames, people, num_hypotheses)
    _embedded(images, dict.fromkeys(map(str, frames.tolist())))


def packaged(name: str) -> str:
    """The text of one of this room's files that pages are made of."""
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _escaped(text: str) -> str:
    # A file's name may hold what UTF-8 can't say; a character reference can.
    return html.escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _check(predictions: Predictions) -> None:
    poses, rows, joints = predictions.poses, len(predictions.frame), predictions.skeleton.num_joints
    if not rows:
        raise InputError("The predictions have no rows; expected at least one person in one frame.")
    shape = np.shape(poses.hypotheses)
    count = shape[1] if len(shape) == 4 else 0
    expected = {
        "keypoints": (rows, joints, 2),
        "visible": (rows, joints),
        "pose_3d": (rows, joints, 3),
        "reprojection": (rows, joints, 2),
        "log_likelihood": (rows,),
        "hypotheses": (rows, max(count, 1), joints, 3),
        "hypotheses_reprojection": (rows, count, joints, 2),
        "hypotheses_log_likelihood": (rows, count),
        **({} if poses.radius is None else {"radius": (rows, joints, 2)}),
        **({} if poses.root_position is None else {"root_position": (rows, 3)}),
    }
    for name, shape in expected.items():
        values = getattr(poses, name)
        if np.shape(values) != shape:
            raise InputError(f"The predictions' {name} has shape {np.shape(values)}; expected {shape}.")
        if not np.isfinite(values).all():
            raise InputError(f"The predictions' {name} has numbers that are not finite.")
    if len(predictions.person) != rows:
        raise InputError(f"The predictions name {len(predictions.person)} people in {rows} rows; expected one a row.")
    _check_rows(predictions.frame, predictions.person, count)


def _check_rows(frames: np.ndarray, people: np.ndarray, count: int) -> None:
    seen = set()
    for frame, person in zip(frames, people, strict=True):
        if (str(frame), str(person)) in seen:
            raise InputError(f"Frame {frame} has person {person} twice; expected each person once a frame.")
        seen.add((str(frame), str(person)))
    most = MOST_POSES // (count + 1)
    if len(frames) > most:
        raise InputError(
            f"{len(frames):,} rows with {count} hypotheses each are too many for one page; expected at most {most:,}: "
            "write a part of the frames, or every few of them, or fewer hypotheses."
        )


def _describe(predictions: Predictions, images: Mapping) -> dict:
    """All that `drawing.js` reads."""
    poses, skeleton = predictions.poses, predictions.skeleton
    rows_of_frame = {}
    for row, frame in enumerate(predictions.frame):
        rows_of_frame.setdefault(str(frame), []).append(row)
    embedded = _embedded(images, rows_of_frame)
    return {
        **describe_skeleton(skeleton),
        "numHypotheses": poses.hypotheses.shape[1],
        "frames": [
            {"name": _told("frame", name), "rows": rows, "image": embedded.get(name)}
            for name, rows in rows_of_frame.items()
        ],
        "people": [str(person) for person in predictions.person],
        "about": [
            [name.replace("_", " "), _told(name, value)]
            for name, value in predictions.about.items()
            if value is not None
        ],
        "imageSize": predictions.about.get("image_size"),
        "bounds2d": _bounds_2d(poses),
        "bounds3d": _bounds_3d(poses),
        "keypoints": _packed(poses.keypoints),
        "visible": _packed(poses.visible, 1.0),
        "pose": _packed(poses.pose_3d),
        "reprojection": _packed(poses.reprojection),
        "hypotheses": _packed(poses.hypotheses),
        "hypothesesReprojection": _packed(poses.hypotheses_reprojection),
        "ellipsoids": _packed(_covariance_root(poses)),
        "reliable": poses.reliable.tolist(),
        "radius": None if poses.radius is None else _packed(poses.radius),
        # As they are: one person far away would make the steps of all too large.
        "places": None if poses.root_position is None else np.rint(poses.root_position).astype(int).tolist(),
        "logLikelihood": np.round(poses.log_likelihood.astype(float), 2).tolist(),
        "hypothesesLogLikelihood": np.round(poses.hypotheses_log_likelihood.astype(float), 2).ravel().tolist(),
    }


def describe_skeleton(skeleton: Skeleton) -> dict:
    """The part of what `drawing.js` reads that is the same for every pose."""
    return {
        "joints": skeleton.joints,
        "bones": skeleton.bone_indices,
        "jointSides": [_side((joint,)) for joint in skeleton.joints],
        "boneSides": [_side(bone) for bone in skeleton.bones],
    }


def _told(name: str, value: object) -> str:
    """A value as the page says it: of the source and of every absolute path the last part; pages are given away."""
    path = pathlib.PurePath(str(value))
    return path.name if name == "source" or path.is_absolute() else str(value)


def _side(joints: tuple[str, ...]) -> str:
    sides = [side for side in ("left", "right") if any(side in joint.lower() for joint in joints)]
    return sides[0] if len(sides) == 1 else "middle"


def _packed(values: np.ndarray, step: float = STEP) -> dict:
    """Values as a step and little-endian 16-bit numbers of steps, in base64."""
    step = max(step, float(np.abs(values).max()) / LARGEST_STEPS)
    return {"step": step, "int16": base64.b64encode(np.rint(values / step).astype("<i2").tobytes()).decode("ascii")}


def _covariance_root(poses: LiftedPoses) -> np.ndarray:
    """(R, J, 3, 3) symmetric roots S of the covariances: S takes the unit sphere to one standard deviation, mm."""
    variance, axes = np.linalg.eigh(poses.covariance)
    deviation = np.sqrt(np.maximum(variance, 0.0))
    return (axes * deviation[..., None, :]) @ np.swapaxes(axes, -1, -2)


def _bounds_2d(poses: LiftedPoses) -> list[list[float]]:
    """Range of x and of y of what is seen in any row, pixels."""
    seen = poses.keypoints[poses.visible > 0]
    points = np.concatenate([seen, poses.reprojection.reshape(-1, 2)])
    return [_range(points[:, axis]) for axis in (0, 1)]


def _bounds_3d(poses: LiftedPoses) -> list[list[float]]:
    """Range of right, away and up of all poses of all rows, mm; of right and away about the root: it turns there."""
    points = np.concatenate([poses.hypotheses.reshape(-1, 3), poses.pose_3d.reshape(-1, 3)])
    radius = _range(np.concatenate([np.abs(points[:, [0, 2]]).ravel(), [0.0]]))[1]
    return [[-radius, radius], [-radius, radius], _range(-points[:, 1])]


def _range(values: np.ndarray) -> list[float]:
    low, high = float(values.min()), float(values.max())
    room = MARGIN * max(high - low, SMALLEST_EXTENT)
    return [low - room, high + room]


def _embedded(images: Mapping, frames: Mapping) -> dict[str, str]:
    """Data addresses of the frames' images, the files' bytes as they are."""
    paths = {str(frame): path for frame, path in images.items() if str(frame) in frames}
    if images and not paths:
        raise InputError(
            f"None of the {len(images)} images is of a frame of the predictions: images are of {next(iter(images))} "
            f"and so on, frames are {next(iter(frames))} and so on."
        )
    files = {frame: existing_file(path, "a JPEG or PNG image") for frame, path in paths.items()}
    size = sum(file.stat().st_size for file in files.values())
    if size > MOST_IMAGE_BYTES:
        raise InputError(
            f"The images take {size / 1e6:,.0f} MB; expected at most {MOST_IMAGE_BYTES / 1e6:,.0f} MB in one page: "
            "write a part of the frames, or make the images smaller."
        )
    return {frame: _data_address(file) for frame, file in files.items()}


def _data_address(file: pathlib.Path) -> str:
    content = file.read_bytes()
    for beginning, kind in IMAGE_TYPES.items():
        if content.startswith(beginning):
            return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
    raise InputError(f"{file}: begins with {content[:4]!r}; expected a JPEG or PNG image.")
