"""The main job from end to end: train, evaluate, export, and a picture of five hypotheses.

python scripts/quickstart.py --workdir runs/quickstart
"""

import dataclasses
import json

from tf_wsgen.config import load_config
from tf_wsgen.programs.command_line import SIGNALLED, ConfigOptions, option, shipped


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(ConfigOptions):
    """Flags of the program; without --config it takes configs/quickstart.yaml."""

    workdir: str = option("Folder for the run and its results.", "runs/quickstart")


def main(options: Options) -> int:
    """Runs all of it."""
    config = options.configured(load_config(shipped("quickstart")))

    from tf_wsgen.data.training_data import Source
    from tf_wsgen.evaluation.text_tables import metrics_table
    from tf_wsgen.export import export_saved_model
    from tf_wsgen.training.loop import train
    from tf_wsgen.training.workdir import Workdir, write_text
    from tf_wsgen.training.workflow import evaluate_run, picture_run

    print(f"Training on {config.data.path} data with seed {config.training.seed}, into {options.workdir}.")
    source = Source(config.data)
    outcome = train(config, options.workdir, source)
    if outcome.interrupted:
        return SIGNALLED + outcome.interrupted
    workdir = Workdir(options.workdir)
    metrics = evaluate_run(workdir, config, source=source)
    write_text(workdir.path / "metrics.json", json.dumps(metrics, indent=2))
    print(metrics_table(metrics))
    export_saved_model(workdir.load_lifter()[0], workdir.path / "saved_model", overwrite=True)
    picture_run(workdir, config, workdir.path / "hypotheses.png", source=source)
    print(f"\nIn {options.workdir}: metrics.json, saved_model, hypotheses.png.")
    return 0
