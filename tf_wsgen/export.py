"""A lifter as files for others: a SavedModel, which loads without this package, TensorFlow Lite and ONNX models."""

import contextlib
import dataclasses
import importlib.util
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

import tensorflow as tf

from tf_wsgen.data.preprocess import LARGEST_PIXEL, normalise_keypoints
from tf_wsgen.errors import InputError
from tf_wsgen.hypotheses.sampling import LARGEST_CODE, usable_codes
from tf_wsgen.lifting.endpoints import Endpoints, input_specs
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.lifting.model_file import IN_SAVED_MODEL, save_lifter

# The functions without random numbers, which TensorFlow Lite and ONNX can hold, and what they take.
PURE_INPUTS = {"zero_code": ("keypoints", "visible"), "decode": ("keypoints", "visible", "z")}
ONNX_OPSET = 17
# What each folder is called, and a file that every such folder has.
SAVED_MODEL = "a SavedModel", "saved_model.pb"
LITE, ONNX = ("a folder of these models", "decode.tflite"), ("a folder of these models", "decode.onnx")
# What the metadata of ONNX say of numbers and axes.
CONVENTIONS = {
    "keypoints": "(poses, joints, 2) pixels, x right, y down",
    "visible": "(poses, joints) 0 missing; else 1, or the detector's score",
    "pose_3d": "millimetres, camera frame: x right, y down, z away, the root at the origin",
    "z": "(poses or 1, codes, code size) standard normal numbers; 0 is the pose that zero_code gives",
    "refused": "NaN in every output of a pose without the root or both hips, with all joints in one place or with "
    f"pixels above {LARGEST_PIXEL:,.0f}, and of a hypothesis whose code has numbers above {LARGEST_CODE:,.0f}",
}


def export_saved_model(lifter: Lifter, folder: str | os.PathLike, overwrite: bool = False) -> None:
    """Writes the SavedModel; `folder` holds the whole of it or is not there.

    Args:
        lifter: The trained networks.
        folder: Where to write; must not exist unless `overwrite`.
        overwrite: Replace a folder that holds a SavedModel.

    Raises:
        InputError: The folder exists, or holds something else than a SavedModel.
    """
    with whole_folder(pathlib.Path(folder), overwrite, *SAVED_MODEL) as partial:
        endpoints = Endpoints(lifter)
        tf.saved_model.save(endpoints, str(partial), signatures=endpoints.signatures())
        save_lifter(lifter, partial / IN_SAVED_MODEL, {})


def export_tflite(lifter: Lifter, folder: str | os.PathLike, overwrite: bool = False) -> None:
    """Writes `zero_code.tflite` and `decode.tflite`, of built-in operations only; any batch size.

    They take and give what `Lifter`'s methods do. TensorFlow Lite has no assertions: where `Lifter`
    refuses a row, every output of that row is NaN.

    Args:
        lifter: The trained networks.
        folder: Where to write; must not exist unless `overwrite`.
        overwrite: Replace a folder that holds such models.

    Raises:
        InputError: The folder exists, or holds something else than such models.
    """
    with whole_folder(pathlib.Path(folder), overwrite, *LITE) as partial:
        partial.mkdir()
        for name in PURE_INPUTS:
            module = tf.Module()
            module.kept = [weight.value for weight in lifter.weights]  # pyright: ignore[reportAttributeAccessIssue]
            function = _pure_function(lifter, name)
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
            (partial / f"{name}.tflite").write_bytes(converter.convert())


def export_onnx(lifter: Lifter, folder: str | os.PathLike, overwrite: bool = False) -> None:
    """Writes `zero_code.onnx` and `decode.onnx`, of ONNX's own operators only; any number of poses and of codes.

    They take and give what `Lifter`'s methods do; where `Lifter` refuses a row, every output of that row is NaN. Their
    metadata tell the joints, the skeleton, and units (`CONVENTIONS`).

    Args:
        lifter: The trained networks.
        folder: Where to write; must not exist unless `overwrite`.
        overwrite: Replace a folder that holds such models.

    Raises:
        InputError: tf2onnx is not installed, or the folder exists, or holds something else than such models.
    """
    check_onnx()
    import onnx

    with whole_folder(pathlib.Path(folder), overwrite, *ONNX) as partial:
        partial.mkdir()
        for name in PURE_INPUTS:
            onnx.save(onnx_model(lifter, name), str(partial / f"{name}.onnx"))


