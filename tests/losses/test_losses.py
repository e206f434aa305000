"""Every loss by hand, its gradient where the plain formula has none, and shapes that it refuses."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tf_wsgen import losses
from tf_wsgen.losses import mmd

# Reprojection: one person, two hypotheses, two joints; the camera takes x and half of y.
CAMERA = np.float32([[[1.0, 0.0, 0.0], [0.0, 0.5, 0.0]]])
HYPOTHESES = np.float32([[[[1.0, 2.0, 9.0], [0.0, 0.0, 9.0]], [[3.0, 2.0, -9.0], [0.0, -2.0, 0.0]]]])
POSE_2D = np.float32([[[1.0, 0.0], [0.5, 1.0]]])
# |M y − x|, summed over x and y: hypothesis by joint.
DISTANCE = np.array([[0.0 + 1.0, 0.5 + 1.0], [2.0 + 1.0, 0.5 + 2.0]])
PERFECT = HYPOTHESES[:, 0] @ CAMERA.transpose(0, 2, 1)


def constant(*values, shape=(2, 3)):
    """(1, H, …): each hypothesis or code has one number everywhere, so that distances are differences."""
    return np.float32(values).reshape(1, -1, *[1] * len(shape)) * np.ones((1, len(values), *shape), np.float32)


def codes(*values):
    return constant(*values, shape=(4,))


def reprojection(weights, scale=1.0, pose_2d=POSE_2D, hypotheses=HYPOTHESES):
    return (pose_2d, hypotheses, CAMERA, np.float32(weights), np.float32(scale))


def camera(*rows):
    return (np.float32([rows]),)


def likeliest(*weights, scale):
    return (PERFECT, HYPOTHESES[:, :1], CAMERA, np.float32(weights), scale)


def rational_quadratic(squared):
    return (1 + squared / 0.2) ** -0.1 + (1 + squared / 2.0) ** -1 + (1 + squared / 20.0) ** -10


BOTH = np.concatenate([constant(0.0, 5.0), constant(1.0, 1.0)]), np.concatenate([codes(0.0, 1.0)] * 2)
TRUTH = np.float32([[[0, 0, 0], [0, 0, 4]]])
TWO = np.float32([[[[0, 0, 3], [0, 0, 0]], [[0, 0, 3], [0, 0, 4]]]])
A, B = np.float32([[1.0, 2.0]]), np.float32([[0.0, 1.0]])  # ‖a − b‖² = 2 and ⟨a, b⟩ = 2.
LINE = np.float32([[0.0], [1.0]]), np.float32([[2.0], [2.0]])
BY_HAND = [
    # (2/tr) M Mᵀ − I.
    (losses.camera_constraint, camera([2, 0, 0], [0, 1, 0]), 0.6 + 0.6),  # diag(8/5, 2/5) − I
    (losses.camera_constraint, camera([1, 0, 0], [1, 0, 0]), 1.0 + 1.0),  # ones − I
    (losses.camera_constraint, camera([1, 0, 0], [0, 0, 0]), 1.0 + 1.0),  # diag(2, 0) − I
    (losses.camera_constraint, camera([1, 1, 0], [0, 1, 1]), 0.5 + 0.5),  # off-diagonal 2/4
    (losses.camera_constraint, camera([1, 1, 0], [0, -1, -1]), 0.5 + 0.5),  # the same, its sign taken away
    (losses.camera_constraint, camera([0, 0, 0], [0, 0, 0]), 2.0),  # −I
    (losses.camera_constraint, (np.float32([np.eye(2, 3), np.ones((2, 3))]),), (0.0 + 2.0) / 2.0),
    # Ratios of distances below the threshold.
    (losses.diversity, (constant(0.0, 0.5), codes(0.0, 2.0), 1.0), 0.75),
    (losses.diversity, (constant(0.5, 0.0), codes(0.0, 2.0), 1.0), 0.75),  # distances have no sign
    (losses.diversity, (constant(0.0, 0.5), codes(0.0, 2.0), 0.5), 0.25),
    (losses.diversity, (constant(0.0, 4.0), codes(0.0, 2.0), 1.0), 0.0),  # further apart earns nothing
    (losses.diversity, (constant(0.0, 4.0), codes(0.0, 2.0), 3.0), 1.0),
    (losses.diversity, (constant(0.3, 0.3), codes(0.0, 2.0), 1.0), 1.0),
    # Three codes, three pairs: ratios 0.25, 0.75/1.5 = 0.5 and 0.5/0.5 = 1.
    (losses.diversity, (constant(0.0, 0.25, 0.75), codes(0.0, 1.0, 1.5), 1.0), (0.75 + 0.5 + 0.0) / 3.0),
    # One person's diversity does not pay for another's lack: (0 + 1)/2, not relu(1 − 2.5).
    (losses.diversity, BOTH, 0.5),
    (losses.latent_reconstruction, (np.float32([[[1, -2], [0, 4]]]), np.float32([[[0, 2], [0.5, 4]]])), 5.5 / 4.0),
    # (1/2J) Σ_j w_j |M y − x|_j / b, mean over the hypotheses; J counts missing joints too.
    (losses.reprojection, reprojection([1.0, 1.0]), np.mean(DISTANCE.sum(axis=1) / 4.0)),
    (losses.reprojection, reprojection([[0.1, 1.0]]), np.mean(DISTANCE @ [0.1, 1.0] / 4.0)),
    (losses.reprojection, reprojection([1.0, 0.0]), np.mean(DISTANCE[:, 0] / 4.0)),
    (losses.reprojection, reprojection([1.0, 1.0], 0.25), np.mean(DISTANCE.sum(axis=1))),
    (losses.reprojection, reprojection([1.0, 1.0], 3.0, PERFECT, HYPOTHESES[:, :1]), 0.0),
    # A confident detector's joint (b = 0.5) counts twice, a doubtful one's (b = 4) a quarter.
    (losses.reprojection, reprojection([1.0, 1.0], [[[[0.5], [4.0]]]]), np.mean(DISTANCE @ [2.0, 0.25] / 4.0)),
    (losses.log_likelihood, likeliest(1.0, 0.5, scale=0.2), [[-1.5 * 2.0 * np.log(2.0 * 0.2)]]),
    # Whole pose: distances 5 and 3, the pair 4 apart. Joints: 3 and 3, 0 apart; 4 and 0, 4 apart.
    (losses.pose_energy, (TWO, TRUTH), 4.0 - 0.5 * 4.0),
    (losses.joint_energy, (TWO, TRUTH), ((3.0 - 0.0) + (2.0 - 0.5 * 4.0)) / 2),
    (losses.median_distance, (TWO[:, 0], TRUTH), 3.5),
    (mmd.critic_kernel, (A, B), [[11.0**-0.1 + 2.0**-1 + 1.1**-10 + 10.0 * 2.0]]),
    (mmd.critic_kernel, (A, A, 1.0), [[3.0 + 5.0]]),
    # Without the dot kernel: k(0,1) + k(2,2) − k(0,2) − k(1,2).
    (losses.mmd_squared, (*LINE, 0.0), rational_quadratic(0.0) - rational_quadratic(4.0)),
    (losses.mmd_squared, LINE, rational_quadratic(0.0) - rational_quadratic(4.0) + 10.0 * (2.0 * 2.0 - 2.0)),
]


def names(table):
    return [f"{row[0].__name__}-{index}" for index, row in enumerate(table)]


@pytest.mark.parametrize(("loss", "arguments", "expected"), BY_HAND, ids=names(BY_HAND))
def test_by_hand(loss, arguments, expected):
    np.testing.assert_allclose(loss(*map(tf.constant, arguments)), expected, rtol=1e-5, atol=1e-6)


# Where hypotheses coincide with each other and the truth, reprojections are perfect, features are alike or far apart.
SAME = np.ones((5, 3), np.float32)
FAR = np.float32([[1e8, 0.0], [-1e8, 1.0]])
DEGENERATE = [
    (losses.camera_constraint, (np.zeros((1, 2, 3), np.float32),)),
    (losses.diversity, (constant(0.2, 0.2, 0.2), codes(0.0, 1.0, 2.0), 1.0)),
    (losses.diversity, (constant(0.2, 0.2, 0.2), codes(1.0, 1.0, 1.0), 0.3)),
    (losses.latent_reconstruction, (codes(1.0), codes(1.0))),
    (losses.reprojection, (*reprojection([1.0, 1.0], 1.0, 0 * POSE_2D, 0 * HYPOTHESES)[:4],)),
    (losses.pose_energy, (0 * TWO, 0 * TRUTH)),
    (losses.joint_energy, (0 * TWO, 0 * TRUTH)),
    (losses.mmd_squared, (SAME[:4], SAME)),
    (losses.mmd_squared, (FAR, np.float32([[0.0, 0.0], [1.0, 1.0]]))),
]


@pytest.mark.parametrize(
    ("loss", "arguments", "jit_compile"),
    [*((*case, False) for case in DEGENERATE), (*DEGENERATE[0], True)],
    ids=[*names(DEGENERATE), "by XLA"],
)
def test_the_gradient_is_finite(loss, arguments, jit_compile):
    tensors = [tf.constant(argument) for argument in arguments]

    def value_and_gradients():
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = loss(*tensors)
        return value, tape.gradient(value, tensors, unconnected_gradients="zero")

    value, gradients = tf.function(value_and_gradients, jit_compile=True)() if jit_compile else value_and_gradients()
    assert np.isfinite(value).all()
    for gradient in gradients:
        assert np.isfinite(gradient).all()


REFUSED = [
    (losses.camera_constraint, (1, 3, 3)),
    (losses.diversity, (1, 3, 2, 3), (1, 2, 4)),
    (losses.latent_reconstruction, (1, 2, 3), (1, 2, 4)),
    *(
        (function, *shapes)
        for function in (losses.reprojection, losses.log_likelihood)
        for shapes in (
            ((1, 3, 2), (1, 2, 2, 3), (1, 2, 3), (2,)),  # joints differ
            ((1, 2, 2), (1, 2, 2, 3), (1, 2, 2), (2,)),  # a camera of two columns
            ((1, 2, 2), (1, 2, 2, 3), (1, 2, 3), (3,)),  # weights of other joints
        )
    ),
    (losses.mmd_squared, (4, 3), (4, 2)),
    (losses.interpolate, (3, 2, 3, 3), (5, 3, 3), (3, 2)),  # not a multiple
    (losses.interpolate, (3, 2, 3, 3), (9, 3, 3), (3, 2)),  # three for two codes
]


@pytest.mark.parametrize("case", REFUSED, ids=names(REFUSED))
def test_shapes_that_do_not_fit_are_refused(case):
    loss, *shapes = case
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError, IndexError)):
        loss(*map(tf.ones, shapes))


def test_scaled_orthonormal_rows_of_a_camera_cost_nothing():
    rows = np.linalg.qr(np.random.default_rng(0).normal(size=(10, 3, 3)))[0][:, :2]
    for scale in (0.01, 1.0, 1e4):
        np.testing.assert_allclose(losses.camera_constraint(tf.constant(scale * rows, tf.float32)), 0.0, atol=1e-6)


def test_the_gradient_of_diversity_drives_hypotheses_apart():
    hypotheses = tf.constant(constant(0.0, 0.1))
    with tf.GradientTape() as tape:
        tape.watch(hypotheses)
        loss = losses.diversity(hypotheses, codes(0.0, 2.0))
    # d(1 − |g₁ − g₂|/2)/dg₂ = −1/2, shared by the six coordinates; descent moves g₂ up, g₁ down.
    gradient = tape.gradient(loss, hypotheses).numpy()
    np.testing.assert_allclose(gradient[0, 1], np.full((2, 3), -0.5 / 6.0), rtol=1e-5)
    np.testing.assert_allclose(gradient[0, 0], -gradient[0, 1])


@pytest.mark.parametrize("per_joint", [False, True])
def test_log_likelihood_is_scipys_and_the_loss_is_it_less_its_constant(per_joint):
    rng = np.random.default_rng(0)
    pose_2d, hypotheses, camera = (rng.normal(size=shape) for shape in ((3, 4, 2), (3, 2, 4, 3), (3, 2, 3)))
    weights = rng.uniform(size=(3, 4))
    scale = rng.uniform(0.1, 2.0, (3, 1, 4, 1) if per_joint else ())
    projected = np.einsum("bdc,bhjc->bhjd", camera, hypotheses)
    log_density = scipy.stats.laplace.logpdf(pose_2d[:, None], projected, scale).sum(axis=-1)
    arguments = [tf.constant(x) for x in (pose_2d, hypotheses, camera, weights, scale)]
    expected = (weights[:, None] * log_density).sum(axis=-1)
    np.testing.assert_allclose(losses.log_likelihood(*arguments), expected, rtol=1e-6)
    constant = -np.sum(weights * 2.0 * np.log(2.0 * (scale[:, 0, :, 0] if per_joint else scale)), axis=-1)
    loss = -np.mean(expected - constant[:, None]) / (2.0 * 4)
    np.testing.assert_allclose(losses.reprojection(*arguments), loss, rtol=1e-6)


def test_a_missing_joint_has_no_gradient():
    hypotheses = tf.Variable(HYPOTHESES)
    with tf.GradientTape() as tape:
        loss = losses.reprojection(POSE_2D, hypotheses, CAMERA, tf.constant([[1.0, 0.0]]))
    gradient = tape.gradient(loss, hypotheses).numpy()
    np.testing.assert_array_equal(gradient[:, :, 1], np.zeros((1, 2, 3)))
    assert np.abs(gradient[:, :, 0]).max() > 0.0
