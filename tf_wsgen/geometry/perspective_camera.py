"""Perspective cameras with lens distortion: world to camera frame, camera frame to pixels. NumPy alone."""

import dataclasses

import numpy as np

# Focal length by image width where nothing is known: about what phones and webcams have.
USUAL_FOCAL_LENGTH = 1.1


@dataclasses.dataclass(frozen=True)
class PerspectiveCamera:
    """A calibrated camera; its frame is x right, y down, z away.

    Attributes:
        name: How files call it.
        rotation: (3, 3) world to camera frame, proper.
        position: (3,) of the camera in the world, millimetres.
        focal_length: (2,) pixels.
        centre: (2,) principal point, pixels.
        radial: (3,) coefficients of r², r⁴, r⁶.
        tangential: (2,) coefficients p₁, p₂ (see `project`).
        image_size: Width and height, pixels.
    """

    name: str
    rotation: np.ndarray
    position: np.ndarray
    focal_length: np.ndarray
    centre: np.ndarray
    radial: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(3))
    tangential: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(2))
    image_size: tuple[int, int] = (1000, 1000)

    @property
    def up(self) -> np.ndarray:
        """(3,) the world's z axis, which points up, in the camera frame."""
        return self.rotation[:, 2]

    @property
    def mean_focal_length(self) -> float:
        """Pixels, the mean of both directions'."""
        return float(self.focal_length.mean())

    def to_camera_frame(self, points: np.ndarray) -> np.ndarray:
        """R (X − position) of (..., 3) world points, millimetres."""
        return (points - self.position) @ self.rotation.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels f d(u) + c of points in the camera frame, d the lens distortion of Brown and Conrady.

        With u = (x, y) / z, each clipped to ±1 because the calibration holds no further, p = (p₂, p₁) and r = |u|:
        d(u) = u (1 + k₁ r² + k₂ r⁴ + k₃ r⁶ + 2 p·u) + p r².

        Args:
            points: (..., 3) in front of the camera, any unit of length.

        Returns:
            (..., 2) x right, y down.
        """
        u = np.clip(points[..., :2] / points[..., 2:], -1.0, 1.0)
        squared = np.sum(u * u, axis=-1, keepdims=True)
        radial = 1.0 + squared * (self.radial[0] + squared * (self.radial[1] + squared * self.radial[2]))
        tangential = self.tangential[::-1]
        distorted = u * (radial + 2.0 * (u @ tangential)[..., None]) + tangential * squared
        return self.focal_length * distorted + self.centre


def rotation_looking_at(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations of level cameras at (..., 3) in a world with z up that look at (..., 3)."""
    away = target - position
    right = np.cross(away, [0.0, 0.0, 1.0])
    axes = np.stack([right, np.cross(away, right), away], axis=-2)
    return axes / np.linalg.norm(axes, axis=-1, keepdims=True)
