"""Measures a trained run, or any trained model, on every test row; a run beside baselines that never saw the 2D poses.

python scripts/evaluate.py --workdir runs/cmu16 --output metrics.json
python scripts/evaluate.py --model pretrained --config configs/posterior.yaml --data FILE.h5
"""

import json

from absl import flags
from command_line import configured, new_file, run

from tf_wsgen.config import Config
from tf_wsgen.errors import InputError
from tf_wsgen.training.workdir import Workdir, write_text

_WORKDIR = flags.DEFINE_string("workdir", None, "Work directory of scripts/train.py.")
_MODEL = flags.DEFINE_string("model", None, 'In place of --workdir: "pretrained", or a lifter\'s .npz file.')
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write the metrics to (replaced if it exists).")
_CURVE = flags.DEFINE_string("curve", None, "PNG file to draw the held-out errors over minutes to.")
_POSTERIOR = flags.DEFINE_bool("posterior", True, "Measure the hypotheses as samples of a posterior, too.")
_PLOTS = flags.DEFINE_string("plots", None, "Folder for plots of the posterior report.")
_CHECKPOINT = flags.DEFINE_enum("checkpoint", "best", ["best", "latest"], "Which checkpoint to measure.")


def main() -> None:
    output, curve = new_file(_OUTPUT.value), new_file(_CURVE.value)
    if (_WORKDIR.value is None) == (_MODEL.value is None):
        raise InputError("expected either --workdir or --model.")
    if _MODEL.value and curve:
        raise InputError("--curve is of a run's log; expected --workdir.")
    workdir = Workdir(_WORKDIR.value) if _WORKDIR.value else None
    config = configured(workdir.config() if workdir else Config())

    from tf_wsgen.evaluation.figures import draw_curve, draw_posterior
    from tf_wsgen.evaluation.text_tables import metrics_table, posterior_table
    from tf_wsgen.lifting.api import PRETRAINED
    from tf_wsgen.lifting.model_file import load_lifter
    from tf_wsgen.training.workflow import evaluate_lifter, evaluate_run

    if workdir:
        metrics = evaluate_run(workdir, config, _CHECKPOINT.value, _POSTERIOR.value)
    else:
        lifter, about = load_lifter(PRETRAINED if _MODEL.value == "pretrained" else _MODEL.value)
        metrics = {"model": _MODEL.value, **about, **evaluate_lifter(lifter, config, _POSTERIOR.value)}
    print(metrics_table(metrics))
    for name, title in (("posterior", "Posterior"), ("held_out", "Posterior of held-out simulated rows")):
        if name in metrics:
            print(f"\n{posterior_table(metrics[name], title)}")
    if output:
        write_text(output, json.dumps(metrics, indent=2))
        print(f"\nWritten to {output}.")
    if _PLOTS.value and _POSTERIOR.value:
        draw_posterior(metrics["posterior"], _PLOTS.value)
    if curve:
        draw_curve(workdir.log(), curve)


if __name__ == "__main__":
    run(main)
