"""A model server for tests: TensorFlow Serving's gRPC and REST interfaces over one exported model.

It runs the model as the C++ server does: a session of the SavedModel's graph, fed and fetched by the names in
the signature. Loading the SavedModel as objects would pass where the server fails.
"""

import json
import pathlib
import re
import threading
import urllib.error
import urllib.request
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tf_wsgen.export import export_saved_model, export_tflite
from tf_wsgen.training.loop import make_model
from tf_wsgen.training.strategy import make_strategy

NAME, VERSION = "wsgen", 1
CODES = {code.value[0]: code for code in grpc.StatusCode}
# TensorFlow Serving's own table (http_server.cc), as far as it is needed here.
HTTP_STATUS = {grpc.StatusCode.INVALID_ARGUMENT: 400, grpc.StatusCode.NOT_FOUND: 404}


class RefusedError(Exception):
    """What a request was refused with, on either side of the wire."""

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(message)
        self.code = code


class Servable:
    """The SavedModel of one version."""

    def __init__(self, folder: pathlib.Path):
        saved_model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        (meta_graph,) = saved_model.meta_graphs
        # The C++ session feeds any shape; that of Python compares it with the placeholder's, so that is taken away.
        for node in meta_graph.graph_def.node:
            if node.op == "Placeholder":
                node.attr["shape"].shape.Clear()
                node.attr["shape"].shape.unknown_rank = True
                node.attr.pop("_output_shapes", None)
        self.signatures = meta_graph.signature_def
        self.session = tf.compat.v1.Session(graph=tf.Graph())
        with self.session.graph.as_default():
            saver = tf.compat.v1.train.import_meta_graph(meta_graph)
            saver.restore(self.session, str(folder / "variables" / "variables"))

    def predict(self, signature_name: str, inputs: dict[str, np.ndarray], wanted=()) -> dict[str, np.ndarray]:
        """Runs a signature; raises `RefusedError` as TensorFlow Serving would."""
        if signature_name not in self.signatures:
            code = grpc.StatusCode.FAILED_PRECONDITION
            raise RefusedError(code, f'Serving signature key "{signature_name}" not found.')
        signature = self.signatures[signature_name]
        if set(inputs) != set(signature.inputs):
            extra, missing = set(inputs) - set(signature.inputs), set(signature.inputs) - set(inputs)
            refuse(f"Sent extra: {sorted(extra)}. Missing but required: {sorted(missing)}.")
        if unknown := set(wanted) - set(signature.outputs):
            refuse(f"output tensor alias not found in signature: {sorted(unknown)}")
        for name, value in inputs.items():
            expected = tf.dtypes.as_dtype(signature.inputs[name].dtype)
            if value.dtype != expected.as_numpy_dtype:
                refuse(f"{name} expects {expected.name}, {value.dtype} is provided")
        fetches = {name: signature.outputs[name].name for name in wanted or signature.outputs}
        feeds = {signature.inputs[name].name: value for name, value in inputs.items()}
        try:
            return self.session.run(fetches, feeds)
        except tf.errors.OpError as error:
            raise RefusedError(CODES[error.error_code], error.message) from None


def refuse(message: str) -> None:
    raise RefusedError(grpc.StatusCode.INVALID_ARGUMENT, message)


def find(name: str, version: int | None) -> None:
    if name != NAME or version not in (None, VERSION):
        wanted = "Latest" if version is None else "Specific"
        raise RefusedError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}({name})")


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, servable: Servable):
        self.servable = servable

    def Predict(self, request, context):
        return self.guarded(context, self.predict, request)

    def GetModelMetadata(self, request, context):
        return self.guarded(context, self.metadata, request)

    def guarded(self, context, answer, request):
        try:
            spec = request.model_spec
            find(spec.name, spec.version.value if spec.HasField("version") else None)
            return answer(request)
        except RefusedError as error:
            context.abort(error.code, str(error))

    def predict(self, request):
        try:
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        except (TypeError, ValueError) as error:
            refuse(f"Tensor cannot be parsed: {error}")
        name = request.model_spec.signature_name or "serving_default"
        outputs = self.servable.predict(name, inputs, request.output_filter)
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for name, value in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response

    def metadata(self, request):
        if list(request.metadata_field) != ["signature_def"]:
            refuse("expected the metadata field signature_def")
        response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=request.model_spec)
        response.metadata["signature_def"].Pack(signature_map(self.servable))
        return response


