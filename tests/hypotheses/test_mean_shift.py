"""Mean-shift against scikit-learn's kernel density: the result is a mode of it, and no sample is denser."""

import numpy as np
import pytest
import scipy.spatial.distance
import tensorflow as tf
from sklearn.neighbors import KernelDensity

from tf_wsgen.hypotheses.mean_shift import SMALLEST_BANDWIDTH, default_bandwidth, log_density, mean_shift


def cluster(count, centre, spread, joints=4, seed=0):
    return np.random.default_rng(seed).normal(centre, spread, (count, joints, 3)).astype(np.float32)


def bimodal(small=3, large=8, spread=0.03):
    """Two ways to see one person; the more frequent one comes last, so that index 0 is no answer by luck."""
    return np.concatenate([cluster(small, -0.4, spread, seed=1), cluster(large, 0.4, spread, seed=2)])


SETS = {
    "ten": cluster(10, 0.0, 0.3),
    "fifty of 16 joints": cluster(50, 0.2, 0.1, joints=16, seed=3),
    "bimodal": bimodal(),
    "bimodal, wide": bimodal(20, 20, 0.2),
}
BANDWIDTHS = [None, 0.3]
every_set = pytest.mark.parametrize("name", SETS)


def flat(poses):
    return np.asarray(poses, np.float64).reshape(len(poses), -1)


def density_of(hypotheses, bandwidth):
    """scikit-learn's log-density as a function of (P, J, 3) points."""
    kernels = KernelDensity(kernel="gaussian", bandwidth=float(bandwidth)).fit(flat(hypotheses))
    return lambda points: kernels.score_samples(flat(points))


def numerical_gradient(function, pose, step):
    moves = step * np.eye(pose.size).reshape(-1, *pose.shape)
    return (function(pose + moves) - function(pose - moves)) / (2.0 * step)


@every_set
@pytest.mark.parametrize("bandwidth", BANDWIDTHS)
def test_the_result_is_a_mode_and_no_sample_is_denser(name, bandwidth):
    hypotheses = SETS[name]
    mode = mean_shift(tf.constant(hypotheses)[None], bandwidth)
    width, pose = mode.bandwidth.numpy()[0], mode.pose_3d.numpy()[0].astype(np.float64)
    density = density_of(hypotheses, width)
    # In bandwidths: the gradient of a sample one bandwidth off a mode is about 1.
    gradient = width * numerical_gradient(density, pose, step=1e-4 * width)
    np.testing.assert_allclose(gradient, np.zeros(pose.size), atol=2e-3)
    assert density(pose[None]) >= density(hypotheses).max() - 1e-5


@every_set
@pytest.mark.parametrize("bandwidth", BANDWIDTHS[1:])
def test_log_density_is_scikit_learns_but_for_the_constant(name, bandwidth):
    hypotheses = SETS[name]
    points = cluster(6, 0.1, 0.3, joints=hypotheses.shape[1], seed=5)
    found = log_density(tf.constant(points)[None], tf.constant(hypotheses)[None], tf.constant([bandwidth]))
    dimensions = hypotheses[0].size
    constant = np.log(len(hypotheses)) + dimensions / 2.0 * np.log(2.0 * np.pi * bandwidth**2)
    np.testing.assert_allclose(found[0], density_of(hypotheses, bandwidth)(points) + constant, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("bandwidth", "turned"), [(None, False), (None, True), (0.05, False)])
def test_the_larger_of_two_clusters_wins(bandwidth, turned):
    hypotheses = -bimodal() if turned else bimodal()
    mode = mean_shift(tf.constant(hypotheses)[None], bandwidth)
    # The mean of all hypotheses would lie 0.2 m a coordinate from here: in nobody's pose.
    np.testing.assert_allclose(mode.pose_3d[0], hypotheses[3:].mean(axis=0), atol=0.04)


def test_a_bandwidth_wider_than_the_set_gives_its_mean():
    hypotheses = bimodal()
    mode = mean_shift(tf.constant(hypotheses)[None], 50.0)
    np.testing.assert_allclose(mode.pose_3d[0], hypotheses.mean(axis=0), atol=1e-3)


