"""From a detector's file to files of 3D poses: read, lift, report, write."""

import dataclasses
import os
import pathlib
import re

import numpy as np
from tqdm import tqdm

import tf_wsgen
from tf_wsgen.data.readers.detections import Detections, read_detections
from tf_wsgen.data.safe_files import hdf5_array, open_hdf5
from tf_wsgen.errors import InputError
from tf_wsgen.hypotheses.predictions import LiftedPoses, Predictions
from tf_wsgen.writers.arrays import write_npz
from tf_wsgen.writers.bvh import skeleton_parents, write_bvh
from tf_wsgen.writers.records import write_json

FORMATS = (".npz", ".json", ".bvh")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
NEEDED = "a pose needs the pelvis or both hips, and joints in more than one place"


@dataclasses.dataclass(frozen=True)
class PredictOptions:
    """How to predict; the fields are `scripts/predict.py`'s flags.

    Attributes:
        model: SavedModel, work directory or lifter file; None is the model in the package.
        format: Format of the input, or "auto".
        convention: Joint convention of the input; None where the format tells.
        image_size: Width and height in pixels, for normalised coordinates.
        lowest_confidence: Joints below it count as missing.
        num_hypotheses: Hypotheses a pose.
        select: "zero_code", "mean_shift", or "all": the zero code, and in BVH a file for each hypothesis too.
        seed: Of the hypotheses.
        head_sizes: HDF5 file with `normalize`, a head size (pixels) for each row of the input.
        frame_rate: Frames a second, for BVH.
        image: Image of the one frame, or a folder of them, for the viewer.
        overwrite: Replace files that are there.
    """

    model: str | None = None
    format: str = "auto"
    convention: str | None = None
    image_size: tuple[int, int] | None = None
    lowest_confidence: float = 0.1
    num_hypotheses: int = 10
    select: str = "zero_code"
    seed: int = 0
    head_sizes: str | None = None
    frame_rate: float = 25.0
    image: str | None = None
    overwrite: bool = False


def predict(
    source: str | os.PathLike,
    options: PredictOptions,
    output: pathlib.Path,
    html: pathlib.Path | None = None,
    png: pathlib.Path | None = None,
) -> Predictions:
    """Reads a detector's file, lifts every person in it, prints a report, and writes what is asked for.

    Args:
        source: The detector's file.
        options: How.
        output: `.npz`, `.json` or `.bvh` file of the results.
        html: Where to write the viewer, if anywhere.
        png: Where to draw the first people, if anywhere.

    Raises:
        InputError: Input, options or model that cannot be used, or a file that exists already.
    """
    if output.suffix not in FORMATS:
        raise InputError(f"{output}: ends with {output.suffix!r}; expected one of {list(FORMATS)}.")
    for file in (output, html, png):
        if file and file.exists() and not options.overwrite:
            raise InputError(f"{file}: exists already; --overwrite replaces it.")
    detections = read_detections(
        source, options.format, options.convention, options.image_size, options.lowest_confidence
    )
    head_sizes = _head_sizes(options.head_sizes, len(detections.keypoints))
    # TensorFlow is imported here: mistakes so far are told at once.
    lifter = tf_wsgen.load(options.model) if options.model else tf_wsgen.load_pretrained()
    predictions, kept = lift_detections(detections, lifter, options, str(source))
    print(report(predictions, None if head_sizes is None else head_sizes[kept]))
    if output.suffix == ".npz":
        write_npz(predictions, output)
    elif output.suffix == ".json":
        write_json(predictions, output)
    else:
        _write_bvh_files(predictions, options, output)
    if html:
        from tf_wsgen.viewer.html import write_html

        write_html(predictions, html, images=images_by_frame(options.image, predictions.frame.tolist()))
    if png:
        from tf_wsgen.evaluation.figures import draw_predictions

        draw_predictions(predictions, png)
    print("Written: " + ", ".join(str(file) for file in (output, html, png) if file) + ".")
    return predictions


def lift_detections(
    detections: Detections, lifter: "tf_wsgen.PoseLifter", options: PredictOptions, source: str
) -> tuple[Predictions, np.ndarray]:
    """Lifts every person that can be lifted; says how many could not.

    Returns:
        The predictions, and which rows of the detections they are: (N,) bool.
    """
    kept = lifter.readable(detections.keypoints, detections.visible)
    if not kept.any():
        raise InputError(f"{source}: none of its {len(kept)} people can be lifted; {NEEDED}.")
    if not kept.all():
        first = int(np.argmin(kept))
        print(
            f"{int((~kept).sum())} of {len(kept)} people are left out (first: frame {detections.frame[first]}, person "
            f"{detections.person[first]}): {NEEDED}."
        )
    with tqdm(total=int(kept.sum()), unit="person", dynamic_ncols=True, desc="Lifting") as bar:
        poses = lifter(
            detections.keypoints[kept],
            detections.visible[kept],
            options.num_hypotheses,
            options.seed,
            "mean_shift" if options.select == "mean_shift" else "zero_code",
            progress=bar.update,
        )
    about = {
        "model": lifter.name,
        "select": options.select,
        "seed": options.seed,
        "num_hypotheses": options.num_hypotheses,
        "source": source,
        "format": detections.source_format,
    }
    return Predictions(poses, detections.frame[kept], detections.person[kept], lifter.skeleton, about), kept


