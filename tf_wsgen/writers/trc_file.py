"""Positions of markers as TRC, the text that OpenSim and Pose2Sim read."""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from tf_wsgen.files import whole_file
from tf_wsgen.writers.motion import MM_PER_METRE, check_motion

# OpenSim wants these eight, in this order.
HEADER = "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame OrigNumFrames".split()


def write_trc(path: str | os.PathLike, positions: np.ndarray, markers: Sequence[str], frame_rate: float) -> None:
    """Writes markers at every frame, atomically; metres, frames from 1, time from 0.

    Args:
        path: The file.
        positions: (T, K, 3) mm, y up.
        markers: K names, without blanks.
        frame_rate: Frames a second.

    Raises:
        InputError: Arguments that do not fit each other or are not finite, or a place that cannot be written.
    """
    path, positions = pathlib.Path(path), np.asarray(positions, np.float64)
    check_motion(positions, markers, frame_rate)
    frames, rate = len(positions), f"{frame_rate:.9g}"
    values = (rate, rate, frames, len(markers), "m", rate, 1, frames)
    columns = [f"{axis}{number}" for number in range(1, len(markers) + 1) for axis in "XYZ"]
    number = np.arange(frames)
    table = np.column_stack([number + 1, number / frame_rate, positions.reshape(frames, -1) / MM_PER_METRE])
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"PathFileType\t4\t(X/Y/Z)\t{path.name}\n")
        file.write("\t".join(HEADER) + "\n" + "\t".join(map(str, values)) + "\n")
        file.write("Frame#\tTime\t" + "".join(f"{marker}\t\t\t" for marker in markers) + "\n")
        file.write("\t\t" + "".join(f"{column}\t" for column in columns) + "\n\n")
        np.savetxt(file, table, fmt=["%d", *["%.6f"] * (table.shape[1] - 1)], delimiter="\t")
