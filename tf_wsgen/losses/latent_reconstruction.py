"""The latent reconstruction loss: a pose must tell its code (Eq. 7)."""

import tensorflow as tf


def latent_reconstruction(z: tf.Tensor, reconstructed: tf.Tensor) -> tf.Tensor:
    """L_rec: mean |z − E(G(x, z))| of (B, H, Z) codes: a scalar."""
    return tf.reduce_mean(tf.abs(z - reconstructed))