def report(predictions: Predictions, head_sizes: np.ndarray | None = None) -> str:
    """People, frames and reprojection errors as text.

    Args:
        predictions: What was lifted.
        head_sizes: (R,) pixels; rows that are not positive are left out of the mean.
    """
    poses, about = predictions.poses, predictions.about
    chosen = reprojection_error(poses, poses.reprojection)
    every = reprojection_error(poses, poses.hypotheses_reprojection)
    lines = [
        f"{len(chosen):,} people in {len(set(predictions.frame.tolist())):,} frames, "
        f"{about['num_hypotheses']} hypotheses each, seed {about['seed']}, model {about['model']}",
        f"reprojection error: {chosen.mean():.2f} pixels (chosen pose), {every.mean():.2f} pixels (all hypotheses)",
        f"spread of a joint: {poses.spread.mean():.1f} mm on average",
    ]
    if head_sizes is not None:
        known = head_sizes > 0
        lines.insert(
            2,
            f"reprojection error: {(chosen[known] / head_sizes[known]).mean():.4f} head sizes (chosen pose), "
            f"{(every[known] / head_sizes[known, None]).mean():.4f} head sizes (all hypotheses)",
        )
    return "\n".join(lines)


def reprojection_error(poses: LiftedPoses, reprojection: np.ndarray) -> np.ndarray:
    """Mean distance of visible joints from their reprojections: (R, J, 2) to (R,), or (R, N, J, 2) to (R, N)."""
    extra = (slice(None), None) if reprojection.ndim == 4 else ()
    keypoints, visible = poses.keypoints[extra], poses.visible[extra]
    distance = np.linalg.norm(reprojection - keypoints, axis=-1)
    return (distance * visible).sum(axis=-1) / visible.sum(axis=-1)


def images_by_frame(path: str | None, frames: list) -> dict:
    """Image files by frame: one file for the one frame, or the files of a folder.

    A file in a folder is of the frame that has its name, with or without the ending, or else, where frames are
    numbers, of the frame whose number its name ends with.

    Raises:
        InputError: Nothing is there, or one file for several frames.
    """
    if path is None:
        return {}
    place = pathlib.Path(path)
    if not place.exists():
        raise InputError(f"{path}: there is no such image or folder of images.")
    frames = list(dict.fromkeys(frames))
    if not place.is_dir():
        if len(frames) > 1:
            raise InputError(f"{path}: is one image for {len(frames)} frames; expected a folder of images.")
        return {frames[0]: place}
    files = [file for file in sorted(place.iterdir()) if file.suffix.lower() in IMAGE_SUFFIXES]
    by_name = {name: file for file in files for name in (file.stem, file.name)}
    by_number = {int(match[0]): file for file in files if (match := re.search(r"\d+$", file.stem))}
    found = {frame: by_name.get(str(frame), by_number.get(frame)) for frame in frames}
    return {frame: file for frame, file in found.items() if file is not None}


def _head_sizes(path: str | None, rows: int) -> np.ndarray | None:
    if path is None:
        return None
    with open_hdf5(path, "an HDF5 file with head sizes") as file:
        sizes = hdf5_array(file, "normalize", path, (None,))
    if len(sizes) != rows:
        raise InputError(f"{path}: normalize has {len(sizes)} rows; expected {rows}, one for each person of the input.")
    return sizes


def _write_bvh_files(predictions: Predictions, options: PredictOptions, output: pathlib.Path) -> None:
    """A file for each person, and with "all" for each hypothesis."""
    skeleton = predictions.skeleton
    people = list(dict.fromkeys(predictions.person.tolist()))
    for person in people:
        rows = predictions.person == person
        name = output.stem if len(people) == 1 else f"{output.stem}_person{person}"
        poses = {name: predictions.poses.pose_3d[rows]}
        if options.select == "all":
            for index in range(options.num_hypotheses):
                poses[f"{name}_hypothesis{index + 1}"] = predictions.poses.hypotheses[rows, index]
        for stem, positions in poses.items():
            file = output.with_name(f"{stem}.bvh")
            if file != output and file.exists() and not options.overwrite:
                raise InputError(f"{file}: exists already; --overwrite replaces it.")
            # Camera frame (y down, z away) to z up.
            upright = positions[..., [0, 2, 1]] * np.array([1.0, 1.0, -1.0])
            deviation = write_bvh(file, upright, skeleton.joints, skeleton_parents(skeleton), options.frame_rate)
            print(f"{file}: bones take their mean lengths; joints are within {deviation:.1f} mm.")
