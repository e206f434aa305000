"""The generator: trunk features and latent codes to hypotheses."""

import keras

from tf_wsgen.networks.blocks import Network, activate, dense, linear, residual


@keras.saving.register_keras_serializable("tf_wsgen")
class Generator(Network):
    """G: trunk features t (B, width) and codes z (B, H, Z) to hypotheses (B, H, J, 3), metres.

    D(concat[t, z]) → D, plus t; → D → D, plus that; → linear. The first layer is linear in its two
    parts, so t's part is computed once a pose and not once a hypothesis. What the last layer takes can be
    given beside the hypotheses, (B, H, width), for a camera a hypothesis.

    Args:
        num_joints: J.
        width: Units of every hidden layer (the trunk's width, for the sum with t).
        code_size: Z.
        negative_slope: Slope of the leaky ReLU below zero; None for SiLU.
        code_gain: Gain on the codes' part of the first layer's initial weights.
        pose_gain: Gain on the last layer's initial weights.
        gives_features: Give hypotheses and features; the paper's generator gives hypotheses alone.
    """

    def __init__(
        self,
        num_joints: int,
        width: int = 1024,
        code_size: int = 1024,
        negative_slope: float | None = 0.2,
        code_gain: float = 1.0,
        pose_gain: float = 1.0,
        gives_features: bool = False,
        name: str = "generator",
    ):
        features = keras.Input((width,), name="features")
        z = keras.Input((None, code_size), name="z")
        # He-normal over the fan-in of both parts together: each part's gain is its share's root.
        fan_in = width + code_size
        from_pose = linear(width, "input_features", gain=(width / fan_in) ** 0.5)(features)
        from_code = linear(width, "input_code", gain=code_gain * (code_size / fan_in) ** 0.5, use_bias=False)(z)
        x = activate(keras.ops.expand_dims(from_pose, 1) + from_code, negative_slope)
        x = dense(x, width, negative_slope, "hidden") + keras.ops.expand_dims(features, 1)
        x = residual(x, width, negative_slope, "block")
        flat = linear(3 * num_joints, "pose", gain=pose_gain)(x)
        hypotheses = keras.layers.Reshape((-1, num_joints, 3))(flat)
        arguments = {
            "num_joints": num_joints,
            "width": width,
            "code_size": code_size,
            "negative_slope": negative_slope,
            "code_gain": code_gain,
            "pose_gain": pose_gain,
            "gives_features": gives_features,
        }
        super().__init__([features, z], [hypotheses, x] if gives_features else hypotheses, arguments, name)
