"""What every network is built of: D (dense and activation), the residual block of two D, one base class."""

import keras


class Network(keras.Model):
    """A functional model that remembers the plain-number arguments it was made from.

    Args:
        inputs: The graph's symbolic inputs.
        outputs: The graph's symbolic outputs.
        arguments: The subclass's own constructor arguments, which `get_config` gives back.
        name: Name of the network.
    """

    def __init__(self, inputs, outputs, arguments: dict, name: str):
        super().__init__(inputs, outputs, name=name)
        self._arguments = arguments

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {"name": self.name, **self._arguments}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None) -> "Network":
        """The network that `get_config` describes, with fresh weights."""
        return cls(**config)


def kernel_initializer(gain: float = 1.0) -> keras.initializers.Initializer:
    """He-normal (fan-in, truncated), its standard deviation times `gain`."""
    return keras.initializers.VarianceScaling(2.0 * gain**2, mode="fan_in", distribution="truncated_normal")


def linear(units: int, name: str, gain: float = 1.0, use_bias: bool = True) -> keras.layers.Layer:
    """A dense layer without activation."""
    return keras.layers.Dense(units, use_bias=use_bias, kernel_initializer=kernel_initializer(gain), name=name)


def activate(x, negative_slope: float | None):
    """Leaky ReLU, max(x, negative_slope · x); SiLU, x · sigmoid(x), where there is no slope."""
    return keras.ops.silu(x) if negative_slope is None else keras.ops.leaky_relu(x, negative_slope)


def dense(x, units: int, negative_slope: float | None, name: str):
    """D: dense, then the activation."""
    return activate(linear(units, name)(x), negative_slope)


def residual(x, units: int, negative_slope: float | None, name: str):
    """The sum x + D(D(x)), with layers `name`_1 and `name`_2."""
    inner = dense(x, units, negative_slope, f"{name}_1")
    return x + dense(inner, units, negative_slope, f"{name}_2")
