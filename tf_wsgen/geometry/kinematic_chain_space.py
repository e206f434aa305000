"""Kinematic chain space (Wandt et al., 2018): bone vectors and their Gram matrix."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def bone_vectors(pose_3d: tf.Tensor, bones: Sequence[tuple[int, int]]) -> tf.Tensor:
    """Bone vectors, first joint minus second: (A1..An, J, 3) to (A1..An, K, 3)."""
    # A product with a constant matrix: unlike a gather its gradients, first and second, are products too.
    difference = np.zeros((len(bones), pose_3d.shape[-2]), np.float32)
    for row, (first, second) in enumerate(bones):
        difference[row, first] += 1.0
        difference[row, second] -= 1.0
    flat = tf.reshape(pose_3d, tf.concat([tf.shape(pose_3d)[:-2], [3 * pose_3d.shape[-2]]], axis=0))
    vectors = tf.tensordot(flat, tf.constant(np.kron(difference, np.eye(3)).T, pose_3d.dtype), axes=1)
    return tf.reshape(vectors, tf.concat([tf.shape(pose_3d)[:-2], [len(bones), 3]], axis=0))


def kinematic_chain_space(pose_3d: tf.Tensor, bones: Sequence[tuple[int, int]]) -> tf.Tensor:
    """Ψ = B Bᵀ for bone vectors B: (A1..An, J, 3) to (A1..An, K, K).

    The diagonal holds squared bone lengths, the rest the cosines between bones times their lengths.
    """
    vectors = bone_vectors(pose_3d, bones)
    # Products of whole columns fuse into one loop, where a product of many small matrices would not.
    return tf.add_n([x[..., :, None] * x[..., None, :] for x in tf.unstack(vectors, axis=-1)])
