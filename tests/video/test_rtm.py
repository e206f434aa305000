"""RTMPose by rtmlib: its own code, with stand-ins of its weights where it would have put those that it downloads."""

import numpy as np
import pytest
from PIL import Image

from tf_wsgen.errors import InputError
from tf_wsgen.video.rtm import RTMPose

rtmlib = pytest.importorskip("rtmlib", reason="rtmlib is not installed: pip install 'tf_wsgen[rtmlib]'")
onnx = pytest.importorskip("onnx")
BOX = [60.0, 20.0, 120.0, 100.0]


def constant_model(path, inputs, outputs):
    """A network that gives the same whatever it sees."""
    helper = onnx.helper
    seen = helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, inputs)
    nodes = [
        helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(value.astype(np.float32)))
        for name, value in outputs.items()
    ]
    gives = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, value.shape) for name, value in outputs.items()
    ]
    graph = helper.make_graph(nodes, "stand_in", [seen], gives)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """The folder in which rtmlib looks for what it downloaded, and a function that puts stand-ins there."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)

    def make(score):
        simcc = {"x": np.zeros((1, 17, 384)), "y": np.zeros((1, 17, 512))}
        simcc["x"][0, :, 192], simcc["y"][0, :, 256] = 0.8, 0.8
        names = {key: rtmlib.Body.MODE["lightweight"][key].rsplit("/", 1)[1] for key in ("det", "pose")}
        files = {key: folder / name.replace(".zip", ".onnx") for key, name in names.items()}
        # With the stand-in's own suppression: boxes in the network's 416 pixels, and scores.
        constant_model(files["det"], (1, 3, 416, 416), {"boxes": np.array([[[*BOX, score]]])})
        constant_model(files["pose"], (1, 3, 256, 192), simcc)

    return make


def test_people_of_an_image(weights):
    weights(0.9)
    # The image is scaled to 416 pixels: boxes and joints come back to its own.
    points, scores = RTMPose("lightweight")(Image.new("RGB", (208, 104)))
    assert points.shape == (1, 17, 2)
    assert scores == pytest.approx(np.full((1, 17), 0.8))
    middle = np.array([BOX[0] + BOX[2], BOX[1] + BOX[3]]) / 2.0 / 2.0
    np.testing.assert_allclose(points[0], np.broadcast_to(middle, (17, 2)), atol=0.5)


def test_nobody_is_nobody(weights):
    weights(0.1)
    points, scores = RTMPose("lightweight")(Image.new("RGB", (208, 104)))
    assert (points.shape, scores.shape) == ((0, 17, 2), (0, 17))


def test_refused(weights, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="detector_model is 'huge'; expected one of rtmlib's"):
        RTMPose("huge")

    def unreachable(url, *_, **__):
        raise OSError(f"no network for {url}")

    monkeypatch.setattr("rtmlib.tools.base.download_checkpoint", unreachable)
    with pytest.raises(InputError, match=r"rtmlib's weights cannot be downloaded or read \(no network for https"):
        RTMPose(None)
