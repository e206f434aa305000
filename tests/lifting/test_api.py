"""The public way in: any leading axes, any form of the model, one sentence for what cannot be lifted."""

import hashlib
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from tiny_lifter import tiny_lifter

import tf_wsgen
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, convert
from tf_wsgen.errors import InputError
from tf_wsgen.export import export_saved_model
from tf_wsgen.geometry.ray import ray_through
from tf_wsgen.lifting.api import PRETRAINED, PoseLifter, lifter_file
from tf_wsgen.lifting.endpoints import Endpoints
from tf_wsgen.lifting.model_file import load_lifter, save_lifter
from tf_wsgen.lifting.radius import COUNTS, LEAST_SPREAD, LEVELS
from tf_wsgen.skeleton import HUMAN16


@pytest.fixture(scope="module")
def networks():
    factors = np.ones((len(COUNTS), len(LEVELS), 16)) * [[1.0], [2.0]]
    return tiny_lifter(1.25, body_height=1.7, radius_factors=factors)


@pytest.fixture(scope="module")
def lifter(networks):
    return PoseLifter(Endpoints(networks), HUMAN16, "tiny")


@pytest.fixture(scope="module")
def exported(networks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "model"
    export_saved_model(networks, folder)
    return folder


def people(*leading):
    return np.random.default_rng(0).normal([600.0, 400.0], [80.0, 150.0], (*leading, 16, 2)).astype(np.float32)


@pytest.mark.parametrize("leading", [(), (2, 3)])
def test_any_leading_axes(lifter, leading):
    keypoints = people(*leading)
    result = lifter(keypoints, num_hypotheses=4, image_size=(1280, 720))
    assert {name: value.shape for name, value in vars(result).items()} == {
        "keypoints": (*leading, 16, 2),
        "visible": (*leading, 16),
        "pose_3d": (*leading, 16, 3),
        "reprojection": (*leading, 16, 2),
        "log_likelihood": leading,
        "hypotheses": (*leading, 4, 16, 3),
        "hypotheses_reprojection": (*leading, 4, 16, 2),
        "hypotheses_log_likelihood": (*leading, 4),
        "radius": (*leading, 16, 2),
        "confidence": (*leading, 16),
        "root_position": (*leading, 3),
    }
    assert result.spread.shape == (*leading, 16)
    flat = lifter(keypoints.reshape(-1, 16, 2), num_hypotheses=4, image_size=(1280, 720))
    for name in ("hypotheses", "root_position"):
        expected = getattr(flat, name)
        np.testing.assert_allclose(getattr(result, name).reshape(expected.shape), expected, rtol=1e-5, atol=0.01)
    assert lifter(keypoints).root_position is None


def test_batches_don_t_show(lifter):
    progress = []
    size = (1280, 720)
    whole = lifter(people(7), image_size=size)
    parts = lifter(people(7), image_size=size, batch_size=3, progress=progress.append)
    assert progress == [3, 3, 1]
    for name, value in vars(whole).items():
        np.testing.assert_allclose(getattr(parts, name), value, rtol=1e-5, atol=0.01, err_msg=name)


def test_selection_and_seed(lifter, networks):
    keypoints, visible = people(3), np.ones((3, 16), np.float32)
    for select, expected in (
        ("zero_code", networks.zero_code(keypoints, visible)),
        ("mean_shift", networks.mean_shift(keypoints, visible, 10, 6)),
    ):
        result = lifter(keypoints, seed=6, select=select)
        np.testing.assert_allclose(result.pose_3d, expected["pose_3d"], atol=0.01)
    assert np.abs(lifter(keypoints, seed=7).hypotheses - lifter(keypoints, seed=6).hypotheses).max() > 1.0


def test_covariance_against_numpy(lifter):
    result = lifter(people(2), num_hypotheses=6)
    for row in range(2):
        for joint in (0, 3, 12):
            expected = np.cov(result.hypotheses[row, :, joint].T, ddof=0)
            np.testing.assert_allclose(result.covariance[row, joint], expected, rtol=1e-3, atol=1e-3)
            np.testing.assert_allclose(result.spread[row, joint], np.trace(expected) ** 0.5, rtol=1e-3)


def test_masked_scores_are_of_missing_joints(lifter):
    scores = np.ma.masked_array(np.ones((2, 16)), np.arange(16) == [[2], [5]])
    np.testing.assert_array_equal(lifter(people(2), scores).visible, 1.0 - scores.mask)


def test_hypotheses_stand_where_their_person_stands(lifter):
    """Of as many hypotheses as people, each at its own person's place."""
    result = lifter(people(3), num_hypotheses=3, image_size=(1280, 720))
    expected = [result.hypotheses[person] + result.root_position[person] for person in range(3)]
    np.testing.assert_array_equal(result.placed(result.hypotheses), expected)


def test_missing_joints_don_t_matter(lifter):
    keypoints, visible = people(2), np.ones((2, 16))
    visible[:, [2, HUMAN16.root_index]] = 0
    other = keypoints.copy()
    other[:, [2, HUMAN16.root_index]] = np.nan
    np.testing.assert_array_equal(lifter(keypoints, visible).pose_3d, lifter(other, visible).pose_3d)
    assert (lifter(other, visible).keypoints[:, 2] == 0).all()


@pytest.mark.slow
def test_each_form_of_a_model_gives_the_same(lifter, networks, exported, tmp_path):
    (tmp_path / "run").mkdir()
    save_lifter(networks, tmp_path / "run" / "best.npz", {"name": "named"})
    expected = lifter(people(3)).hypotheses
    forms = [exported, tmp_path / "run", tmp_path / "run" / "best.npz"]
    for path in forms:
        loaded = tf_wsgen.load(path)
        np.testing.assert_allclose(loaded(people(3)).hypotheses, expected, atol=0.01)
    assert loaded.name == "named"
    for path in forms:
        measured, _ = load_lifter(lifter_file(path))
        for ours, theirs in zip(measured.weights, networks.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((people(2)[:, :15],), r"\(2, 15, 2\); expected \(…, 16, 2\)"),
        ((people(2), np.ones((2, 15))), r"visible has shape \(2, 15\); expected \(2, 16\)"),
        ((people(2) * np.array([np.nan, 1.0]),), r"pose \(0,\) cannot be lifted"),
        ((people(2, 3) * np.where(np.arange(3) == 2, np.inf, 1.0)[:, None, None],), r"pose \(0, 2\) cannot"),
        ((np.zeros((16, 2)),), "the pose cannot be lifted"),
        ((people(2), np.eye(16)[[0, 1]]), "both hips"),
        ((people(0),), "hold no pose"),
        ((people(1), None, 0), "num_hypotheses is 0; expected 1 to 10,000"),
        ((people(1), None, 1001, 0, "mean_shift"), "num_hypotheses is 1001; expected 1 to 1,000"),
        ((people(1), None, 10, 0, "zero_code", 0), "batch_size is 0"),
        ((people(1), None, 10, 0, "median"), "select is 'median'"),
        (([[[1.0, 2.0]] * 16, [[1.0, 2.0]] * 5],), "keypoints cannot be read as an array of numbers: setting an array"),
        (([["left"] * 2] * 16,), "keypoints cannot be read as an array of numbers: could not convert"),
        (({"hips": 1.0},), "keypoints cannot be read as an array of numbers: float"),
        ((people(1) + 1j,), "keypoints cannot be read as an array of numbers: they are complex"),
        ((people(1), [["seen"] * 16]), "visible cannot be read as an array of numbers"),
        ((np.ma.masked_less(people(1), 500.0),), r"pose \(0,\) cannot be lifted; expected finite pixels"),
        ((people(1), None, 2.0), "num_hypotheses is 2.0; expected a whole number"),
        ((people(1), None, None), "num_hypotheses is None; expected a whole number"),
        ((people(1), None, 10, None), "seed is None; expected a whole number"),
        ((people(1), None, 10, 0, "zero_code", "8"), "batch_size is '8'; expected a whole number"),
        ((people(1), None, 10, 0, "zero_code", 8, [[1], [2, 3]]), "image_size cannot be read as an array of numbers"),
        ((people(1), None, 10, 0, "zero_code", 8, None, None, "tall"), "height cannot be read as an array of numbers"),
        ((people(1), None, 10, 0, "zero_code", 8, None, None, None, ["coco17"]), "convention is .'coco17'.; did you"),
    ],
)
def test_what_cannot_be_lifted(lifter, arguments, message):
    with pytest.raises(InputError, match=message):
        lifter(*arguments)


