"""3DPCK by scene and alignment: by hand on poses that are known, and what must not change it."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.errors import InputError
from tf_wsgen.evaluation.pck_report import align_root, align_scale, align_similarity, pck_report
from tf_wsgen.sections import EvaluationConfig
from tf_wsgen.skeleton import HUMAN16

J, ROOT = HUMAN16.num_joints, HUMAN16.root_index
rng = np.random.default_rng(0)
TRUTH = rng.normal(0.0, 300.0, (6, J, 3)).astype(np.float32) + np.float32([0.0, 0.0, 4000.0])
SCENE = np.array(["GS", "outdoor", "GS", "GS", "outdoor", "GS"])


@pytest.fixture
def eager():
    """Without graphs, which take seconds to trace and are tested once."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


class KnownLifter:
    """Gives the poses it was told for the zero code (B, J, 3) and for codes (B, H, J, 3), by row."""

    code_size, scale_ratio, skeleton = 4, 1.0, HUMAN16

    def __init__(self, alone, sampled):
        self.alone, self.sampled = tf.constant(alone, tf.float32), tf.constant(sampled, tf.float32)

    def generate(self, pose_2d, visible, z):
        # The first joint's place in the image is the row's number (see `rows`): whatever a batch holds.
        number = tf.cast(tf.round(pose_2d[:, 0, 0] / pose_2d[:, 1, 0]), tf.int32)
        alone = z.shape[1] == 1
        return tf.gather(self.alone[:, None] if alone else self.sampled, number), tf.zeros([tf.shape(pose_2d)[0], 2, 3])

    def to_camera_frame(self, hypotheses, camera):
        return hypotheses


def rows(count=len(TRUTH)):
    keypoints = np.zeros((count, J, 2), np.float32)
    keypoints[:, 0, 0] = 50.0 * np.arange(count)
    keypoints[:, 1, 0] = 50.0
    return PairedRows(keypoints, np.ones((count, J), np.float32), TRUTH[:count])


def measured(alone, sampled, scene=SCENE, batch_size=4):
    config = EvaluationConfig(num_hypotheses=np.shape(sampled)[1], batch_size=batch_size)
    return pck_report(KnownLifter(alone, sampled), rows(), scene, config)


def displaced(pose, joint, millimetres):
    """The pose with one joint moved along x."""
    moved = pose.copy()
    moved[..., HUMAN16.index(joint), 0] += millimetres
    return moved


def test_shares_by_hand():
    # Rows 0, 2, 3 and 5 (GS) have two of the 14 joints too far off, the others (outdoor) none.
    alone = TRUTH.copy()
    alone[SCENE == "GS"] = displaced(displaced(TRUTH, "left_wrist", 151.0), "head", 400.0)[SCENE == "GS"]
    found = measured(alone, TRUTH[:, None])
    assert (found["num_rows"], found["num_hypotheses"]) == (6, 1)
    counts = {name: values["num_rows"] for name, values in found["scenes"].items()}
    assert counts == {"GS": 4, "outdoor": 2, "all": 6}
    pck = {name: values["zero_code"]["root"]["pck"] for name, values in found["scenes"].items()}
    assert pck == pytest.approx({"GS": 12 / 14, "outdoor": 1.0, "all": (4 * 12 / 14 + 2) / 6})
    # Of 31 thresholds, 0 is passed by nobody, the others by 12 or all of the 14.
    auc = {name: values["zero_code"]["root"]["auc"] for name, values in found["scenes"].items()}
    assert auc["GS"] == pytest.approx(30 / 31 * 12 / 14)
    assert auc["outdoor"] == pytest.approx(30 / 31)


@pytest.mark.parametrize(("joint", "share"), [("neck", 1.0), ("thorax", 13 / 14), ("left_ankle", 13 / 14)])
def test_the_protocol_s_joints(eager, joint, share):
    found = measured(displaced(TRUTH, joint, 500.0), TRUTH[:, None])
    assert found["scenes"]["all"]["zero_code"]["root"]["pck"] == pytest.approx(share)


def test_what_each_alignment_forgives(eager):
    turn = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]], np.float32)
    centred = TRUTH - TRUTH[:, ROOT : ROOT + 1]
    moved, larger, turned = TRUTH + 777.0, 1.7 * centred, 1.7 * centred @ turn

    def full(pose):
        shares = measured(pose, TRUTH[:, None])["scenes"]["all"]["zero_code"]
        return {name for name, value in shares.items() if value["pck"] > 0.999}

    assert full(moved) == {"root", "scale", "pa"}
    assert full(larger) == {"scale", "pa"}
    assert full(turned) == {"pa"}
    # A mirrored pose is another pose.
    assert full(centred * np.float32([-1.0, 1.0, 1.0])) == set()


def test_the_best_hypothesis_is_chosen_for_each_alignment(eager):
    centred = TRUTH - TRUTH[:, ROOT : ROOT + 1]
    # Right but for its size; or of the right size with three joints a little too far off.
    small = 0.3 * centred
    near = TRUTH.copy()
    for joint in ("left_wrist", "right_wrist", "head"):
        near = displaced(near, joint, 160.0)
    found = measured(TRUTH, np.stack([small, near], axis=1))["scenes"]["all"]["best_hypothesis"]
    assert found["root"]["pck"] == pytest.approx(11 / 14)
    assert found["scale"]["pck"] == pytest.approx(1.0)
    assert found["pa"]["pck"] == pytest.approx(1.0)


@pytest.mark.parametrize("align", [align_root, align_scale, align_similarity])
def test_a_pose_that_is_one_point_stays_finite(align):
    point, target = tf.ones([2, J, 3]), tf.constant(TRUTH[:2])
    assert np.isfinite(align(point, target, ROOT)).all()


def test_batches_and_scenes_change_nothing(eager):
    alone = TRUTH + rng.normal(0.0, 80.0, TRUTH.shape)
    sampled = TRUTH[:, None] + rng.normal(0.0, 80.0, (6, 3, J, 3))
    expected = measured(alone, sampled)["scenes"]["all"]
    for scene, batch_size in ((SCENE, 1), (SCENE, 6), (None, 4)):
        found = measured(alone, sampled, scene, batch_size)["scenes"]
        tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), found["all"], expected)
    assert set(found) == {"all"}


def test_a_skeleton_without_the_joints_is_refused():
    lifter = KnownLifter(TRUTH, TRUTH[:, None])
    joints = tuple(joint.replace("head", "crown") for joint in HUMAN16.joints)
    bones = tuple(tuple(joint.replace("head", "crown") for joint in bone) for bone in HUMAN16.bones)
    lifter.skeleton = dataclasses.replace(HUMAN16, joints=joints, bones=bones, reprojection_weights={})
    with pytest.raises(InputError, match="'head'"):
        pck_report(lifter, rows(), None, EvaluationConfig())
