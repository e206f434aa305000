"""The SavedModel: loads without this package, answers as the Python API does, whatever the batch."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.errors import InputError
from tf_wsgen.export import export_saved_model
from tf_wsgen.training.loop import make_model
from tf_wsgen.training.strategy import make_strategy

OUTPUTS = {"pose_3d", "pose_3d_template", "camera", "reprojection", "log_likelihood"}
# A process in which neither this package nor its training dependencies can be imported.
STRANGER = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tf_wsgen", "tensorflow_probability", "keras_tuner"):
            raise ImportError(name + " is refused")
sys.meta_path.insert(0, Refuse())
import numpy as np
import tensorflow as tf
for refused in ("tf_wsgen", "tensorflow_probability", "keras_tuner"):
    try:
        __import__(refused)
    except ImportError:
        continue
    raise SystemExit(refused + " could be imported")
folder, inputs, outputs = sys.argv[1:]
model = tf.saved_model.load(folder)
given = np.load(inputs)
x = (given["keypoints"], given["visible"])
seed = tf.constant(3)
results = {
    "zero_code": model.zero_code(*x),
    "sample": model.sample(*x, tf.constant(4), seed),
    "mean_shift": model.mean_shift(*x, tf.constant(6), seed),
    "decode": model.decode(*x, given["z"]),
    "serving_default": model.signatures["serving_default"](
        keypoints=tf.constant(x[0]), visible=tf.constant(x[1])
    ),
    "sample_signature": model.signatures["sample"](
        keypoints=tf.constant(x[0]), visible=tf.constant(x[1]), num_hypotheses=tf.constant(4), seed=seed
    ),
}
arrays = {f"{name}/{key}": value.numpy() for name, result in results.items() for key, value in result.items()}
arrays["joints"] = np.array([joint.decode() for joint in model.joints.numpy()])
np.savez(outputs, **arrays)
"""


@pytest.fixture(scope="module")
def lifter(small_config, small_data):
    return make_model(small_config, small_data, make_strategy("one_device")).lifter()


@pytest.fixture(scope="module")
def saved_model(lifter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "model"
    export_saved_model(lifter, folder)
    return folder


@pytest.fixture(scope="module")
def model(saved_model):
    return tf.saved_model.load(str(saved_model))


@pytest.fixture(scope="module")
def inputs(small_data):
    rng = np.random.default_rng(0)
    validation = small_data.validation
    visible = (rng.uniform(size=validation.visible[:7].shape) < 0.9).astype(np.float32)
    visible[:, small_data.skeleton.hip_indices] = 1.0
    z = rng.normal(size=(7, 2, 12)).astype(np.float32)
    return {"keypoints": validation.keypoints[:7], "visible": visible, "z": z}


def test_a_stranger_gets_what_python_gets(lifter, saved_model, inputs, tmp_path):
    np.savez(tmp_path / "inputs.npz", **inputs)
    arguments = [str(saved_model), str(tmp_path / "inputs.npz"), str(tmp_path / "outputs.npz")]
    finished = subprocess.run(
        [sys.executable, "-c", STRANGER, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    x = inputs["keypoints"], inputs["visible"]
    expected = {
        "zero_code": lifter.zero_code(*x),
        "sample": lifter.sample(*x, 4, 3),
        "mean_shift": lifter.mean_shift(*x, 6, 3),
        "decode": lifter.decode(*x, inputs["z"]),
        "serving_default": lifter.zero_code(*x),
        "sample_signature": lifter.sample(*x, 4, 3),
    }
    with np.load(tmp_path / "outputs.npz") as outputs:
        assert tuple(outputs["joints"]) == lifter.skeleton.joints
        for name, result in expected.items():
            assert set(result) == OUTPUTS
            for key, value in result.items():
                # 0.01 mm, 0.01 pixels; template poses are metres.
                tolerance = 1e-5 if key in ("pose_3d_template", "camera") else 1e-2
                np.testing.assert_allclose(outputs[f"{name}/{key}"], value, atol=tolerance, err_msg=f"{name} {key}")


@pytest.mark.parametrize("rows", [1, 3])
def test_numbers_don_t_depend_on_the_batch(model, inputs, rows):
    x = inputs["keypoints"], inputs["visible"]
    count, seed = tf.constant(4), tf.constant(3)
    for name, arguments in {"zero_code": (), "sample": (count, seed), "mean_shift": (count, seed)}.items():
        whole = getattr(model, name)(*x, *arguments)["pose_3d"]
        part = getattr(model, name)(x[0][-rows:], x[1][-rows:], *arguments)["pose_3d"]
        np.testing.assert_allclose(part, whole[-rows:], atol=0.01, err_msg=name)


def test_shapes_and_seeds(model, inputs):
    x = inputs["keypoints"], inputs["visible"]
    sample = model.sample(*x, tf.constant(4), tf.constant(3))
    assert {name: tuple(value.shape) for name, value in sample.items()} == {
        "pose_3d": (7, 4, 16, 3),
        "pose_3d_template": (7, 4, 16, 3),
        "camera": (7, 4, 2, 3),
        "reprojection": (7, 4, 16, 2),
        "log_likelihood": (7, 4),
    }
    again, other = (model.sample(*x, tf.constant(4), tf.constant(seed))["pose_3d"] for seed in (3, 4))
    np.testing.assert_array_equal(again, sample["pose_3d"])
    assert np.abs(other - sample["pose_3d"]).max() > 1.0


def test_a_pose_that_cannot_be_read_is_refused(model, inputs):
    keypoints = inputs["keypoints"].copy()
    keypoints[2, 0] = np.nan
    with pytest.raises(tf.errors.InvalidArgumentError, match="finite pixels"):
        model.zero_code(keypoints, np.ones_like(inputs["visible"]))


def test_what_is_there_is_not_overwritten(lifter, tmp_path):
    folder, other = tmp_path / "model", tmp_path / "precious"
    for there in (folder, other):
        there.mkdir()
    (folder / "saved_model.pb").write_text("an older one")
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="exists already"):
        export_saved_model(lifter, folder)
    with pytest.raises(InputError, match="is not a SavedModel"):
        export_saved_model(lifter, other, overwrite=True)
    assert (other / "thesis.txt").read_text() == "years of work"
    export_saved_model(lifter, folder, overwrite=True)
    assert (folder / "variables").is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "precious"]
