"""What is drawn is what the configuration says: views, detector errors, missing joints; and the same again."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.spatial.transform import Rotation

from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.errors import InputError
from tf_wsgen.geometry.perspective_camera import PerspectiveCamera
from tf_wsgen.simulation import body, detector, missing, view
from tf_wsgen.simulation.settings import SimulationConfig
from tf_wsgen.simulation.simulator import find_keypoints, simulate
from tf_wsgen.skeleton import HUMAN16

ROWS = 30_000
LEVEL = np.array([[0.0, -1.0, 0.0]])
KEY = tf.constant([5, 2], tf.int64)


@pytest.fixture(scope="module")
def people():
    metres = synthetic_people().train.pose_3d[:200] / 1000.0
    return tf.constant(body.to_room(metres - metres[:, [HUMAN16.root_index]], LEVEL), tf.float32)


def test_a_camera_above_looks_down_and_yaw_turns_about_up():
    rotation = view.view_rotation(tf.constant([0.4]), tf.constant([0.5]), tf.constant([0.2])).numpy()[0]
    expected = Rotation.from_euler("z", 0.2) * Rotation.from_euler("x", 0.5) * Rotation.from_euler("y", 0.4)
    np.testing.assert_allclose(rotation, np.diag([1.0, -1.0, -1.0]) @ expected.as_matrix(), atol=1e-6)
    # The head of someone who stands is nearer to a camera above than the feet: up points towards it, −z.
    assert (rotation @ [0.0, 1.0, 0.0])[2] < 0


def test_views_agree_with_the_perspective_camera(people):
    seen = view.look(people, (-10.0, 35.0), 8.0, (3.0, 3.0), KEY)
    camera = PerspectiveCamera("", np.eye(3), np.zeros(3), np.ones(2), np.zeros(2))
    placed = seen.pose_3d.numpy() + np.array([0.0, 0.0, 3.0], np.float32)
    np.testing.assert_allclose(seen.pose_2d, camera.project(placed), atol=1e-5)
    np.testing.assert_allclose(body.bone_lengths(seen.pose_3d, HUMAN16), body.bone_lengths(people, HUMAN16), atol=1e-5)


def test_a_detectors_errors_are_the_measured_ones(people):
    true = tf.repeat(view.look(people[:1], (0.0, 0.0), 0.0, (5.0, 5.0), KEY).pose_2d, ROWS, axis=0)
    height = detector.height_in_image(true).numpy()[0]
    ones = tf.ones([ROWS])
    far = detector.outliers(ones, KEY, HUMAN16).numpy()
    for joint, name in enumerate(HUMAN16.joints):
        kind = detector.MEASURED[name.rsplit("_", 1)[-1]]
        assert far[:, joint].mean() == pytest.approx(kind.share_of_outliers, abs=0.01)
    elbow, wrist = HUMAN16.index("left_elbow"), HUMAN16.index("left_wrist")
    assert far[far[:, elbow], wrist].mean() == pytest.approx(0.7, abs=0.02)
    # Without outliers and exchanged sides what is left is Gaussian, its σ common to a person but for a factor.
    error = (detector.detect(true, ones, 0.0 * ones, KEY, HUMAN16) - true).numpy() / height
    for name in ("left_ankle", "right_hip", "head"):
        joint, kind = HUMAN16.index(name), detector.MEASURED[name.rsplit("_", 1)[-1]]
        typical = np.median(np.abs(error[:, joint])) / stats.norm.ppf(0.75)
        assert typical == pytest.approx(kind.inlier, rel=0.06)


def test_sides_are_exchanged_as_often_as_measured():
    points = tf.repeat(tf.constant(np.arange(32.0).reshape(1, 16, 2), tf.float32), ROWS, axis=0)
    swapped = detector.swap_sides(points, tf.ones([ROWS]), KEY, HUMAN16).numpy()[..., 0] != points.numpy()[..., 0]
    wrist, knee = HUMAN16.index("left_wrist"), HUMAN16.index("left_knee")
    assert swapped[:, wrist].mean() == pytest.approx(0.029, abs=0.004)
    assert swapped[:, knee].mean() == pytest.approx(0.028 + 0.022, abs=0.005)
    np.testing.assert_array_equal(swapped[:, wrist], swapped[:, HUMAN16.index("right_wrist")])
    assert not swapped[:, HUMAN16.index("head")].any()


def test_missing_joints_come_in_their_shares_and_leave_something_to_hold_on_to():
    shares = {"any": 0.2, "legs": 0.14, "head_and_neck": 0.08, "head": 0.04, "arm": 0.09}
    visible = missing.draw_visible(ROWS, shares, 0.5, KEY, HUMAN16).numpy() > 0
    assert visible.all(axis=1).mean() == pytest.approx(0.45, abs=0.03)
    root, (right, left) = HUMAN16.root_index, HUMAN16.hip_indices
    assert (visible[:, root] | (visible[:, right] & visible[:, left])).all()
    only = {name: missing.draw_visible(400, {name: 1.0}, 0.5, KEY, HUMAN16).numpy() == 0 for name in shares}
    hidden = {name: {HUMAN16.joints[j] for j in np.flatnonzero(rows.any(axis=0))} for name, rows in only.items()}
    assert hidden["head_and_neck"] == {"head", "neck"}
    assert hidden["legs"] == {f"{side}_{joint}" for side in ("left", "right") for joint in ("knee", "ankle")}
    assert hidden["arm"] == {f"{side}_{joint}" for side in ("left", "right") for joint in ("elbow", "wrist")}
    assert (only["arm"].sum(axis=1) == 2).all()


def test_exact_poses_are_exact(people):
    config = dataclasses.replace(SimulationConfig(), detector_share=0.0)
    true = view.look(people, (0.0, 0.0), 0.0, (5.0, 5.0), KEY).pose_2d
    found, _ = find_keypoints(true, config, KEY, HUMAN16)
    share = (found - true).numpy() / detector.height_in_image(true).numpy()[:, None, None]
    assert share.std() == pytest.approx(config.exact_error, rel=0.05)


def test_pairs_are_a_function_of_the_seed(people):
    others = tf.stack([tf.roll(people, 3, axis=0), tf.roll(people, 5, axis=0)])
    first, again = (simulate(people, others, SimulationConfig(), KEY, HUMAN16) for _ in range(2))
    other = simulate(people, others, SimulationConfig(), KEY + 1, HUMAN16)
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - c).max() > 0.1
    np.testing.assert_allclose(body.body_size(first.pose_3d, HUMAN16), body.body_size(people, HUMAN16), rtol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"legs_share": 1.5}, "simulation.legs_share is 1.5; expected a share"),
        ({"roll_deviation": -1.0}, "simulation.roll_deviation is -1.0; expected a number of at least 0"),
        ({"hide_any_share": 0.9}, "add up to 1.25"),
        ({"least_distance": 10.0}, "simulation.least_distance is 10.0; expected at most most_distance"),
        ({"least_distance": 0.0}, "simulation.least_distance is 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        SimulationConfig(**changes)


def test_another_convention_moves_head_and_widths_and_derives_the_middles(people):
    pose_2d = tf.repeat(view.look(people[:1], (0.0, 0.0), 0.0, (5.0, 5.0), KEY).pose_2d, ROWS, axis=0)
    every, height = tf.ones([ROWS], tf.bool), detector.height_in_image(pose_2d).numpy()[0]
    named = detector.rename(pose_2d, 0.03, 0.15, every, KEY, HUMAN16).numpy()
    head, neck = ((named - pose_2d.numpy())[:, HUMAN16.index(name)] / height for name in ("head", "neck"))
    np.testing.assert_allclose(head, neck, atol=1e-5)
    np.testing.assert_allclose(head.std(axis=0), 0.03, rtol=0.03)
    right, left = HUMAN16.hip_indices
    width = np.linalg.norm(named[:, right] - named[:, left], axis=-1)
    assert width.std() / width.mean() == pytest.approx(0.15, rel=0.03)
    middle = (named[:, right] + named[:, left]) / 2.0
    np.testing.assert_allclose(middle, (pose_2d[:, right] + pose_2d[:, left]).numpy() / 2.0, atol=1e-5)
    np.testing.assert_array_equal(detector.rename(pose_2d, 0.03, 0.15, ~every, KEY, HUMAN16), pose_2d)

    score = np.full((4, 16), 0.9, np.float32)
    score[1, HUMAN16.index("left_shoulder")] = 0.2
    score[2, right] = 0.0
    points, derived = detector.derive(
        tf.constant(named[:4]), tf.constant(score), tf.constant([1, 1, 1, 0]) > 0, HUMAN16
    )
    root, thorax = HUMAN16.root_index, HUMAN16.index("thorax")
    np.testing.assert_allclose(points[0, root], middle[0], atol=1e-6)
    np.testing.assert_allclose(derived[:, thorax], [0.9, 0.2, 0.9, 0.9])
    # With a hip missing the pelvis has to stay, or nothing is left to hold on to.
    np.testing.assert_allclose(points[2, root], named[2, root])
    np.testing.assert_array_equal(points[3], named[3])


def test_scores_fall_with_the_error():
    error = np.repeat(np.float32([[0.0, 0.028, 0.3]]), ROWS, axis=0)
    score = detector.scores(tf.constant(error), 0.028, 0.14, 0.0, KEY).numpy()
    np.testing.assert_allclose(np.median(score, axis=0), [1.0, 0.5, 0.028 / 0.328], atol=0.01)
    assert score[:, 1].std() == pytest.approx(0.14, rel=0.03)
    # One person's scores are all of one scale.
    scaled = detector.scores(tf.constant(error[:, 1:2].repeat(16, 1)), 0.028, 0.0, 0.5, KEY).numpy()
    np.testing.assert_allclose(scaled, scaled[:, :1].repeat(16, 1))
    assert np.log(np.log(scaled[:, 0]) / np.log(0.5)).std() == pytest.approx(0.5, rel=0.03)
