"""A motion as TRC, the marker file of OpenSim and Pose2Sim: metres, y up."""

import os
import pathlib

import numpy as np

from tf_wsgen.files import whole_file
from tf_wsgen.writers.joint_track import JointTrack

# Our joints by the names of the markers of Pose2Sim's models (HALPE_26, COCO_17); other joints keep their names.
MARKERS = {
    "pelvis": "Hip",
    "thorax": "Neck",
    "neck": "UpperNeck",
    "head": "Head",
    **{
        f"{side}_{joint}": side[0].upper() + joint.capitalize()
        for side in ("right", "left")
        for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    },
}


def write_trc(path: str | os.PathLike, track: JointTrack) -> None:
    """Writes a motion atomically, a line for every frame of the video, without gaps.

    Args:
        path: The file.
        track: What to write.

    Raises:
        InputError: A place that cannot be written.
    """
    markers = [MARKERS.get(joint, joint) for joint in track.joints]
    metres = track.every_frame.reshape(track.num_frames, -1) / 1000.0
    rate, count = f"{track.frame_rate:g}", track.num_frames
    about = {
        "DataRate": rate,
        "CameraRate": rate,
        "NumFrames": count,
        "NumMarkers": len(markers),
        "Units": "m",
        "OrigDataRate": rate,
        "OrigDataStartFrame": 1,
        "OrigNumFrames": count,
    }
    axes = [f"{axis}{number}" for number in range(1, len(markers) + 1) for axis in "XYZ"]
    lines = [
        ["PathFileType", "4", "(X/Y/Z)", pathlib.Path(path).name],
        [*about],
        [*about.values()],
        ["Frame#", "Time", *(cell for marker in markers for cell in (marker, "", ""))],
        ["", "", *axes],
    ]
    numbers = np.arange(1, count + 1)
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines("\t".join(map(str, line)) + "\n" for line in lines)
        rows = np.column_stack([numbers, (numbers - 1) / track.frame_rate, metres])
        np.savetxt(file, rows, fmt=["%d"] + ["%.6f"] * (rows.shape[1] - 1), delimiter="\t")
