"""Measures a trained run on every test row, beside baselines that never saw the 2D poses.

python scripts/evaluate.py --workdir runs/cmu16 --output metrics.json
"""

import json

from absl import flags
from command_line import configured, new_file, run

from tf_wsgen.training.workdir import Workdir, write_text

_WORKDIR = flags.DEFINE_string("workdir", None, "Work directory of scripts/train.py.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write the metrics to (replaced if it exists).")
_CURVE = flags.DEFINE_string("curve", None, "PNG file to draw the held-out errors over minutes to.")
_POSTERIOR = flags.DEFINE_bool("posterior", True, "Measure the hypotheses as samples of a posterior, too.")
_PLOTS = flags.DEFINE_string("plots", None, "Folder for plots of the posterior report.")
_CHECKPOINT = flags.DEFINE_enum("checkpoint", "best", ["best", "latest"], "Which checkpoint to measure.")


def main() -> None:
    output, curve = new_file(_OUTPUT.value), new_file(_CURVE.value)
    workdir = Workdir(_WORKDIR.value)
    config = configured(workdir.config())

    from tf_wsgen.evaluation.figures import draw_curve, draw_posterior
    from tf_wsgen.evaluation.tables import metrics_table, posterior_table
    from tf_wsgen.training.workflow import evaluate_run

    metrics = evaluate_run(workdir, config, _CHECKPOINT.value, _POSTERIOR.value)
    print(metrics_table(metrics))
    if _POSTERIOR.value:
        print(f"\n{posterior_table(metrics['posterior'])}")
    if output:
        write_text(output, json.dumps(metrics, indent=2))
        print(f"\nWritten to {output}.")
    if _PLOTS.value and _POSTERIOR.value:
        draw_posterior(metrics["posterior"], _PLOTS.value)
    if curve:
        draw_curve(workdir.log(), curve)


if __name__ == "__main__":
    run(main)
