"""The browser demo as a folder: a page that lifts keypoints by itself, also opened as a file, without a server.

Browsers refuse a file's page whatever is not a script beside it: model and runtime are texts in scripts.
"""

import base64
import gzip
import importlib.resources
import json
import os
import pathlib
import string

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, Convention
from tf_wsgen.datasets.readers import detections, detector_csv, detector_files, detector_formats
from tf_wsgen.demo.runtime import GLUE, SCRIPT, WASM
from tf_wsgen.errors import InputError
from tf_wsgen.export import onnx_model, whole_folder
from tf_wsgen.geometry.perspective_camera import USUAL_FOCAL_LENGTH
from tf_wsgen.geometry.ray import FARTHEST
from tf_wsgen.geometry.root_position import HALF_WEIGHT, NEAREST, ROUNDS
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.lifting.radius import COUNTS, LEAST_SPREAD
from tf_wsgen.lifting.result import LARGEST_ERROR, NEEDED
from tf_wsgen.simulation.settings import DEVIATION_BY_HEIGHT, LOWEST_SCORE
from tf_wsgen.skeleton import HUMAN16
from tf_wsgen.viewer import html

DEMO = "a browser demo", "runtime.js"
MOST_HYPOTHESES = 100
# Hypotheses of all people that a page computes without a break.
MOST_POSES = 50_000
# Nothing is loaded but the scripts beside the page; the runtime's glue is a module, which comes from memory.
POLICY = (
    "default-src 'none'; script-src 'self' blob: 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src 'none'; base-uri 'none'; form-action 'none'"
)
FORMATS = ("openpose", "coco_results", "coco_annotations", "mediapipe", "array")
LICENCES = "LICENCES.txt"


def write_demo(
    lifter: Lifter, model: str, runtime: pathlib.Path, folder: str | os.PathLike, overwrite: bool = False
) -> int:
    """Writes the demo's folder, atomically: whole, or not at all.

    Args:
        lifter: The trained networks.
        model: How to call them on the page.
        runtime: The folder of `tf_wsgen.demo.runtime.runtime_folder`.
        folder: Where to write `index.html` and its scripts; must not exist unless `overwrite`.
        overwrite: Replace a folder that holds a demo.

    Returns:
        Bytes written.

    Raises:
        InputError: The folder exists, or holds something else; the model's joints are not human16's.
    """
    from plotly.offline import get_plotlyjs

    if lifter.skeleton.joints != HUMAN16.joints:
        raise InputError(f"{model}: its joints are not human16's, which detectors' joints are turned into.")
    with whole_folder(pathlib.Path(folder), overwrite, *DEMO) as partial:
        partial.mkdir()
        settings = json.dumps(_settings(lifter, model), allow_nan=False, separators=(",", ":"))
        onnx = onnx_model(lifter, "decode").SerializeToString()
        parts = {name: _zipped((runtime / file).read_bytes()) for name, file in (("wasm", WASM), ("glue", GLUE))}
        scripts = [_packaged(name) for name in ("files.js", "lift.js")]
        scripts += [html.packaged(name) for name in ("drawing.js", "viewer.js")]
        texts = {
            "index.html": _page(),
            "plotly.js": get_plotlyjs(),
            SCRIPT: (runtime / SCRIPT).read_text(encoding="utf-8"),
            "runtime.js": f"const RUNTIME = {json.dumps(parts)};\n",
            "model.js": f'const DEMO = {settings};\nconst MODEL = "{_zipped(onnx)}";\n',
            "demo.js": "\n".join([*scripts, _packaged("demo.js")]),
            LICENCES: _packaged("licences.txt"),
        }
        for name, text in texts.items():
            (partial / name).write_text(text, encoding="utf-8")
        return sum(file.stat().st_size for file in partial.iterdir())


def _page() -> str:
    return string.Template(_packaged("demo.html")).substitute(
        policy=POLICY,
        style=html.packaged("viewer.css") + _packaged("demo.css"),
        example=_packaged("example.json").strip(),
        panels=html.packaged("panels.html"),
    )


def _packaged(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _zipped(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, mtime=0)).decode("ascii")


def _settings(lifter: Lifter, model: str) -> dict:
    """Every table and limit that the scripts go by, as Python has them."""
    skeleton, factors = lifter.skeleton, lifter.radius_factors
    radius = {"counts": COUNTS, "leastSpread": LEAST_SPREAD}
    return {
        "model": model,
        **html.describe_skeleton(skeleton),
        "root": skeleton.root_index,
        "hips": skeleton.hip_indices,
        "codeSize": lifter.code_size,
        "radius": None if factors is None else {**radius, "factors": np.asarray(factors, float).round(4).tolist()},
        "place": {"halfWeight": HALF_WEIGHT, "rounds": ROUNDS, "nearest": NEAREST},
        "conventions": {name: {"joints": table.joints, "ways": _ways(table)} for name, table in CONVENTIONS.items()},
        "formats": {name: detector_files.FORMAT_CONVENTIONS[name] for name in FORMATS},
        "selfEvident": detections.SELF_EVIDENT,
        "frameKeys": detector_formats.FRAME_KEYS,
        "csv": {
            "meant": detector_csv.MEANT,
            "index": detector_csv.INDEX,
            "missing": detector_csv.MISSING,
            "others": detector_csv.OTHERS.pattern,
            "expected": detector_csv.EXPECTED,
        },
        "needed": NEEDED,
        "mostHypotheses": MOST_HYPOTHESES,
        "mostPoses": MOST_POSES,
        "lowestConfidence": detections.LOWEST_CONFIDENCE,
        "lowestScore": LOWEST_SCORE,
        "largestCoordinate": detections.LARGEST_COORDINATE,
        "smallestPerson": detections.SMALLEST_PERSON,
        "largestShare": detections.LARGEST_SHARE,
        "mostOutside": detections.MOST_OUTSIDE,
        "usualFocalLength": USUAL_FOCAL_LENGTH,
        "farthest": FARTHEST,
        "largestError": LARGEST_ERROR,
        "deviationByHeight": DEVIATION_BY_HEIGHT,
        "margin": html.MARGIN,
        "smallestExtent": html.SMALLEST_EXTENT,
    }


def _ways(table: Convention) -> list:
    """How our joints come from the table's, in the order of trying: our joint, its parts, their weights."""
    return [
        (HUMAN16.index(joint), [table.joints.index(part) for part in weights], list(weights.values()))
        for joint, best in table.human16.items()
        for weights in (best, *table.partial.get(joint, ()))
    ]
