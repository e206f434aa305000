"""The chosen poses of a person and where they stand, smoothed over time."""

import dataclasses

import numpy as np

from tf_wsgen.errors import InputError
from tf_wsgen.lifting.result import Predictions

# Quadratic motion stays as it is.
ORDER = 2
# Frames without the person over which their motion is taken to go on; after longer ones it begins anew.
LONGEST_GAP = 10
SMOOTHED = ("pose_3d", "root_position")


def check_window(window: int) -> None:
    """Refuses what is no window of `smooth`."""
    if window < ORDER + 3 or window % 2 == 0:
        raise InputError(f"smooth is {window}; expected an odd number of frames from {ORDER + 3}.")


def smooth(predictions: Predictions, window: int) -> Predictions:
    """Chosen poses and roots filtered by Savitzky and Golay over time (1964), each person on their own; the rest stays.

    Frames that lack are interpolated for the filter. Where a person is seen for less than the window nothing changes.

    Args:
        predictions: Of a video: frames are numbers.
        window: Frames, odd, at least 5.

    Raises:
        InputError: Another window, or frames that have names.
    """
    # SciPy's filters take seconds to import, and nothing else here needs them.
    from scipy.signal import savgol_filter

    check_window(window)
    if predictions.frame.dtype.kind not in "iu":
        raise InputError("frames have names, not numbers; expected a video to smooth.")
    poses = predictions.poses
    smoothed = {name: getattr(poses, name) for name in SMOOTHED if getattr(poses, name) is not None}
    smoothed = {name: values.copy() for name, values in smoothed.items()}
    for person in np.unique(predictions.person):
        rows = np.flatnonzero(predictions.person == person)
        rows = rows[np.argsort(predictions.frame[rows], kind="stable")]
        frames = predictions.frame[rows]
        for part in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(frames) > LONGEST_GAP + 1) + 1):
            seen = frames[part] - frames[part][0]
            if seen[-1] + 1 < window:
                continue
            for values in smoothed.values():
                columns = values[rows[part]].reshape(len(part), -1).T
                every = np.stack([np.interp(np.arange(seen[-1] + 1), seen, column) for column in columns], axis=1)
                filtered = np.asarray(savgol_filter(every, window, ORDER, axis=0))[seen]
                values[rows[part]] = filtered.reshape(len(part), *values.shape[1:])
    return dataclasses.replace(predictions, poses=dataclasses.replace(poses, **smoothed))
