"""One update of the paper's published program, number by number.

The file (`$WSGEN_GOLDEN`, else tests/data/training_step.npz) stores one whole update in the flat order
x1..xJ, y1..yJ, z1..zJ: losses, outputs, gradients and weights before, between and after both halves.
"""

import os
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen import losses
from tf_wsgen.geometry.weak_perspective import project
from tf_wsgen.sections import LossConfig, NetworkConfig
from tf_wsgen.skeleton import HUMAN16
from tf_wsgen.training.model import WSGen

GOLDEN = pathlib.Path(os.environ.get("WSGEN_GOLDEN", pathlib.Path(__file__).parents[1] / "data" / "training_step.npz"))
POSES, CODES, JOINTS = 8, 2, 16
TOLERANCE, UPDATE_TOLERANCE, SMALLEST_GRADIENT = 1e-4, 1e-2, 1e-6

# The program's layers by ours; rows or columns that meet a pose must be reordered.
LAYERS = {
    "trunk": {"input": "Generator/{}_genfc1", "block_1": "Generator/{}_fc1", "block_2": "Generator/{}_fc2"},
    "generator": {
        "input_features": "Generator/Posenet/{}_posefc1",
        "input_code": "Generator/Posenet/{}_posefc1",
        "hidden": "Generator/Posenet/{}_posefc2",
        "block_1": "Generator/Posenet/{}_posefc3",
        "block_2": "Generator/Posenet/{}_posefc4",
        "pose": "Generator/Posenet/{}_posefc5",
    },
    "camera": {
        "block_1_1": "Generator/Camnet/{}_camfc1",
        "block_1_2": "Generator/Camnet/{}_camfc2",
        "block_2_1": "Generator/Camnet/{}_camfc3",
        "block_2_2": "Generator/Camnet/{}_camfc4",
        "camera": "Generator/Camnet/{}_camfc5",
    },
    "encoder": {
        "input": "Generator/Encoder/{}_encfc1",
        "block_1": "Generator/Encoder/{}_encfc2",
        "block_2": "Generator/Encoder/{}_encfc3",
        "code": "Generator/Encoder/{}_encfc4",
    },
    "discriminator": {
        **{
            layer: f"Discriminator/Discriminator/{{}}_discfc{number}"
            for number, layer in enumerate(
                f"{branch}_{part}"
                for branch in ("pose", "kcs")
                for part in ("input", "block_1_1", "block_1_2", "block_2_1", "block_2_2")
            )
        },
        "features": "Discriminator/Discriminator/{}_dicsfc10",
    },
}
POSE_ROWS = {("trunk", "input"), ("encoder", "input"), ("discriminator", "pose_input")}


def joint_major(array, axis=-1):
    """Flat x1..xJ, y1..yJ(, z1..zJ) along an axis to x1, y1(, z1), x2, …"""
    array = np.moveaxis(array, axis, -1)
    flat = array.reshape(*array.shape[:-1], -1, JOINTS).swapaxes(-1, -2).reshape(array.shape)
    return np.moveaxis(flat, -1, axis)


def poses(flat):
    """(N, D·J) to (N, J, D)."""
    return joint_major(flat).reshape(len(flat), JOINTS, -1)


def by_pose(rows):
    """The program's rows (codes × poses) to (poses, codes, …)."""
    return rows.reshape(CODES, POSES, *rows.shape[1:]).swapaxes(0, 1)


def stored(golden, stage, network, layer, kind):
    """A stored weight or gradient in the order of our variable."""
    value = golden[f"{stage}/{LAYERS[network][layer].format('W' if kind == 'kernel' else 'b')}"]
    if (network, layer) == ("generator", "pose"):
        return joint_major(value)
    if kind == "kernel" and (network, layer) in POSE_ROWS:
        return joint_major(value, axis=0)
    if kind == "kernel" and layer in ("input_features", "input_code"):
        width = value.shape[1]
        return value[:width] if layer == "input_features" else value[width:]
    return value


def variables(model):
    """(network, layer, kind, variable) of everything that is trained."""
    for network, layers in LAYERS.items():
        for layer in layers:
            dense = getattr(model, network).get_layer(layer)
            yield network, layer, "kernel", dense.kernel
            if dense.use_bias:
                yield network, layer, "bias", dense.bias


class RecordingAdam(keras.optimizers.Adam):
    """Adam that keeps the gradients it was given and tells when it has applied them."""

    def watch(self, after):
        self.after, self.given = after, {}
        return self

    def apply_gradients(self, grads_and_vars):
        self.given = {id(variable): gradient.numpy() for gradient, variable in grads_and_vars}
        super().apply_gradients(grads_and_vars)
        self.after()


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.fixture(scope="module")
def batch(golden):
    one_code = golden["pose_2d"][:POSES]
    np.testing.assert_array_equal(one_code, golden["pose_2d"][POSES:])
    return {
        "pose_2d": tf.constant(poses(one_code)),
        "visible": tf.ones([POSES, JOINTS]),
        "pose_3d": tf.constant(by_pose(poses(golden["pose_3d_real"])).reshape(-1, JOINTS, 3)),
        "z": tf.constant(by_pose(golden["z"])),
        "epsilon": tf.constant(by_pose(golden["alpha"])[..., 0]),
    }


