"""Lifts a detector's keypoints, or a video's people, to 3D: to look at, to animate with, or to compute with.

python scripts/predict.py --input keypoints.json --output poses.npz --html view.html
python scripts/predict.py --video clip.mp4 --detector_model npm_package/ --output poses.glb --html view.html
"""

import dataclasses
import functools
import os
import pathlib
import re

import numpy as np
from tqdm import tqdm

import tf_wsgen
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.detections import LOWEST_CONFIDENCE, Detections, read_detections
from tf_wsgen.datasets.readers.detector_files import naming
from tf_wsgen.errors import InputError
from tf_wsgen.files import check_new, hdf5_array, open_hdf5
from tf_wsgen.geometry.perspective_camera import USUAL_FOCAL_LENGTH
from tf_wsgen.lifting.result import LARGEST_ERROR, NEEDED, Predictions
from tf_wsgen.lifting.smoothing import check_window, smooth
from tf_wsgen.programs.command_line import Size, option
from tf_wsgen.programs.motion_files import (
    LONGEST_VIDEO,
    check_motion_files,
    motion_files,
    people_files,
    write_motion_files,
)
from tf_wsgen.programs.pictures import images_by_frame, most_bytes
from tf_wsgen.video.detect import FilmedPeople
from tf_wsgen.writers.c3d_file import load_ezc3d
from tf_wsgen.writers.csv_file import write_csv
from tf_wsgen.writers.json_file import write_json
from tf_wsgen.writers.motion import MM_PER_METRE
from tf_wsgen.writers.npz_file import write_npz

