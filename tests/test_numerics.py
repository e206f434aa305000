"""Guarded arithmetic: the value, and a finite gradient where the plain formula has none."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.numerics import pairwise_squared_distance, safe_divide, safe_norm

# Squares of these neither overflow nor vanish in float32.
MAGNITUDES = [1e-18, 1e-12, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e12, 1e18]


def value_and_gradients(function, *arguments):
    arguments = [tf.constant(argument, tf.float32) for argument in arguments]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        value = function(*arguments)
    return value.numpy(), [gradient.numpy() for gradient in tape.gradient(value, arguments)]


@pytest.mark.parametrize(("axis", "keepdims"), [(-1, False), (1, True)])
def test_safe_norm_is_the_euclidean_norm(axis, keepdims):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    expected = np.linalg.norm(x, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(safe_norm(x, axis, keepdims), expected, rtol=1e-6)


@pytest.mark.parametrize("magnitude", MAGNITUDES)
def test_safe_norm_over_the_float_range(magnitude):
    value, (gradient,) = value_and_gradients(safe_norm, [3.0 * magnitude, -4.0 * magnitude])
    np.testing.assert_allclose(value, 5.0 * magnitude, rtol=1e-5)
    np.testing.assert_allclose(gradient, [0.6, -0.8], rtol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_safe_norm_at_zero_has_a_zero_gradient(jit_compile):
    # XLA differentiates √ by another rule than the eager kernel, which hides 0·∞.
    function = tf.function(lambda x: safe_norm(x), jit_compile=jit_compile)
    value, (gradient,) = value_and_gradients(function, [[0.0, 0.0], [3.0, 4.0]])
    np.testing.assert_allclose(value, [0.0, 5.0])
    np.testing.assert_allclose(gradient, [[0.0, 0.0], [0.6, 0.8]], rtol=1e-6)


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"), [(6.0, 3.0, 2.0), (6.0, -3.0, -2.0), (0.0, 5.0, 0.0), (1.0, 1e-5, 1e5)]
)
def test_safe_divide_divides(numerator, denominator, quotient):
    value, gradients = value_and_gradients(safe_divide, numerator, denominator)
    np.testing.assert_allclose(value, quotient, rtol=1e-6)
    np.testing.assert_allclose(gradients, [1.0 / denominator, -numerator / denominator**2], rtol=1e-5)


@pytest.mark.parametrize("denominator", [0.0, -0.0, 1e-7, -1e-7, 1e-30])
@pytest.mark.parametrize("numerator", [0.0, 1.0, -1e20])
def test_safe_divide_by_nothing_is_zero_without_a_gradient(numerator, denominator):
    value, gradients = value_and_gradients(safe_divide, numerator, denominator)
    assert value == 0.0
    np.testing.assert_array_equal(gradients, [0.0, 0.0])


def test_pairwise_squared_distance_against_loops():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 4, 5))
    expected = [[[sum((p - q) ** 2) for q in bs] for p in ps] for ps, bs in zip(a, b, strict=True)]
    np.testing.assert_allclose(pairwise_squared_distance(tf.constant(a), tf.constant(b)), expected, rtol=1e-12)


def test_pairwise_squared_distance_of_near_points_is_small_and_not_negative():
    # Features about the origin, as the critic's are after centring: float32 may err by rounding, not below 0.
    rng = np.random.default_rng(2)
    a = rng.normal(size=(50, 8)).astype(np.float32)
    b = a + rng.normal(scale=1e-2, size=a.shape).astype(np.float32)
    found = np.diagonal(pairwise_squared_distance(a, b))
    np.testing.assert_allclose(found, np.square(a.astype(float) - b).sum(axis=1), atol=5e-6)
    assert (pairwise_squared_distance(a, a).numpy() >= 0.0).all()


def test_pairwise_squared_distance_of_identical_points_has_a_zero_gradient():
    value, gradients = value_and_gradients(pairwise_squared_distance, np.ones((3, 2)), np.ones((2, 2)))
    np.testing.assert_array_equal(value, np.zeros((3, 2)))
    for gradient in gradients:
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient))
