"""Writes a trained run as one SavedModel that loads without this package, and as TensorFlow Lite models.

python scripts/export.py --workdir runs/cmu16 --output exported/cmu16
"""

from absl import flags
from command_line import run

from tf_wsgen.training.workdir import Workdir

_WORKDIR = flags.DEFINE_string("workdir", None, "Work directory of scripts/train.py.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Folder of the SavedModel to write.", required=True)
_CHECKPOINT = flags.DEFINE_enum("checkpoint", "best", ["best", "latest"], "Which checkpoint to export.")
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace what --output and --tflite hold.")
_TFLITE = flags.DEFINE_string("tflite", None, "Also write zero_code.tflite and decode.tflite, to this folder.")


def main() -> None:
    workdir = Workdir(_WORKDIR.value)
    workdir.config()

    from tf_wsgen.export import export_saved_model, export_tflite

    lifter, updates = workdir.load_lifter(_CHECKPOINT.value)
    export_saved_model(lifter, _OUTPUT.value, _OVERWRITE.value)
    print(f"Exported {_WORKDIR.value} after {updates} updates to {_OUTPUT.value}.")
    if _TFLITE.value:
        export_tflite(lifter, _TFLITE.value, _OVERWRITE.value)
        print(f"Exported zero_code.tflite and decode.tflite to {_TFLITE.value}.")


if __name__ == "__main__":
    run(main)
