"""Predictions as JSON (its fields: docs/predictions.md)."""

import json
import os

import numpy as np

from tf_wsgen.files import whole_file
from tf_wsgen.lifting.result import Predictions

SCHEMA = "tf_wsgen/predictions/1"


def write_json(predictions: Predictions, output: str | os.PathLike) -> None:
    """Writes the predictions as one JSON object, atomically; millimetres and pixels to two decimals.

    Args:
        predictions: What to write.
        output: The file.
    """
    with whole_file(output) as partial:
        partial.write_text(json.dumps(as_record(predictions), allow_nan=False), encoding="utf-8")


def as_record(predictions: Predictions) -> dict:
    """The predictions as plain objects, the content of the JSON file."""
    poses, spread, reliable = predictions.poses, predictions.poses.spread, predictions.poses.reliable
    people = [
        {
            "frame": _plain(predictions.frame[row]),
            "person": _plain(predictions.person[row]),
            "keypoints": _rounded(poses.keypoints[row]),
            "visible": poses.visible[row].astype(int).tolist(),
            **({} if poses.confidence is None else {"confidence": _rounded(poses.confidence[row], 3)}),
            "pose_3d": _rounded(poses.pose_3d[row]),
            "reprojection": _rounded(poses.reprojection[row]),
            "log_likelihood": _rounded(poses.log_likelihood[row], 4),
            "spread": _rounded(spread[row]),
            "reliable": bool(reliable[row]),
            **({} if poses.radius is None else {"radius": _rounded(poses.radius[row])}),
            **({} if poses.root_position is None else {"root_position": _rounded(poses.root_position[row])}),
            "hypotheses": [
                {
                    "pose_3d": _rounded(poses.hypotheses[row, index]),
                    "reprojection": _rounded(poses.hypotheses_reprojection[row, index]),
                    "log_likelihood": _rounded(poses.hypotheses_log_likelihood[row, index], 4),
                }
                for index in range(poses.hypotheses.shape[1])
            ],
        }
        for row in range(len(predictions.frame))
    ]
    skeleton = predictions.skeleton
    return {
        "schema": SCHEMA,
        "units": {
            "pose_3d": "mm",
            "spread": "mm",
            "radius": "mm",
            "root_position": "mm",
            "keypoints": "px",
            "reprojection": "px",
            "log_likelihood": "nats",
        },
        "axes": {
            "pose_3d": "x right, y down, z away from the camera; root at the origin",
            "root_position": "the same; the camera at the origin",
            "keypoints": "y down",
        },
        "joints": list(skeleton.joints),
        "bones": [list(bone) for bone in skeleton.bone_indices],
        "root": skeleton.root,
        "about": predictions.about,
        "people": people,
    }


def _rounded(values: np.ndarray, decimals: int = 2):
    return np.round(np.asarray(values, np.float64), decimals).tolist()


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value
