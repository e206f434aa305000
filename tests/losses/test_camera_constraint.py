"""The camera constraint: zero for scaled orthonormal rows, by hand elsewhere."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.losses.camera_constraint import camera_constraint


def orthonormal_rows(count=10, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(count, 3, 3)))[0][:, :2]


@pytest.mark.parametrize("scale", [0.01, 1.0, 3.0, 1e4])
def test_scaled_orthonormal_rows_cost_nothing(scale):
    camera = tf.constant(scale * orthonormal_rows(), tf.float32)
    np.testing.assert_allclose(camera_constraint(camera), 0.0, atol=1e-6)


@pytest.mark.parametrize(
    ("camera", "expected"),
    [
        # (2/tr) M Mᵀ − I by hand.
        ([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]], 0.6 + 0.6),  # diag(8/5, 2/5) − I
        ([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], 1.0 + 1.0),  # ones − I
        ([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], 1.0 + 1.0),  # diag(2, 0) − I
        ([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]], 0.5 + 0.5),  # off-diagonal 2/4
        ([[1.0, 1.0, 0.0], [0.0, -1.0, -1.0]], 0.5 + 0.5),  # the same, its sign taken away
        ([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], 2.0),  # −I
    ],
)
def test_by_hand(camera, expected):
    np.testing.assert_allclose(camera_constraint(tf.constant([camera])), expected, rtol=1e-6)


def test_mean_over_the_batch():
    camera = tf.constant([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]])
    np.testing.assert_allclose(camera_constraint(camera), (0.0 + 2.0) / 2.0)


@pytest.mark.parametrize("scale", [0.1, 10.0])
def test_the_scale_of_the_camera_does_not_matter(scale):
    camera = np.random.default_rng(1).normal(size=(5, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(camera_constraint(scale * camera), camera_constraint(camera), rtol=1e-5)


def test_gradient_against_finite_differences():
    camera = tf.constant(np.random.default_rng(2).normal(size=(3, 2, 3)))
    theoretical, numerical = tf.test.compute_gradient(camera_constraint, [camera], delta=1e-6)
    np.testing.assert_allclose(theoretical[0], numerical[0], atol=1e-7)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_gradient_is_finite_at_a_zero_camera(jit_compile):
    @tf.function(jit_compile=jit_compile)
    def gradient(camera):
        with tf.GradientTape() as tape:
            tape.watch(camera)
            loss = camera_constraint(camera)
        return tape.gradient(loss, camera)

    np.testing.assert_array_equal(gradient(tf.zeros([1, 2, 3])), np.zeros((1, 2, 3)))


def test_a_camera_of_three_rows_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError):
        camera_constraint(tf.ones([1, 3, 3]))
