"""Another skeleton is another table and nothing else: one step on nine made-up joints."""

import numpy as np
import tensorflow as tf

import tf_wsgen
from tf_wsgen.data.preprocess import align_rows, make_template, normalise_rows
from tf_wsgen.export import export_saved_model
from tf_wsgen.sections import NetworkConfig
from tf_wsgen.skeleton import Skeleton
from tf_wsgen.training.model import WSGen

NINE = Skeleton(
    name="nine",
    joints=("belly", "hip_a", "hip_b", "foot_a", "foot_b", "chest", "arm_a", "arm_b", "crown"),
    bones=(
        ("hip_a", "foot_a"),
        ("hip_b", "foot_b"),
        ("belly", "chest"),
        ("chest", "crown"),
        ("chest", "arm_a"),
        ("chest", "arm_b"),
        ("belly", "hip_a"),
        ("belly", "hip_b"),
    ),
    root="belly",
    hips=("hip_a", "hip_b"),
    shoulders=("arm_a", "arm_b"),
    limbs=("foot_a", "foot_b"),
    reprojection_weights={"belly": 0.0},
)
STANDING = np.array(
    [[0, 0, 0], [-1, 0, 0], [1, 0, 0], [-1, -8, 0], [1, -8, 0], [0, 5, 0], [-2, 5, 0], [2, 5, 0], [0, 7, 0]]
)


def test_one_step_on_nine_joints_and_its_export(tmp_path):
    rng = np.random.default_rng(0)
    pose_3d = (STANDING / 10 + rng.normal(0, 0.02, (6, 9, 3))).astype(np.float32)
    keypoints = (500 + 300 * pose_3d[..., :2] * [1, -1]).astype(np.float32)
    template = make_template(pose_3d, NINE)
    aligned, ratio = align_rows(pose_3d, template, NINE, "test")
    pose_2d, visible = normalise_rows(keypoints, None, NINE, "test")

    model = WSGen(NINE, template, ratio, NetworkConfig(16, 8, 12, 20, pose_gain=0.1))
    model.compile(tf.keras.optimizers.Adam(1e-3), tf.keras.optimizers.Adam(1e-3))
    before = [variable.numpy().copy() for variable in model.trainable_variables]
    batch = {
        "pose_2d": pose_2d,
        "visible": visible,
        "pose_3d": aligned,
        "z": rng.normal(size=(6, 2, 8)).astype(np.float32),
        "epsilon": rng.uniform(size=(6, 2)).astype(np.float32),
    }
    dataset = tf.data.Dataset.from_tensors(batch)
    history = model.fit(dataset, epochs=1, verbose=0, shuffle=False).history
    assert set(history) == {"mmd_squared", "gradient_penalty", "reprojection", "camera", "diversity", "reconstruction"}
    assert all(np.isfinite(values).all() for values in history.values())
    moved = [(variable.numpy() != old).any() for variable, old in zip(model.trainable_variables, before, strict=True)]
    # The last bias of the critic alone has no gradient: MMD² doesn't change when all features move together.
    assert moved.count(False) <= 1

    lifter = model.lifter()
    export_saved_model(lifter, tmp_path / "exported")
    loaded = tf_wsgen.load(tmp_path / "exported")
    assert loaded.skeleton == NINE
    np.testing.assert_allclose(loaded(keypoints).pose_3d, lifter.zero_code(keypoints, visible)["pose_3d"], atol=1)
    described = lifter.sample(keypoints, visible, 5, 0)
    assert described["pose_3d"].shape == (6, 5, 9, 3)
    np.testing.assert_allclose(described["pose_3d"][:, :, NINE.root_index], 0.0)


def test_a_model_comes_back_from_its_configuration_with_its_skeleton():
    model = WSGen(NINE, np.eye(4, 3), 1.25, NetworkConfig(16, 8, 12, 20), ema_momentum=0.5, seed=3)
    again = WSGen.from_config(model.get_config())
    assert again.skeleton == NINE
    assert again.get_config() == model.get_config()
    for ours, theirs in zip(model.trainable_variables, again.trainable_variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
