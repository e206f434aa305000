"""Adam in one operation a variable is Keras' Adam."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.training.adam import FusedAdam

ADAMS = (keras.optimizers.Adam, FusedAdam)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_it_is_keras_adam(jit_compile):
    rng, rate = np.random.default_rng(0), keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    start, gradients = rng.normal(size=(2, 3, 4)), rng.normal(size=(5, 2, 3, 4))
    states = [
        _updated(adam(rate, beta_1=0.5, beta_2=0.9, epsilon=1e-3), start, gradients, jit_compile) for adam in ADAMS
    ]
    for keras_value, value in zip(*states, strict=True):
        np.testing.assert_allclose(value, keras_value, rtol=1e-5, atol=1e-7)


def _updated(optimizer, start, gradients, jit_compile):
    """Variables and the optimizer's state after updates with the gradients."""
    variables = [keras.Variable(value, dtype="float32") for value in start]
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def update(gradient):
        optimizer.apply_gradients(list(zip(tf.unstack(gradient), variables, strict=True)))

    for gradient in gradients:
        update(tf.constant(gradient, tf.float32))
    return [np.array(variable) for variable in [*variables, *optimizer.variables]]
