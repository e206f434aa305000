"""An exported SavedModel as TensorFlow Serving runs it."""

import pathlib

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2


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
