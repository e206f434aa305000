"""Lifts a detector's keypoints to 3D: files to look at, to animate with, or to compute with.

python scripts/predict.py --input keypoints.json --output poses.npz --html view.html
"""

import sys

from absl import flags
from command_line import image_size, new_file, run

_INPUT = flags.DEFINE_string("input", None, "Detector file or folder of frames (see --format).", required=True)
_MODEL = flags.DEFINE_string(
    "model", None, "SavedModel, work directory or lifter .npz; the model in the package if not."
)
_FORMAT = flags.DEFINE_string("format", "auto", "Format of the input; found from its content if not given.")
_CONVENTION = flags.DEFINE_string("convention", None, "Joint convention of the input, such as coco17.")
_IMAGE_SIZE = flags.DEFINE_string(
    "image_size",
    None,
    "WIDTHxHEIGHT in pixels: for normalised coordinates, and to turn poses back from the ray to each person.",
)
_FOV = flags.DEFINE_float(
    "fov", None, "Horizontal field of view, degrees; the focal length is 1.1 times the width if not given."
)
_HEIGHT = flags.DEFINE_float("height", None, "Everybody's stature in metres; the model's mean body's if not given.")
_LOWEST = flags.DEFINE_float("lowest_confidence", 0.1, "Joints below this confidence count as missing.", 0.0)
_COUNT = flags.DEFINE_integer("num_hypotheses", 10, "Hypotheses a pose.", 1)
_SELECT = flags.DEFINE_enum(
    "select",
    "zero_code",
    ["zero_code", "mean_shift", "all"],
    "Which pose is the chosen one; all: in .bvh every hypothesis.",
)
_SEED = flags.DEFINE_integer("seed", 0, "Of the hypotheses.", 0, 2**31 - 1)
_OUTPUT = flags.DEFINE_string("output", None, "File to write: .npz, .json or .bvh (the chosen poses).", required=True)
_HTML = flags.DEFINE_string("html", None, "Also write a viewer, one HTML file that needs no network.")
_IMAGE = flags.DEFINE_string("image", None, "Image of the one frame, or folder of images, for the viewer.")
_PNG = flags.DEFINE_string("png", None, "Also draw people with their hypotheses, a dozen spread evenly.")
_HEAD_SIZES = flags.DEFINE_string("head_sizes", None, "HDF5 with `normalize`, to report errors in head sizes.")
_FRAME_RATE = flags.DEFINE_float("frame_rate", 25.0, "Frames a second, for .bvh.", 0.001)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace files that are there.")


def main() -> None:
    # Keras imports scikit-learn where it is installed, for wrappers that nothing here uses: seconds before the first
    # prediction. It does without a module that is None.
    sys.modules["sklearn"] = None

    from tf_wsgen.programs.predict import PredictOptions, predict

    options = PredictOptions(
        model=_MODEL.value,
        format=_FORMAT.value,
        convention=_CONVENTION.value,
        image_size=image_size(_IMAGE_SIZE.value),
        fov=_FOV.value,
        height=_HEIGHT.value,
        lowest_confidence=_LOWEST.value,
        num_hypotheses=_COUNT.value,
        select=_SELECT.value,
        seed=_SEED.value,
        head_sizes=_HEAD_SIZES.value,
        image=_IMAGE.value,
        frame_rate=_FRAME_RATE.value,
        overwrite=_OVERWRITE.value,
    )
    predict(_INPUT.value, options, *(new_file(flag.value) for flag in (_OUTPUT, _HTML, _PNG)))


if __name__ == "__main__":
    run(main)