TABLES = {".npz": write_npz, ".json": write_json, ".csv": write_csv}
FORMATS = (*TABLES, *LONGEST_VIDEO)
FRAME_RATE = 25.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """How to predict."""

    model: str | None = option("SavedModel, work directory or lifter .npz; the model in the package if not given.")
    format: str = option("Format of the input; found from its content if not given.", "auto")
    convention: str | None = option("Joint convention of the input, such as coco17.")
    image_size: Size | None = option(
        "WIDTHxHEIGHT in pixels: for normalised coordinates, to turn poses back from the ray to each person, and to "
        "place people where they stand."
    )
    fov: float | None = option("Horizontal field of view, degrees; the focal length is 1.1 times the width without it.")
    focal_length: float | None = option("The same as pixels, where the camera is calibrated.")
    height: float | None = option("Everybody's stature in metres; the model's mean body's if not given.")
    track: str = option(
        "Follow people over frames where the file does not number them all; file: its numbers alone; off: places.",
        "auto",
        choices=("auto", "file", "off"),
    )
    person: str | None = option("One person's number, or largest: who takes the most of the image.")
    frames: str | None = option("Frames of a video to lift, FIRST:END without the end, such as 100:200.")
    smooth: int | None = option("Smooth the chosen poses over time: window of frames, odd, such as 9.")
    lowest_confidence: float = option("Joints below this confidence count as missing.", LOWEST_CONFIDENCE, least=0.0)
    num_hypotheses: int = option("Hypotheses a pose.", 10, least=1)
    select: str = option(
        "Which pose is the chosen one; all: a motion file of every hypothesis, too.",
        "zero_code",
        choices=("zero_code", "mean_shift", "all"),
    )
    seed: int = option("Of the hypotheses.", 0, least=0, most=2**31 - 1)
    head_sizes: str | None = option("HDF5 with `normalize`, to report errors in head sizes.")
    frame_rate: float | None = option(
        f"Frames a second, for motion files; the video's, or {FRAME_RATE:g}, if not given.", least=0.001
    )
    ground: bool = option("In motion files each person's lowest joint over the video is at height 0.", False)
    image: str | None = option("Image of the one frame, or folder of images, for the viewer.")
    overwrite: bool = option("Replace files that are there.", False)

    @property
    def used_focal_length(self) -> float | None:
        """Pixels, as given or usual for the width; None where the image's size is not known."""
        if self.image_size is None or self.focal_length is not None:
            return self.focal_length
        width = self.image_size[0]
        return USUAL_FOCAL_LENGTH * width if self.fov is None else width / 2.0 / np.tan(np.radians(self.fov) / 2.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(PredictOptions):
    """Flags of the program."""

    input: str | None = option("Detector file or folder of frames (see --format).")
    video: str | None = option("Instead: a video, an image or a folder of images, at which a detector is to look.")
    detector: str = option("Which detector, of --video.", "mediapipe", choices=("mediapipe", "rtmlib"))
    detector_model: str | None = option(
        "MediaPipe's .task file or folder of npm's @mediapipe/pose; of rtmlib lightweight, balanced or performance."
    )
    output: str = option(
        "File to write: .npz, .json, .csv, or the chosen poses in motion: .bvh, .trc, .c3d, .glb.", required=True
    )
    html: str | None = option("Also write a viewer, one HTML file that needs no network.")
    png: str | None = option("Also draw people with their hypotheses, a dozen spread evenly.")
    workers: int | None = option(
        "Lift many files with so many processes: --input is a pattern such as 'parts/*.json', --output a folder of an "
        ".npz each; files that are there are left as they are. Needs tf_wsgen[ray].",
        least=1,
    )


def main(options: Options) -> None:
    """Reads, lifts, reports and writes."""
    files = [None if path is None else pathlib.Path(path) for path in (options.output, options.html, options.png)]
    if (options.input is None) == (options.video is None):
        raise InputError("expected one of --input and --video; see --help")
    if options.workers is not None:
        from tf_wsgen.programs.many_files import predict_many

        for name in ("video", "html", "png", "image", "head_sizes"):
            if getattr(options, name) is not None:
                raise InputError(f"{name} is given with workers; expected it with one detector's file.")
        predict_many(options.input, options, files[0], options.workers)
        return
    if options.input is not None:
        predict(options.input, options, *files)
        return
    for name, usual in (("format", "auto"), ("convention", None), ("head_sizes", None)):
        if getattr(options, name) != usual:
            raise InputError(f"{name} is given with a video; expected it with a detector's file alone.")
    with FilmedPeople(options.video, options.detector, options.detector_model) as filmed:
        size, rate = options.image_size or filmed.video.size, options.frame_rate or filmed.video.frame_rate
        predict(filmed, dataclasses.replace(options, image_size=size, frame_rate=rate), *files)


def predict(
    source: str | os.PathLike | FilmedPeople,
    options: PredictOptions,
    output: pathlib.Path,
    html: pathlib.Path | None = None,
    png: pathlib.Path | None = None,
    lifter: "tf_wsgen.PoseLifter | None" = None,
) -> Predictions:
    """Reads a detector's file or looks at a video, lifts everybody, prints a report, and writes what is asked for.

    What can be refused is refused before anything is lifted.

    Args:
        source: The detector's file, or a video.
        options: How.
        output: File of the results, one of `FORMATS`.
        html: Where to write the viewer, if anywhere.
        png: Where to draw some people, spread evenly over the file, if anywhere.
        lifter: The model of the options, where it is loaded already.

    Raises:
        InputError: Input, options, images or model that cannot be used, or a file that exists already or cannot be
            written.
    """
    check_options(options, output)
    if options.image and not html:
        raise InputError(f"{options.image}: is an image for the viewer, which is not written; expected --html.")
    files = [file for file in (output, html, png) if file]
    for index, file in enumerate(files):
        check_new(file, options.overwrite, source)
        if file.resolve() in [other.resolve() for other in files[:index]]:
            raise InputError(f"{file}: is to be written twice; expected another name for each file.")
    frames = None if options.frames is None else _frame_range(options.frames)
    known = {"image_size": options.image_size, "lowest_confidence": options.lowest_confidence, "track": options.track}
    filmed = source if isinstance(source, FilmedPeople) else None
    read = functools.partial(read_detections, source, options.format, **known)
    if filmed:
        filmed.load()
        lifter, length = lifter or load_model(options), filmed.num_frames(frames) or 0
        if output.suffix in LONGEST_VIDEO:
            check_motion_files(str(source), output, people_files(output), length, options.overwrite)
        wanted = html is not None and not options.image
        detections = filmed.detect(frames, most_bytes(length, options.num_hypotheses) if wanted else 0, **known)
    else:
        detections = read(convention=options.convention)
    print("".join(f"{note}\n" for note in detections.notes), end="")
    with naming(pathlib.Path(source)):
        if frames is not None:
            detections = detections.in_frames(*frames)
        if options.person is not None:
            detections = detections.of_person(options.person)
    print(_who(detections), end="")
    head_sizes = _head_sizes(options.head_sizes, len(detections.keypoints))
    # TensorFlow is imported here: mistakes so far are told at once.
    from tf_wsgen.programs.doubts import doubt

    lifter = lifter or load_model(options)
    kept = _liftable(detections, lifter, str(source))
    frame, person = detections.frame[kept], detections.person[kept]
    motions, (time_line, num_frames) = {}, detections.time_line
    if output.suffix in LONGEST_VIDEO:
        motions = motion_files(person, output, options.num_hypotheses if options.select == "all" else 0)
        check_motion_files(str(source), output, list(motions), num_frames, options.overwrite)
    if html:
        from tf_wsgen.viewer.html import check_page, write_html

        images = images_by_frame(options.image, frame.tolist())
        if filmed and not images:
            images = {name: filmed.pictures[name] for name in frame.tolist() if name in filmed.pictures}
        check_page(frame, person, options.num_hypotheses, images)
    predictions = lift_detections(detections, kept, lifter, options, str(source))
    if options.smooth is not None:
        predictions = smooth(predictions, options.smooth)
    print(report(predictions, None if head_sizes is None else head_sizes[kept]))
    if not filmed and str(source) != "-" and detections.convention in CONVENTIONS:
        told = doubt(detections.take(kept), lifter, lambda name: read(convention=name, track="off"))
        print(f"{told}\n" if told else "", end="")
    if motions:
        frame_rate = options.frame_rate or FRAME_RATE
        write_motion_files(predictions, motions, time_line[kept], num_frames, frame_rate, options.ground)
        files[:1] = motions
    else:
        TABLES[output.suffix](predictions, output)
    if html:
        write_html(predictions, html, images=images)
    if png:
        from tf_wsgen.evaluation.figures import draw_predictions

        draw_predictions(predictions, png)
    print("Written: " + ", ".join(map(str, files)) + ".")
    return predictions


def check_options(options: PredictOptions, output: pathlib.Path) -> None:
    """Refuses by an `InputError` options that are wrong whatever the input, or don't fit the file to write."""
    if output.suffix not in FORMATS:
        raise InputError(f"{output}: ends with {output.suffix!r}; expected one of {list(FORMATS)}.")
    if options.frame_rate is not None and not 0.0 < options.frame_rate < np.inf:
        raise InputError(f"frame_rate is {options.frame_rate}; expected a number above 0.")
    if options.fov is not None and not 0.0 < options.fov < 180.0:
        raise InputError(f"fov is {options.fov}; expected degrees between 0 and 180.")
    if options.focal_length is not None and not 0.0 < options.focal_length < np.inf:
        raise InputError(f"focal_length is {options.focal_length}; expected pixels above 0.")
    if options.fov is not None and options.focal_length is not None:
        raise InputError("fov and focal_length are given; expected one of them, which tells the other.")
    for name in ("fov", "focal_length"):
        if getattr(options, name) is not None and options.image_size is None:
            raise InputError(f"{name} is given without image_size, which tells where the optical axis is.")
    if options.ground and output.suffix not in LONGEST_VIDEO:
        raise InputError(f"{output}: has no ground; expected a motion file, one of {list(LONGEST_VIDEO)}.")
    if output.suffix == ".c3d":
        load_ezc3d()
    if options.smooth is not None:
        check_window(options.smooth)
    if options.frames is not None:
        _frame_range(options.frames)


def load_model(options: PredictOptions) -> "tf_wsgen.PoseLifter":
    """The model that the options name."""
    return tf_wsgen.load(options.model) if options.model else tf_wsgen.load_pretrained()


def _frame_range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,15}):(\d{1,15})", text)
    if not match or int(match[1]) >= int(match[2]):
        raise InputError(f"frames is {text!r}; expected FIRST:END, such as 100:200.")
    return int(match[1]), int(match[2])