def onnx_model(lifter: Lifter, name: str):
    """The `onnx.ModelProto` of one of `PURE_INPUTS`, as `export_onnx` writes it; tf2onnx must be installed."""
    import onnx
    import tf2onnx

    specs = _pure_specs(lifter, name)
    # Where tf2onnx multiplies by the condition, the NaN of a missing joint stays NaN.
    where = {"SelectV2": (lambda context, node, *_: node, ["Where"])}
    function = _pure_function(lifter, name)
    model, _ = tf2onnx.convert.from_function(function, specs, opset=ONNX_OPSET, custom_op_handlers=where)
    # What tf2onnx cannot convert it leaves in without a word.
    strange = sorted({node.op_type for node in model.graph.node if node.domain not in ("", "ai.onnx")})
    if strange:
        raise RuntimeError(f"tf2onnx left {strange}, which are no operators of ONNX.")
    for value in (*model.graph.input, *model.graph.output):
        for dim, called in zip(value.type.tensor_type.shape.dim, ("poses", "codes"), strict=False):
            if not dim.dim_value:
                dim.dim_param = "codes_or_poses" if value.name == "z" and called == "poses" else called
    skeleton = json.dumps(dataclasses.asdict(lifter.skeleton))
    about = {"joints": ",".join(lifter.skeleton.joints), "skeleton": skeleton, **CONVENTIONS}
    onnx.helper.set_model_props(model, about)
    onnx.checker.check_model(model, full_check=True)
    return model


def check_onnx() -> None:
    """Refuses where tf2onnx is not installed."""
    if importlib.util.find_spec("tf2onnx") is None:
        raise InputError("ONNX needs tf2onnx, which is not installed; expected pip install 'tf_wsgen[onnx]'.")


def check_folder(folder: str | os.PathLike, overwrite: bool, kind: str, mark: str) -> None:
    """Refuses to write over a folder, unless told to and it is of the kind.

    Args:
        folder: Where to write.
        overwrite: Replace a folder of the kind.
        kind: What is written, for the message.
        mark: A file that every such folder has.

    Raises:
        InputError: One of these.
    """
    folder = pathlib.Path(folder)
    if folder.exists():
        if not overwrite:
            raise InputError(f"{folder}: exists already; expected a new folder (or --overwrite).")
        if not (folder / mark).exists():
            raise InputError(f"{folder}: is not {kind}, so it is not overwritten.")


def _pure_specs(lifter: Lifter, name: str) -> list[tf.TensorSpec]:
    specs = input_specs(lifter)
    return [specs[given] for given in PURE_INPUTS[name]]


def _pure_function(lifter: Lifter, name: str) -> tf.types.experimental.PolymorphicFunction:
    # Nothing here needs Autograph.
    return tf.function(_nan_where_unreadable(lifter, name), input_signature=_pure_specs(lifter, name), autograph=False)


def _nan_where_unreadable(lifter: Lifter, name: str):
    def function(keypoints, visible, *given):
        rows = tf.shape(keypoints)[0]
        usable = normalise_keypoints(keypoints, visible, lifter.skeleton).usable & (tf.shape(visible)[0] == rows)
        # A mirrored lifter multiplies what it makes of one code by 0 for another: of infinity that is not 0.
        codes = [tf.where(tf.expand_dims(usable_codes(z), -1), z, 0.0) for z in given]
        for z in given:
            codes_fit = (tf.shape(z)[0] == rows) | (tf.shape(z)[0] == 1)
            usable = tf.expand_dims(usable, 1) & usable_codes(z) & codes_fit
        described = getattr(lifter, name)(keypoints, visible, *codes)
        return {key: _where(usable, value) for key, value in described.items()}

    return function


def _where(usable: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """The value where the (B,) or (B, H) are usable, else NaN."""
    # TensorFlow Lite has no slices with two new axes.
    for _ in range(value.shape.rank - usable.shape.rank):
        usable = tf.expand_dims(usable, -1)
    return tf.where(usable, value, tf.constant(float("nan")))


@contextlib.contextmanager
def whole_folder(folder: pathlib.Path, overwrite: bool, kind: str, mark: str) -> Iterator[pathlib.Path]:
    """A path to write to, which becomes `folder` when all is written.

    Args and errors are those of `check_folder`.
    """
    check_folder(folder, overwrite, kind, mark)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as partial:
        written = pathlib.Path(partial) / "written"
        yield written
        if folder.exists():
            shutil.rmtree(folder)
        written.rename(folder)
