"""One SavedModel whose functions take what people have, and which loads without this package."""

import os
import pathlib
import shutil
import tempfile

import tensorflow as tf

from tf_wsgen.errors import InputError
from tf_wsgen.hypotheses.lifter import Lifter


class Endpoints(tf.Module):
    """The functions of the SavedModel: `Lifter`'s methods with fixed signatures.

    Args:
        lifter: The trained networks.
    """

    def __init__(self, lifter: Lifter):
        super().__init__(name="endpoints")
        self.lifter = lifter
        joints = lifter.skeleton.num_joints
        keypoints = tf.TensorSpec([None, joints, 2], tf.float32, name="keypoints")
        visible = tf.TensorSpec([None, joints], tf.float32, name="visible")
        z = tf.TensorSpec([None, None, lifter.code_size], tf.float32, name="z")
        count, seed = (tf.TensorSpec([], tf.int32, name=name) for name in ("num_hypotheses", "seed"))
        self.zero_code = tf.function(lifter.zero_code, input_signature=[keypoints, visible])
        self.sample = tf.function(lifter.sample, input_signature=[keypoints, visible, count, seed])
        self.mean_shift = tf.function(
            lambda keypoints, visible, num_hypotheses, seed: lifter.mean_shift(
                keypoints, visible, num_hypotheses, seed
            ),
            input_signature=[keypoints, visible, count, seed],
        )
        self.decode = tf.function(lifter.decode, input_signature=[keypoints, visible, z])
        # What a client needs to know, for those who load the model in Python.
        self.joints = tf.Variable(lifter.skeleton.joints, trainable=False, name="joints")

    def signatures(self) -> dict:
        """Signatures by name, for TensorFlow Serving."""
        named = ("zero_code", "sample", "mean_shift", "decode")
        concrete = {name: getattr(self, name).get_concrete_function() for name in named}
        return {**concrete, "serving_default": concrete["zero_code"]}


def export_saved_model(lifter: Lifter, folder: str | os.PathLike, overwrite: bool = False) -> None:
    """Writes the SavedModel; `folder` holds the whole of it or is not there.

    Args:
        lifter: The trained networks.
        folder: Where to write; must not exist unless `overwrite`.
        overwrite: Replace a folder that holds a SavedModel.

    Raises:
        InputError: The folder exists, or holds something else than a SavedModel.
    """
    folder = pathlib.Path(folder)
    if folder.exists():
        if not overwrite:
            raise InputError(f"{folder}: exists already; expected a new folder (or --overwrite).")
        if not (folder / "saved_model.pb").exists():
            raise InputError(f"{folder}: is not a SavedModel, so it is not overwritten.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as partial:
        endpoints = Endpoints(lifter)
        written = pathlib.Path(partial) / "saved_model"
        tf.saved_model.save(endpoints, str(written), signatures=endpoints.signatures())
        if folder.exists():
            shutil.rmtree(folder)
        written.rename(folder)
