"""The discriminator (critic): features of a 3D pose for the MMD kernel."""

from collections.abc import Sequence

import keras

from tf_wsgen.geometry.kinematic_chain_space import kinematic_chain_space
from tf_wsgen.networks.blocks import Network, dense, linear, residual


@keras.saving.register_keras_serializable("tf_wsgen")
class KinematicChainSpace(keras.layers.Layer):
    """Ψ of a pose as a layer: (N, J, 3) to (N, K, K).

    Args:
        bones: K pairs of joint indices.
    """

    def __init__(self, bones: Sequence[Sequence[int]], **kwargs):
        super().__init__(**kwargs)
        self.bones = tuple(tuple(bone) for bone in bones)

    def call(self, pose_3d):
        """Ψ of each pose."""
        return kinematic_chain_space(pose_3d, self.bones)

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {**super().get_config(), "bones": self.bones}


@keras.saving.register_keras_serializable("tf_wsgen")
class Discriminator(Network):
    """D: poses (N, J, 3), metres, to critic features (N, F), not a score.

    A pose branch and a branch on the kinematic chain space matrix, each D and two residual blocks;
    concat → linear.

    Args:
        num_joints: J.
        bones: Pairs of joint indices (first minus second).
        pose_branch_width: Units of the pose branch.
        kcs_branch_width: Units of the kinematic chain branch.
        num_features: F.
        negative_slope: Slope of the leaky ReLU below zero; None for SiLU.
    """

    def __init__(
        self,
        num_joints: int,
        bones: Sequence[Sequence[int]],
        pose_branch_width: int = 128,
        kcs_branch_width: int = 1024,
        num_features: int = 8,
        negative_slope: float | None = 0.2,
        name: str = "discriminator",
    ):
        bones = tuple(tuple(bone) for bone in bones)
        pose_3d = keras.Input((num_joints, 3), name="pose_3d")
        kcs = KinematicChainSpace(bones, name="kcs")(pose_3d)
        branches = []
        for branch, x, width in (("pose", pose_3d, pose_branch_width), ("kcs", kcs, kcs_branch_width)):
            x = dense(keras.layers.Flatten()(x), width, negative_slope, f"{branch}_input")
            x = residual(x, width, negative_slope, f"{branch}_block_1")
            branches.append(residual(x, width, negative_slope, f"{branch}_block_2"))
        features = linear(num_features, "features")(keras.layers.Concatenate()(branches))
        arguments = {
            "num_joints": num_joints,
            "bones": bones,
            "pose_branch_width": pose_branch_width,
            "kcs_branch_width": kcs_branch_width,
            "num_features": num_features,
            "negative_slope": negative_slope,
        }
        super().__init__(pose_3d, features, arguments, name)
