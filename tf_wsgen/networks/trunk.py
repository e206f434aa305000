"""The trunk: features of a 2D pose that generator and camera share."""

import keras

from tf_wsgen.networks.blocks import Network, dense, residual


@keras.saving.register_keras_serializable("tf_wsgen")
class Trunk(Network):
    """2D pose (B, J, 2) to features t (B, width): a = D(x), t = a + D(D(a)), with more blocks so on.

    Args:
        num_joints: J.
        width: Units of every layer.
        negative_slope: Slope of the leaky ReLU below zero; None for SiLU.
        blocks: Residual blocks; the paper's trunk has one.
        sees_visible: The inputs are the pose and `visible` (B, J), 0 missing, else the
            detector's score, 1, or `EXACT`.
    """

    def __init__(
        self,
        num_joints: int,
        width: int = 1024,
        negative_slope: float | None = 0.2,
        blocks: int = 1,
        sees_visible: bool = False,
        name: str = "trunk",
    ):
        pose_2d = keras.Input((num_joints, 2), name="pose_2d")
        inputs, x = pose_2d, keras.layers.Reshape((2 * num_joints,))(pose_2d)
        if sees_visible:
            visible = keras.Input((num_joints,), name="visible")
            inputs = [pose_2d, visible]
            x = keras.ops.concatenate([x, visible], axis=-1)
        x = dense(x, width, negative_slope, "input")
        for number in range(1, blocks + 1):
            x = residual(x, width, negative_slope, "block" if number == 1 else f"block{number}")
        arguments = {
            "num_joints": num_joints,
            "width": width,
            "negative_slope": negative_slope,
            "blocks": blocks,
            "sees_visible": sees_visible,
        }
        super().__init__(inputs, x, arguments, name)
