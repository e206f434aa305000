"""Farthest-point sampling against another library and against its definition in a loop."""

import fpsample
import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.hypotheses.farthest_points import farthest_points

BATCH, N, J = 4, 30, 5


def hypotheses(seed=0, shape=(BATCH, N, J, 3)):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def by_definition(points, count):
    chosen = [0]
    while len(chosen) < count:
        distances = np.linalg.norm(points[:, None] - points[chosen], axis=-1)
        chosen.append(int(distances.min(axis=1).argmax()))
    return chosen


def by_fpsample(points, count):
    return fpsample.fps_sampling(points, count, start_idx=0)


@pytest.mark.parametrize("oracle", [by_definition, by_fpsample])
@pytest.mark.parametrize("count", [2, 5, N])
def test_against_oracles(oracle, count):
    poses = hypotheses()
    expected = [oracle(pose.reshape(N, -1).astype(float), count) for pose in poses]
    np.testing.assert_array_equal(farthest_points(tf.constant(poses), count), expected)


def test_by_hand():
    # On a line at 0, 1, 10, 4: the farthest from 0 is 10; then 4 (4 away from the nearest), then 1.
    line = np.zeros((1, 4, 2, 3), np.float32)
    line[0, :, 1, 2] = [0.0, 1.0, 10.0, 4.0]
    np.testing.assert_array_equal(farthest_points(tf.constant(line), 4), [[0, 2, 3, 1]])


def test_a_pose_far_from_the_origin_is_sampled_as_one_at_it():
    # Distances come from differences: ‖a‖² + ‖b‖² − 2⟨a,b⟩ would lose them to rounding.
    poses = np.round(hypotheses(3) * 64) / 64
    far = tf.constant(poses + np.float32(4096.0))
    np.testing.assert_array_equal(farthest_points(far, 5), farthest_points(tf.constant(poses), 5))


def test_equal_hypotheses_give_valid_indices():
    found = farthest_points(tf.ones([2, 4, J, 3]), 3).numpy()
    assert ((found >= 0) & (found < 4)).all()
