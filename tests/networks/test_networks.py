"""The networks: shapes, sizes, how they start, and that files keep their arguments.

What they compute: integration/test_golden_step.py.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.networks import Camera, Discriminator, Encoder, Generator, Trunk
from tf_wsgen.skeleton import HUMAN16

J, H, W, Z = 5, 3, 12, 7  # joints, hypotheses, width, code size: all different, so that none passes for another
P, Q, F, BONES = 4, 6, 2, ((0, 1), (1, 2), (3, 1))  # discriminator's branches, features, bones

SLOPE = {"negative_slope": 0.3}
# Arguments other than the defaults, input shapes without the batch, output shape.
NETWORKS = {
    "trunk": (Trunk, {"num_joints": J, "width": W} | SLOPE, [(J, 2)], (W,)),
    "generator": (
        Generator,
        {"num_joints": J, "width": W, "code_size": Z, "code_gain": 0.5, "pose_gain": 0.1} | SLOPE,
        [(W,), (H, Z)],
        (H, J, 3),
    ),
    "camera": (Camera, {"width": W, "camera_gain": 0.1} | SLOPE, [(W,)], (2, 3)),
    "encoder": (Encoder, {"num_joints": J, "width": W, "code_size": Z} | SLOPE, [(H, J, 3)], (H, Z)),
    "discriminator": (
        Discriminator,
        {"num_joints": J, "bones": BONES, "pose_branch_width": P, "kcs_branch_width": Q, "num_features": F} | SLOPE,
        [(J, 3)],
        (F,),
    ),
}
all_networks = pytest.mark.parametrize("name", NETWORKS)


def make(name, seed=0):
    keras.utils.set_random_seed(seed)
    network_class, arguments = NETWORKS[name][:2]
    network = network_class(**arguments)
    rng = np.random.default_rng(seed)
    for layer in network.layers:  # biases start at 0, which would hide where they are added
        if getattr(layer, "bias", None) is not None:
            layer.bias.assign(0.1 * rng.normal(size=layer.bias.shape))
    return network


def inputs(name, batch=4, seed=0):
    rng = np.random.default_rng(seed)
    tensors = [tf.constant(rng.normal(size=(batch, *shape)), tf.float32) for shape in NETWORKS[name][2]]
    return tensors if len(tensors) > 1 else tensors[0]


def layer_in_numpy(network, layer, x, slope=None):
    kernel, *bias = (weight.numpy() for weight in network.get_layer(layer).weights)
    x = x @ kernel + (bias[0] if bias else 0.0)
    return x if slope is None else np.where(x > 0, x, slope * x)


@all_networks
def test_the_slope_is_the_one_asked_for(name):
    network, (network_class, arguments, *_) = make(name), NETWORKS[name]
    other = network_class(**arguments | {"negative_slope": 0.1})
    other.set_weights(network.get_weights())
    assert np.abs(other(inputs(name)) - network(inputs(name))).max() > 1e-3


def test_a_camera_has_no_code():
    assert [tuple(tensor.shape) for tensor in make("camera").inputs] == [(None, W)]  # z has no way in.


CHAIN = 4 * 1025 * 1024  # Two blocks of two layers.
PARAMETERS = [
    (Trunk, {"num_joints": 16}, 33 * 1024 + CHAIN // 2),
    (Camera, {}, CHAIN + 1025 * 6),
    (Generator, {"num_joints": 16}, 2049 * 1024 + 3 * 1025 * 1024 + 1025 * 48),
    (Encoder, {"num_joints": 16}, 49 * 1024 + CHAIN // 2 + 1025 * 1024),
    (
        Discriminator,
        {"num_joints": 16, "bones": HUMAN16.bone_indices},
        49 * 128 + 4 * 129 * 128 + 226 * 1024 + CHAIN + (128 + 1024 + 1) * 8,
    ),
]


@pytest.mark.parametrize(("network", "arguments", "expected"), PARAMETERS)
def test_default_sizes_are_the_papers(network, arguments, expected):
    assert network(**arguments).count_params() == expected


# Keras 3.15 hands variables to NumPy 2.4 in the old way when it saves.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
@all_networks
def test_save_and_load(name, tmp_path):
    network = make(name)
    assert network(inputs(name)).shape == (4, *NETWORKS[name][3])
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    assert type(again) is type(network)
    assert again.get_config() == network.get_config()
    # A slope, a gain or a bone that fell back to its default would show here.
    np.testing.assert_allclose(again(inputs(name)), network(inputs(name)), rtol=1e-6)
    assert network.get_config().items() >= NETWORKS[name][1].items()


def test_generator_is_dense_on_concatenated_features_and_code():
    # The split of the first layer is an economy: the network is the paper's, D(concat[t, z]).
    generator, (features, z) = make("generator"), inputs("generator")
    kernel = np.concatenate([generator.get_layer(f"input_{part}").kernel for part in ("features", "code")])
    t = np.repeat(features.numpy()[:, None], H, axis=1)
    x = np.concatenate([t, z.numpy()], axis=-1) @ kernel + generator.get_layer("input_features").bias.numpy()
    x = layer_in_numpy(generator, "hidden", np.where(x > 0, x, 0.3 * x), 0.3) + t
    x = x + layer_in_numpy(generator, "block_2", layer_in_numpy(generator, "block_1", x, 0.3), 0.3)
    expected = layer_in_numpy(generator, "pose", x).reshape(4, H, J, 3)
    np.testing.assert_allclose(generator([features, z]), expected, rtol=1e-4, atol=1e-5)


def test_a_hypothesis_depends_on_its_own_code_only():
    generator, (features, z) = make("generator"), inputs("generator")
    before = generator([features, z]).numpy()
    changed = z.numpy()
    changed[:, 1] += 1.0
    after = generator([features, tf.constant(changed)]).numpy()
    np.testing.assert_allclose(after[:, [0, 2]], before[:, [0, 2]], atol=1e-6)
    assert np.abs(after[:, 1] - before[:, 1]).max() > 1e-3


@pytest.mark.parametrize("name", ["generator", "encoder"])
def test_the_number_of_hypotheses_is_free(name):
    # Trained on two codes, evaluated on ten or on 200 with the same weights.
    network, arguments = make(name), inputs(name)
    first = [x[:, :1] if x.ndim > 2 else x for x in arguments] if name == "generator" else arguments[:, :1]
    np.testing.assert_allclose(network(first)[:, 0], network(arguments)[:, 0], atol=1e-5)


# He-normal: standard deviation gain · √(2 / fan-in). Wide enough that a sample tells 3 % apart.
WIDE, CODE = 256, 128
GAINS = {"code_gain": 0.3, "pose_gain": 0.01}


@pytest.mark.parametrize(
    ("network", "arguments", "layer", "expected"),
    [
        (Trunk, {"num_joints": 64, "width": WIDE}, "input", np.sqrt(2 / 128)),
        (Trunk, {"num_joints": 64, "width": WIDE}, "block_1", np.sqrt(2 / WIDE)),
        # Features and code are one layer of fan-in 256 + 128.
        (Generator, GAINS, "input_features", np.sqrt(2 / (WIDE + CODE))),
        (Generator, GAINS, "input_code", 0.3 * np.sqrt(2 / (WIDE + CODE))),
        (Generator, GAINS, "hidden", np.sqrt(2 / WIDE)),
        (Generator, GAINS, "pose", 0.01 * np.sqrt(2 / WIDE)),
        (Generator, {}, "input_code", np.sqrt(2 / (WIDE + CODE))),
        (Generator, {}, "pose", np.sqrt(2 / WIDE)),
        (Camera, {"width": 2048, "camera_gain": 0.2}, "camera", 0.2 * np.sqrt(2 / 2048)),
        (Encoder, {"num_joints": 64, "width": WIDE, "code_size": CODE}, "code", np.sqrt(2 / WIDE)),
    ],
)
def test_initial_weights_are_he_normal_times_the_gain(network, arguments, layer, expected):
    keras.utils.set_random_seed(0)
    sizes = {"num_joints": 64, "width": WIDE, "code_size": CODE} if network is Generator else {}
    layer = network(**sizes, **arguments).get_layer(layer)
    kernel = layer.kernel.numpy()
    np.testing.assert_allclose(kernel.std(), expected, rtol=0.03)
    # Truncated at two standard deviations (of the normal before truncation, 1/0.8796 wider).
    assert np.abs(kernel).max() < 2.0 * expected / 0.8796
    if layer.use_bias:
        np.testing.assert_array_equal(layer.bias, np.zeros(layer.units))


@pytest.mark.parametrize(("name", "index"), [(name, i) for name in NETWORKS for i in range(len(NETWORKS[name][2]))])
def test_inputs_of_another_size_are_refused(name, index):
    arguments = inputs(name)
    arguments = list(arguments) if isinstance(arguments, list) else [arguments]
    arguments[index] = tf.concat([arguments[index]] * 2, axis=-1)
    with pytest.raises(ValueError, match=r"(?i)shape"):
        make(name)(arguments if len(arguments) > 1 else arguments[0])
