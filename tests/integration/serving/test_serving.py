"""The exported model behind TensorFlow Serving's two interfaces: right answers, clear refusals, still there after."""

import concurrent.futures
import json

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, prediction_service_pb2_grpc

from tf_wsgen.lifting.endpoints import MOST_SAMPLES, MOST_SHIFTED

INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
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


@pytest.fixture(params=["over_grpc", "over_rest"])
def ask(request, server):
    """A client's function: signature and inputs to outputs."""
    return getattr(server, request.param)


@pytest.fixture
def refusal(server, poses):
    """Asserts that a call is refused, and that the server answers the next one."""

    def check(message, code, ask, *arguments, **options):
        with pytest.raises(server.Refused, match=message) as caught:
            ask(*arguments, **options)
        assert caught.value.code == code
        assert set(server.over_grpc("zero_code", poses(2))) == OUTPUTS

    return check


def assert_same(answer, expected):
    assert set(answer) == OUTPUTS
    for key, value in expected.items():
        # 0.01 mm, 0.01 pixels; template poses are metres.
        tolerance = 1e-5 if key in ("pose_3d_template", "camera") else 1e-2
        np.testing.assert_allclose(answer[key], value, atol=tolerance, err_msg=key)


def codes(rows, size=12):
    return np.random.default_rng(1).normal(size=(rows, 2, size)).astype(np.float32)


def test_every_signature_answers_as_python_does(ask, lifter, poses):
    given = poses(5)
    z = codes(5)
    expected = {
        "serving_default": ({}, lifter.zero_code(**given)),
        "zero_code": ({}, lifter.zero_code(**given)),
        "sample": (SMALL_NUMBERS, lifter.sample(**given, num_hypotheses=4, seed=3)),
        "mean_shift": (SMALL_NUMBERS, lifter.mean_shift(**given, num_hypotheses=4, seed=3)),
        "decode": ({"z": z}, lifter.decode(**given, z=z)),
    }
    assert expected.keys() == INPUTS.keys()
    for signature, (others, value) in expected.items():
        assert_same(ask(signature, {**given, **others}), value)


def test_rows(server, lifter, poses):
    given = poses(3)
    z = codes(3)
    rows = [dict(zip(("keypoints", "visible", "z"), row, strict=True)) for row in zip(*given.values(), z, strict=True)]
    rows = [{name: value.tolist() for name, value in row.items()} for row in rows]
    body = json.dumps({"signature_name": "decode", "instances": rows})
    predictions = server.http("v1/models/wsgen/versions/1:predict", body)["predictions"]
    assert len(predictions) == 3
    assert_same({key: [row[key] for row in predictions] for key in predictions[0]}, lifter.decode(**given, z=z))


def test_missing_joints_may_hold_anything(ask, poses):
    given = poses(4)
    missing = given["visible"] == 0.0
    assert missing.any()
    answers = []
    for value in (np.nan, np.inf, -7.0):
        given["keypoints"][missing] = value
        answers.append(ask("zero_code", given)["pose_3d"])
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])


def test_no_rows(server, poses):
    answer = server.over_grpc("sample", {**poses(0), **SMALL_NUMBERS})
    assert answer["pose_3d"].shape == (0, 4, 16, 3)


def test_concurrent_clients(server, lifter, poses):
    sizes = (1, 2, 3, 5, 8)
    expected = {rows: lifter.sample(**poses(rows), num_hypotheses=4, seed=3) for rows in sizes}
    unreadable = poses(2)
    unreadable["keypoints"][1] = np.nan

    def client(number):
        ask = (server.over_grpc, server.over_rest)[number % 2]
        for turn in range(6):
            rows = sizes[(number + turn) % len(sizes)]
            assert_same(ask("sample", {**poses(rows), **SMALL_NUMBERS}), expected[rows])
            with pytest.raises(server.Refused, match="finite pixels"):
                ask("zero_code", unreadable)
        return number

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(client, range(8))) == list(range(8))


def test_20000_poses(server, lifter, poses, refusal):
    given = poses(20_000)
    # gRPC's default limit is 4 MiB; the poses alone stay below it, all outputs do not.
    few = server.over_grpc("zero_code", given, wanted=["pose_3d"], largest_message=None)
    assert set(few) == {"pose_3d"}
    refusal(
        "larger than max",
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        server.over_grpc,
        "zero_code",
        given,
        largest_message=None,
    )
    answer = server.over_grpc("zero_code", given)
    expected = lifter.zero_code(**given)
    assert_same(answer, expected)
    np.testing.assert_array_equal(few["pose_3d"], answer["pose_3d"])


def test_2000_poses_in_json(server, lifter, poses):
    given = poses(2000)
    assert_same(server.over_rest("zero_code", given), lifter.zero_code(**given))


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
    "NaN in visible": (with_value("visible", (1, 9), np.nan), "visible: expected finite numbers"),
    "nothing visible": (with_value("visible", 0, 0.0), "a visible pelvis or both hips"),
    "one place": (with_value("keypoints", 1, 300.0), "joints in more than one place"),
}


@pytest.mark.parametrize("signature", sorted(INPUTS))
@pytest.mark.parametrize("case", WRONG)
def test_wrong_poses(server, poses, refusal, signature, case):
    change, message = WRONG[case]
    others = {**SMALL_NUMBERS, "z": codes(3)}
    given = change(poses(3)) | {name: others[name] for name in INPUTS[signature] - POSES}
    for ask in (server.over_grpc, server.over_rest):
        refusal(message, INVALID, ask, signature, given)


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
    ("zero_code", {"z": codes(3)}, "Sent extra|does not have named input"),
]


