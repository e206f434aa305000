"""Posterior measures by hand, against definitions written out, and as proper scores."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.metrics import posterior

RNG = np.random.default_rng(0)


def energy_written_out(samples, target):
    count = len(samples)
    near = np.mean([np.linalg.norm(sample - target) for sample in samples])
    apart = sum(np.linalg.norm(a - b) for a in samples for b in samples)
    return near - apart / (2 * count * (count - 1))


@pytest.mark.parametrize("count", [2, 3, 4, 7, 10])
def test_energy_score_is_its_definition(count):
    samples, target = RNG.normal(size=(5, count, 6)), RNG.normal(size=(5, 6))
    expected = [energy_written_out(*pair) for pair in zip(samples, target, strict=True)]
    np.testing.assert_allclose(posterior.energy_score(tf.constant(samples), tf.constant(target)), expected, rtol=1e-9)


def test_crps_is_the_energy_score_of_numbers():
    samples, target = RNG.normal(size=(4, 9)), RNG.normal(size=4)
    expected = posterior.energy_score(tf.constant(samples[..., None]), tf.constant(target[..., None]))
    np.testing.assert_allclose(posterior.crps(tf.constant(samples), tf.constant(target)), expected, rtol=1e-9)


def test_crps_of_normal_samples_is_the_closed_form():
    # CRPS of N(0, 1) at y (Gneiting and Raftery 2007): y (2Φ(y) − 1) + 2φ(y) − 1/√π; at 0 this is (√2 − 1)/√π.
    samples = RNG.normal(size=(400, 500))
    score = tf.reduce_mean(posterior.crps(tf.constant(samples), tf.zeros(400, tf.float64)))
    np.testing.assert_allclose(score, (np.sqrt(2) - 1) / np.sqrt(np.pi), atol=0.005)


@pytest.mark.parametrize(("scale", "sign"), [(1.0, 0), (0.4, -1), (2.5, 1)])
def test_calibration_tells_confidence(scale, sign):
    rows, joints = 1500, 3
    target = RNG.normal(size=(rows, joints, 3))
    hypotheses = scale * RNG.normal(size=(rows, 60, joints, 3))
    within = posterior.within_quantiles(tf.constant(hypotheses), tf.constant(target))
    assert within.shape == (rows, len(posterior.QUANTILES), joints)
    error, curve = posterior.calibration_error(within.numpy().mean(axis=0))
    inner = (curve - posterior.QUANTILES)[2:-2]
    if sign == 0:
        assert error < 0.05
    else:
        assert error > 0.15
        assert (sign * inner > 0).all()


def test_quantiles_by_hand():
    # Five hypotheses of one joint on a line at 0, 1, 2, 3, 4: the median is 2, distances 0, 1, 1, 2, 2.
    line = np.zeros((1, 5, 1, 3))
    line[0, :, 0, 0] = np.arange(5)
    for at, first in ((2.0, 0.05), (3.0, 0.55), (4.5, None)):
        inside = posterior.within_quantiles(tf.constant(line), tf.constant([[[at, 0.0, 0.0]]], tf.float64))[0, :, 0]
        quantiles = posterior.QUANTILES[inside.numpy() > 0]
        if first is None:
            assert quantiles.size == 0
        else:
            np.testing.assert_allclose(quantiles[0], first, atol=1e-6)
            np.testing.assert_allclose(quantiles[-1], 1.0)


def test_depth_share_by_hand():
    hypotheses = np.zeros((1, 2, 2, 3))
    hypotheses[0, 1, 0] = [2.0, 0.0, 4.0]
    np.testing.assert_allclose(posterior.depth_share(tf.constant(hypotheses)), [0.8])
    np.testing.assert_allclose(posterior.depth_share(tf.zeros((1, 4, 2, 3))), [0.0])


def test_bones_by_hand():
    pose = tf.constant([[0.0, 0.0, 0.0], [3.0, 4.0, 0.0], [0.0, 0.0, 2.0]])
    bones = ((0, 1), (0, 2))
    np.testing.assert_allclose(posterior.bone_lengths(pose, bones), [5.0, 2.0])
    np.testing.assert_allclose(posterior.bone_length_error(pose, 2.0 * pose, bones), 3.5)
    np.testing.assert_allclose(posterior.symmetry_error(pose, bones, ((0, 1),)), 3.0)


@pytest.mark.parametrize("name", ["energy_score", "crps"])
def test_equal_samples_give_finite_scores_and_gradients(name):
    shape = (2, 4, 3) if name == "energy_score" else (2, 4)
    samples, target = tf.Variable(tf.ones(shape)), tf.ones([2, *shape[2:]])
    with tf.GradientTape() as tape:
        score = getattr(posterior, name)(samples, target)
    np.testing.assert_array_equal(score, [0.0, 0.0])
    assert np.isfinite(tape.gradient(score, samples)).all()
