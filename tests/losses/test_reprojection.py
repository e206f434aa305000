"""The Laplace likelihood of a reprojection: by hand, with SciPy, weights, scales, degenerate points."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tf_wsgen.losses.reprojection import log_likelihood, reprojection

# One person, two hypotheses, two joints; the camera takes x and half of y.
CAMERA = tf.constant([[[1.0, 0.0, 0.0], [0.0, 0.5, 0.0]]])
HYPOTHESES = tf.constant([[[[1.0, 2.0, 9.0], [0.0, 0.0, 9.0]], [[3.0, 2.0, -9.0], [0.0, -2.0, 0.0]]]])
POSE_2D = tf.constant([[[1.0, 0.0], [0.5, 1.0]]])
# |M y − x|, summed over x and y: hypothesis by joint.
DISTANCE = np.array([[0.0 + 1.0, 0.5 + 1.0], [2.0 + 1.0, 0.5 + 2.0]])
WEIGHTS = {"ones": [1.0, 1.0], "weighted": [0.1, 1.0], "one missing": [1.0, 0.0], "all missing": [0.0, 0.0]}


def random_batch(seed=0, batch=3, codes=2, joints=4):
    rng = np.random.default_rng(seed)
    shapes = (batch, joints, 2), (batch, codes, joints, 3), (batch, 2, 3)
    return [rng.normal(size=shape) for shape in shapes] + [rng.uniform(size=(batch, joints))]


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_reprojection_by_hand(weights):
    # (1/2J) Σ_j w_j |M y − x|_j, mean over the hypotheses; J counts missing joints too.
    expected = np.mean(DISTANCE @ np.array(weights) / (2.0 * 2.0))
    for shape in ([2], [1, 2]):
        found = reprojection(POSE_2D, HYPOTHESES, CAMERA, tf.reshape(tf.constant(weights), shape))
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_the_scale_divides_and_leaves_zero_at_zero(scale):
    found = reprojection(POSE_2D, HYPOTHESES, CAMERA, tf.ones([2]), scale)
    np.testing.assert_allclose(found, np.mean(DISTANCE.sum(axis=1) / 4.0) / scale, rtol=1e-5)
    perfect = tf.matmul(HYPOTHESES[:, 0], CAMERA, transpose_b=True)
    np.testing.assert_allclose(reprojection(perfect, HYPOTHESES[:, :1], CAMERA, tf.ones([2]), scale), 0.0, atol=1e-6)


def test_a_scale_for_each_joint():
    # A confident detector's joint (b = 0.5) counts twice, a doubtful one's (b = 4) a quarter.
    scale = tf.constant([[[[0.5], [4.0]]]])
    expected = np.mean(DISTANCE @ [1 / 0.5, 1 / 4.0] / 4.0)
    np.testing.assert_allclose(reprojection(POSE_2D, HYPOTHESES, CAMERA, tf.ones([2]), scale), expected, rtol=1e-6)


@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_log_likelihood_is_scipys_with_its_constant(scale):
    pose_2d, hypotheses, camera, weights = random_batch()
    projected = np.einsum("bdc,bhjc->bhjd", camera, hypotheses)
    log_density = scipy.stats.laplace.logpdf(pose_2d[:, None], projected, scale).sum(axis=-1)
    expected = (weights[:, None] * log_density).sum(axis=-1)
    found = log_likelihood(*(tf.constant(x) for x in (pose_2d, hypotheses, camera, weights)), scale)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_log_likelihood_of_a_perfect_reprojection_is_the_constant():
    perfect = tf.matmul(HYPOTHESES[:, 0], CAMERA, transpose_b=True)
    found = log_likelihood(perfect, HYPOTHESES[:, :1], CAMERA, tf.constant([1.0, 0.5]), 0.2)
    np.testing.assert_allclose(found, [[-1.5 * 2.0 * np.log(2.0 * 0.2)]], rtol=1e-6)


@pytest.mark.parametrize("per_joint", [False, True])
def test_the_loss_is_the_likelihood_less_its_constant(per_joint):
    pose_2d, hypotheses, camera, weights = (tf.constant(x, tf.float32) for x in random_batch(1))
    scale = tf.constant(np.random.default_rng(2).uniform(0.1, 2.0, (3, 1, 4, 1) if per_joint else ()), tf.float32)
    likelihood = log_likelihood(pose_2d, hypotheses, camera, weights, scale)
    constant = -np.sum(weights * (2.0 * np.log(2.0 * scale.numpy()[..., 0, :, 0] if per_joint else 2.0 * scale)), -1)
    expected = -np.mean(likelihood - constant[:, None]) / (2.0 * 4)
    np.testing.assert_allclose(reprojection(pose_2d, hypotheses, camera, weights, scale), expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["hypotheses", "camera"])
def test_gradient_is_finite_at_a_perfect_reprojection(name):
    tensors = {"hypotheses": tf.zeros([1, 2, 3, 3]), "camera": tf.zeros([1, 2, 3])}
    with tf.GradientTape() as tape:
        tape.watch(tensors[name])
        loss = reprojection(tf.zeros([1, 3, 2]), tensors["hypotheses"], tensors["camera"], tf.ones([3]))
    assert loss == 0.0
    assert np.isfinite(tape.gradient(loss, tensors[name])).all()


def test_a_missing_joint_has_no_gradient():
    hypotheses = tf.Variable(HYPOTHESES)
    with tf.GradientTape() as tape:
        loss = reprojection(POSE_2D, hypotheses, CAMERA, tf.constant([[1.0, 0.0]]))
    gradient = tape.gradient(loss, hypotheses).numpy()
    np.testing.assert_array_equal(gradient[:, :, 1], np.zeros((1, 2, 3)))
    assert np.abs(gradient[:, :, 0]).max() > 0.0


@pytest.mark.parametrize(
    ("pose_2d", "camera", "weights"),
    [((1, 3, 2), (1, 2, 3), (2,)), ((1, 2, 2), (1, 2, 2), (2,)), ((1, 2, 2), (1, 2, 3), (3,))],
    ids=["joints differ", "camera of two columns", "weights of other joints"],
)
@pytest.mark.parametrize("function", [reprojection, log_likelihood])
def test_shapes_that_do_not_fit_are_refused(function, pose_2d, camera, weights):
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
        function(tf.ones(pose_2d), HYPOTHESES, tf.ones(camera), tf.ones(weights))