@pytest.mark.parametrize(("signature", "others", "message"), WRONG_OTHERS)
def test_wrong_others(server, poses, refusal, signature, others, message):
    defaults = {name: value for name, value in SMALL_NUMBERS.items() if name in INPUTS[signature]}
    given = poses(3) | defaults | others
    for ask in (server.over_grpc, server.over_rest):
        refusal(message, INVALID, ask, signature, given)


@pytest.mark.parametrize("missing", sorted(INPUTS["sample"]))
def test_missing_inputs(server, poses, refusal, missing):
    given = {**poses(2), **SMALL_NUMBERS}
    del given[missing]
    for ask in (server.over_grpc, server.over_rest):
        refusal(f"Missing but required.*{missing}", INVALID, ask, "sample", given)


@pytest.mark.parametrize(
    ("name", "value"),
    [("keypoints", np.zeros((2, 16, 2))), ("visible", np.ones((2, 16), bool)), ("seed", np.float32(1))],
)
def test_wrong_dtypes(server, poses, refusal, name, value):
    given = {**poses(2), **SMALL_NUMBERS, name: value}
    refusal(f"{name} expects", INVALID, server.over_grpc, "sample", given)


@pytest.mark.parametrize(
    ("signature", "options", "code", "message"),
    [
        ("lift", {}, grpc.StatusCode.FAILED_PRECONDITION, '"lift" not found'),
        ("zero_code", {"name": "other"}, NOT_FOUND, r"Servable not found for request: Latest\(other\)"),
        ("zero_code", {"version": 2}, NOT_FOUND, "Servable not found"),
        ("zero_code", {"wanted": ["pose"]}, INVALID, "output tensor alias not found"),
    ],
)
def test_unknown_names(server, poses, refusal, signature, options, code, message):
    refusal(message, code, server.over_grpc, signature, poses(2), **options)


def test_signatures_over_grpc(server):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "wsgen"
    with grpc.insecure_channel(server.grpc_address) as channel:
        response = prediction_service_pb2_grpc.PredictionServiceStub(channel).GetModelMetadata(request, timeout=60)
    found = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(found)
    for name, inputs in INPUTS.items():
        assert set(found.signature_def[name].inputs) == inputs
        assert set(found.signature_def[name].outputs) == OUTPUTS
    assert found.signature_def["sample"].inputs["seed"].dtype == tf.int32.as_datatype_enum


def test_status_and_signatures_over_rest(server):
    (status,) = server.http("v1/models/wsgen")["model_version_status"]
    assert (status["version"], status["state"], status["status"]["error_code"]) == ("1", "AVAILABLE", "OK")
    found = server.http("v1/models/wsgen/metadata")["metadata"]["signature_def"]["signature_def"]
    assert {name: set(found[name]["inputs"]) for name in INPUTS} == INPUTS
    shape = found["decode"]["inputs"]["keypoints"]["tensor_shape"]["dim"]
    assert [int(axis["size"]) for axis in shape] == [-1, 16, 2]


ONE_POSE = {"keypoints": [[[1.0, 2.0]] * 16], "visible": [[1.0] * 16]}
RAGGED = {**ONE_POSE, "keypoints": [[[1.0, 2.0]] * 15 + [[1.0]]]}
TEXT = {**ONE_POSE, "keypoints": [[["1.0", "2.0"]] * 16]}
NULL = {**ONE_POSE, "visible": [[None] * 16]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "JSON Parse error"),
        ("{'inputs': 1}", "JSON Parse error"),
        (b"\xff\xfe\x00", "JSON Parse error"),
        ("[1, 2]", "either 'instances' or 'inputs'"),
        ("{}", "either 'instances' or 'inputs'"),
        (json.dumps({"inputs": ONE_POSE, "instances": [ONE_POSE]}), "either 'instances' or 'inputs'"),
        (json.dumps({"inputs": [[1.0, 2.0]]}), "named inputs"),
        (json.dumps({"instances": []}), "list of objects"),
        (json.dumps({"instances": [{"keypoints": 1}, {"visible": 1}]}), "different names"),
        (json.dumps({"inputs": ONE_POSE, "signature_name": "lift"}), '"lift" not found'),
        (json.dumps({"inputs": {**ONE_POSE, "poses": 1}}), "does not have named input.*poses"),
        (json.dumps({"inputs": RAGGED}), "unexpected size"),
        (json.dumps({"inputs": TEXT}), "not of expected type: float"),
        (json.dumps({"inputs": NULL}), "not of expected type: float"),
        (json.dumps({"inputs": {**ONE_POSE, "num_hypotheses": 2.5, "seed": 0}, "signature_name": "sample"}), "int32"),
        # Rows give every input a batch axis, which the two numbers of `sample` don't have.
        (
            json.dumps(
                {
                    "signature_name": "sample",
                    "instances": [{**{k: v[0] for k, v in ONE_POSE.items()}, "num_hypotheses": 2, "seed": 0}],
                }
            ),
            r"\[1\] is not compatible with expected shape \[\]",
        ),
    ],
)
def test_malformed_json(server, refusal, body, message):
    refusal(message, INVALID, server.http, "v1/models/wsgen:predict", body)


@pytest.mark.parametrize(
    ("path", "body", "code", "message"),
    [
        ("v1/models/other", None, NOT_FOUND, "Servable not found"),
        ("v1/models/wsgen/versions/2:predict", "{}", NOT_FOUND, "Servable not found"),
        ("v1/models/wsgen:lift", "{}", INVALID, "Malformed request"),
        ("v2/models/wsgen", None, INVALID, "Malformed request"),
    ],
)
def test_wrong_paths(server, refusal, path, body, code, message):
    refusal(message, code, server.http, path, body)