@pytest.mark.parametrize("count", [1, 6])
def test_one_hypothesis_however_often_is_its_own_mode(count):
    pose = cluster(1, 0.5, 0.5)
    mode = mean_shift(tf.constant(np.repeat(pose, count, axis=0))[None])
    np.testing.assert_allclose(mode.pose_3d, pose, atol=1e-6)
    np.testing.assert_allclose(mode.log_density, [np.log(count)], atol=1e-4)


def test_the_default_bandwidth_keeps_two_equal_modes_apart():
    """Five hypotheses on either side: the mode is somebody's pose, not one between them."""
    sides = [np.full((4, 3), side) + cluster(5, 0.0, 0.01, seed=seed) for seed, side in enumerate((-0.1, 0.1))]
    mode = mean_shift(tf.constant(np.concatenate(sides), tf.float32)[None]).pose_3d.numpy()
    assert abs(mode.mean()) > 0.09


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_two_hypotheses_merge_only_under_a_wide_kernel(share):
    # Two Gaussians at distance d have one mode, half way, for w > d/2, and two, near the hypotheses, for w ≪ d.
    pair = np.stack([np.zeros((4, 3)), np.full((4, 3), 0.5)]).astype(np.float32)
    mode = mean_shift(tf.constant(pair)[None], share * np.linalg.norm(pair[1] - pair[0])).pose_3d.numpy()[0]
    expected = [pair.mean(axis=0)] if share > 0.5 else pair
    assert min(np.abs(mode - pose).max() for pose in expected) < 1e-3


def test_a_batch_is_solved_as_each_pose_alone():
    poses = np.stack([cluster(9, 0.0, spread, seed=seed) for seed, spread in enumerate((0.02, 0.1, 0.5))])
    together = mean_shift(tf.constant(poses))
    for index, hypotheses in enumerate(poses):
        alone = mean_shift(tf.constant(hypotheses)[None])
        # Each ends its climb within a few steps of 0.01 mm of the other.
        np.testing.assert_allclose(together.pose_3d[index], alone.pose_3d[0], atol=2e-4)
        np.testing.assert_allclose(together.log_density[index], alone.log_density[0], atol=1e-4)
        np.testing.assert_allclose(together.bandwidth[index], alone.bandwidth[0], rtol=1e-5)


def test_bandwidth_as_scalar_vector_and_default():
    poses = tf.constant(np.stack([bimodal(), cluster(11, 0.0, 0.3)]))
    scalar, vector = mean_shift(poses, 0.2), mean_shift(poses, tf.constant([0.2, 0.2]))
    np.testing.assert_array_equal(scalar.pose_3d, vector.pose_3d)
    np.testing.assert_allclose(scalar.bandwidth, [0.2, 0.2])
    mixed = mean_shift(poses, tf.constant([0.2, 50.0]))
    np.testing.assert_allclose(mixed.pose_3d[0], scalar.pose_3d[0], atol=2e-4)
    np.testing.assert_allclose(mixed.pose_3d[1], tf.reduce_mean(poses[1], 0), atol=1e-3)
    np.testing.assert_array_equal(mean_shift(poses).bandwidth, default_bandwidth(poses))


@pytest.mark.parametrize("count", [2, 3, 4, 10])
def test_default_bandwidth_is_the_lower_quartile_of_distances(count):
    poses = np.stack([cluster(count, 0.0, spread, seed=count) for spread in (0.05, 0.4)])
    quartiles = [np.quantile(scipy.spatial.distance.pdist(flat(pose)), 0.25, method="lower") for pose in poses]
    np.testing.assert_allclose(default_bandwidth(tf.constant(poses)), quartiles, rtol=1e-4)
    # Equal hypotheses have no spread, but a kernel has a width.
    np.testing.assert_allclose(default_bandwidth(tf.zeros([1, count, 4, 3])), [SMALLEST_BANDWIDTH])
