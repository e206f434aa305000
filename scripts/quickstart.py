"""The main job from end to end: train, evaluate, export, and a picture of five hypotheses.

python scripts/quickstart.py --workdir runs/quickstart
"""

import json
import pathlib

from absl import flags
from command_line import INTERRUPTED, configured, run

from tf_wsgen.config import load_config

_WORKDIR = flags.DEFINE_string("workdir", "runs/quickstart", "Folder for the run and its results.")
DEFAULTS = pathlib.Path(__file__).parents[1] / "configs" / "quickstart.yaml"


def main() -> int:
    config = configured(default=load_config(DEFAULTS))

    from tf_wsgen.evaluation.text_tables import metrics_table
    from tf_wsgen.export import export_saved_model
    from tf_wsgen.training.loop import train
    from tf_wsgen.training.workdir import Workdir, write_text
    from tf_wsgen.training.workflow import evaluate_run, picture_run

    print(f"Training on {config.data.path} data with seed {config.training.seed}, into {_WORKDIR.value}.")
    if train(config, _WORKDIR.value).interrupted:
        return INTERRUPTED
    workdir = Workdir(_WORKDIR.value)
    metrics = evaluate_run(workdir, config)
    write_text(workdir.path / "metrics.json", json.dumps(metrics, indent=2))
    print(metrics_table(metrics))
    export_saved_model(workdir.load_lifter()[0], workdir.path / "saved_model", overwrite=True)
    picture_run(workdir, config, workdir.path / "hypotheses.png")
    print(f"\nIn {_WORKDIR.value}: metrics.json, saved_model, hypotheses.png.")
    return 0


if __name__ == "__main__":
    run(main)
