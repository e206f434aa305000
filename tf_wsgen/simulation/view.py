"""A camera that looks at a person: direction, roll, distance, and perspective projection on its axis."""

import math
from typing import NamedTuple

import tensorflow as tf


class View(NamedTuple):
    """A person as a camera sees them.

    Attributes:
        pose_3d: (B, J, 3) metres, root-centred, camera frame: x right, y down, z away.
        pose_2d: (B, J, 2) x/z and y/z of the joints, y down, the root at the middle of the image.
    """

    pose_3d: tf.Tensor
    pose_2d: tf.Tensor


def view_rotation(yaw: tf.Tensor, elevation: tf.Tensor, roll: tf.Tensor) -> tf.Tensor:
    """Rotations (B, 3, 3) from the room (y up) to a camera frame (x right, y down, z away).

    F · R_z(roll) · R_x(elevation) · R_y(yaw) with F = diag(1, −1, −1): a camera above the person
    (elevation > 0) looks down.

    Args:
        yaw: (B,) radians by which the body is turned about up.
        elevation: (B,) radians of the camera above the horizon.
        roll: (B,) radians of the camera about its axis.
    """
    zero, one = tf.zeros_like(yaw), tf.ones_like(yaw)

    def matrix(*entries):
        return tf.reshape(tf.stack(entries, axis=-1), [-1, 3, 3])

    about_y = matrix(tf.cos(yaw), zero, tf.sin(yaw), zero, one, zero, -tf.sin(yaw), zero, tf.cos(yaw))
    c, s = tf.cos(elevation), tf.sin(elevation)
    about_x = matrix(one, zero, zero, zero, c, -s, zero, s, c)
    c, s = tf.cos(roll), tf.sin(roll)
    about_z = matrix(c, -s, zero, s, c, zero, zero, zero, one)
    return tf.linalg.diag([1.0, -1.0, -1.0]) @ about_z @ about_x @ about_y


def look(
    pose: tf.Tensor,
    elevation: tuple[float, float],
    roll: float,
    distance: tuple[float, float],
    seed: tf.Tensor,
) -> View:
    """Each body from a random side: yaw uniform, the rest as the arguments say, the root on the optical axis.

    Args:
        pose: (B, J, 3) metres, room, root-centred.
        elevation: Lowest and highest of the uniform elevation, degrees.
        roll: Standard deviation of the roll, degrees.
        distance: Nearest and farthest of the uniform distance of the root, metres.
        seed: (2,) of the draw.
    """
    seeds, rows = tf.unstack(tf.random.split(seed, 4)), tf.shape(pose)[:1]
    low, high = (math.radians(angle) for angle in elevation)
    rotation = view_rotation(
        tf.random.stateless_uniform(rows, seeds[0], 0.0, 2.0 * math.pi),
        tf.random.stateless_uniform(rows, seeds[1], low, high),
        tf.random.stateless_normal(rows, seeds[2], stddev=math.radians(roll)),
    )
    pose_3d = tf.matmul(pose, rotation, transpose_b=True)
    away = tf.random.stateless_uniform(rows, seeds[3], *distance)
    # Nobody reaches behind the lens: a joint is at least a fifth of the distance away.
    depth = tf.maximum(pose_3d[..., 2] + away[:, None], 0.2 * away[:, None])
    return View(pose_3d, pose_3d[..., :2] / depth[..., None])
