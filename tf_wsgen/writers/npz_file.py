"""Predictions as .npz: named arrays, read back with `numpy.load`."""

import json
import os

import numpy as np

from tf_wsgen.files import whole_file
from tf_wsgen.lifting.result import Predictions


def write_npz(predictions: Predictions, output: str | os.PathLike) -> None:
    """Writes every array of the predictions, compressed and atomically.

    Arrays: those of `LiftedPoses` by name (`radius` where it is calibrated, `root_position` where the
    image's size is known), `spread` (R, J) mm, `reliable` (R,), `frame` and `person` (R,), `joints` (J,) names,
    `bones` (K, 2) joint indices, and `about`, a JSON text.

    Args:
        predictions: What to write.
        output: The file.
    """
    poses = predictions.poses
    with whole_file(output) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            **{name: values for name, values in vars(poses).items() if values is not None},
            spread=poses.spread.astype(np.float32),
            reliable=poses.reliable,
            frame=predictions.frame,
            person=predictions.person,
            joints=np.array(predictions.skeleton.joints),
            bones=np.array(predictions.skeleton.bone_indices),
            about=np.array(json.dumps(predictions.about)),
        )
