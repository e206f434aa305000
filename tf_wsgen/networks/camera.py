"""The camera network: trunk features to a weak-perspective camera."""

import keras

from tf_wsgen.networks.blocks import Network, linear, residual


@keras.saving.register_keras_serializable("tf_wsgen")
class Camera(Network):
    """Trunk features t (B, width) to the camera M (B, 2, 3). It does not see the code.

    Two residual blocks of two D, then linear.

    Args:
        width: Units of every hidden layer (the trunk's width).
        negative_slope: Slope of the leaky ReLU below zero.
        camera_gain: Gain on the last layer's initial weights.
    """

    def __init__(self, width: int = 1024, negative_slope: float = 0.2, camera_gain: float = 1.0, name: str = "camera"):
        features = keras.Input((width,), name="features")
        x = residual(features, width, negative_slope, "block_1")
        x = residual(x, width, negative_slope, "block_2")
        camera = keras.layers.Reshape((2, 3))(linear(6, "camera", gain=camera_gain)(x))
        arguments = {"width": width, "negative_slope": negative_slope, "camera_gain": camera_gain}
        super().__init__(features, camera, arguments, name)
