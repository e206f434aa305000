"""The exported model in a session of its graph: Python's answers, clear refusals."""

import numpy as np
import pytest
import tensorflow as tf

from tf_wsgen.lifting.endpoints import MOST_SAMPLES, MOST_SHIFTED

OUTPUTS = {"pose_3d", "pose_3d_template", "camera", "reprojection", "log_likelihood"}
POSES = {"keypoints", "visible"}
INPUTS = {
    "serving_default": POSES,
    "zero_code": POSES,
    "sample": POSES | {"num_hypotheses", "seed"},
    "mean_shift": POSES | {"num_hypotheses", "seed"},
    "decode": POSES | {"z"},
}
SMALL_NUMBERS = {"num_hypotheses": np.int32(4), "seed": np.int32(3)}


def assert_same(answer, expected):
    assert set(answer) == OUTPUTS
    for key, value in expected.items():
        # 0.01 mm, 0.01 pixels; template poses are metres.
        tolerance = 1e-5 if key in ("pose_3d_template", "camera") else 1e-2
        np.testing.assert_allclose(answer[key], value, atol=tolerance, err_msg=key)


def codes(rows, size=12):
    return np.random.default_rng(1).normal(size=(rows, 2, size)).astype(np.float32)


def test_every_signature_answers_as_python_does(servable, lifter, poses):
    given = poses(5)
    z = codes(5)
    expected = {
        "serving_default": ({}, lifter.zero_code(**given)),
        "zero_code": ({}, lifter.zero_code(**given)),
        "sample": (SMALL_NUMBERS, lifter.sample(**given, num_hypotheses=4, seed=3)),
        "mean_shift": (SMALL_NUMBERS, lifter.mean_shift(**given, num_hypotheses=4, seed=3)),
        "decode": ({"z": z}, lifter.decode(**given, z=z)),
    }
    along = {f"{name}_along_ray": inputs | {"camera"} for name, inputs in INPUTS.items() if name != "serving_default"}
    assert {n: set(s.inputs) for n, s in servable.signatures.items() if n in INPUTS | along} == INPUTS | along
    assert servable.signatures["sample"].inputs["seed"].dtype == tf.int32.as_datatype_enum
    for signature, (others, value) in expected.items():
        assert_same(servable.predict(signature, {**given, **others}), value)


def test_missing_joints_may_hold_anything(servable, poses):
    given = poses(4)
    missing = given["visible"] == 0.0
    assert missing.any()
    answers = []
    for value in (np.nan, np.inf, -7.0):
        given["keypoints"][missing] = value
        answers.append(servable.predict("zero_code", given)["pose_3d"])
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])


def test_no_rows(servable, poses):
    assert servable.predict("sample", {**poses(0), **SMALL_NUMBERS})["pose_3d"].shape == (0, 4, 16, 3)


def changed(name, change):
    return lambda given: {**given, name: change(given[name])}


def with_value(name, index, value):
    def change(array):
        array = array.copy()
        array[index] = value
        return array

    return changed(name, change)


WRONG = {
    "15 joints": (changed("keypoints", lambda x: x[:, :15]), r"\[3,15,2\] is not compatible with .* \[\?,16,2\]"),
    # These two would broadcast.
    "one coordinate": (changed("keypoints", lambda x: x[..., :1]), r"\[3,16,1\] is not compatible"),
    "one row of visible": (changed("visible", lambda x: x[:1]), "visible: expected one row for each of keypoints"),
    "one row of keypoints": (changed("keypoints", lambda x: x[:1]), "visible: expected one row for each of keypoints"),
    "a batch axis missing": (changed("keypoints", lambda x: x[0]), r"\[16,2\] is not compatible"),
    "a batch axis too many": (changed("visible", lambda x: x[None]), r"\[1,3,16\] is not compatible"),
    "NaN": (with_value("keypoints", (1, 6), np.nan), "keypoints: every row needs finite pixels"),
    "infinity": (with_value("keypoints", (2, 0), np.inf), "keypoints: every row needs finite pixels"),
    "pixels that no image has": (with_value("keypoints", (1, 6), 3e38), "finite pixels of at most 1,000,000"),
    "NaN in visible": (with_value("visible", (1, 9), np.nan), "visible: expected finite numbers"),
    "nothing visible": (with_value("visible", 0, 0.0), "a visible pelvis or both hips"),
    "one place": (with_value("keypoints", 1, 300.0), "joints in more than one place"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_poses(servable, poses, case):
    change, message = WRONG[case]
    others = {**SMALL_NUMBERS, "z": codes(3)}
    for signature, inputs in INPUTS.items():
        given = change(poses(3)) | {name: others[name] for name in inputs - POSES}
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            servable.predict(signature, given)
    assert set(servable.predict("zero_code", poses(2))) == OUTPUTS


CAMERA = np.tile(np.float32([640.0, 480.0, 0.0]), (3, 1))
WRONG_OTHERS = [
    ("sample", {"num_hypotheses": np.int32(0)}, f"num_hypotheses: expected 1 to {MOST_SAMPLES}; found.*0"),
    ("sample", {"num_hypotheses": np.int32(-3)}, "found.*-3"),
    ("sample", {"num_hypotheses": np.int32(2**31 - 1)}, "found.*2147483647"),
    ("mean_shift", {"num_hypotheses": np.int32(0)}, f"num_hypotheses: expected 1 to {MOST_SHIFTED}; found.*0"),
    ("mean_shift", {"num_hypotheses": np.int32(MOST_SHIFTED + 1)}, "found.*1001"),
    ("sample", {"num_hypotheses": np.full(3, 4, np.int32)}, r"\[3\] is not compatible with expected shape \[\]"),
    ("mean_shift", {"seed": np.full(1, 4, np.int32)}, r"\[1\] is not compatible with expected shape \[\]"),
    ("decode", {"z": codes(3, 11)}, r"\[3,2,11\] is not compatible"),
    ("decode", {"z": codes(3)[:, 0]}, r"\[3,12\] is not compatible"),
    ("decode", {"z": codes(2)}, "z: expected one row, or one for each pose; found.*2"),
    ("decode", {"z": codes(3) * np.nan}, "z: expected finite numbers"),
    ("decode", {"z": codes(3) * 1e30}, "z: expected finite numbers of at most 1,000"),
    ("zero_code_along_ray", {"camera": CAMERA * np.float32(1e9)}, "camera: expected .* at most 1,000,000"),
    # This one would broadcast until the graph's own sentence.
    ("zero_code_along_ray", {"camera": CAMERA, "visible": np.ones((4, 16), np.float32)}, "visible: expected one row"),
]


@pytest.mark.parametrize(("signature", "others", "message"), WRONG_OTHERS)
def test_wrong_others(servable, poses, signature, others, message):
    defaults = {name: value for name, value in SMALL_NUMBERS.items() if name in INPUTS.get(signature, ())}
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        servable.predict(signature, poses(3) | defaults | others)
