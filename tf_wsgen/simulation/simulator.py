"""Pairs of a pose and what a detector makes of it: a pure function of poses, configuration and seed."""

from typing import NamedTuple

import tensorflow as tf

from tf_wsgen.numerics import safe_norm
from tf_wsgen.simulation import body, detector, missing, view
from tf_wsgen.simulation.settings import EXACT, SimulationConfig
from tf_wsgen.skeleton import Skeleton


class Simulated(NamedTuple):
    """Draws of P(y) and P(x | y).

    Attributes:
        keypoints: (B, J, 2) as found, y down, unit focal length; the root is near (0, 0).
        visible: (B, J) 0 missing; else the detector's score, 1 where it tells none, or `EXACT`.
        pose_3d: (B, J, 3) metres, root-centred, camera frame (x right, y down, z away), of a body whose summed
            bone length is that of the poses handed in.
    """

    keypoints: tf.Tensor
    visible: tf.Tensor
    pose_3d: tf.Tensor


def vary_bodies(
    poses: tf.Tensor, others: tf.Tensor, config: SimulationConfig, seed: tf.Tensor, skeleton: Skeleton
) -> tf.Tensor:
    """(B, J, 3) bodies of the room, varied as the configuration says; each keeps its summed bone length.

    Args:
        poses: (B, J, 3) metres, y up, root-centred.
        others: (2, B, J, 3) poses to take legs and arms from.
        config: The shares and deviations.
        seed: (2,) of the draw.
        skeleton: The joints.
    """
    for_choice, for_tilt, for_bones = tf.unstack(tf.random.split(seed, 3))
    size = body.body_size(poses, skeleton)
    chosen = tf.random.stateless_uniform([4, tf.shape(poses)[0]], for_choice)
    varied = body.recombine(poses, others[0], skeleton.hips, chosen[0] < config.legs_share, skeleton)
    varied = body.recombine(varied, others[1], skeleton.shoulders, chosen[1] < config.arms_share, skeleton)
    varied = body.tilt(varied, config.tilt_deviation, chosen[2] < config.tilt_share, for_tilt)
    mirrored = (chosen[3] < config.mirror_share)[:, None, None]
    varied = tf.where(mirrored, body.mirror(varied, skeleton), varied)
    varied = body.vary_proportions(varied, config.bone_deviation, for_bones, skeleton)
    return body.resize(varied, size, skeleton)


def find_keypoints(
    pose_2d: tf.Tensor, config: SimulationConfig, seed: tf.Tensor, skeleton: Skeleton
) -> tuple[tf.Tensor, tf.Tensor]:
    """Keypoints (B, J, 2) of true points (B, J, 2) as the detector finds them, and `Simulated.visible` (B, J)."""
    seeds, rows = tf.unstack(tf.random.split(seed, 7)), tf.shape(pose_2d)[0]
    chosen = tf.random.stateless_uniform([3, rows], seeds[0])
    scale = tf.random.stateless_uniform([rows], seeds[1], config.least_scale, config.most_scale)
    tails = tf.random.stateless_uniform([rows], seeds[2], 0.0, config.most_tails)
    by_detector = chosen[1] < config.detector_share
    other = by_detector & (chosen[0] < config.convention_share)
    named = detector.rename(pose_2d, config.head_deviation, config.width_deviation, other, seeds[3], skeleton)
    detect_seed, exact_seed = tf.unstack(tf.random.split(seeds[4], 2))
    found = detector.detect(named, scale, tails, detect_seed, skeleton)
    height = detector.height_in_image(pose_2d)[:, None, None]
    exact = pose_2d + config.exact_error * height * tf.random.stateless_normal(tf.shape(pose_2d), exact_seed)
    shares = {
        "any": config.hide_any_share,
        "legs": config.hide_legs_share,
        "head_and_neck": config.hide_head_and_neck_share,
        "head": config.hide_head_share,
        "arm": config.hide_arm_share,
    }
    visible = missing.draw_visible(rows, shares, config.most_hidden_rate, seeds[5], skeleton)
    told = (config.score_error, config.score_deviation, config.score_power_deviation)
    score = detector.scores(safe_norm(found - named) / height[..., 0], *told, seeds[6])
    scored = tf.where((chosen[2] < config.score_share)[:, None], score, 1.0)
    known = tf.where(chosen[2] < config.known_exact_share, EXACT, 1.0)[:, None]
    points = tf.where(by_detector[:, None, None], found, exact)
    return detector.derive(points, visible * tf.where(by_detector[:, None], scored, known), other, skeleton)


def simulate(
    poses: tf.Tensor, others: tf.Tensor, config: SimulationConfig, seed: tf.Tensor, skeleton: Skeleton
) -> Simulated:
    """Pairs from 3D poses of the room.

    Args:
        poses: (B, J, 3) metres, y up, root-centred (`tf_wsgen.simulation.body.to_room`).
        others: (2, B, J, 3) poses to take legs and arms from.
        config: Every draw's distribution.
        seed: (2,) of the draw; the same seed gives the same pairs.
        skeleton: The joints.
    """
    for_body, for_view, for_detector = tf.unstack(tf.random.split(seed, 3))
    seen = view.look(
        vary_bodies(poses, others, config, for_body, skeleton),
        (config.least_elevation, config.most_elevation),
        config.roll_deviation,
        (config.least_distance, config.most_distance),
        for_view,
    )
    return Simulated(*find_keypoints(seen.pose_2d, config, for_detector, skeleton), seen.pose_3d)
