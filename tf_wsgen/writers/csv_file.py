"""The chosen poses as CSV: a row a joint, for spreadsheets and pandas."""

import csv
import os

from tf_wsgen.files import whole_file
from tf_wsgen.lifting.result import Predictions


def write_csv(predictions: Predictions, output: str | os.PathLike) -> None:
    """Writes frame, person, joint, x, y, z, and what else is known of a joint, atomically; millimetres.

    Columns: `x`, `y`, `z` from the root, camera frame (x right, y down, z away); `spread`; `radius_50` and `radius_90`
    where radii are calibrated; `root_x`, `root_y`, `root_z` where the image's size is known; `reliable` 0 or 1.

    Args:
        predictions: What to write.
        output: The file.
    """
    poses, spread, reliable = predictions.poses, predictions.poses.spread, predictions.poses.reliable
    columns = ["frame", "person", "joint", "x", "y", "z", "spread"]
    columns += [] if poses.radius is None else ["radius_50", "radius_90"]
    columns += [] if poses.root_position is None else ["root_x", "root_y", "root_z"]
    with whole_file(output) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*columns, "reliable"])
        for row, (frame, person) in enumerate(zip(predictions.frame, predictions.person, strict=True)):
            root = [] if poses.root_position is None else poses.root_position[row].tolist()
            for index, joint in enumerate(predictions.skeleton.joints):
                radius = [] if poses.radius is None else poses.radius[row, index].tolist()
                numbers = [*poses.pose_3d[row, index].tolist(), float(spread[row, index]), *radius, *root]
                writer.writerow([frame, person, joint, *(f"{value:.2f}" for value in numbers), int(reliable[row])])
