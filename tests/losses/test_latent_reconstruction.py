"""The latent reconstruction loss: a mean absolute difference."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.losses.latent_reconstruction import latent_reconstruction


def test_by_hand():
    z = tf.constant([[[1.0, -2.0], [0.0, 4.0]]])
    reconstructed = tf.constant([[[0.0, 2.0], [0.5, 4.0]]])
    np.testing.assert_allclose(latent_reconstruction(z, reconstructed), (1.0 + 4.0 + 0.5 + 0.0) / 4.0)


def test_a_perfect_reconstruction_costs_nothing_with_a_finite_gradient():
    z = tf.constant([[[1.0, -2.0]]])
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = latent_reconstruction(tf.constant([[[1.0, -2.0]]]), z)
    assert loss == 0.0
    assert np.isfinite(tape.gradient(loss, z)).all()


def test_every_coordinate_pulls_alike_towards_its_code():
    reconstructed = tf.constant([[[5.0, -0.1], [0.2, -9.0]]])
    with tf.GradientTape() as tape:
        tape.watch(reconstructed)
        loss = latent_reconstruction(tf.zeros([1, 2, 2]), reconstructed)
    np.testing.assert_allclose(tape.gradient(loss, reconstructed), [[[0.25, -0.25], [0.25, -0.25]]])


def test_codes_of_another_length_are_refused():
    with pytest.raises(tf.errors.InvalidArgumentError):
        latent_reconstruction(tf.ones([1, 2, 3]), tf.ones([1, 2, 4]))
