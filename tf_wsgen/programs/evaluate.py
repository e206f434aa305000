"""Measures a trained run, or any trained model, on every test row; a run beside baselines that never saw the 2D poses.

python scripts/evaluate.py --workdir runs/cmu16 --output metrics.json
python scripts/evaluate.py --model pretrained --config configs/posterior.yaml --data FILE.h5
"""

import dataclasses
import json

from tf_wsgen.errors import InputError
from tf_wsgen.files import check_new
from tf_wsgen.programs.command_line import ConfigOptions, option
from tf_wsgen.training.workdir import Workdir, write_text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(ConfigOptions):
    """Flags of the program."""

    workdir: str | None = option("Work directory of scripts/train.py.")
    model: str | None = option('In place of --workdir: "pretrained", a SavedModel, a run or a lifter\'s .npz.')
    output: str | None = option("JSON file to write the metrics to (replaced if it exists).")
    curve: str | None = option("PNG file to draw the held-out errors over minutes to.")
    posterior: bool = option("Measure the hypotheses as samples of a posterior, too.", True)
    plots: str | None = option("Folder for plots of the posterior report.")
    checkpoint: str = option("Which checkpoint to measure.", "best", choices=("best", "latest"))


def main(options: Options) -> None:
    """Measures, prints and writes."""
    for path in filter(None, (options.output, options.curve)):
        check_new(path, overwrite=True)
    if (options.workdir is None) == (options.model is None):
        raise InputError("expected either --workdir or --model.")
    if options.model and options.curve:
        raise InputError("--curve is of a run's log; expected --workdir.")
    if options.plots and not options.posterior:
        raise InputError("--plots draws the posterior report; expected it without --noposterior.")
    workdir = Workdir(options.workdir) if options.workdir else None
    config = options.configured(workdir.config() if workdir else None)

    from tf_wsgen.evaluation.figures import draw_curve, draw_posterior
    from tf_wsgen.evaluation.text_tables import metrics_table, posterior_table
    from tf_wsgen.lifting.api import lifter_file
    from tf_wsgen.lifting.model_file import load_lifter
    from tf_wsgen.training.workflow import evaluate_lifter, evaluate_run

    if workdir:
        metrics = evaluate_run(workdir, config, options.checkpoint, options.posterior)
    else:
        lifter, about = load_lifter(lifter_file(options.model))
        metrics = {"model": options.model, **about, **evaluate_lifter(lifter, config, options.posterior)}
    print(metrics_table(metrics))
    for name, title in (("posterior", "Posterior"), ("held_out", "Posterior of held-out simulated rows")):
        if name in metrics:
            print(f"\n{posterior_table(metrics[name], title)}")
    if options.output:
        write_text(options.output, json.dumps(metrics, indent=2))
        print(f"\nWritten to {options.output}.")
    if options.plots and options.posterior:
        draw_posterior(metrics["posterior"], options.plots)
    if workdir and options.curve:
        draw_curve(workdir.log(), options.curve)
