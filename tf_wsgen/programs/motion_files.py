"""The motion files of predictions: one of each person, or hypothesis, all on the video's time line."""

import glob
import pathlib

import numpy as np

from tf_wsgen.errors import InputError
from tf_wsgen.files import check_new
from tf_wsgen.lifting.result import Predictions
from tf_wsgen.writers.bvh_file import write_bvh
from tf_wsgen.writers.c3d_file import LONGEST, write_c3d
from tf_wsgen.writers.glb_file import write_glb
from tf_wsgen.writers.motion import at_all_frames, marker_names, skeleton_parents, y_up
from tf_wsgen.writers.trc_file import write_trc

# Frames of a file of each format: some hours, or what it can count.
LONGEST_VIDEO = {".bvh": 300_000, ".trc": 300_000, ".c3d": LONGEST, ".glb": 300_000}


def check_motion_files(
    source: str, output: pathlib.Path, files: list[pathlib.Path], num_frames: int, overwrite: bool
) -> None:
    """Refuses what cannot be written: too many frames, files that are there.

    Args:
        source: Whose frames they are, to say.
        output: What the user asked for.
        files: What `motion_files` makes of it.
        num_frames: Of the video.
        overwrite: Files that are there may go.

    Raises:
        InputError: One of these.
    """
    suffix = output.suffix
    if num_frames > LONGEST_VIDEO[suffix]:
        most = f"expected at most {LONGEST_VIDEO[suffix]:,} for {suffix} (--frames takes a part)"
        raise InputError(f"{source}: has {num_frames:,} frames; {most}.")
    for file in files:
        if file != output:
            check_new(file, overwrite)


def people_files(output: pathlib.Path) -> list[pathlib.Path]:
    """The files that are there and may be in the way of `motion_files`, whoever the people will be."""
    names = (f"{glob.escape(output.stem)}_{kind}[0-9]*{output.suffix}" for kind in ("person", "hypothesis"))
    return [file for name in names for file in sorted(output.parent.glob(name))]


def motion_files(
    person: np.ndarray, output: pathlib.Path, num_hypotheses: int
) -> dict[pathlib.Path, tuple[int, int | None]]:
    """The person and the hypothesis (None: the chosen pose) of each file to write.

    Args:
        person: (R,) numbers of people.
        output: The name of the chosen poses' file of a person who is alone.
        num_hypotheses: How many of them get a file, too.
    """
    people = list(dict.fromkeys(person.tolist()))
    found = {}
    for one in people:
        name = output.stem if len(people) == 1 else f"{output.stem}_person{one}"
        found[output.with_name(f"{name}{output.suffix}")] = one, None
        for index in range(num_hypotheses):
            found[output.with_name(f"{name}_hypothesis{index + 1}{output.suffix}")] = one, index
    return found


def write_motion_files(
    predictions: Predictions,
    files: dict[pathlib.Path, tuple[int, int | None]],
    time_line: np.ndarray,
    num_frames: int,
    frame_rate: float,
    ground: bool,
) -> None:
    """Writes everybody, y up, in the format that the names end with, and says what is made up.

    Roots move where their positions are known, and stay at the origin where not. Frames without the person are
    interpolated, those before the first and after the last hold still.

    Args:
        predictions: Of R rows.
        files: Of `motion_files`.
        time_line: (R,) places in the video's frames.
        num_frames: Of the video.
        frame_rate: Frames a second.
        ground: Each person's lowest joint over the video is at y = 0.
    """
    skeleton, poses = predictions.skeleton, predictions.poses
    parents, markers = skeleton_parents(skeleton), marker_names(skeleton)
    print(f"time: {num_frames:,} frames from the file's first, {frame_rate:g} a second, the same in each file")
    for file, (person, index) in files.items():
        rows = predictions.person == person
        frames = time_line[rows]
        positions = y_up(poses.placed(poses.pose_3d if index is None else poses.hypotheses[:, index])[rows])
        if ground:
            positions[..., 1] -= positions[..., 1].min()
        told = _gaps(frames, num_frames)
        if file.suffix == ".bvh":
            timed = {"up": "y", "frames": frames, "num_frames": num_frames}
            deviation = write_bvh(file, positions, skeleton.joints, parents, frame_rate, **timed)
            told.append(f"bones take their mean lengths; joints are within {deviation:.1f} mm")
        else:
            every = at_all_frames(positions, frames, num_frames)
            if file.suffix == ".glb":
                write_glb(file, every, skeleton.joints, parents, frame_rate)
            else:
                write = {".trc": write_trc, ".c3d": write_c3d}[file.suffix]
                write(file, every, markers, frame_rate)
        if told:
            print(f"{file}: {'; '.join(told)}.")


def _gaps(frames: np.ndarray, num_frames: int) -> list[str]:
    """What is made up in the time line of a person who is seen in some frames, if anything."""
    held = frames[0] + num_frames - 1 - frames[-1]
    between = num_frames - held - len(frames)
    parts = ((between, "interpolated"), (held, "held before the first or after the last"))
    told = ", ".join(f"{count:,} {what}" for count, what in parts if count)
    return [f"{len(frames):,} frames seen, {told}"] if told else []
