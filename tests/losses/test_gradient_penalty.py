"""The critic's penalty against finite differences of its witness, and the pairing of the mixtures."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.geometry.kinematic_chain_space import kinematic_chain_space
from tf_wsgen.losses.gradient_penalty import gradient_penalty, interpolate

JOINTS, FEATURES = 3, 4
RNG = np.random.default_rng(0)
POSE_KERNEL, KCS_KERNEL = RNG.normal(size=(3 * JOINTS, FEATURES)), RNG.normal(size=(4, FEATURES))


def critic(poses, offset=0.0):
    """A smooth critic that sees the pose and its kinematic chain space."""
    kcs = kinematic_chain_space(poses, ((0, 1), (1, 2)))
    flat, kcs = tf.reshape(poses, [-1, 3 * JOINTS]), tf.reshape(kcs, [-1, 4])
    return tf.tanh(flat @ tf.cast(POSE_KERNEL, flat.dtype)) + 0.1 * kcs @ tf.cast(KCS_KERNEL, flat.dtype) + offset


def poses(count, seed, dtype=np.float64):
    return tf.constant(0.3 * np.random.default_rng(seed).normal(size=(count, JOINTS, 3)), dtype)


def witness(pose, generated_features, real_features, dot_weight):
    """f(ŷ) in NumPy, from its definition, features not centred."""
    feature = critic(tf.constant(pose[None])).numpy()[0]

    def mean_kernel(others):
        squared = np.square(feature - others).sum(axis=1)
        rational_quadratic = sum((1 + squared / (2 * alpha)) ** -alpha for alpha in (0.1, 1.0, 10.0))
        return (rational_quadratic + dot_weight * others @ feature).mean()

    return mean_kernel(real_features) - mean_kernel(generated_features)


@pytest.mark.parametrize("dot_weight", [0.0, 10.0])
def test_penalty_against_finite_differences_of_the_witness(dot_weight):
    interpolated = poses(2, seed=1)
    generated, real = critic(poses(6, seed=2)).numpy(), critic(poses(4, seed=3)).numpy()
    terms, step = [], 1e-5
    for pose in interpolated.numpy():
        gradient = [
            (
                witness(pose + step * e.reshape(JOINTS, 3), generated, real, dot_weight)
                - witness(pose - step * e.reshape(JOINTS, 3), generated, real, dot_weight)
            )
            / (2.0 * step)
            for e in np.eye(3 * JOINTS)
        ]
        terms.append((np.sqrt(np.sum(np.square(gradient)) + 1e-5) - 1.0) ** 2)
    found = gradient_penalty(critic, interpolated, tf.constant(generated), tf.constant(real), dot_weight)
    np.testing.assert_allclose(found, np.mean(terms), rtol=1e-7)


def test_a_witness_of_slope_one_costs_nothing():
    # With one real feature d and the generated ones at −d, far away, only the dot kernel is left.
    def first_coordinate(pose):
        return pose[:, 0, :1]

    real, generated = tf.constant([[0.5e6]]), tf.constant([[-0.5e6]])
    penalty = gradient_penalty(first_coordinate, tf.zeros([3, JOINTS, 3]), generated, real, dot_weight=1e-6)
    np.testing.assert_allclose(penalty, 0.0, atol=1e-8)


def test_a_vector_added_to_all_features_changes_little():
    arguments = [poses(8, seed=1, dtype=np.float32)]
    arguments += [critic(poses(count, seed=count, dtype=np.float32)) for count in (16, 8)]
    before = gradient_penalty(critic, *arguments).numpy()
    shifted = [arguments[0], arguments[1] + 1e3, arguments[2] + 1e3]
    after = gradient_penalty(lambda pose: critic(pose, offset=1e3), *shifted).numpy()
    np.testing.assert_allclose(after, before, rtol=1e-3)


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_where_the_witness_is_flat_the_critics_gradient_is_finite(jit_compile):
    # Real and generated features alike: ∇f = 0, where the norm's own slope is infinite.
    weight = tf.constant(2.0)
    pose = poses(4, seed=1, dtype=np.float32)

    def step(weight):
        with tf.GradientTape() as tape:
            tape.watch(weight)
            features = weight * critic(pose)
            penalty = gradient_penalty(lambda x: weight * critic(x), pose, features, features)
        return penalty, tape.gradient(penalty, weight)

    penalty, gradient = (tf.function(step, jit_compile=True) if jit_compile else step)(weight)
    np.testing.assert_allclose(penalty, (np.sqrt(1e-5) - 1.0) ** 2, rtol=1e-3)
    assert np.isfinite(gradient)


@pytest.mark.parametrize("poses_of", [1, 2], ids=["a real pose per 2D pose", "a real pose per hypothesis"])
def test_interpolate_pairs_row_by_row(poses_of):
    batch, codes = 3, 2
    rng = np.random.default_rng(0)
    hypotheses, real = rng.normal(size=(batch, codes, JOINTS, 3)), rng.normal(size=(batch * poses_of, JOINTS, 3))
    epsilon = rng.uniform(size=(batch, codes))
    expected = []
    for b in range(batch):
        for h in range(codes):
            partner = real[b] if poses_of == 1 else real[b * codes + h]
            expected.append(epsilon[b, h] * partner + (1.0 - epsilon[b, h]) * hypotheses[b, h])
    found = interpolate(tf.constant(hypotheses), tf.constant(real), tf.constant(epsilon))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
