"""The deviation of hypotheses by hand and against NumPy, and what it must not see."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.metrics.hypothesis_deviation import hypothesis_deviation

ROOT = 2


def hypotheses(*leading, count=7, joints=5, seed=0):
    return np.random.default_rng(seed).normal(scale=100.0, size=(*leading, count, joints, 3))


def test_by_hand():
    # Two joints, the first the root. Root-relative the second is at (4,0,0) and (0,0,6): deviations 2, 0 and 3
    # over three coordinates, and 0 for the root's three. With ddof 1 they would be √2 larger.
    two = tf.constant([[[1.0, 1.0, 1.0], [5.0, 1.0, 1.0]], [[2.0, 3.0, 4.0], [2.0, 3.0, 10.0]]])
    np.testing.assert_allclose(hypothesis_deviation(two, 0), (2.0 + 0.0 + 3.0) / 6.0)


@pytest.mark.parametrize("leading", [(), (4,), (2, 3)])
def test_against_numpy_over_any_leading_axes(leading):
    poses = hypotheses(*leading)
    expected = (poses - poses[..., [ROOT], :]).std(axis=-3).mean(axis=(-2, -1))
    found = hypothesis_deviation(tf.constant(poses), ROOT)
    assert found.shape == leading
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_translation_of_each_hypothesis_changes_nothing():
    poses = hypotheses(4)
    shift = np.random.default_rng(1).normal(scale=1000.0, size=(4, 7, 1, 3))
    found = hypothesis_deviation(tf.constant(poses + shift), ROOT)
    np.testing.assert_allclose(found, hypothesis_deviation(tf.constant(poses), ROOT), rtol=1e-9)


@pytest.mark.parametrize("poses", [hypotheses(3, count=1), np.repeat(hypotheses(3, count=1), 5, axis=1)])
def test_one_hypothesis_however_often_does_not_deviate(poses):
    np.testing.assert_allclose(hypothesis_deviation(tf.constant(poses), ROOT), np.zeros(3), atol=1e-12)
