"""The evaluator with a tiny network against NumPy and SciPy, row by row."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.transform import Rotation
from tiny_lifter import J, Z, made_up_rows, tiny_lifter

from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.evaluation.protocols import BASELINE_HYPOTHESES, CHOICES, Evaluator, baselines
from tf_wsgen.hypotheses.farthest_points import farthest_points
from tf_wsgen.hypotheses.mean_shift import mean_shift
from tf_wsgen.hypotheses.sampling import codes_for_rows
from tf_wsgen.sections import EvaluationConfig
from tf_wsgen.skeleton import HUMAN16

RATIO, PELVIS = 1.1, HUMAN16.root_index
ROWS, POOL = 11, 8
# Eleven rows in batches of four: the last batch is partial. All draw from one pool of eight.
CONFIG = EvaluationConfig(num_hypotheses=6, batch_size=4, seed=5, diversity_pool=POOL, diversity_chosen=3)
PROTOCOLS = ("p1", "p2")
CHOSEN_FROM_SAMPLED = {
    "mean_shift": lambda poses: mean_shift(poses).pose_3d[:, None],
    "mean_of_hypotheses": lambda poses: tf.reduce_mean(poses, axis=1, keepdims=True),
    "best_hypothesis": lambda poses: poses,  # The least error of each row is taken for each protocol on its own.
}


def centred(pose):
    return pose - pose.mean(axis=-2, keepdims=True)


def numpy_p1(pose, camera, target):
    """Rotated by the polar factor of the camera, y and z turned, millimetres by the ratio, from the root on."""
    u, _, vt = np.linalg.svd(camera, full_matrices=False)
    first, second = u @ vt
    rotated = pose @ np.stack([first, second, np.cross(first, second)]).T * [1.0, -1.0, -1.0] * 1000.0 * RATIO
    return np.linalg.norm(rotated - rotated[PELVIS] - (target - target[PELVIS]), axis=-1).mean()


def numpy_p2(pose, target):
    """SciPy's best proper rotation with the least squares scale."""
    pose, target = centred(pose), centred(target)
    rotated = Rotation.align_vectors(target, pose)[0].apply(pose)
    return np.linalg.norm(np.sum(rotated * target) / np.sum(pose * pose) * rotated - target, axis=-1).mean()


def numpy_errors(described, rows):
    """Errors of each row and hypothesis: {"p1": (N, H), "p2": (N, H)}."""
    poses, cameras = (described[name].numpy().astype(float) for name in ("pose_3d_template", "camera"))
    triples = list(zip(poses, cameras, rows.pose_3d, strict=True))
    return {
        "p1": np.array([[numpy_p1(*pair, truth) for pair in zip(p, c, strict=True)] for p, c, truth in triples]),
        "p2": np.array([[numpy_p2(pose, truth) for pose in p] for p, _, truth in triples]),
    }


def zero_code_errors(lifter, rows):
    return numpy_errors(lifter.decode(rows.keypoints, rows.visible, tf.zeros([1, 1, Z])), rows)


@pytest.fixture(scope="module")
def lifter():
    return tiny_lifter(RATIO, pose_gain=0.03)


@pytest.fixture(scope="module")
def rows():
    # Unbalanced and interleaved actions: eight, two and one.
    action = np.array(["walk", "sit", "walk", "walk", "wave", "walk", "walk", "sit", "walk", "walk", "walk"])
    return made_up_rows(ROWS, [(3, "head")], action=action)


@pytest.fixture(scope="module")
def evaluator(lifter):
    return Evaluator(lifter, CONFIG)


@pytest.fixture(scope="module")
def measured(evaluator, rows):
    return evaluator(rows)


@pytest.fixture(scope="module")
def pool(lifter, rows):
    """What the lifter gives for all eight codes a row, of which the evaluator samples the first six."""
    return lifter.decode(rows.keypoints, rows.visible, codes_for_rows(tf.range(ROWS), POOL, Z, CONFIG.seed))


def assert_same_numbers(a, b, atol):
    tf.nest.assert_same_structure(a, b)
    np.testing.assert_allclose(tf.nest.flatten(a), tf.nest.flatten(b), rtol=0, atol=atol)


def test_every_row_counts(measured):
    assert measured["num_rows"] == ROWS
    assert measured["seed"] == CONFIG.seed
    counts = {action: values["num_rows"] for action, values in measured["per_action"].items()}
    assert counts == {"sit": 2, "walk": 8, "wave": 1}


