"""Writes a trained run as one SavedModel that loads without this package, and as TensorFlow Lite models.

python scripts/export.py --workdir runs/cmu16 --output exported/cmu16
"""

import dataclasses

from tf_wsgen.programs.command_line import option
from tf_wsgen.training.workdir import Workdir


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Flags of the program."""

    workdir: str = option("Work directory of scripts/train.py.", required=True)
    output: str = option("Folder of the SavedModel to write.", required=True)
    checkpoint: str = option("Which checkpoint to export.", "best", choices=("best", "latest"))
    overwrite: bool = option("Replace what --output and --tflite hold.", False)
    tflite: str | None = option("Also write zero_code.tflite and decode.tflite, to this folder.")


def main(options: Options) -> None:
    """Exports."""
    workdir = Workdir(options.workdir)
    workdir.config()

    from tf_wsgen.export import export_saved_model, export_tflite

    lifter, updates = workdir.load_lifter(options.checkpoint)
    export_saved_model(lifter, options.output, options.overwrite)
    print(f"Exported {options.workdir} after {updates} updates to {options.output}.")
    if options.tflite:
        export_tflite(lifter, options.tflite, options.overwrite)
        print(f"Exported zero_code.tflite and decode.tflite to {options.tflite}.")