def test_joints_of_another_convention(lifter):
    table = CONVENTIONS["coco17"]
    points = np.random.default_rng(0).uniform(100, 500, (3, 17, 2)).astype(np.float32)
    score = np.random.default_rng(1).uniform(0.3, 1.0, (3, 17)).astype(np.float32)
    score[0, table.joints.index("left_ear")] = 0.0
    ours = convert(points, table, score > 0, score)
    expected = lifter(ours.points, np.where(ours.visible, ours.confidence, 0.0))
    np.testing.assert_array_equal(lifter(points, score, convention="coco17").pose_3d, expected.pose_3d)
    with pytest.raises(InputError, match=r"need its name, one of \['coco17'"):
        lifter(points)


def test_what_is_no_model(tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"no")
    for path, message in {"nothing": "no such file", ".": "holds neither", "broken": "is not a SavedModel"}.items():
        with pytest.raises(InputError, match=message):
            tf_wsgen.load(tmp_path / path)


def test_an_unknown_name_is_no_attribute():
    assert {"load", "load_pretrained"} <= set(dir(tf_wsgen))
    with pytest.raises(AttributeError, match="lodd"):
        _ = tf_wsgen.lodd


def test_the_ray_lifts_a_person_anywhere_as_on_the_axis_and_turns_the_pose(lifter):
    size, focal, distance = (1000, 800), 900.0, 6.0
    pose = np.random.default_rng(4).normal(0.0, 0.4, (16, 3))
    pose -= pose[HUMAN16.root_index]

    def pixels(points):
        return points[..., :2] / points[..., 2:] * focal + np.array(size) / 2.0

    ahead, root = np.array([0.0, 0.0, distance]), np.array([2.0, -1.0, 5.0])
    root *= distance / np.linalg.norm(root)
    rotation = ray_through(pixels(root), np.array(size, float), np.array(focal)).rotation.numpy()
    options = {"num_hypotheses": 3, "image_size": size, "focal_length": focal}
    straight = lifter(pixels(pose + ahead), **options)
    aside = lifter(pixels(pose @ rotation + root), **options)
    np.testing.assert_allclose(aside.pose_3d, straight.pose_3d @ rotation, atol=0.1)
    np.testing.assert_allclose(aside.hypotheses, straight.hypotheses @ rotation, atol=0.1)
    np.testing.assert_allclose(aside.log_likelihood, straight.log_likelihood, rtol=1e-3)
    camera = np.float32([[*size, focal]])
    exported = lifter.endpoints.zero_code_along_ray(
        np.float32(pixels(pose @ rotation + root))[None], np.ones((1, 16), np.float32), camera
    )
    np.testing.assert_allclose(exported["pose_3d"][0], aside.pose_3d, atol=0.1)
    np.testing.assert_allclose(exported["reprojection"][0], aside.reprojection, atol=0.1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="width and height above 0"):
        lifter.endpoints.zero_code_along_ray(people(1), np.ones((1, 16), np.float32), 0.0 * camera)
    with pytest.raises(InputError, match="focal_length is given without image_size"):
        lifter(pixels(pose + ahead), focal_length=900.0)
    for wrong in ((0, 800), "1000x800", 1000, (1000, 800, 3), (None, 800)):
        with pytest.raises(InputError, match=r"image_size is .*; expected pixels above 0.*width and height"):
            lifter(pixels(pose + ahead), image_size=wrong)