def _who(detections: Detections, most: int = 10) -> str:
    """Lines about people of a video: frames each, and the longest gap."""
    if detections.span is None or len(set(detections.frame.tolist())) < 2:
        return ""
    numbers, lines = np.unique(detections.person).tolist(), []
    for number in numbers[:most]:
        frames = np.unique(detections.frame[detections.person == number])
        gap = int(np.diff(frames).max(initial=1)) - 1
        missing = f", longest gap {gap}" if gap else ""
        lines.append(f"person {number}: {len(frames):,} frames, {frames[0]} to {frames[-1]}{missing}\n")
    return "".join(lines) + (f"and {len(numbers) - most:,} more people\n" if len(numbers) > most else "")


def lift_detections(
    detections: Detections, kept: np.ndarray, lifter: "tf_wsgen.PoseLifter", options: PredictOptions, source: str
) -> Predictions:
    """Lifts people.

    Args:
        detections: Of N people.
        kept: (N,) bool, whom to lift.
        lifter: The model.
        options: How.
        source: What the predictions say about where they come from.
    """
    with tqdm(total=int(kept.sum()), unit="person", dynamic_ncols=True, desc="Lifting") as bar:
        poses = lifter(
            detections.keypoints[kept],
            detections.sureness[kept],
            options.num_hypotheses,
            options.seed,
            "mean_shift" if options.select == "mean_shift" else "zero_code",
            image_size=options.image_size,
            focal_length=options.used_focal_length,
            height=options.height,
            progress=bar.update,
        )
    about = {
        "model": lifter.name,
        "select": options.select,
        "seed": options.seed,
        "num_hypotheses": options.num_hypotheses,
        "source": source,
        "format": detections.source_format,
        "image_size": options.image_size and list(options.image_size),
        "focal_length": options.used_focal_length,
        "height": options.height,
        "smooth": options.smooth,
    }
    return Predictions(poses, detections.frame[kept], detections.person[kept], lifter.skeleton, about)