@pytest.fixture(scope="module")
def update(golden, batch):
    """The model after one `train_step`, and everything seen on the way."""
    width, code_size = golden["weights_0/Generator/W_genfc1"].shape[1], golden["z"].shape[1]
    network = NetworkConfig(width=width, code_size=code_size, pose_branch_width=12, kcs_branch_width=20)
    loss = LossConfig(dot_weight=float(golden["dot_weight"]))
    model = WSGen(HUMAN16, np.eye(4, 3), 1.0, network, loss)
    for network, layer, kind, variable in variables(model):
        variable.assign(stored(golden, "weights_0", network, layer, kind))
    seen = {"weights": {}, "losses": {}}

    def look(stage):
        sample = model.generate(batch["pose_2d"], batch["visible"], batch["z"])
        terms = {**model.generator_losses(sample, batch), **model.discriminator_losses(sample, batch)}
        seen["losses"][stage] = {name: value.numpy() for name, value in terms.items()}
        seen["weights"][stage] = {id(v): v.numpy() for *_, v in variables(model)}
        return sample

    arguments = [float(golden[name]) for name in ("learning_rate", "beta_1", "beta_2")] + [1e-8]
    discriminator_optimizer = RecordingAdam(*arguments).watch(lambda: look("after_d"))
    optimizer = RecordingAdam(*arguments).watch(lambda: look("after_g"))
    model.compile(optimizer, discriminator_optimizer, run_eagerly=True)
    seen["sample"] = look("before")
    seen["returned"] = {name: value.numpy() for name, value in model.train_step(batch).items()}
    seen["gradients"] = {**discriminator_optimizer.given, **optimizer.given}
    return model, seen


def assert_close(actual, expected):
    """max|a − b| ≤ 1e-4 · max|b|."""
    actual = np.asarray(actual)
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= TOLERANCE * np.abs(expected).max()


NAMES = {
    "mmd_squared": "loss_mmd",
    "gradient_penalty": "loss_gp",
    "reprojection": "loss_2d",
    "camera": "loss_camera",
    "diversity": "loss_reg",
    "reconstruction": "loss_rec",
}


@pytest.mark.parametrize("stage", ["before", "after_d", "after_g"])
@pytest.mark.parametrize("name", NAMES)
def test_losses(golden, update, stage, name):
    key = f"{stage}/{NAMES[name]}"
    if key not in golden:  # Only the critic's losses change with the critic.
        assert stage == "after_d"
        assert name not in ("mmd_squared", "gradient_penalty")
        key = f"before/{NAMES[name]}"
    assert_close(update[1]["losses"][stage][name], golden[key])


def test_train_step_returns_what_its_updates_used(golden, update):
    returned = update[1]["returned"]
    for name, stored_name in NAMES.items():
        # The generator's update sees the updated discriminator.
        stage = "after_d" if name == "mmd_squared" else "before"
        assert_close(returned[name], golden[f"{stage}/{stored_name}"])


def test_outputs(golden, update):
    sample = update[1]["sample"]
    assert_close(sample.hypotheses, by_pose(poses(golden["before/pose_3d"])))
    assert_close(sample.camera, golden["before/camera"][:POSES].reshape(POSES, 2, 3))
    projected = project(sample.camera[:, None], sample.hypotheses)
    assert_close(projected, by_pose(poses(golden["before/reprojection"])))


def test_critic_features_and_chain_space(golden, batch, update):
    model, seen = update
    before = WSGen.from_config(model.get_config())
    for (*_, new), (*_, old) in zip(variables(before), variables(model), strict=True):
        new.assign(seen["weights"]["before"][id(old)])
    generated = tf.reshape(seen["sample"].hypotheses, [-1, JOINTS, 3])
    assert_close(
        before.discriminator(generated), by_pose(golden["before/d_fake"]).reshape(-1, golden["before/d_fake"].shape[1])
    )
    assert_close(
        before.discriminator(batch["pose_3d"]),
        by_pose(golden["before/d_real"]).reshape(-1, golden["before/d_real"].shape[1]),
    )
    kcs = before.discriminator.get_layer("kcs")(generated)
    assert_close(kcs, by_pose(golden["before/kcs_fake"]).reshape(-1, *golden["before/kcs_fake"].shape[1:]))


def test_masked_reprojection(golden, update):
    hypotheses = poses(golden["before/pose_3d"])[:, None]
    camera = golden["before/camera"].reshape(-1, 2, 3)
    weights = HUMAN16.joint_weights * golden["visible"]
    assert_close(
        losses.reprojection(poses(golden["pose_2d"]), hypotheses, camera, weights), golden["before/loss_2d_masked"]
    )


def test_gradients(golden, update):
    model, seen = update
    for network, layer, kind, variable in variables(model):
        stage = "gradients_discriminator" if network == "discriminator" else "gradients_generator"
        expected = stored(golden, stage, network, layer, kind)
        if np.abs(expected).max() > SMALLEST_GRADIENT:
            assert_close(seen["gradients"][id(variable)], expected)


@pytest.mark.parametrize(
    ("stage", "stored_stage"), [("after_d", "weights_1_after_discriminator"), ("after_g", "weights_2_after_generator")]
)
def test_updates(golden, update, stage, stored_stage):
    model, seen = update
    compared = 0
    for network, layer, kind, variable in variables(model):
        before, actual = seen["weights"]["before"][id(variable)], seen["weights"][stage][id(variable)]
        expected = stored(golden, stored_stage, network, layer, kind)
        if network != "discriminator" and stage == "after_d":
            np.testing.assert_array_equal(actual, before)
            np.testing.assert_array_equal(expected, before)
            continue
        half = "gradients_discriminator" if network == "discriminator" else "gradients_generator"
        # Adam turns a gradient that is zero but for rounding into a full step.
        told = np.abs(stored(golden, half, network, layer, kind)) > SMALLEST_GRADIENT
        if not told.any():
            continue
        compared += told.sum()
        error = np.linalg.norm((actual - expected)[told]) / np.linalg.norm((expected - before)[told])
        assert error <= UPDATE_TOLERANCE, (network, layer, kind, error)
    assert compared > 5000
