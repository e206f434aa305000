"""Predictions as CSV in long form: a line for each joint of each person in each frame."""

import csv
import os

from tf_wsgen.files import whole_file
from tf_wsgen.lifting.result import Predictions


def write_csv(predictions: Predictions, output: str | os.PathLike) -> None:
    """Writes the chosen poses, atomically.

    Columns: `frame`, `person`, `joint`, `x`, `y`, `z` mm in the camera frame (x right, y down, z away), from the
    camera where root positions are known, else from the root, and `radius_50`, `radius_90` mm where calibrated.

    Args:
        predictions: What to write.
        output: The file.
    """
    poses, joints = predictions.poses, predictions.skeleton.joints
    placed = poses.placed(poses.pose_3d)
    with whole_file(output) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        radii = [] if poses.radius is None else ["radius_50", "radius_90"]
        writer.writerow(["frame", "person", "joint", "x", "y", "z", *radii])
        for row, (frame, person) in enumerate(zip(predictions.frame, predictions.person, strict=True)):
            for joint, place in enumerate(placed[row]):
                numbers = [*place, *([] if poses.radius is None else poses.radius[row, joint])]
                writer.writerow([frame, person, joints[joint], *(f"{number:.2f}" for number in numbers)])
