"""The encoder: hypotheses back to their latent codes."""

import keras

from tf_wsgen.networks.blocks import Network, dense, linear, residual


@keras.saving.register_keras_serializable("tf_wsgen")
class Encoder(Network):
    """E: hypotheses (B, H, J, 3), metres, to codes (B, H, Z): e = D(y), e + D(D(e)), linear.

    Args:
        num_joints: J.
        width: Units of every hidden layer.
        code_size: Z.
        negative_slope: Slope of the leaky ReLU below zero; None for SiLU.
    """

    def __init__(
        self,
        num_joints: int,
        width: int = 1024,
        code_size: int = 1024,
        negative_slope: float | None = 0.2,
        name: str = "encoder",
    ):
        hypotheses = keras.Input((None, num_joints, 3), name="hypotheses")
        x = keras.layers.Reshape((-1, 3 * num_joints))(hypotheses)
        x = dense(x, width, negative_slope, "input")
        z = linear(code_size, "code")(residual(x, width, negative_slope, "block"))
        arguments = {
            "num_joints": num_joints,
            "width": width,
            "code_size": code_size,
            "negative_slope": negative_slope,
        }
        super().__init__(hypotheses, z, arguments, name)
