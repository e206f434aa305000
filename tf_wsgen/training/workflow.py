"""What follows training, from a work directory: metrics of the test rows, and a picture of hypotheses."""

import os

import numpy as np
from tqdm import tqdm

from tf_wsgen.config import Config
from tf_wsgen.data.measured_rows import measured_rows
from tf_wsgen.data.training_data import PairedRows, Source
from tf_wsgen.evaluation.figures import draw_hypotheses
from tf_wsgen.evaluation.posterior_report import posterior_report
from tf_wsgen.evaluation.protocols import Evaluator, baselines
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.training.loop import held_out_rows
from tf_wsgen.training.workdir import Workdir


def evaluate_run(
    workdir: Workdir, config: Config, which: str = "best", posterior: bool = False, source: Source | None = None
) -> dict:
    """Metrics of every test row for a checkpoint, with baselines and where they come from.

    Args:
        workdir: The run.
        config: Its configuration, perhaps with another data path or other evaluation fields.
        which: "best" or "latest".
        posterior: Add the posterior report; where pairs were simulated also that of held-out simulated rows.
        source: The configuration's data, where they are open already.
    """
    source = source or Source(config.data)
    lifter, updates = workdir.load_lifter(which)
    metrics = evaluate_lifter(lifter, config, posterior, source)
    rows, training = source.test_rows, source.training(config.training.seed)
    if posterior and config.loss.needs_pairs:
        count = config.evaluation.posterior_rows or len(rows)
        held_out = held_out_rows(config, training, count)
        if held_out:
            metrics["held_out"] = _posterior(lifter, held_out, config, "Held-out simulated rows")
    about = {"checkpoint": which, "updates": updates}
    return {**about, **metrics, **baselines(training.pose_3d, rows, config.evaluation.seed)}


def evaluate_lifter(lifter: Lifter, config: Config, posterior: bool = False, source: Source | None = None) -> dict:
    """Metrics of every test row, and what was done to the rows, for any lifter.

    Args:
        lifter: The trained networks.
        config: Data, evaluation and, for the simulated detector, simulation.
        posterior: Add the posterior report.
        source: The configuration's data, where they are open already.
    """
    source, evaluation = source or Source(config.data), config.evaluation
    rows = measured_rows(source.test_rows, evaluation, config.simulation, lifter.skeleton)
    with tqdm(total=len(rows), unit="row", dynamic_ncols=True, desc="Evaluating") as bar:
        metrics = Evaluator(lifter, evaluation)(rows, bar.update)
    if posterior:
        metrics["posterior"] = _posterior(lifter, rows, config, "Posterior")
    hidden = {"joints": evaluation.hidden_joints, "count": evaluation.num_hidden}
    about = {"hidden": hidden} if any(hidden.values()) else {}
    about |= {"detector": "simulated"} if evaluation.detector else {}
    about |= {"exact_2d": True} if evaluation.exact_2d and not evaluation.detector else {}
    about |= {"along_ray": rows.camera is not None} if evaluation.along_ray else {}
    return {**about, "source": source.data.source, "data": config.data.path, **metrics}


def _posterior(lifter: Lifter, rows: PairedRows, config: Config, title: str) -> dict:
    count = min(config.evaluation.posterior_rows or len(rows), len(rows))
    with tqdm(total=count, unit="row", dynamic_ncols=True, desc=title) as bar:
        return posterior_report(lifter, rows, config.evaluation, bar.update)


def picture_run(
    workdir: Workdir, config: Config, output: str | os.PathLike, count: int = 4, source: Source | None = None
) -> None:
    """A PNG of test rows: input, ground truth, hypotheses by farthest points, and their reprojections.

    Args:
        workdir: The run.
        config: Its configuration.
        output: The PNG.
        count: Test rows to draw, one drawn from each of as many equal parts of the test set.
        source: The configuration's data, where they are open already.
    """
    source = source or Source(config.data)
    lifter, rows = workdir.load_lifter()[0], source.test_rows
    rng = np.random.default_rng(config.evaluation.seed)
    parts = np.array_split(np.arange(len(rows)), min(count, len(rows)))
    chosen = rows.take([rng.choice(part) for part in parts])
    draw_hypotheses(lifter, chosen, config.evaluation, output, source.data.source)
