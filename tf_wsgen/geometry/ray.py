"""The camera that looks straight at a person: how a person beside the optical axis is seen, turned back. NumPy alone.

Root-centred keypoints do not tell along which ray a person was seen, and so leave up to half the field of view of
rotation open. With a focal length the ray is known: turned onto the axis of a virtual camera before lifting, and back
after it, the same person gives the same pose anywhere in the image.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

# Focal length by image width where nothing is known: about what phones and webcams have.
USUAL_FOCAL_LENGTH = 1.1
# Rays further than this from the axis (x/z) hold no point of a perspective image worth turning.
FARTHEST = 10.0


class Ray(NamedTuple):
    """Virtual cameras that share the real one's place and intrinsics and look at each person's root.

    Attributes:
        rotation: (…, 3, 3) from the real camera's frame to the virtual one's.
        focal_length: (…, 1, 1) pixels.
        centre: (…, 1, 2) principal point, pixels.
    """

    rotation: np.ndarray
    focal_length: np.ndarray
    centre: np.ndarray

    def to_virtual(self, keypoints: np.ndarray) -> np.ndarray:
        """Pixels (…, J, 2) as the virtual camera sees them."""
        return self._turned(keypoints, self.rotation)

    def to_image(self, keypoints: np.ndarray) -> np.ndarray:
        """Pixels (…, J, 2) of the virtual camera in the real image."""
        return self._turned(keypoints, np.swapaxes(self.rotation, -1, -2))

    def to_camera_frame(self, pose_3d: np.ndarray) -> np.ndarray:
        """(…, J, 3) of the virtual camera's frame turned into the real one's."""
        return pose_3d @ self.rotation

    def to_ray_frame(self, pose_3d: np.ndarray) -> np.ndarray:
        """(…, J, 3) of the real camera's frame turned into the virtual one's."""
        return pose_3d @ np.swapaxes(self.rotation, -1, -2)

    def over_hypotheses(self) -> "Ray":
        """The same, for arrays with an axis of hypotheses before that of joints."""
        return Ray(*(values[..., None, :, :] for values in self))

    def _turned(self, keypoints: np.ndarray, rotation: np.ndarray) -> np.ndarray:
        offset = (keypoints - self.centre) / self.focal_length
        rays = np.concatenate([offset, np.ones_like(offset[..., :1])], axis=-1) @ np.swapaxes(rotation, -1, -2)
        seen = rays[..., :2] / np.maximum(rays[..., 2:], 1.0 / FARTHEST)
        return seen * self.focal_length + self.centre


def ray_through(root: np.ndarray, image_size: ArrayLike, focal_length: ArrayLike | None = None) -> Ray:
    """The virtual cameras that look at roots: the shortest turn of each root's ray onto the axis.

    Args:
        root: (…, 2) pixels, x right, y down.
        image_size: (…, 2) width and height, pixels; the principal point is the image's middle.
        focal_length: (…) pixels; None, or 0, for `USUAL_FOCAL_LENGTH` times the width.

    Example:
        >>> ray_through(np.array([320.0, 240.0]), (640, 480)).rotation.round(3).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    size, given = np.asarray(image_size, float), np.asarray(0.0 if focal_length is None else focal_length)
    focal_length = np.where(given > 0, given, USUAL_FOCAL_LENGTH * size[..., 0])[..., None]
    offset = (np.asarray(root, float) - size / 2.0) / focal_length
    ray = np.concatenate([offset, np.ones_like(offset[..., :1])], axis=-1)
    x, y, z = np.moveaxis(ray / np.linalg.norm(ray, axis=-1, keepdims=True), -1, 0)
    # Rodrigues' formula for the turn of (x, y, z) onto (0, 0, 1); z is above 0, so nothing divides by 0.
    rows = [[1 - x * x / (1 + z), -x * y / (1 + z), -x], [-x * y / (1 + z), 1 - y * y / (1 + z), -y], [x, y, z]]
    rotation = np.moveaxis(np.array(rows), (0, 1), (-2, -1))
    return Ray(rotation, focal_length[..., None, :], size[..., None, :] / 2.0)