def test_progress_counts_rows_and_the_second_measurement_is_the_first(evaluator, measured, rows):
    done = []
    assert evaluator(rows, done.append) == measured
    assert done == [4, 4, 3]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_zero_code_against_numpy(lifter, measured, rows, protocol):
    expected = zero_code_errors(lifter, rows)[protocol].mean()
    np.testing.assert_allclose(measured["zero_code"][protocol], expected, rtol=1e-5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("choice", CHOSEN_FROM_SAMPLED)
def test_choices_from_the_sampled_against_numpy(measured, pool, rows, choice, protocol):
    chosen = CHOSEN_FROM_SAMPLED[choice](pool["pose_3d_template"][:, : CONFIG.num_hypotheses])
    cameras = pool["camera"][:, : chosen.shape[1]]
    errors = numpy_errors({"pose_3d_template": chosen, "camera": cameras}, rows)[protocol].min(axis=1)
    # Mean-shift ends its climbs within some hundredths of a millimetre.
    np.testing.assert_allclose(measured[choice][protocol], errors.mean(), rtol=1e-4 if choice == "mean_shift" else 1e-5)
    assert measured["best_hypothesis"]["num_hypotheses"] == CONFIG.num_hypotheses


@pytest.mark.slow
def test_more_hypotheses_make_a_better_best_one_and_without_diversity_nothing_else_changes(lifter, measured, rows):
    fewer = Evaluator(lifter, dataclasses.replace(CONFIG, num_hypotheses=2, batch_size=256))(rows)
    for protocol in PROTOCOLS:
        assert measured["best_hypothesis"][protocol] < fewer["best_hypothesis"][protocol]
        assert measured["best_hypothesis"][protocol] < measured["mean_shift"][protocol]
        np.testing.assert_allclose(fewer["zero_code"][protocol], measured["zero_code"][protocol], atol=1e-3)
    # Validation measures no diversity and so draws fewer codes: its errors must be the final evaluation's.
    without = Evaluator(lifter, dataclasses.replace(CONFIG, batch_size=256), diversity=False)(rows)
    assert_same_numbers({k: v for k, v in measured.items() if k != "diversity"}, without, atol=1e-3)


def test_diversity_against_numpy(measured, pool):
    poses = pool["pose_3d_template"]
    spread = tf.gather(poses, farthest_points(poses, CONFIG.diversity_chosen), batch_dims=1)
    for name, chosen in (("std", poses[:, : CONFIG.num_hypotheses].numpy()), ("std_fps", spread.numpy())):
        relative = 1000.0 * RATIO * (chosen - chosen[:, :, [PELVIS]])
        np.testing.assert_allclose(measured["diversity"][name], relative.std(axis=1).mean(), rtol=1e-4)
    assert measured["diversity"]["std_fps"] > measured["diversity"]["std"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_action_means_weigh_actions_alike_and_frame_means_frames(lifter, measured, rows, protocol):
    errors = zero_code_errors(lifter, rows)[protocol][:, 0]
    means = {name: errors[rows.action == name].mean() for name in ("sit", "walk", "wave")}
    for name, mean in means.items():
        np.testing.assert_allclose(measured["per_action"][name]["zero_code"][protocol], mean, rtol=1e-5)
    np.testing.assert_allclose(
        measured["zero_code"][f"{protocol}_action_mean"], (means["sit"] + means["walk"] + means["wave"]) / 3, rtol=1e-5
    )
    assert abs(measured["zero_code"][f"{protocol}_action_mean"] - measured["zero_code"][protocol]) > 0.1


def test_rows_without_actions_have_no_means_by_action(evaluator, measured, rows):
    without = evaluator(dataclasses.replace(rows, action=None))
    assert not without["per_action"]
    for choice in CHOICES:
        assert not [name for name in without[choice] if "action" in name]
        assert without[choice]["p2"] == measured[choice]["p2"]


def test_an_evaluator_sees_weights_that_changed_since(lifter, evaluator, measured, rows):
    # Training evaluates one lifter again and again: a weight that the graph had frozen would go unnoticed.
    weight = lifter.generator.get_layer("pose").kernel
    before = weight.numpy()
    weight.assign(before[::-1])
    try:
        changed = evaluator(rows)["zero_code"]["p2"]
        expected = zero_code_errors(lifter, rows)["p2"].mean()
    finally:
        weight.assign(before)
    np.testing.assert_allclose(changed, expected, rtol=1e-5)
    assert abs(changed - measured["zero_code"]["p2"]) > 0.1


def test_baselines_of_two_training_poses_by_hand(rows):
    # One training pose is every row's truth but for rotation, scale and place, the other is its mirror image.
    pose = centred(rows.pose_3d[0].astype(float))
    mirrored = pose * [-1.0, 1.0, 1.0]
    turned = np.stack([2.0 * pose @ turn.as_matrix().T + 100.0 for turn in Rotation.random(200, random_state=1)])
    truth = PairedRows(np.zeros((200, J, 2)), np.ones((200, J)), turned.astype(np.float32))
    training = (np.stack([pose, mirrored]) / 1000.0).astype(np.float32)
    found = baselines(training, truth, seed=3)
    cost = numpy_p2(mirrored, turned[0])
    np.testing.assert_allclose(found["mean_pose"]["p2"], numpy_p2(pose * [0.0, 1.0, 1.0], turned[0]), rtol=1e-3)
    # The first draw is mirrored in about half of the rows, all ten in one of 1024.
    mirrored_rows = 200 * found["random_pose"]["p2"] / cost
    assert 75 < mirrored_rows < 125
    np.testing.assert_allclose(mirrored_rows, round(mirrored_rows), atol=0.05)
    assert 200 * found["best_random_pose"]["p2"] / cost < 3.0
    assert found["best_random_pose"]["num_hypotheses"] == BASELINE_HYPOTHESES == 10
    assert baselines(training, truth, seed=3) == found
    assert baselines(training, truth, seed=4)["random_pose"] != found["random_pose"]
