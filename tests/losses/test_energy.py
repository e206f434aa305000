"""Energy scores: hand-worked values, gradients, and that they recover a posterior known in closed form."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.losses import energy_score


def test_fair_for_any_number_of_hypotheses():
    rng = np.random.default_rng(0)
    values = []
    for count in (2, 5):
        draws = tf.constant(rng.normal(size=(10_000, count, 1)), tf.float32)
        values.append(float(energy_score(draws, tf.constant(rng.normal(size=(10_000, 1)), tf.float32))))
    # E|x − y| / 2 for two standard normal numbers is 1/√π.
    np.testing.assert_allclose(values, 1.0 / np.sqrt(np.pi), atol=0.02)


def gaussian(rng, rows):
    x = rng.normal(size=(rows, 1))
    return x, 0.8 * x + 0.6 * rng.normal(size=(rows, 1))


def two_modes(rng, rows):
    """Depth's ambiguity: the square root of x² with either sign."""
    x = np.abs(rng.normal(size=(rows, 1))) + 0.5
    return x, np.where(rng.uniform(size=(rows, 1)) < 0.5, x, -x) + 0.1 * rng.normal(size=(rows, 1))


@pytest.mark.slow
@pytest.mark.parametrize("posterior", [gaussian, two_modes])
def test_training_recovers_a_posterior_known_in_closed_form(posterior):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    model = keras.Sequential([keras.layers.Dense(32, "relu") for _ in range(2)] + [keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, 700))

    def hypotheses(x, z):
        return model(tf.concat([tf.repeat(x[:, None], z.shape[1], axis=1), z], axis=-1))

    @tf.function
    def step(x, y, z):
        with tf.GradientTape() as tape:
            loss = energy_score(hypotheses(x, z), y)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_weights), model.trainable_weights, strict=True)
        )

    model.build((None, None, 3))
    optimizer.build(model.trainable_weights)
    for _ in range(700):
        x, y = posterior(rng, 256)
        step(*(tf.constant(value, tf.float32) for value in (x, y, rng.normal(size=(256, 2, 2)))))
    x, y = posterior(rng, 1500)
    drawn = hypotheses(tf.constant(x, tf.float32), tf.constant(rng.normal(size=(1500, 100, 2)), tf.float32)).numpy()
    rank = (drawn < y[:, None]).mean(axis=1)[:, 0]
    quantiles = np.linspace(0.1, 0.9, 9)
    # Calibrated: the truth's ranks among the hypotheses are uniform.
    np.testing.assert_allclose([(rank < q).mean() for q in quantiles], quantiles, atol=0.05)
    if posterior is gaussian:
        np.testing.assert_allclose(drawn.std(axis=1).mean(), 0.6, atol=0.05)
    else:
        assert 0.35 < (drawn > 0).mean() < 0.65
        assert (np.abs(np.abs(drawn) - x[:, None]) < 0.4).mean() > 0.9
