"""The diversity loss: by hand for two and three codes, the threshold where hypotheses coincide."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.losses.diversity import diversity


def constant_poses(*values):
    """(1, H, 2, 3): each hypothesis has one number everywhere, so that distances are differences."""
    return tf.constant(np.ones((1, len(values), 2, 3)) * np.array(values).reshape(1, -1, 1, 1), tf.float32)


def constant_codes(*values):
    return tf.constant(np.ones((1, len(values), 4)) * np.array(values).reshape(1, -1, 1), tf.float32)


@pytest.mark.parametrize(
    ("poses", "codes", "threshold", "expected"),
    [
        ((0.0, 0.5), (0.0, 2.0), 1.0, 0.75),
        ((0.5, 0.0), (0.0, 2.0), 1.0, 0.75),  # distances have no sign
        ((0.0, 0.5), (0.0, 2.0), 0.5, 0.25),
        ((0.0, 4.0), (0.0, 2.0), 1.0, 0.0),  # further apart than asked costs nothing, and earns nothing
        ((0.0, 4.0), (0.0, 2.0), 3.0, 1.0),
        ((0.3, 0.3), (0.0, 2.0), 1.0, 1.0),
        # Three codes, three pairs: ratios 0.25, 0.75/1.5 = 0.5 and 0.5/0.5 = 1.
        ((0.0, 0.25, 0.75), (0.0, 1.0, 1.5), 1.0, (0.75 + 0.5 + 0.0) / 3.0),
    ],
)
def test_by_hand(poses, codes, threshold, expected):
    found = diversity(constant_poses(*poses), constant_codes(*codes), threshold)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("codes", [2, 3, 4])
def test_against_loops(codes):
    rng = np.random.default_rng(codes)
    hypotheses, z = 0.5 * rng.normal(size=(5, codes, 6, 3)), rng.normal(size=(5, codes, 7))
    terms = [
        max(0.0, 1.0 - np.abs(hypotheses[b, i] - hypotheses[b, j]).mean() / np.abs(z[b, i] - z[b, j]).mean())
        for b in range(5)
        for i in range(codes)
        for j in range(i)
    ]
    np.testing.assert_allclose(diversity(tf.constant(hypotheses), tf.constant(z)), np.mean(terms), rtol=1e-9)


def test_one_persons_diversity_does_not_pay_for_anothers_lack():
    # relu before the mean: ratios 5 and 0 cost (0 + 1)/2, not relu(1 − 2.5).
    hypotheses = tf.concat([constant_poses(0.0, 5.0), constant_poses(1.0, 1.0)], axis=0)
    z = tf.concat([constant_codes(0.0, 1.0)] * 2, axis=0)
    np.testing.assert_allclose(diversity(hypotheses, z), 0.5)


@pytest.mark.parametrize("threshold", [1.0, 0.3])
@pytest.mark.parametrize("codes_too", [False, True], ids=["equal poses", "equal poses and codes"])
def test_coincident_hypotheses_cost_the_threshold_with_a_finite_gradient(codes_too, threshold):
    hypotheses, z = constant_poses(0.2, 0.2, 0.2), constant_codes(*([1.0] * 3 if codes_too else [0.0, 1.0, 2.0]))
    with tf.GradientTape() as tape:
        tape.watch([hypotheses, z])
        loss = diversity(hypotheses, z, threshold)
    np.testing.assert_allclose(loss, threshold)
    for gradient in tape.gradient(loss, [hypotheses, z]):
        assert np.isfinite(gradient).all()


def test_the_gradient_drives_hypotheses_apart():
    hypotheses = constant_poses(0.0, 0.1)
    with tf.GradientTape() as tape:
        tape.watch(hypotheses)
        loss = diversity(hypotheses, constant_codes(0.0, 2.0))
    # d(1 − |g₁ − g₂|/2)/dg₂ = −1/2, shared by the six coordinates; descent moves g₂ up, g₁ down.
    gradient = tape.gradient(loss, hypotheses).numpy()
    np.testing.assert_allclose(gradient[0, 1], np.full((2, 3), -0.5 / 6.0), rtol=1e-5)
    np.testing.assert_allclose(gradient[0, 0], -gradient[0, 1])


def test_fewer_codes_than_hypotheses_are_refused():
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError, IndexError)):
        diversity(constant_poses(0.0, 1.0, 2.0), constant_codes(0.0, 1.0))
