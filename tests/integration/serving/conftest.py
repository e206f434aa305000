"""The exported model as TensorFlow Serving runs it, behind TensorFlow Serving's own stubs."""

import pathlib
from concurrent import futures

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tf_wsgen.export import export_saved_model, export_tflite
from tf_wsgen.training.loop import make_model
from tf_wsgen.training.strategy import make_strategy

NAME, VERSION = "wsgen", 1


class Servable:
    """A session of the SavedModel's graph, fed and fetched by the names in the signatures, as in the C++ server.

    Loading the SavedModel as objects would pass where the server fails.
    """

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

    def predict(self, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature."""
        signature = self.signatures[name]
        fetches = {key: output.name for key, output in signature.outputs.items()}
        return self.session.run(fetches, {signature.inputs[key].name: value for key, value in inputs.items()})


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, servable: Servable):
        self.servable = servable

    def Predict(self, request, context):
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for name, value in self.servable.predict(request.model_spec.signature_name, inputs).items():
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