def report(predictions: Predictions, head_sizes: np.ndarray | None = None) -> str:
    """People, frames and reprojection errors as text.

    Args:
        predictions: What was lifted.
        head_sizes: (R,) pixels; rows that are not positive are left out of the mean.
    """
    poses, about = predictions.poses, predictions.about
    chosen = poses.reprojection_error
    every = poses.hypotheses_reprojection_error
    lines = [
        f"{len(chosen):,} people in {len(set(predictions.frame.tolist())):,} frames, "
        f"{about['num_hypotheses']} hypotheses each, seed {about['seed']}, model {about['model']}",
        f"reprojection error: {chosen.mean():.2f} pixels (chosen pose), {every.mean():.2f} pixels (all hypotheses)",
        f"spread of a joint: {poses.spread.mean():.1f} mm on average",
    ]
    if poses.radius is not None:
        half, most = poses.radius.mean(axis=(0, 1))
        lines.append(f"radius of a joint: {half:.0f} mm (50 %), {most:.0f} mm (90 %) on average")
    if poses.root_position is not None:
        focal = about["focal_length"]
        guessed = focal == USUAL_FOCAL_LENGTH * about["image_size"][0]
        guess = ", guessed from the width (--fov or --focal_length sets it)" if guessed else ""
        near, far = (limit(poses.root_position[:, 2]) / MM_PER_METRE for limit in (np.min, np.max))
        lines.append(f"camera: focal length {focal:.0f} pixels{guess}; people are {near:.1f} to {far:.1f} m away")
    else:
        lines.append("camera: unknown; poses are in the frame of the ray to each person (--image_size turns them back)")
    doubtful = np.flatnonzero(~poses.reliable)
    if len(doubtful):
        worst = doubtful[np.argsort(-(chosen / poses.height_in_image)[doubtful], kind="stable")[:3]]
        frames = ", ".join(str(frame) for frame in dict.fromkeys(predictions.frame[worst].tolist()))
        lines.append(
            f"WARNING: {len(doubtful):,} of {len(chosen):,} poses reproject worse than {LARGEST_ERROR:.0%} of the "
            f"person's height and are probably wrong (reliable: false); worst in frames {frames}"
        )
    if head_sizes is not None:
        known = head_sizes > 0
        lines.insert(
            2,
            f"reprojection error: {(chosen[known] / head_sizes[known]).mean():.4f} head sizes (chosen pose), "
            f"{(every[known] / head_sizes[known, None]).mean():.4f} head sizes (all hypotheses)",
        )
    return "\n".join(lines)


def _liftable(detections: Detections, lifter: "tf_wsgen.PoseLifter", source: str) -> np.ndarray:
    """(N,) bool: which people can be lifted; says how many can't."""
    kept = lifter.readable(detections.keypoints, detections.visible)
    if not kept.any():
        raise InputError(f"{source}: none of its {len(kept)} people can be lifted; {NEEDED}.")
    if not kept.all():
        first = int(np.argmin(kept))
        print(
            f"{int((~kept).sum())} of {len(kept)} people are left out (first: frame {detections.frame[first]}, person "
            f"{detections.person[first]}): {NEEDED}."
        )
    return kept


def _head_sizes(path: str | None, rows: int) -> np.ndarray | None:
    if path is None:
        return None
    with open_hdf5(path, "an HDF5 file with head sizes") as file:
        sizes = hdf5_array(file, "normalize", path, (None,))
    if len(sizes) != rows:
        raise InputError(f"{path}: normalize has {len(sizes)} rows; expected {rows}, one for each person of the input.")
    return sizes
