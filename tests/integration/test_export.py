"""SavedModel and ONNX: load without this package, answer as the Python API does, whatever the batch."""

import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tf_wsgen.errors import InputError
from tf_wsgen.export import export_onnx, export_saved_model, export_tflite
from tf_wsgen.lifting.api import PRETRAINED
from tf_wsgen.lifting.model_file import load_lifter
from tf_wsgen.programs import export as export_program
from tf_wsgen.training.loop import make_model
from tf_wsgen.training.strategy import make_strategy

OUTPUTS = {"pose_3d", "pose_3d_template", "camera", "reprojection", "log_likelihood"}
# A process in which neither this package nor its training dependencies can be imported.
STRANGER = """
import sys
sys.modules |= dict.fromkeys(("tf_wsgen", "tensorflow_probability", "keras_tuner"))
import numpy as np
import tensorflow as tf
folder, inputs, outputs = sys.argv[1:]
model = tf.saved_model.load(folder)
given = np.load(inputs)
x = (given["keypoints"], given["visible"])
poses = {"keypoints": tf.constant(x[0]), "visible": tf.constant(x[1])}
seed = tf.constant(3)
results = {
    "zero_code": model.zero_code(*x),
    "sample": model.sample(*x, tf.constant(4), seed),
    "mean_shift": model.mean_shift(*x, tf.constant(6), seed),
    "decode": model.decode(*x, given["z"]),
    "serving_default": model.signatures["serving_default"](**poses),
    "sample_signature": model.signatures["sample"](**poses, num_hypotheses=tf.constant(4), seed=seed),
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
    """In the place of an older one."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    folder.mkdir()
    (folder / "saved_model.pb").write_text("an older one")
    export_saved_model(lifter, folder, overwrite=True)
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


def test_numbers_don_t_depend_on_the_batch(model, inputs):
    rows = 3
    x = inputs["keypoints"], inputs["visible"]
    count, seed = tf.constant(4), tf.constant(3)
    for name, arguments in {"zero_code": (), "sample": (count, seed), "mean_shift": (count, seed)}.items():
        whole = getattr(model, name)(*x, *arguments)["pose_3d"]
        part = getattr(model, name)(x[0][-rows:], x[1][-rows:], *arguments)["pose_3d"]
        np.testing.assert_allclose(part, whole[-rows:], atol=0.01, err_msg=name)


