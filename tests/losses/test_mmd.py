"""MMD² against explicit double loops in float64, and its safety where float32 would cancel."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.losses.mmd import critic_kernel, feature_centre, mmd_squared


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


def test_kernel_by_hand():
    # ‖a − b‖² = 2 and ⟨a, b⟩ = 2.
    a, b = tf.constant([[1.0, 2.0]]), tf.constant([[0.0, 1.0]])
    np.testing.assert_allclose(critic_kernel(a, b), [[11.0**-0.1 + 2.0**-1 + 1.1**-10 + 10.0 * 2.0]], rtol=1e-6)
    np.testing.assert_allclose(critic_kernel(a, a, dot_weight=1.0), [[3.0 + 5.0]], rtol=1e-6)


def _at(squared):
    return (1 + squared / 0.2) ** -0.1 + (1 + squared / 2.0) ** -1 + (1 + squared / 20.0) ** -10


@pytest.mark.parametrize("dot_weight", [0.0, 1.0, 10.0])
@pytest.mark.parametrize(("generated", "real"), [(6, 4), (4, 6), (2, 2)])
def test_mmd_against_double_loops(generated, real, dot_weight):
    generated, real = features(generated, real)
    expected = mmd_by_loops(generated, real, dot_weight)
    np.testing.assert_allclose(mmd_squared(tf.constant(generated), tf.constant(real), dot_weight), expected, rtol=1e-9)


def test_the_dot_kernel_weighs_10_unless_said():
    generated, real = features()
    expected = mmd_by_loops(generated, real, 10.0)
    np.testing.assert_allclose(mmd_squared(tf.constant(generated), tf.constant(real)), expected, rtol=1e-9)


def test_mmd_by_hand():
    # Generated {0, 1}, real {2, 2} on a line, no dot kernel: k(0,1) + k(2,2) − k(0,2) − k(1,2).
    expected = _at(1.0) + _at(0.0) - _at(4.0) - _at(1.0)
    value = mmd_squared(tf.constant([[0.0], [1.0]]), tf.constant([[2.0], [2.0]]), dot_weight=0.0)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


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


def test_centring_leaves_the_gradient_of_the_plain_formula():
    generated, real = (tf.constant(x) for x in features())

    def plain(generated, real):
        def within(x):
            k, count = critic_kernel(x, x), x.shape[0]
            return (tf.reduce_sum(k) - tf.linalg.trace(k)) / (count * (count - 1))

        return within(generated) + within(real) - 2.0 * tf.reduce_mean(critic_kernel(generated, real))

    gradients = []
    for function in (mmd_squared, plain):
        with tf.GradientTape() as tape:
            tape.watch([generated, real])
            value = function(generated, real)
        gradients.append(tape.gradient(value, [generated, real]))
    for found, expected in zip(*gradients, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_centre_is_the_mean_of_the_real_features_and_takes_no_gradient():
    real = tf.constant([[1.0, 2.0], [3.0, -2.0]])
    with tf.GradientTape() as tape:
        tape.watch(real)
        centre = feature_centre(real)
    np.testing.assert_array_equal(centre, [[2.0, 0.0]])
    assert tape.gradient(centre, real) is None


def test_identical_features_have_zero_mmd_and_a_finite_gradient():
    same = tf.ones([4, 3])
    with tf.GradientTape() as tape:
        tape.watch(same)
        value = mmd_squared(same, tf.ones([5, 3]))
    np.testing.assert_allclose(value, 0.0, atol=1e-5)
    np.testing.assert_array_equal(tape.gradient(value, same), np.zeros((4, 3)))


def test_far_apart_features_stay_finite():
    # The first batches: (1 + ‖a − b‖²/2α)^(−α) by log1p, neither 0/0 nor an overflow on the way back.
    generated = tf.constant([[1e8, 0.0], [-1e8, 1.0]])
    with tf.GradientTape() as tape:
        tape.watch(generated)
        value = mmd_squared(generated, tf.constant([[0.0, 0.0], [1.0, 1.0]]))
    assert np.isfinite(value)
    assert np.isfinite(tape.gradient(value, generated)).all()


def test_features_of_different_lengths_are_refused():
    with pytest.raises(tf.errors.InvalidArgumentError):
        mmd_squared(tf.ones([4, 3]), tf.ones([4, 2]))
