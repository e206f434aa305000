"""Bone vectors and their Gram matrix: by hand, against loops, and what they don't change with."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.transform import Rotation

from tf_wsgen.geometry.kinematic_chain_space import bone_vectors, kinematic_chain_space
from tf_wsgen.skeleton import HUMAN16

BONES = ((0, 1), (2, 1))
POSE = [[[1.0, 2.0, 3.0], [1.0, 0.0, 3.0], [4.0, 0.0, -1.0]]]


def test_kinematic_chain_space_by_hand():
    # Squared lengths 4, 25 and 5; bones 1 and 2 are orthogonal, the third joins the outer joints.
    expected = [[[4.0, 0.0, 4.0], [0.0, 25.0, -25.0], [4.0, -25.0, 29.0]]]
    np.testing.assert_array_equal(kinematic_chain_space(tf.constant(POSE), (*BONES, (0, 2))), expected)


def test_human_bones_against_gathered_joints_over_leading_axes():
    pose = np.random.default_rng(0).normal(size=(2, 3, 16, 3))
    first, second = np.array(HUMAN16.bone_indices).T
    vectors = pose[..., first, :] - pose[..., second, :]
    np.testing.assert_allclose(bone_vectors(tf.constant(pose), HUMAN16.bone_indices), vectors, rtol=1e-12)
    kcs = kinematic_chain_space(tf.constant(pose), HUMAN16.bone_indices)
    assert kcs.shape == (2, 3, 15, 15)
    np.testing.assert_allclose(kcs, np.einsum("...kc,...lc->...kl", vectors, vectors), rtol=1e-9, atol=1e-12)


def test_rotation_translation_and_mirroring_leave_it_alone_and_scale_squares():
    pose = np.random.default_rng(1).normal(size=(1, 16, 3))
    before = kinematic_chain_space(tf.constant(pose), HUMAN16.bone_indices).numpy()
    moved = pose @ Rotation.random(random_state=0).as_matrix().T * [-1.0, 1.0, 1.0] + [3.0, -7.0, 0.2]
    np.testing.assert_allclose(kinematic_chain_space(tf.constant(moved), HUMAN16.bone_indices), before, atol=1e-10)
    np.testing.assert_allclose(kinematic_chain_space(tf.constant(3 * pose), HUMAN16.bone_indices), 9 * before)


@pytest.mark.parametrize("pose", [np.zeros((1, 3, 3)), np.array(POSE)], ids=["all joints in one place", "sound"])
def test_gradients_of_both_orders_against_finite_differences(pose):
    # The critic's penalty differentiates through Ψ twice.
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(tf.square(kinematic_chain_space(x, BONES)))
        return tape.gradient(value, x)

    for function in (lambda x: kinematic_chain_space(x, BONES), gradient):
        theoretical, numerical = tf.test.compute_gradient(function, [tf.constant(pose)], delta=1e-5)
        np.testing.assert_allclose(theoretical[0], numerical[0], atol=1e-5)
