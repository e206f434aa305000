"""Varied bodies stay bodies: bone lengths, sides, and what must not move."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.simulation import body
from tf_wsgen.skeleton import HUMAN16

KEY = tf.constant([3, 1], tf.int64)
LEVEL = np.array([[0.0, -1.0, 0.0]])
LEGS = [HUMAN16.index(f"{side}_{joint}") for side in ("right", "left") for joint in ("knee", "ankle")]


@pytest.fixture(scope="module")
def people():
    metres = synthetic_people().train.pose_3d[:64] / 1000.0
    return tf.constant(body.to_room(metres - metres[:, [HUMAN16.root_index]], LEVEL), tf.float32)


def lengths(pose):
    return body.bone_lengths(pose, HUMAN16).numpy()


def test_up_becomes_y_by_the_shortest_turn():
    rng = np.random.default_rng(0)
    up = rng.normal(size=(5, 3))
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    room = body.to_room(np.stack([up, np.zeros((5, 3))], axis=1), up)
    np.testing.assert_allclose(room[:, 0], np.tile([0.0, 1.0, 0.0], (5, 1)), atol=1e-5)
    level = body.to_room(np.array([[[1.0, -2.0, 3.0]]]), LEVEL)
    np.testing.assert_allclose(level, [[[1.0, 2.0, -3.0]]])


def test_up_is_where_people_mostly_stand_to():
    rng = np.random.default_rng(0)
    pose = np.zeros((4000, 16, 3))
    up = {"above": np.array([0.0, -0.8, -0.6]), "level": np.array([0.0, -1.0, 0.0])}
    camera = np.repeat(list(up), 2000)
    leaning = np.stack([up[name] for name in camera]) + rng.normal(scale=0.3, size=(4000, 3))
    for joint in HUMAN16.shoulders:
        pose[:, HUMAN16.index(joint)] = leaning
    found = body.mean_up(pose, camera, HUMAN16)
    np.testing.assert_allclose(found[[0, -1]], list(up.values()), atol=0.03)
    np.testing.assert_allclose(body.mean_up(pose[:2000], None, HUMAN16), found[:2000])


def test_mirror_exchanges_sides_and_twice_is_nothing(people):
    mirrored = body.mirror(people, HUMAN16).numpy()
    left, right = HUMAN16.index("left_wrist"), HUMAN16.index("right_wrist")
    np.testing.assert_array_equal(mirrored[:, left], people[:, right] * [-1.0, 1.0, 1.0])
    np.testing.assert_array_equal(body.mirror(mirrored, HUMAN16), people)


def test_recombined_legs_keep_lengths_and_take_the_others_directions(people):
    other, chosen = tf.roll(people, 7, axis=0), tf.constant([True, False] * 32)
    mixed = body.recombine(people, other, HUMAN16.hips, chosen, HUMAN16).numpy()
    np.testing.assert_allclose(lengths(mixed), lengths(people), atol=1e-5)
    np.testing.assert_array_equal(mixed[1::2], people[1::2])
    still = [joint for joint in range(16) if joint not in LEGS]
    np.testing.assert_allclose(mixed[:, still], people.numpy()[:, still], atol=1e-6)
    # A turn about up leaves how steep a thigh is.
    hip, knee = HUMAN16.index("left_hip"), HUMAN16.index("left_knee")

    def steepness(pose):
        thigh = np.asarray(pose)[:, knee] - np.asarray(pose)[:, hip]
        return thigh[:, 1] / np.linalg.norm(thigh, axis=1)

    np.testing.assert_allclose(steepness(mixed)[::2], steepness(other)[::2], atol=1e-5)


def test_tilt_turns_by_the_angles_asked_for_and_keeps_lengths(people):
    many = tf.repeat(people[:1], 20_000, axis=0)
    tilted = body.tilt(many, 30.0, tf.ones([20_000], tf.bool), KEY)
    np.testing.assert_allclose(lengths(tilted[:50]), lengths(many[:50]), atol=1e-5)
    up = body.tilt(tf.tile(tf.constant([[[0.0, 1.0, 0.0]]]), [20_000, 1, 1]), 30.0, tf.ones([20_000], tf.bool), KEY)
    angle = np.degrees(np.arccos(np.clip(up[:, 0, 1], -1.0, 1.0)))
    np.testing.assert_allclose(np.sqrt(np.mean(angle**2)), 30.0, rtol=0.03)


def test_proportions_vary_alike_on_both_sides(people):
    many = tf.repeat(people[:1], 20_000, axis=0)
    factor = lengths(body.vary_proportions(many, 0.05, KEY, HUMAN16)) / lengths(many)
    np.testing.assert_allclose(factor.std(axis=0), 0.05, rtol=0.05)
    joints = [HUMAN16.joints[joint] for joint, _ in body.parents(HUMAN16)]
    np.testing.assert_allclose(factor[:, joints.index("left_wrist")], factor[:, joints.index("right_wrist")], rtol=1e-4)
    assert abs(np.corrcoef(factor[:, joints.index("left_wrist")], factor[:, joints.index("left_elbow")])[0, 1]) < 0.05
    np.testing.assert_allclose(body.body_size(body.resize(many[:3], 4.0, HUMAN16), HUMAN16), 4.0, rtol=1e-5)


def test_stature_of_someone_who_stands_is_what_a_tape_measures():
    pose = np.zeros((1, 16, 3), np.float32)
    heights = {"ankle": 0.07, "knee": 0.5, "hip": 0.93, "pelvis": 0.93, "thorax": 1.45, "neck": 1.55, "head": 1.8}
    for joint, name in enumerate(HUMAN16.joints):
        pose[0, joint, 1] = heights.get(name.rsplit("_", 1)[-1], 1.2)
        pose[0, joint, 0] = {"right": -0.15, "left": 0.15}.get(name.split("_")[0], 0.0)
    assert float(body.stature(pose, HUMAN16)[0]) == pytest.approx(1.8, abs=0.01)
