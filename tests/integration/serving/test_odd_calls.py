"""Calls of the exported models with anything: the same answer of every form, or a clear refusal.

$WSGEN_FUZZ is the number of calls; a campaign takes the package's model as well.
"""

import os
import time

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from odd_calls import one_of, some_array, some_visible
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors
from servable import Servable

from tf_wsgen.export import export_onnx, export_saved_model, export_tflite
from tf_wsgen.lifting.api import PRETRAINED
from tf_wsgen.lifting.model_file import load_lifter

CALLS = int(os.environ.get("WSGEN_FUZZ", "100"))
# Of the processor, so that a busy machine is no fault.
LONGEST = 10.0
PURE = ("zero_code", "decode")
# TensorFlow Lite takes any (docs/serving.md).
AXES = {"keypoints": 3, "visible": 2, "z": 3}
INPUTS = {"zero_code": (), "sample": ("num_hypotheses", "seed"), "mean_shift": ("num_hypotheses", "seed")}
INPUTS["decode"] = ("z",)
# What a runtime says of inputs that it does not take.
REFUSALS = {
    # A session tells texts, and shapes that are no array's, before the graph runs.
    "SavedModel": (tf.errors.InvalidArgumentError, ValueError, TypeError),
    "ONNX": (onnx_errors.InvalidArgument, onnx_errors.RuntimeException, onnx_errors.Fail, RuntimeError),
    "TensorFlow Lite": (ValueError, RuntimeError),
}


def some_call(rng, code_size):
    """A signature and its inputs, mostly what can be answered."""
    leading = one_of(rng, [(1,), (2,), (3,), (7,)], [(0,), (), (2, 2)])
    joints, axes = (16, 2) if rng.random() < 0.9 else tuple(rng.integers(0, 20, 2))
    rows = leading[0] if leading else 1
    given = {
        "keypoints": some_array(rng, (*leading, joints, axes)),
        "visible": some_visible(rng, (*one_of(rng, [leading], [(1,), (4,), ()]), joints)),
        "z": some_array(
            rng, (one_of(rng, [1, rows], [0, 2]), one_of(rng, [1, 3], [0]), one_of(rng, [code_size], [1, 5])), 0.0, 1.0
        ),
        "num_hypotheses": np.int32(one_of(rng, [1, 2, 5], [0, -3, 2**31 - 1])),
        "seed": np.int32(one_of(rng, [0, 1], [-1, 2**31 - 1])),
        "camera": np.array(
            [one_of(rng, [(640, 480, 0), (1920, 1080, 500)], [(1, 1, 0), (0, 5, 0), (1e9, 1e-9, 1e12), (9, 9, -1)])]
            * one_of(rng, [rows], [1, 5])
        ),
    }
    if rng.random() < 0.8:
        given |= {name: given[name].astype(np.float32) for name in ("keypoints", "visible", "z", "camera")}
    name = list(INPUTS)[rng.integers(len(INPUTS))]
    names = ("keypoints", "visible", *INPUTS[name])
    if rng.random() < 0.3:
        name, names = f"{name}_along_ray", (*names, "camera")
    return name, {input_name: given[input_name] for input_name in names}


@pytest.fixture(scope="module", params=["small", "package"] if CALLS > 100 else ["small"])
def forms(request, lifter, lite, servable, tmp_path_factory):
    """The code's size, and a function of a signature and inputs for each form."""
    folder = tmp_path_factory.mktemp("forms")
    if request.param == "package":
        lifter, _ = load_lifter(PRETRAINED)
        export_saved_model(lifter, folder / "saved_model")
        export_tflite(lifter, folder / "lite")
        servable, lite = Servable(folder / "saved_model"), folder / "lite"
    export_onnx(lifter, folder / "onnx")
    sessions = {name: onnxruntime.InferenceSession(folder / "onnx" / f"{name}.onnx") for name in PURE}
    runners = {name: Interpreter(str(lite / f"{name}.tflite")).get_signature_runner() for name in PURE}

    def by_onnx(name, inputs):
        outputs = [output.name for output in sessions[name].get_outputs()]
        return dict(zip(outputs, sessions[name].run(None, inputs), strict=True))

    return lifter.code_size, {
        "SavedModel": servable.predict,
        "ONNX": by_onnx,
        "TensorFlow Lite": lambda name, inputs: runners[name](**inputs),
    }


def answer_of(form, call, name, inputs):
    """What a form answers; None where it refuses."""
    began = time.process_time()
    try:
        answer = call(name, inputs)
    except REFUSALS[form]:
        answer = None
    assert time.process_time() - began < LONGEST
    return answer


def assert_right_shapes(answer, rows, codes):
    """`codes` is None where a signature gives one pose."""
    leading = (rows,) if codes is None else (rows, codes)
    assert {name: values.shape for name, values in answer.items()} == {
        "pose_3d": (*leading, 16, 3),
        "pose_3d_template": (*leading, 16, 3),
        "camera": (*leading, 2, 3),
        "reprojection": (*leading, 16, 2),
        "log_likelihood": leading,
    }


def assert_same(found, expected):
    """Within a part in ten thousand of the largest number, of pixels that may be millions."""
    for name, values in expected.items():
        largest = max(np.abs(np.nan_to_num(values)).max(initial=0.0), 1.0)
        np.testing.assert_allclose(found[name] / largest, values / largest, rtol=0.0, atol=1e-4, err_msg=name)


def test_every_form_gives_the_same_answer_or_refuses(forms):
    code_size, by_form = forms
    rng, answered = np.random.default_rng(0), 0
    for number in range(CALLS):
        name, inputs = some_call(rng, code_size)
        found = {
            form: answer_of(form, call, name, inputs)
            for form, call in by_form.items()
            if form == "SavedModel"
            or (name in PURE and (form == "ONNX" or all(inputs[key].ndim == AXES[key] for key in inputs)))
        }
        answers = {form: answer for form, answer in found.items() if answer is not None}
        try:
            check(name, inputs, answers)
        except AssertionError as error:
            raise AssertionError(f"call {number}: {name} of {inputs!r}") from error
        answered += bool(answers)
    assert answered > CALLS / 10


def check(name, inputs, answers):
    """Shapes, finite numbers, and the same ones of every form."""
    # Of no pose or no code there are no numbers.
    answers = {form: answer for form, answer in answers.items() if answer["log_likelihood"].size}
    codes = {"sample": inputs.get("num_hypotheses"), "decode": inputs["z"].shape[1] if np.ndim(inputs.get("z")) else 0}
    shape = len(inputs["keypoints"]), codes.get(name.removesuffix("_along_ray"))
    for form, answer in answers.items():
        # What cannot be read is NaN in every output, the rest finite in every one.
        count = answer["log_likelihood"].size
        for parts in zip(*(values.reshape(count, -1) for values in answer.values()), strict=True):
            numbers = np.concatenate(parts)
            assert np.isfinite(numbers).all() or (np.isnan(numbers).all() and form != "SavedModel")
        if not np.isnan(answer["log_likelihood"]).all():
            assert_right_shapes(answer, *shape)
        if "SavedModel" in answers:
            assert_same(answer, answers["SavedModel"])
    if {"ONNX", "TensorFlow Lite"} <= answers.keys():
        assert_same(answers["TensorFlow Lite"], answers["ONNX"])
