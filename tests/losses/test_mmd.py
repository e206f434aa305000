"""MMD² against explicit double loops in float64, and its safety where float32 would cancel."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.losses.mmd import feature_centre, mmd_squared


def kernel(a, b, dot_weight):
    squared = sum((p - q) ** 2 for p, q in zip(a, b, strict=True))
    rational_quadratic = sum((1 + squared / (2 * alpha)) ** -alpha for alpha in (0.1, 1.0, 10.0))
    return rational_quadratic + dot_weight * sum(p * q for p, q in zip(a, b, strict=True))


def mmd_by_loops(generated, real, dot_weight):
    def within(x):
        count = len(x)
        pairs = [kernel(x[i], x[j], dot_weight) for i in range(count) for j in range(count) if i != j]
        return sum(pairs) / (count * (count - 1))

    between = sum(kernel(g, r, dot_weight) for g in generated for r in real) / (len(generated) * len(real))
    return within(generated) + within(real) - 2.0 * between


def features(generated=6, real=4, size=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(generated, size)), rng.normal(loc=0.5, size=(real, size))


@pytest.mark.parametrize("dot_weight", [0.0, 10.0])
@pytest.mark.parametrize(("generated", "real"), [(6, 4), (2, 2)])
def test_mmd_against_double_loops(generated, real, dot_weight):
    generated, real = features(generated, real)
    expected = mmd_by_loops(generated, real, dot_weight)
    np.testing.assert_allclose(mmd_squared(tf.constant(generated), tf.constant(real), dot_weight), expected, rtol=1e-9)


def test_unbiased_draws_from_one_distribution_average_to_zero():
    # The biased estimate (diagonals kept) averages 0.34 for these sizes, 20 standard errors off.
    draws = np.random.default_rng(0).normal(size=(100, 2, 8, 2))
    function = tf.function(mmd_squared)
    values = np.array([function(tf.constant(a), tf.constant(b), 0.0).numpy() for a, b in draws])
    assert abs(values.mean()) < 3.0 * values.std() / np.sqrt(len(values))


def test_a_vector_added_to_all_features_changes_little():
    # Adam lets this vector drift; uncentred, float32 turns an offset of 10³ into errors of ±2 and more.
    generated, real = (x.astype(np.float32) for x in features(128, 64, 8))
    before = mmd_squared(tf.constant(generated), tf.constant(real)).numpy()
    after = mmd_squared(tf.constant(generated + 1e3), tf.constant(real + 1e3)).numpy()
    np.testing.assert_allclose(after, before, atol=2e-3)


def test_centre_is_the_mean_of_the_real_features_and_takes_no_gradient():
    real = tf.constant([[1.0, 2.0], [3.0, -2.0]])
    with tf.GradientTape() as tape:
        tape.watch(real)
        centre = feature_centre(real)
    np.testing.assert_array_equal(centre, [[2.0, 0.0]])
    assert tape.gradient(centre, real) is None
