"""Where a person is in the camera's space: the translation that best explains what is seen. NumPy alone."""

import numpy as np

# Rounds of reweighting, and the share of the points' deviation at which a residual has half its weight.
ROUNDS, HALF_WEIGHT = 4, 0.3
# Nobody's joints are behind the camera: depth is at least this many times the farthest joint's distance from the root.
NEAREST = 1.5


def root_positions(
    pose_3d: np.ndarray,
    points: np.ndarray,
    visible: np.ndarray,
    image_size: tuple[float, float],
    focal_length: float,
) -> np.ndarray:
    """The translation t with which root-centred joints X project to the points, by reweighted linear least squares.

    With rays (u, v) = (points − centre) / f a perspective camera has X_x + t_x = u (X_z + t_z) and the same for y: two
    linear equations a joint. Joints that are far from where they project count less (Cauchy's weights, around the
    detections that are outliers). Depth goes with the size of the pose: who is 5 % taller is 5 % further away.

    Args:
        pose_3d: (…, J, 3), camera frame (x right, y down, z away), the root at the origin; any unit.
        points: (…, J, 2) pixels.
        visible: (…, J) above 0 where the joint is seen, at least two of them in different places.
        image_size: Width and height, pixels; the principal point is the image's middle.
        focal_length: Pixels.

    Returns:
        (…, 3) of the root, in the unit of `pose_3d`.

    Example:
        >>> pose = np.array([[0.0, 0.0, 0.0], [0.3, 0.0, 0.1], [0.0, -0.5, 0.0]])
        >>> seen = 1000.0 * (pose + [1.0, 0.0, 4.0])[:, :2] / (pose + [1.0, 0.0, 4.0])[:, 2:] + [640.0, 360.0]
        >>> root_positions(pose, seen, np.ones(3), (1280, 720), 1000.0).round(6).tolist()
        [1.0, 0.0, 4.0]
    """
    pose_3d, rays = np.asarray(pose_3d, np.float64), np.asarray(points, np.float64)
    rays = (rays - np.asarray(image_size) / 2.0) / focal_length
    seen = (np.asarray(visible) > 0).astype(np.float64)
    centred = rays - _mean(rays, seen)[..., None, :]
    half = HALF_WEIGHT * np.sqrt(_mean((centred**2).sum(axis=-1, keepdims=True), seen))
    weights = seen
    for _ in range(ROUNDS):
        root = _translations(pose_3d, rays, weights)
        placed = pose_3d + root[..., None, :]
        off = np.linalg.norm(placed[..., :2] / placed[..., 2:] - rays, axis=-1)
        weights = seen / (1.0 + (off / half) ** 2)
    return _translations(pose_3d, rays, weights)


def _translations(pose_3d: np.ndarray, rays: np.ndarray, weights: np.ndarray) -> np.ndarray:
    # t_x − u t_z = u X_z − X_x; x and y meet in t_z alone, so that it follows from the centred equations of both.
    sides = rays * pose_3d[..., 2:] - pose_3d[..., :2]
    mean_ray, mean_side = _mean(rays, weights), _mean(sides, weights)
    centred = rays - mean_ray[..., None, :]
    weights = weights[..., None]
    depth = -(weights * centred * sides).sum(axis=(-2, -1)) / (weights * centred**2).sum(axis=(-2, -1))
    depth = np.maximum(depth, NEAREST * np.linalg.norm(pose_3d, axis=-1).max(axis=-1))
    return np.concatenate([mean_side + mean_ray * depth[..., None], depth[..., None]], axis=-1)


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(…, C) weighted mean over joints of (…, J, C)."""
    return np.einsum("...jc,...j->...c", values, weights) / weights.sum(axis=-1)[..., None]
