"""The camera network: features to a weak-perspective camera."""

import keras

from tf_wsgen.networks.blocks import Network, linear, residual

# Looks straight at the template's front; a metre is about three standard deviations of a pose.
LEVEL = ((3.0, 0.0, 0.0), (0.0, 3.0, 0.0))


@keras.saving.register_keras_serializable("tf_wsgen")
class Camera(Network):
    """Trunk features t (B, width) to the camera M (B, 2, 3), or the generator's (B, H, width) to (B, H, 2, 3).

    Residual blocks of two D, then linear.

    Args:
        width: Units of every hidden layer (the features' width).
        negative_slope: Slope of the leaky ReLU below zero; None for SiLU.
        camera_gain: Gain on the last layer's initial weights.
        blocks: Residual blocks; the paper's camera has two.
        per_hypothesis: Take the generator's features, so that orientation is part of what is uncertain. The
            paper's camera takes the trunk's. The first cameras are then nearly `LEVEL`: the energy scores turn
            poses by their cameras, whose direction must not be a matter of rounding.
    """

    def __init__(
        self,
        width: int = 1024,
        negative_slope: float | None = 0.2,
        camera_gain: float = 1.0,
        blocks: int = 2,
        per_hypothesis: bool = False,
        name: str = "camera",
    ):
        features = x = keras.Input((None, width) if per_hypothesis else (width,), name="features")
        for number in range(1, blocks + 1):
            x = residual(x, width, negative_slope, f"block_{number}")
        layer = linear(6, "camera", gain=camera_gain)
        if per_hypothesis:
            layer.bias_initializer = lambda shape, dtype=None: keras.ops.cast(keras.ops.reshape(LEVEL, shape), dtype)
        x = layer(x)
        camera = keras.layers.Reshape((-1, 2, 3) if per_hypothesis else (2, 3))(x)
        arguments = {
            "width": width,
            "negative_slope": negative_slope,
            "camera_gain": camera_gain,
            "blocks": blocks,
            "per_hypothesis": per_hypothesis,
        }
        super().__init__(features, camera, arguments, name)