def test_what_is_there_is_not_overwritten(lifter, saved_model, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="exists already"):
        export_saved_model(lifter, saved_model)
    with pytest.raises(InputError, match="is not a SavedModel"):
        export_saved_model(lifter, tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    assert (saved_model / "variables").is_dir()
    assert [path.name for path in saved_model.parent.iterdir()] == ["model"]


def test_everything_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    (tmp_path / "precious").mkdir()
    folders = {name: str(tmp_path / name) for name in ("output", "tflite", "onnx")}
    for changes, message in (
        ({"onnx": str(tmp_path / "precious"), "overwrite": True}, "precious: is not a folder of these models"),
        ({"onnx": str(tmp_path / "precious")}, "precious: exists already"),
        ({}, "ONNX needs tf2onnx"),
    ):
        if not changes:
            monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(InputError, match=message):
            export_program.main(export_program.Options(model="pretrained", **(folders | changes)))
        assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.fixture(scope="module")
def package():
    """Its cameras are by hypothesis, and it lifts the mirrored pose as well."""
    return load_lifter(PRETRAINED)[0]


@pytest.fixture(scope="module")
def onnx(package, tmp_path_factory):
    """A lifter and the folder of its ONNX models."""
    folder = tmp_path_factory.mktemp("onnx") / "package"
    export_onnx(package, folder)
    return package, folder


@pytest.mark.parametrize("poses", [1, 300])
def test_onnx_gives_what_python_gives(onnx, small_data, poses):
    """With missing joints, with scores, and with a pose that cannot be read."""
    lifter, folder = onnx
    rng = np.random.default_rng(0)
    keypoints = np.resize(small_data.validation.keypoints, (poses, 16, 2)).astype(np.float32)
    visible = np.where(rng.uniform(size=(poses, 16)) < 0.9, rng.uniform(0.1, 1.0, (poses, 16)), 0.0).astype(np.float32)
    visible[:, lifter.skeleton.hip_indices] = 1.0
    keypoints[visible == 0.0] = np.nan
    for name, inputs in {"zero_code": {}, "decode": {"z": rng.normal(size=(1, 3, lifter.code_size))}}.items():
        inputs = {name: values.astype(np.float32) for name, values in inputs.items()}
        session = onnxruntime.InferenceSession(folder / f"{name}.onnx")
        outputs = [output.name for output in session.get_outputs()]
        found = session.run(None, {"keypoints": keypoints, "visible": visible, **inputs})
        for key, value in getattr(lifter, name)(keypoints, visible, **inputs).items():
            tolerance = {"pose_3d_template": 1e-5, "camera": 1e-4}.get(key, 1e-2)
            np.testing.assert_allclose(found[outputs.index(key)], value, atol=tolerance, err_msg=f"{name} {key}")
        keypoints[0] = 7.0
        broken = session.run(["pose_3d"], {"keypoints": keypoints, "visible": visible, **inputs})[0]
        assert np.isnan(broken[0]).all()
        assert np.isfinite(broken[1:]).all()
        keypoints[0] = small_data.validation.keypoints[0]


@pytest.mark.parametrize("number", [np.nan, 3e38])
def test_a_code_that_cannot_be_decoded_is_nan_alone(onnx, inputs, number):
    lifter, folder = onnx
    z = np.ones((1, 3, lifter.code_size), np.float32)
    # A mirrored lifter takes the second code from the other side.
    z[0, 0], z[0, 1, 0] = number, -1.0
    poses = {key: inputs[key] for key in ("keypoints", "visible")}
    for values in onnxruntime.InferenceSession(folder / "decode.onnx").run(None, poses | {"z": z}):
        assert np.isnan(values[:, 0]).all()
        assert np.isfinite(values[:, 1:]).all()


def test_tflite_of_the_package_gives_what_python_gives(package, inputs, tmp_path):
    export_tflite(package, tmp_path / "lite")
    given = {key: inputs[key] for key in ("keypoints", "visible")}
    z = np.random.default_rng(0).normal(size=(1, 3, package.code_size)).astype(np.float32)
    for name, taken in {"zero_code": given, "decode": given | {"z": z}}.items():
        found = Interpreter(str(tmp_path / "lite" / f"{name}.tflite")).get_signature_runner()(**taken)
        np.testing.assert_allclose(found["pose_3d"], getattr(package, name)(**taken)["pose_3d"], atol=0.01)


def test_onnx_tells_its_joints(onnx):
    lifter, folder = onnx
    about = onnxruntime.InferenceSession(folder / "decode.onnx").get_modelmeta().custom_metadata_map
    assert tuple(about["joints"].split(",")) == lifter.skeleton.joints
    assert json.loads(about["skeleton"])["root"] == lifter.skeleton.root
    assert "millimetres" in about["pose_3d"]


def test_the_documented_program_lifts_without_tensorflow(onnx, inputs, tmp_path):
    """docs/serving.md's."""
    lifter, folder = onnx
    text = (pathlib.Path(__file__).parents[2] / "docs" / "serving.md").read_text()
    program = re.search(r"```python\n(import numpy as np\nimport onnxruntime.*?)```", text, re.DOTALL)[1]
    assert len(program.splitlines()) <= 30
    np.save(tmp_path / "keypoints.npy", inputs["keypoints"])
    (tmp_path / "lift.py").write_text(program.replace("exported/onnx", str(folder)))
    watched = f"import sys, runpy; sys.modules['tensorflow'] = None; runpy.run_path({str(tmp_path / 'lift.py')!r})"
    finished = subprocess.run([sys.executable, "-c", watched], cwd=tmp_path, capture_output=True, check=False)
    assert finished.returncode == 0, finished.stderr[-2000:]
    with np.load(tmp_path / "poses.npz") as found:
        assert found["hypotheses"].shape == (7, 10, 16, 3)
        expected = lifter.zero_code(inputs["keypoints"], np.ones((7, 16), np.float32))["pose_3d"]
        np.testing.assert_allclose(found["pose_3d"], expected, atol=0.01)
