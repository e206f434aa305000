"""The camera network: trunk features to a weak-perspective camera."""

import keras

from tf_wsgen.networks.blocks import Network, linear, residual


@keras.saving.register_keras_serializable("tf_wsgen")
class Camera(Network):
    """Trunk features t (B, width) to the camera M (B, 2, 3), or (B, H, 2, 3) where it sees the codes.

    Two residual blocks of two D, then linear. The paper's camera does not see the code.

    Args:
        width: Units of every hidden layer (the trunk's width).
        negative_slope: Slope of the leaky ReLU below zero.
        camera_gain: Gain on the last layer's initial weights.
        code_size: Z where the inputs are t and codes z (B, H, Z), so that orientation is part of what is
            uncertain: a linear image of the code is added to t. 0 without codes.
    """

    def __init__(
        self,
        width: int = 1024,
        negative_slope: float = 0.2,
        camera_gain: float = 1.0,
        code_size: int = 0,
        name: str = "camera",
    ):
        features = keras.Input((width,), name="features")
        inputs = x = features
        if code_size:
            z = keras.Input((None, code_size), name="z")
            inputs = [features, z]
            x = keras.ops.expand_dims(x, 1) + linear(width, "input_code", use_bias=False)(z)
        x = residual(x, width, negative_slope, "block_1")
        x = residual(x, width, negative_slope, "block_2")
        x = linear(6, "camera", gain=camera_gain)(x)
        camera = keras.layers.Reshape((-1, 2, 3) if code_size else (2, 3))(x)
        arguments = {
            "width": width,
            "negative_slope": negative_slope,
            "camera_gain": camera_gain,
            "code_size": code_size,
        }
        super().__init__(inputs, camera, arguments, name)
