"""Measures how fast this machine trains, lifts, reads and starts, each figure beside its limit here.

tf-wsgen benchmark --only training
"""

import dataclasses
import json
import pathlib
import platform
import typing
from collections.abc import Iterator

from tf_wsgen.config import load_config
from tf_wsgen.files import check_new, whole_file
from tf_wsgen.programs.command_line import ConfigOptions, option, shipped

if typing.TYPE_CHECKING:
    from tf_wsgen.benchmarks.rows import Row

PARTS = ("reading", "training", "lifting", "mean_shift", "start", "report", "growth", "scale")
# What training is measured of where no configuration is asked for.
CONFIGURATIONS = ("paper", "cmu16", "posterior")
DEFAULT = "posterior"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(ConfigOptions):
    """Flags of the program."""

    only: str | None = option("Measure one part; all if not given, ten minutes.", choices=PARTS)
    seconds: float = option("How long to time what is compared with each other.", 2.0, least=0.0)
    output: str | None = option("Also write the table as JSON.")


def main(options: Options) -> None:
    """Measures, prints each row when it is known, and writes."""
    output = None if options.output is None else pathlib.Path(options.output)
    if output is not None:
        check_new(output, overwrite=True)
    rows = []
    for part in PARTS if options.only is None else (options.only,):
        for row in _rows(part, options):
            rows.append(row)
            against = "" if row.limit is None else f"  {row.ratio:5.2f} of {row.limit:.4g}: {row.limit_is}"
            print(f"{row.part:11} {row.what:52} {row.value:10.4g} {row.unit:10}{against}", flush=True)
    if output is not None:
        about = {"machine": platform.machine(), "python": platform.python_version()}
        with whole_file(output) as partial:
            partial.write_text(json.dumps({**about, "rows": [dataclasses.asdict(row) for row in rows]}, indent=1))


def _rows(part: str, options: Options) -> Iterator["Row"]:
    """Rows of one part, as they become known."""
    from tf_wsgen.benchmarks import growth, lifting, reading, training, whole
    from tf_wsgen.data.training_data import Source
    from tf_wsgen.lifting.api import PRETRAINED
    from tf_wsgen.lifting.model_file import load_lifter

    default = load_config(shipped(DEFAULT))
    seconds = options.seconds
    if part == "training":
        names = [options.config] if options.config else CONFIGURATIONS
        for name in names:
            config = dataclasses.replace(options, config=name).configured()
            data = Source(config.data).training(config.training.seed)
            yield from training.training_rows(config, data, pathlib.Path(name).stem, seconds)
    elif part == "start":
        yield from whole.start_rows()
    elif part == "growth":
        yield from growth.growth_rows(options.configured(default), seconds)
    elif part == "scale":
        yield from whole.scale_rows(options.configured(default))
    elif part == "reading":
        yield from reading.detections_rows()
        yield from whole.reading_rows()
    else:
        lifter, _ = load_lifter(PRETRAINED)
        if part == "lifting":
            yield from lifting.lifting_rows(lifter, seconds)
        elif part == "mean_shift":
            yield from lifting.mean_shift_rows(lifter, seconds)
        else:
            config = options.configured(default)
            yield from whole.report_rows(lifter, config, Source(config.data).test_rows)
