"""A lifter as files for others: a SavedModel, which loads without this package, and TensorFlow Lite models."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

import tensorflow as tf

from tf_wsgen.data.preprocess import normalise_keypoints
from tf_wsgen.errors import InputError
from tf_wsgen.lifting.endpoints import Endpoints, input_specs
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.lifting.model_file import IN_SAVED_MODEL, save_lifter

LITE_INPUTS = {"zero_code": ("keypoints", "visible"), "decode": ("keypoints", "visible", "z")}


def export_saved_model(lifter: Lifter, folder: str | os.PathLike, overwrite: bool = False) -> None:
    """Writes the SavedModel; `folder` holds the whole of it or is not there.

    Args:
        lifter: The trained networks.
        folder: Where to write; must not exist unless `overwrite`.
        overwrite: Replace a folder that holds a SavedModel.

    Raises:
        InputError: The folder exists, or holds something else than a SavedModel.
    """
    with _whole_folder(pathlib.Path(folder), overwrite, "a SavedModel", "saved_model.pb") as partial:
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
    specs = input_specs(lifter)
    with _whole_folder(pathlib.Path(folder), overwrite, "a folder of these models", "decode.tflite") as partial:
        partial.mkdir()
        for name, inputs in LITE_INPUTS.items():
            module = tf.Module()
            module.kept = [weight.value for weight in lifter.weights]  # pyright: ignore[reportAttributeAccessIssue]
            function = tf.function(_nan_where_unreadable(lifter, name), input_signature=[specs[i] for i in inputs])
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
            (partial / f"{name}.tflite").write_bytes(converter.convert())


def _nan_where_unreadable(lifter: Lifter, name: str):
    def function(keypoints, visible, *codes):
        usable = normalise_keypoints(keypoints, visible, lifter.skeleton).usable
        described = getattr(lifter, name)(keypoints, visible, *codes)
        nan = tf.constant(float("nan"))
        return {
            key: tf.where(tf.reshape(usable, [-1] + [1] * (value.shape.rank - 1)), value, nan)
            for key, value in described.items()
        }

    return function


@contextlib.contextmanager
def _whole_folder(folder: pathlib.Path, overwrite: bool, kind: str, mark: str) -> Iterator[pathlib.Path]:
    """A path to write to, which becomes `folder` when all is written; `mark` is a file that every such folder has."""
    if folder.exists():
        if not overwrite:
            raise InputError(f"{folder}: exists already; expected a new folder (or --overwrite).")
        if not (folder / mark).exists():
            raise InputError(f"{folder}: is not {kind}, so it is not overwritten.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as partial:
        written = pathlib.Path(partial) / "written"
        yield written
        if folder.exists():
            shutil.rmtree(folder)
        written.rename(folder)