def signature_map(servable: Servable):
    return get_model_metadata_pb2.SignatureDefMap(signature_def=servable.signatures)


class RestHandler(BaseHTTPRequestHandler):
    servable: Servable

    def do_GET(self):
        self.answer(self.get)

    def do_POST(self):
        self.answer(self.predict)

    def answer(self, made):
        try:
            status, answer = 200, made()
        except RefusedError as error:
            status, answer = HTTP_STATUS[error.code], {"error": str(error)}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def addressed(self, pattern: str) -> str:
        """The rest of the path behind a model that is there."""
        match = re.fullmatch(rf"/v1/models/([^/:]+)(?:/versions/(\d+))?({pattern})", self.path)
        if not match:
            refuse(f"Malformed request: {self.command} {self.path}")
        find(match[1], int(match[2]) if match[2] else None)
        return match[3]

    def get(self) -> dict:
        if self.addressed("|/metadata") == "/metadata":
            signatures = json_format.MessageToDict(signature_map(self.servable), preserving_proto_field_name=True)
            spec = {"name": NAME, "signature_name": "", "version": str(VERSION)}
            return {"model_spec": spec, "metadata": {"signature_def": signatures}}
        response = get_model_status_pb2.GetModelStatusResponse()
        response.model_version_status.add(version=VERSION, state="AVAILABLE").status.error_message = ""
        return json_format.MessageToDict(
            response, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )

    def predict(self) -> dict:
        # Read first: a reset connection would hide the answer from the client.
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.addressed(":predict")
        try:
            request = json.loads(body)
        except ValueError as error:
            refuse(f"JSON Parse error: {error}")
        if not isinstance(request, dict) or ("instances" in request) == ("inputs" in request):
            refuse("expected an object with either 'instances' or 'inputs'")
        signature_name = request.get("signature_name", "serving_default")
        if signature_name not in self.servable.signatures:
            refuse(f'Serving signature name: "{signature_name}" not found in signature def')
        infos = self.servable.signatures[signature_name].inputs
        columns = request["inputs"] if "inputs" in request else columns_of(request["instances"])
        if not isinstance(columns, dict):
            refuse("expected an object of named inputs")
        if unknown := set(columns) - set(infos):
            refuse(f"JSON object: does not have named input: {sorted(unknown)}")
        inputs = {name: from_json(value, infos[name].dtype) for name, value in columns.items()}
        outputs = {key: value.tolist() for key, value in self.servable.predict(signature_name, inputs).items()}
        if "inputs" in request:
            return {"outputs": outputs}
        rows = zip(*outputs.values(), strict=True)
        return {"predictions": [dict(zip(outputs, row, strict=True)) for row in rows]}

    def log_message(self, *arguments):
        pass


def columns_of(instances) -> dict:
    """Rows to columns."""
    if not isinstance(instances, list) or not instances or not all(isinstance(row, dict) for row in instances):
        refuse("expected a list of objects in 'instances'")
    if any(row.keys() != instances[0].keys() for row in instances):
        refuse("Failed to process element: the objects of 'instances' have different names")
    return {name: [row[name] for row in instances] for name in instances[0]}


def from_json(value, dtype: int) -> np.ndarray:
    """Nested lists of numbers to an array; neither texts nor fractions for whole numbers."""
    expected = tf.dtypes.as_dtype(dtype)
    try:
        array = np.array(value)
    except ValueError:
        refuse("Encountered list at unexpected size")
    if array.dtype.kind not in ("iuf" if expected.is_floating else "iu"):
        refuse(f"JSON Value: is not of expected type: {expected.name}")
    return array.astype(expected.as_numpy_dtype)


