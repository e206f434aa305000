"""Positions of markers as C3D, the binary file of motion laboratories, through ezc3d."""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from tf_wsgen.errors import InputError
from tf_wsgen.files import whole_file
from tf_wsgen.writers.motion import check_motion

# Frames: the header counts them in 16 bits.
LONGEST = 65_535


def load_ezc3d():
    """The module ezc3d.

    Raises:
        InputError: It is not installed.
    """
    try:
        import ezc3d
    except ImportError:
        raise InputError("C3D files need ezc3d, which is not installed: pip install 'tf_wsgen[c3d]'.") from None
    return ezc3d


def write_c3d(path: str | os.PathLike, positions: np.ndarray, markers: Sequence[str], frame_rate: float) -> None:
    """Writes markers at every frame, atomically; millimetres, y up on the screen.

    Args:
        path: The file.
        positions: (T, K, 3) mm, y up; at most `LONGEST` frames.
        markers: K names, without blanks.
        frame_rate: Frames a second.

    Raises:
        InputError: Arguments that do not fit each other or are not finite, no ezc3d, or a place that cannot be written.
    """
    positions = np.asarray(positions, np.float64)
    check_motion(positions, markers, frame_rate)
    if len(positions) > LONGEST:
        raise InputError(f"{path}: is to have {len(positions):,} frames; expected at most {LONGEST:,} for C3D.")
    content = load_ezc3d().c3d()
    point = content["parameters"]["POINT"]
    point["RATE"]["value"], point["UNITS"]["value"], point["LABELS"]["value"] = [frame_rate], ["mm"], list(markers)
    for screen, axis in (("X_SCREEN", "+X"), ("Y_SCREEN", "+Y")):
        content.add_parameter("POINT", screen, [axis])
    content["data"]["points"] = np.insert(positions.transpose(2, 1, 0), 3, 1.0, axis=0)
    with whole_file(path) as partial:
        # It ends the name itself.
        written = pathlib.Path(f"{partial}.c3d")
        try:
            content.write(str(written))
            written.replace(partial)
        finally:
            written.unlink(missing_ok=True)
