"""Predictions as motion files: each person in one file, on the video's time, where they stand if that is known."""

import pathlib

import numpy as np

from tf_wsgen.datasets.readers.detections import Detections
from tf_wsgen.errors import InputError
from tf_wsgen.files import check_new
from tf_wsgen.lifting.result import Predictions
from tf_wsgen.writers.bvh_file import write_bvh
from tf_wsgen.writers.c3d_file import check_c3d, write_c3d
from tf_wsgen.writers.glb_file import write_glb
from tf_wsgen.writers.joint_track import JointTrack, skeleton_parents
from tf_wsgen.writers.trc_file import write_trc

WRITERS = {".bvh": write_bvh, ".glb": write_glb, ".trc": write_trc, ".c3d": write_c3d}
# Frames of a motion: some hours.
LONGEST_VIDEO = 300_000
# From the camera frame (x right, y down, z away) to y up.
UPRIGHT = np.array([1.0, -1.0, -1.0])


def check_motion(detections: Detections, kept: np.ndarray, output: pathlib.Path, every: int, overwrite: bool) -> None:
    """Refuses, before anything is lifted, what cannot be written.

    Args:
        detections: What is lifted.
        kept: (N,) bool, whom.
        output: The file that the files' names come from.
        every: Hypotheses that are written beside the chosen pose.
        overwrite: Replace files that are there.

    Raises:
        InputError: A file that is there, a video that is too long, or C3D without ezc3d.
    """
    if output.suffix == ".c3d":
        check_c3d()
    num_frames = detections.time_line[1]
    if num_frames > LONGEST_VIDEO:
        raise InputError(f"has {num_frames:,} frames; expected at most {LONGEST_VIDEO:,} for a motion file.")
    for file in motion_files(detections.person[kept], output, every):
        if file != output:
            check_new(file, overwrite)


def motion_files(person: np.ndarray, output: pathlib.Path, every: int) -> dict[pathlib.Path, tuple[int, int | None]]:
    """The person and the hypothesis (None: the chosen pose) of each file.

    Args:
        person: (R,) numbers.
        output: Its name is the one person's; of several people, each has their number in it.
        every: Hypotheses that are written, too.
    """
    people = list(dict.fromkeys(person.tolist()))
    found = {}
    for one in people:
        name = output.stem if len(people) == 1 else f"{output.stem}_person{one}"
        found[output.with_name(f"{name}{output.suffix}")] = one, None
        for index in range(every):
            found[output.with_name(f"{name}_hypothesis{index + 1}{output.suffix}")] = one, index
    return found


def write_motion(
    predictions: Predictions,
    output: pathlib.Path,
    every: int,
    frame_rate: float,
    time_line: np.ndarray,
    num_frames: int,
    ground: bool = False,
) -> list[pathlib.Path]:
    """Writes everybody on the video's time line, and says what of it was made up; returns the files.

    Args:
        predictions: What to write.
        output: See `motion_files`; its suffix tells the format.
        every: Hypotheses that are written, too.
        frame_rate: Frames a second.
        time_line: (R,) places of the rows in the video's frames.
        num_frames: Of the video.
        ground: Put the lowest joint of all chosen poses onto the floor, y = 0.
    """
    skeleton, poses = predictions.skeleton, predictions.poses
    roots = np.zeros((len(poses.pose_3d), 1, 3)) if poses.root_position is None else poses.root_position[:, None]
    floor = ((poses.pose_3d + roots) * UPRIGHT)[..., 1].min() if ground else 0.0
    rate = f"{frame_rate:g} a second"
    print(f"time: {num_frames:,} frames from the file's first, {rate}, the same in each {output.suffix[1:].upper()}")
    files = motion_files(predictions.person, output, every)
    for file, (person, index) in files.items():
        rows = predictions.person == person
        chosen = poses.pose_3d if index is None else poses.hypotheses[:, index]
        positions = (chosen[rows] + roots[rows]) * UPRIGHT - [0.0, floor, 0.0]
        frames = time_line[rows]
        track = JointTrack(positions, skeleton.joints, skeleton_parents(skeleton), frame_rate, frames, num_frames)
        deviation = WRITERS[file.suffix](file, track)
        bones = "" if deviation is None else f"bones take their mean lengths; joints are within {deviation:.1f} mm"
        told = [part for part in (_gaps(frames, num_frames), bones) if part]
        if told:
            print(f"{file}: {'; '.join(told)}.")
    return list(files)


def _gaps(frames: np.ndarray, num_frames: int) -> str:
    """What is made up in the time line of a person who is seen in some frames."""
    held = frames[0] + num_frames - 1 - frames[-1]
    between = num_frames - held - len(frames)
    parts = ((between, "interpolated"), (held, "held before the first or after the last"))
    told = ", ".join(f"{count:,} {what}" for count, what in parts if count)
    return f"{len(frames):,} frames seen, {told}" if told else ""
