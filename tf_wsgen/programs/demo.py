"""Writes a page that lifts keypoints in the browser, by itself: to open as a file, or to put on any web site.

python scripts/demo.py OUT
"""

import dataclasses
import pathlib

from tf_wsgen.errors import InputError
from tf_wsgen.files import existing_file
from tf_wsgen.programs.command_line import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Flags of the program."""

    output: str | None = option("Folder of the page to write; the flag's name may be left out.", bare=True)
    model: str = option('"pretrained", a SavedModel, a work directory or a lifter\'s .npz.', "pretrained")
    onnxruntime: str | None = option("Unpacked npm package onnxruntime-web, where npm can't fetch it.")
    overwrite: bool = option("Replace the demo that the folder holds.", False)


def main(options: Options) -> None:
    """Writes the page."""
    if not options.output:
        raise InputError("nothing to write; expected the folder of the page.")

    from tf_wsgen import export
    from tf_wsgen.demo.page import DEMO, write_demo
    from tf_wsgen.demo.runtime import check_runtime, runtime_folder
    from tf_wsgen.lifting.api import lifter_file
    from tf_wsgen.lifting.model_file import KIND, load_lifter

    export.check_folder(options.output, options.overwrite, *DEMO)
    export.check_onnx()
    file = existing_file(lifter_file(options.model), KIND)
    check_runtime(options.onnxruntime)
    lifter, about = load_lifter(file)
    with runtime_folder(options.onnxruntime) as runtime:
        written = write_demo(
            lifter, about.get("name", pathlib.Path(options.model).name), runtime, options.output, options.overwrite
        )
    print(f"Written: {options.output}, {written / 1e6:.1f} MB; open {options.output}/index.html.")
