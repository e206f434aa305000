"""Eight clients at once, wrong requests among the right ones: every answer is right, and memory stays.

$WSGEN_LOAD is the number of minutes; the campaign of docs/reliability.md takes 10 and prints (-s).
"""

import os
import pathlib
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

MINUTES = float(os.environ.get("WSGEN_LOAD", "0.03"))
CLIENTS, SIZES = 8, (1, 2, 3, 5, 8)
# Seconds, so that a busy machine is no fault.
PATIENCE = 300
SMALL_NUMBERS = {"num_hypotheses": np.int32(4), "seed": np.int32(3)}
# After the first minute, by when every buffer is there.
MOST_GROWTH = 64.0


def megabytes() -> float:
    """What this process has in memory: server and clients."""
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def request_of(signature, inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "wsgen", signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


@pytest.fixture
def requests(lifter, poses):
    """Requests, each with the right answer, or with what the refusal says."""
    made = []
    for rows in SIZES:
        given = poses(rows)
        camera = np.tile(np.float32([640.0, 480.0, 0.0]), (rows, 1))
        made += [
            (request_of("zero_code", given), lifter.zero_code(**given)),
            (request_of("sample", given | SMALL_NUMBERS), lifter.sample(**given, **SMALL_NUMBERS)),
            (request_of("mean_shift", given | SMALL_NUMBERS), lifter.mean_shift(**given, **SMALL_NUMBERS)),
            (request_of("zero_code", given | {"keypoints": given["keypoints"] * np.nan}), "finite pixels"),
            (request_of("sample", given | SMALL_NUMBERS | {"num_hypotheses": np.int32(0)}), "expected 1 to"),
            (request_of("zero_code_along_ray", given | {"camera": -camera}), "expected width and height above 0"),
            (request_of("decode", given | {"z": np.zeros((rows, 2, 11), np.float32)}), "is not compatible"),
        ]
    return made


def same(outputs, expected):
    """Within 0.01 mm and 0.01 pixels."""
    return outputs.keys() == expected.keys() and all(
        np.allclose(tf.make_ndarray(outputs[name]), value, rtol=0.0, atol=0.01) for name, value in expected.items()
    )


def answers_rightly(stub, request, expected):
    """Whether the answer, or the refusal, is the one that is expected."""
    try:
        found = stub.Predict(request, timeout=PATIENCE).outputs
    except grpc.RpcError as error:
        refused = error.code() is grpc.StatusCode.INVALID_ARGUMENT
        return isinstance(expected, str) and refused and expected in error.details()
    return not isinstance(expected, str) and same(found, expected)


def test_no_wrong_answer_under_load(address, requests):
    latencies, wrong = [[] for _ in range(CLIENTS)], []

    def client(number):
        rng = np.random.default_rng(number)
        with grpc.insecure_channel(address) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            while time.monotonic() < end:
                request, expected = requests[rng.integers(len(requests))]
                began = time.monotonic()
                right = answers_rightly(stub, request, expected)
                latencies[number].append(time.monotonic() - began)
                if not right:
                    wrong.append(request.model_spec.signature_name)

    # A signature's first call takes seconds.
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        assert all(answers_rightly(stub, *request) for request in requests)
    end = time.monotonic() + 60.0 * MINUTES
    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    memory, began = {}, time.monotonic()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.2)
        memory[int((time.monotonic() - began) // 60)] = megabytes()
    for thread in threads:
        thread.join()
    took = np.concatenate(latencies)
    p50, p99 = 1000.0 * np.quantile(took, (0.5, 0.99))
    by_minute = {minute + 1: round(value) for minute, value in memory.items()}
    print(f"{took.size} requests, p50 {p50:.1f} ms, p99 {p99:.1f} ms, {len(wrong)} wrong; MB after minutes {by_minute}")
    assert all(latencies)
    assert not wrong
    assert memory[max(memory)] - memory[0] < MOST_GROWTH
