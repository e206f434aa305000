"""A motion as C3D, the file of motion capture laboratories: points in millimetres, y up. Needs ezc3d."""

import importlib.util
import os

import numpy as np

from tf_wsgen.errors import InputError
from tf_wsgen.files import whole_file
from tf_wsgen.writers.joint_track import JointTrack


def check_c3d() -> None:
    """Refuses where ezc3d is not installed."""
    if importlib.util.find_spec("ezc3d") is None:
        raise InputError("C3D needs ezc3d, which is not installed; expected pip install 'tf_wsgen[c3d]'.")


def write_c3d(path: str | os.PathLike, track: JointTrack) -> None:
    """Writes a motion atomically, a frame for every frame of the video, without gaps.

    Args:
        path: The file.
        track: What to write.

    Raises:
        InputError: ezc3d is not installed, or a place that cannot be written.
    """
    check_c3d()
    import ezc3d

    file = ezc3d.c3d()
    file["parameters"]["POINT"]["RATE"]["value"] = [track.frame_rate]
    file["parameters"]["POINT"]["LABELS"]["value"] = list(track.joints)
    file["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    # Which axes a viewer shows to the right and upwards.
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Y"])
    points = np.ones((4, len(track.joints), track.num_frames))
    points[:3] = track.every_frame.transpose(2, 1, 0)
    file["data"]["points"] = points
    with whole_file(path) as partial:
        # ezc3d gives every file its own suffix.
        own = partial.with_name(f"{partial.name}.c3d")
        try:
            file.write(str(own))
            own.replace(partial)
        finally:
            own.unlink(missing_ok=True)
