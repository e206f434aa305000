"""A look at a file as a whole: people who reproject badly are named wrongly, or stand on their heads."""

from collections.abc import Callable

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.detections import Detections
from tf_wsgen.errors import InputError
from tf_wsgen.lifting.api import PoseLifter

# Median reprojection errors of people, in heights in the image: a file above the first is looked at; one above the
# second is wrong as a whole (real detectors' files have 0.01 to 0.03, joints of another convention 0.1).
SUSPICIOUS, WRONG = 0.03, 0.06
# An explanation makes the error at least that many times as small.
BETTER = 0.6
SAMPLE = 64


def doubt(detections: Detections, lifter: PoseLifter, read: Callable[[str], Detections]) -> str | None:
    """What is probably wrong with most of the people, in a sentence, or None.

    Args:
        detections: Everybody.
        lifter: The model.
        read: Reads the file again with its joints named by a convention.
    """
    error = _error(detections, lifter)
    if error <= SUSPICIOUS:
        return None
    turned = detections.keypoints * np.float32([1.0, -1.0])
    upside_down = _error(detections, lifter, turned)
    if upside_down <= BETTER * error:
        return f"WARNING: {_told(error)} and {upside_down:.1%} upside down; does y point up in the file?"
    if error <= WRONG:
        return None
    others = {}
    for name, table in CONVENTIONS.items():
        if len(table.joints) == len(CONVENTIONS[detections.convention].joints) and name != detections.convention:
            try:
                others[name] = _error(read(name), lifter)
            except InputError:
                continue
    best = min(others, key=lambda name: others[name], default=None)
    if best is not None and others[best] <= BETTER * error:
        return f"WARNING: {_told(error)} and {others[best]:.1%} with --convention {best}; are these its joints?"
    return f"WARNING: {_told(error)}; are the joints those of {detections.convention}?"


def _told(error: float) -> str:
    return f"most poses fit badly: reprojection errors are {error:.1%} of the people's height"


def _error(detections: Detections, lifter: PoseLifter, keypoints: np.ndarray | None = None) -> float:
    """Median reprojection error of some people, spread over the file, in heights in the image."""
    keypoints = detections.keypoints if keypoints is None else keypoints
    rows = np.flatnonzero(lifter.readable(keypoints, detections.visible))
    if not len(rows):
        return np.inf
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, SAMPLE).round().astype(int))]
    found = lifter(keypoints[rows], detections.sureness[rows], num_hypotheses=1)
    return float(np.median(found.reprojection_error / found.height_in_image))
