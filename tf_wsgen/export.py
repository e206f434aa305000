"""One SavedModel whose functions take what people have, and which loads without this package."""

import os
import pathlib
import shutil
import tempfile

import tensorflow as tf

from tf_wsgen.errors import InputError
from tf_wsgen.hypotheses.endpoints import Endpoints
from tf_wsgen.hypotheses.lifter import Lifter


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
