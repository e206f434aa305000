"""The exported model as TensorFlow Serving runs it, behind TensorFlow Serving's own stubs."""

from concurrent import futures

import grpc
import numpy as np
import pytest
import tensorflow as tf
from servable import Servable
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tf_wsgen.export import export_saved_model, export_tflite
from tf_wsgen.training.loop import make_model
from tf_wsgen.training.strategy import make_strategy

NAME, VERSION = "wsgen", 1


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, servable: Servable):
        self.servable = servable

    def Predict(self, request, context):
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        try:
            answer = self.servable.predict(request.model_spec.signature_name, inputs)
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        for name, value in answer.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response


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
def servable(exported):
    made = Servable(exported / str(VERSION))
    yield made
    made.session.close()


@pytest.fixture(scope="session")
def address(servable):
    """Where the model answers gRPC."""
    grpc_server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.max_send_message_length", -1)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(servable), grpc_server)
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    grpc_server.start()
    yield f"127.0.0.1:{port}"
    grpc_server.stop(None).wait()


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
