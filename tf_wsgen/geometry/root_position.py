"""Where a person stands: the translation that puts a root-centred pose onto its keypoints. NumPy alone."""

import numpy as np

# Millimetres beside its ray at which a joint has lost half its weight: about twice what detectors' inliers miss.
HALF_WEIGHT = 60.0
ROUNDS = 10
# Millimetres that every joint is at least in front of the camera, whatever the keypoints say.
NEAREST = 100.0


def root_position(pose_3d: np.ndarray, points: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Least-squares positions of roots whose poses are seen at given points of a perspective camera.

    A joint x = (x, y), z of the pose is seen at u = (x + t) / (z + d) where the root is at (t, d). That is linear in t
    and d: with b = x − u z, u d − t = b, a regression line over joints. It minimises Σ w ‖x + t − u (z + d)‖², each
    joint's distance from its ray at its depth, at

        d = Σ w (u − ū)·(b − b̄) / Σ w ‖u − ū‖²,    t = ū d − b̄,    ū and b̄ means weighted with w.

    Joints that a detector misplaces are told by their distance e: the weights become w / (1 + (e / `HALF_WEIGHT`)²)
    (Cauchy's), and again, `ROUNDS` times. On people 2.5 to 9 m away this is more accurate than focal length over
    weak-perspective scale, along the ray to the root: mean error of the depth with the true pose 0 (1 %) for exact
    points and 1.9 % (4.2 %) for a detector's, with the model's pose 1.9 % (2.2 %) and 4.1 % (4.9 %).

    Args:
        pose_3d: (…, J, 3) mm, root-centred, camera frame: x right, y down, z away.
        points: (…, J, 2) keypoints from the principal point, over the focal length. Those of weight 0 don't matter.
        weight: (…, J) from 0, how sure each joint is; at least one above 0.

    Returns:
        (…, 3) mm, camera frame. Points that fit no place in front of the camera, or are all the same, give the nearest.
    """
    beside, depth = np.asarray(pose_3d[..., :2], np.float64), np.asarray(pose_3d[..., 2:], np.float64)
    sure = np.asarray(weight, np.float64)[..., None]
    seen = np.where(sure > 0.0, points, 0.0)
    offset = beside - seen * depth
    nearest = NEAREST - depth.min(axis=-2)

    def fitted(weight):
        total = weight.sum(axis=-2)
        mean_seen, mean_offset = ((weight * values).sum(axis=-2) / total for values in (seen, offset))
        from_mean = weight * (seen - mean_seen[..., None, :])
        above = (from_mean * offset).sum(axis=(-2, -1))[..., None]
        below = (from_mean * seen).sum(axis=(-2, -1))[..., None]
        away = np.maximum(np.divide(above, below, out=np.zeros_like(above), where=below > 0.0), nearest)
        return mean_seen * away - mean_offset, away

    across, away = fitted(sure)
    for _ in range(ROUNDS):
        missed = beside + across[..., None, :] - seen * (depth + away[..., None, :])
        across, away = fitted(sure / (1.0 + np.sum((missed / HALF_WEIGHT) ** 2, axis=-1, keepdims=True)))
    return np.concatenate([across, away], axis=-1)