class Addresses:
    """Where the server listens, with a client for each way in."""

    Refused = RefusedError

    def __init__(self, grpc_address: str, rest_address: str):
        self.grpc_address, self.rest_address = grpc_address, rest_address

    def over_grpc(self, signature, inputs, wanted=(), name=NAME, version=None, largest_message=-1):
        """The outputs of a signature, or `RefusedError`."""
        request = predict_pb2.PredictRequest(output_filter=wanted)
        request.model_spec.name, request.model_spec.signature_name = name, signature
        if version is not None:
            request.model_spec.version.value = version
        for key, value in inputs.items():
            request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
        options = [("grpc.max_receive_message_length", largest_message)] if largest_message else []
        with grpc.insecure_channel(self.grpc_address, options) as channel:
            try:
                response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=60)
            except grpc.RpcError as error:
                raise RefusedError(error.code(), error.details()) from None
        return {key: tf.make_ndarray(value) for key, value in response.outputs.items()}

    def over_rest(self, signature, inputs, path="v1/models/wsgen:predict"):
        """The same by columns."""
        columns = {key: np.asarray(value).tolist() for key, value in inputs.items()}
        body = json.dumps({"signature_name": signature, "inputs": columns})
        return {key: np.array(value) for key, value in self.http(path, body)["outputs"].items()}

    def http(self, path: str, body: str | bytes | None = None):
        """A GET, or a POST of a body: the JSON answer, or `RefusedError`."""
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(f"http://{self.rest_address}/{path}", data)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                (code,) = (code for code, status in HTTP_STATUS.items() if status == error.code)
                raise RefusedError(code, json.load(error)["error"]) from None


@pytest.fixture(scope="session")
def lifter(small_config, small_data):
    return make_model(small_config, small_data, make_strategy("one_device")).lifter()


@pytest.fixture(scope="session")
def exported(lifter, tmp_path_factory):
    """The folder of the model as TensorFlow Serving takes it: one sub-folder a version."""
    folder = tmp_path_factory.mktemp("exported") / NAME
    export_saved_model(lifter, folder / str(VERSION))
    return folder


@pytest.fixture(scope="session")
def lite(lifter, tmp_path_factory):
    """The folder of the TensorFlow Lite models."""
    folder = tmp_path_factory.mktemp("lite") / "models"
    export_tflite(lifter, folder)
    return folder


@pytest.fixture(scope="session")
def server(exported):
    servable = Servable(exported / str(VERSION))
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    grpc_server = grpc.server(futures.ThreadPoolExecutor(8), options=unlimited)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(servable), grpc_server)
    grpc_port = grpc_server.add_insecure_port("127.0.0.1:0")
    grpc_server.start()
    rest_server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (RestHandler,), {"servable": servable}))
    thread = threading.Thread(target=rest_server.serve_forever)
    thread.start()
    yield Addresses(f"127.0.0.1:{grpc_port}", f"127.0.0.1:{rest_server.server_port}")
    rest_server.shutdown()
    rest_server.server_close()
    thread.join()
    grpc_server.stop(None).wait()
    servable.session.close()


@pytest.fixture(scope="session")
def poses(small_data):
    """Makes poses: any number of rows, with some joints missing."""

    def make(rows: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(rows)
        keypoints = small_data.validation.keypoints
        visible = (rng.uniform(size=(rows, keypoints.shape[1])) < 0.9).astype(np.float32)
        visible[:, list(small_data.skeleton.hip_indices)] = 1.0
        shift = rng.normal(0.0, 100.0, (rows, 1, 2))
        return {
            "keypoints": (keypoints[np.arange(rows) % len(keypoints)] + shift).astype(np.float32),
            "visible": visible,
        }

    return make
