"""The TensorFlow Lite models: what Python gives, in any batch size, and NaN where Python refuses."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tf_wsgen.errors import InputError
from tf_wsgen.export import export_tflite

OUTPUTS = {"pose_3d", "pose_3d_template", "camera", "reprojection", "log_likelihood"}


@pytest.fixture(scope="module", params=["zero_code", "decode"])
def model(request, lite, lifter):
    """A function of poses, and codes where it takes them; the Lifter's of the same name; makes what they take."""

    def given(poses, code_rows):
        z = np.random.default_rng(2).normal(size=(code_rows, 3, lifter.code_size)).astype(np.float32)
        return {**poses, "z": z} if request.param == "decode" else poses

    path = lite / f"{request.param}.tflite"
    # Operations of TensorFlow itself, which a device doesn't have, would be called Flex….
    assert b"Flex" not in path.read_bytes()
    runner = Interpreter(str(path)).get_signature_runner()
    return runner, getattr(lifter, request.param), given


@pytest.mark.parametrize(("rows", "code_rows"), [(1, 1), (5, 5), (5, 1), (2, 2)])
def test_what_python_gives(model, poses, rows, code_rows):
    runner, python, given = model
    inputs = given(poses(rows), code_rows)
    answer, expected = runner(**inputs), python(**inputs)
    assert set(answer) == OUTPUTS
    for key, value in expected.items():
        assert answer[key].shape == value.shape
        # 0.01 mm, 0.01 pixels; template poses are metres.
        tolerance = 1e-5 if key in ("pose_3d_template", "camera") else 1e-2
        np.testing.assert_allclose(answer[key], value, atol=tolerance, err_msg=key)


def test_where_python_refuses(model, poses):
    runner, python, given = model
    inputs = given(poses(6), 6)
    expected = python(**inputs)
    inputs["keypoints"][0, 6] = np.nan
    inputs["visible"][0, 6] = 1.0
    inputs["keypoints"][2] = 300.0
    inputs["keypoints"][3, 6] = 3e38
    inputs["visible"][3, 6] = 1.0
    inputs["visible"][5] = 0.0
    unreadable, others = [0, 2, 3, 5], [1, 4]
    for key, value in runner(**inputs).items():
        assert np.isnan(value[unreadable]).all(), key
        np.testing.assert_allclose(value[others], expected[key].numpy()[others], atol=1e-2, err_msg=key)


def test_what_is_there_is_not_overwritten(lifter, tmp_path):
    folder, precious = tmp_path / "models", tmp_path / "precious"
    for other in (folder, precious):
        other.mkdir()
    (folder / "decode.tflite").write_text("an older one")
    (precious / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="exists already"):
        export_tflite(lifter, folder)
    with pytest.raises(InputError, match="so it is not overwritten"):
        export_tflite(lifter, precious, overwrite=True)
    assert (precious / "thesis.txt").read_text() == "years of work"
    export_tflite(lifter, folder, overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == ["decode.tflite", "zero_code.tflite"]
    # The mark of a TensorFlow Lite file.
    assert (folder / "decode.tflite").read_bytes()[4:8] == b"TFL3"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models", "precious"]
