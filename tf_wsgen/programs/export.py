"""Writes a trained model as a SavedModel that loads without this package, and as TensorFlow Lite and ONNX models.

python scripts/export.py --workdir runs/cmu16 --output exported/cmu16
python scripts/export.py --model pretrained --onnx exported/onnx
"""

import dataclasses
import pathlib

from tf_wsgen.errors import InputError
from tf_wsgen.programs.command_line import option
from tf_wsgen.training.workdir import Workdir


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Flags of the program."""

    workdir: str | None = option("Work directory of scripts/train.py.")
    model: str | None = option('In place of --workdir: "pretrained", a SavedModel or a lifter\'s .npz.')
    output: str | None = option("Folder of the SavedModel to write.")
    tflite: str | None = option("Folder for zero_code.tflite and decode.tflite.")
    onnx: str | None = option("Folder for zero_code.onnx and decode.onnx (needs tf_wsgen[onnx]).")
    checkpoint: str = option("Which checkpoint to export.", "best", choices=("best", "latest"))
    overwrite: bool = option("Replace what the folders hold.", False)


def main(options: Options) -> None:
    """Exports."""
    if not (options.output or options.tflite or options.onnx):
        raise InputError("nothing to write; expected --output, --tflite or --onnx.")
    folders = [pathlib.Path(folder).resolve() for folder in (options.output, options.tflite, options.onnx) if folder]
    if len(set(folders)) < len(folders):
        raise InputError("one folder is given twice; expected another for each of --output, --tflite and --onnx.")
    if (options.workdir is None) == (options.model is None):
        raise InputError("expected either --workdir or --model.")
    if options.workdir:
        Workdir(options.workdir).config()

    from tf_wsgen import export
    from tf_wsgen.lifting.api import lifter_file
    from tf_wsgen.lifting.model_file import load_lifter

    targets = [
        (options.output, export.export_saved_model, export.SAVED_MODEL),
        (options.tflite, export.export_tflite, export.LITE),
        (options.onnx, export.export_onnx, export.ONNX),
    ]
    targets = [target for target in targets if target[0]]
    for folder, _, kind in targets:
        export.check_folder(folder, options.overwrite, *kind)
    if options.onnx:
        export.check_onnx()
    if options.workdir:
        lifter, updates = Workdir(options.workdir).load_lifter(options.checkpoint)
        told = f"{options.workdir} after {updates} updates"
    else:
        lifter, _ = load_lifter(lifter_file(options.model))
        told = options.model
    for folder, write, _ in targets:
        write(lifter, folder, options.overwrite)
    print(f"Exported {told} to {', '.join(folder for folder, _, _ in targets)}.")
