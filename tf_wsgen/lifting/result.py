"""What lifting gives: named arrays, and with frames and people what writers and the viewer take."""

import dataclasses

import numpy as np

from tf_wsgen.lifting.radius import spread_of
from tf_wsgen.simulation.settings import DEVIATION_BY_HEIGHT
from tf_wsgen.skeleton import Skeleton

# A chosen pose that reprojects worse than this share of the person's height is probably wrong.
LARGEST_ERROR = 0.1
# Said of 2D poses that cannot be lifted.
NEEDED = "a pose needs the pelvis or both hips, and joints in more than one place"


@dataclasses.dataclass(frozen=True)
class LiftedPoses:
    """Hypotheses of 2D poses with any leading axes (…).

    3D poses are millimetres in the camera frame, x right, y down, z away, the root at the origin; 2D is pixels,
    x right, y down.

    Attributes:
        keypoints: (…, J, 2) the 2D poses; 0 where missing.
        visible: (…, J) 1 seen, 0 missing.
        pose_3d: (…, J, 3) the chosen pose.
        reprojection: (…, J, 2) of the chosen pose.
        log_likelihood: (…) of the 2D pose given the chosen one, nats.
        hypotheses: (…, N, J, 3).
        hypotheses_reprojection: (…, N, J, 2).
        hypotheses_log_likelihood: (…, N).
        radius: (…, J, 2) mm: each joint is within them of the chosen pose's with probability 50 and 90 % on people
            like those that the model was calibrated with (`tf_wsgen.lifting.radius`); None without calibration.
        confidence: (…, J) what the model was told of each joint: 0 missing, else the detector's score, or 1.
        root_position: (…, 3) mm from the camera, of the chosen pose's root (`tf_wsgen.geometry.root_position`), as far
            away as someone of that size is; None where the image's size is not known.
    """

    keypoints: np.ndarray
    visible: np.ndarray
    pose_3d: np.ndarray
    reprojection: np.ndarray
    log_likelihood: np.ndarray
    hypotheses: np.ndarray
    hypotheses_reprojection: np.ndarray
    hypotheses_log_likelihood: np.ndarray
    radius: np.ndarray | None = None
    confidence: np.ndarray | None = None
    root_position: np.ndarray | None = None

    def placed(self, pose_3d: np.ndarray) -> np.ndarray:
        """Root-centred poses of these people, (…, J, 3) or hypotheses (…, N, J, 3), where they stand.

        As they are where that is not known.
        """
        if self.root_position is None:
            return pose_3d
        leading = self.root_position.shape[:-1]
        return pose_3d + self.root_position.reshape(*leading, *[1] * (pose_3d.ndim - len(leading) - 1), 3)

    @property
    def reprojection_error(self) -> np.ndarray:
        """(…) mean distance of the visible joints from the chosen pose's reprojections, pixels."""
        return _mean_distance(self.reprojection, self.keypoints, self.visible)

    @property
    def hypotheses_reprojection_error(self) -> np.ndarray:
        """(…, N) mean distance of the visible joints from each hypothesis' reprojections, pixels."""
        return _mean_distance(self.hypotheses_reprojection, self.keypoints[..., None, :, :], self.visible[..., None, :])

    @property
    def height_in_image(self) -> np.ndarray:
        """(…) pixels: the person's height, of which their joints' standard deviation is `DEVIATION_BY_HEIGHT`."""
        seen = np.repeat(self.visible[..., None] > 0, 2, axis=-1)
        centred = self.keypoints - self.keypoints.mean(axis=-2, keepdims=True, where=seen)
        return np.sqrt(np.mean(centred**2, axis=(-2, -1), where=seen)) / DEVIATION_BY_HEIGHT

    @property
    def reliable(self) -> np.ndarray:
        """(…) bool: the chosen pose reprojects to within `LARGEST_ERROR` of the person's height."""
        return self.reprojection_error <= LARGEST_ERROR * self.height_in_image

    @property
    def covariance(self) -> np.ndarray:
        """(…, J, 3, 3) covariance (divisor N) of each joint over the hypotheses, mm²."""
        deviation = self.hypotheses - self.hypotheses.mean(axis=-3, keepdims=True)
        return np.einsum("...njc,...njd->...jcd", deviation, deviation) / deviation.shape[-3]

    @property
    def spread(self) -> np.ndarray:
        """(…, J) root-mean-square distance of each joint's hypotheses from their mean, mm."""
        return spread_of(self.hypotheses)


def _mean_distance(reprojection: np.ndarray, keypoints: np.ndarray, visible: np.ndarray) -> np.ndarray:
    distance = np.linalg.norm(reprojection - keypoints, axis=-1)
    return (distance * visible).sum(axis=-1) / visible.sum(axis=-1)


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Lifted poses of people in frames.

    Attributes:
        poses: With one leading axis R, a row for each person in each frame, frame by frame.
        frame: (R,) frame numbers or image names, as the detector's file has them.
        person: (R,) which person in the frame, or the tracker's number.
        skeleton: The joints.
        about: Plain values to tell: `model`, `select`, `seed`, `num_hypotheses`, `source`.
    """

    poses: LiftedPoses
    frame: np.ndarray
    person: np.ndarray
    skeleton: Skeleton
    about: dict
