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
    return tf.einsum("kj,...jc->...kc", tf.constant(difference, pose_3d.dtype), pose_3d)


def kinematic_chain_space(pose_3d: tf.Tensor, bones: Sequence[tuple[int, int]]) -> tf.Tensor:
    """Ψ = B Bᵀ for bone vectors B: (A1..An, J, 3) to (A1..An, K, K).

    The diagonal holds squared bone lengths, the rest the cosines between bones times their lengths.
    """
    vectors = bone_vectors(pose_3d, bones)
    return tf.matmul(vectors, vectors, transpose_b=True)