@pytest.mark.slow
def test_height_scales_poses_and_radii_alone(lifter, exported):
    keypoints = people(2)
    mean, tall = lifter(keypoints), lifter(keypoints, height=[1.7, 0.85])
    for name in ("pose_3d", "hypotheses", "spread"):
        scale = np.array([1.0, 0.5]).reshape((2,) + (1,) * (getattr(mean, name).ndim - 1))
        np.testing.assert_allclose(getattr(tall, name), getattr(mean, name) * scale, rtol=1e-5, err_msg=name)
    np.testing.assert_array_equal(tall.hypotheses_reprojection, mean.hypotheses_reprojection)
    np.testing.assert_allclose(mean.radius[..., 1], 2.0 * np.maximum(mean.spread, LEAST_SPREAD), rtol=1e-5)
    loaded = tf_wsgen.load(exported)(keypoints, height=1.9)
    np.testing.assert_allclose(
        loaded.radius[..., 1], 2.0 * np.maximum(1.9 / 1.7 * mean.spread, LEAST_SPREAD), rtol=1e-3
    )
    for height in (0.0, np.nan, [1.7, 1.8, 1.9]):
        with pytest.raises(InputError, match="expected metres, one number or one for each of the poses"):
            lifter(keypoints, height=height)


def test_without_a_known_body_there_is_no_height_and_no_radius():
    lifter = PoseLifter(Endpoints(tiny_lifter()), HUMAN16, "plain")
    assert lifter(people()).radius is None
    with pytest.raises(InputError, match="plain: does not tell its mean body's height"):
        lifter(people(), height=1.8)


def test_the_card_is_of_the_model_in_the_package():
    card = (pathlib.Path(__file__).parents[2] / "docs" / "model_card.md").read_text()
    assert hashlib.sha256(PRETRAINED.read_bytes()).hexdigest() in card
