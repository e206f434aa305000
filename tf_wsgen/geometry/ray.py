"""The camera that looks straight at a person: how a person beside the optical axis is seen, turned back.

Root-centred keypoints do not tell along which ray a person was seen, and so leave up to half the field of view of
rotation open. With a focal length the ray is known: turned onto the axis of a virtual camera before lifting, and back
after it, the same person gives the same pose anywhere in the image.
"""

from typing import NamedTuple

import tensorflow as tf

from tf_wsgen.geometry.perspective_camera import USUAL_FOCAL_LENGTH
from tf_wsgen.numerics import safe_divide

# Rays further than this from the axis (x/z) hold no point of a perspective image worth turning.
FARTHEST = 10.0


class Ray(NamedTuple):
    """Virtual cameras that share the real one's place and intrinsics and look at each person's root.

    Attributes:
        rotation: (…, 3, 3) from the real camera's frame to the virtual one's.
        focal_length: (…, 1, 1) pixels.
        centre: (…, 1, 2) principal point, pixels.
    """

    rotation: tf.Tensor
    focal_length: tf.Tensor
    centre: tf.Tensor

    def to_virtual(self, keypoints: tf.Tensor) -> tf.Tensor:
        """Pixels (…, J, 2) as the virtual camera sees them."""
        return self._turned(keypoints, tf.linalg.matrix_transpose(self.rotation))

    def to_image(self, keypoints: tf.Tensor) -> tf.Tensor:
        """Pixels (…, J, 2) of the virtual camera in the real image."""
        return self._turned(keypoints, self.rotation)

    def to_camera_frame(self, pose_3d: tf.Tensor) -> tf.Tensor:
        """(…, J, 3) of the virtual camera's frame turned into the real one's."""
        return tf.matmul(pose_3d, self.rotation)

    def to_ray_frame(self, pose_3d: tf.Tensor) -> tf.Tensor:
        """(…, J, 3) of the real camera's frame turned into the virtual one's."""
        return tf.matmul(pose_3d, self.rotation, transpose_b=True)

    def over_hypotheses(self) -> "Ray":
        """The same, for arrays with an axis of hypotheses before that of joints."""
        return Ray(*(values[..., None, :, :] for values in self))

    def _turned(self, keypoints: tf.Tensor, turn: tf.Tensor) -> tf.Tensor:
        offset = (keypoints - self.centre) / self.focal_length
        rays = tf.matmul(tf.concat([offset, tf.ones_like(offset[..., :1])], axis=-1), turn)
        seen = rays[..., :2] / tf.maximum(rays[..., 2:], 1.0 / FARTHEST)
        return seen * self.focal_length + self.centre


def ray_through(root: tf.Tensor, image_size: tf.Tensor, focal_length: tf.Tensor) -> Ray:
    """The virtual cameras that look at roots: the shortest turn of each root's ray onto the axis.

    Args:
        root: (…, 2) pixels, x right, y down.
        image_size: (…, 2) width and height, pixels; the principal point is the image's middle.
        focal_length: (…) pixels; 0 for `USUAL_FOCAL_LENGTH` times the width.

    Example:
        >>> ray = ray_through(tf.constant([320.0, 240.0]), tf.constant([640.0, 480.0]), tf.constant(0.0))
        >>> (ray.rotation + 0.0).numpy().tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    focal_length = tf.where(focal_length > 0.0, focal_length, USUAL_FOCAL_LENGTH * image_size[..., 0])[..., None]
    offset = (root - image_size / 2.0) / focal_length
    ray = tf.concat([offset, tf.ones_like(offset[..., :1])], axis=-1)
    x, y, z = tf.unstack(ray / tf.norm(ray, axis=-1, keepdims=True), axis=-1)
    # Rodrigues' formula for the turn of (x, y, z) onto (0, 0, 1); z is above 0, so nothing divides by 0.
    rows = [[1 - x * x / (1 + z), -x * y / (1 + z), -x], [-x * y / (1 + z), 1 - y * y / (1 + z), -y], [x, y, z]]
    rotation = tf.stack([tf.stack(row, axis=-1) for row in rows], axis=-2)
    return Ray(rotation, focal_length[..., None, :], image_size[..., None, :] / 2.0)


def onto_rays(pose_3d: tf.Tensor, points: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """Poses whose known joints lie on the rays along which they are seen; depths stay as they are.

    The root is at the distance d that minimises Σ ‖u (d + z) − (x, y)‖² over known joints seen at u, in closed form;
    (x, y) then becomes u (d + z).

    Args:
        pose_3d: (…, J, 3) root-centred, of a camera that looks at the root (x right, y down, z away).
        points: (…, J, 2) where joints are seen, over the focal length, from the principal point.
        known: (…, J) bool: joints whose points are exact.

    Example:
        >>> pose = tf.constant([[0.0, 0.0, 0.0], [0.0, 1.0, 0.5], [0.4, 0.0, 1.0]])
        >>> seen = tf.constant([[0.0, 0.0], [0.0, 0.4], [0.2, 0.0]])  # from 2 units away, the last one wrong
        >>> onto_rays(pose, seen, tf.constant([True, True, False])).numpy().tolist()
        [[0.0, 0.0, 0.0], [0.0, 1.0, 0.5], [0.4000000059604645, 0.0, 1.0]]
    """
    beside, depth = pose_3d[..., :2], pose_3d[..., 2:]
    seen = tf.where(known[..., None], points, 0.0)
    across = tf.reduce_sum(seen * (beside - seen * depth), axis=[-2, -1], keepdims=True)
    distance = safe_divide(across, tf.reduce_sum(tf.square(seen), axis=[-2, -1], keepdims=True))
    return tf.concat([tf.where(known[..., None], points * (distance + depth), beside), depth], axis=-1)
