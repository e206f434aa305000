"""What follows training, from a work directory: metrics of the test rows, and a picture of hypotheses."""

import os

import numpy as np
from tqdm import tqdm

from tf_wsgen.config import Config
from tf_wsgen.data.missing_joints import hide_in_rows
from tf_wsgen.data.training_data import load_test_rows, load_training_data
from tf_wsgen.evaluation.figures import draw_hypotheses
from tf_wsgen.evaluation.posterior import posterior_report
from tf_wsgen.evaluation.protocols import Evaluator, baselines
from tf_wsgen.training.workdir import Workdir


def evaluate_run(workdir: Workdir, config: Config, which: str = "best", posterior: bool = False) -> dict:
    """Metrics of every test row for a checkpoint, with baselines and where they come from.

    Args:
        workdir: The run.
        config: Its configuration, perhaps with another data path or other evaluation fields.
        which: "best" or "latest".
        posterior: Add the posterior report.
    """
    lifter, updates = workdir.load_lifter(which)
    rows, data = load_test_rows(config.data)
    hidden = {"joints": config.evaluation.hidden_joints, "count": config.evaluation.num_hidden}
    rows = hide_in_rows(rows, lifter.skeleton, **hidden, seed=config.evaluation.seed)
    with tqdm(total=len(rows), unit="row", dynamic_ncols=True, desc="Evaluating") as bar:
        metrics = Evaluator(lifter, config.evaluation)(rows, bar.update)
    if posterior:
        count = min(config.evaluation.posterior_rows or len(rows), len(rows))
        with tqdm(total=count, unit="row", dynamic_ncols=True, desc="Posterior") as bar:
            metrics["posterior"] = posterior_report(lifter, rows, config.evaluation, bar.update)
    about = {"hidden": hidden} if any(hidden.values()) else {}
    about |= {"source": data.source, "data": config.data.path, "checkpoint": which, "updates": updates}
    training = load_training_data(config.data, config.training.seed)
    return {**about, **metrics, **baselines(training.pose_3d, rows, config.evaluation.seed)}


def picture_run(workdir: Workdir, config: Config, output: str | os.PathLike, count: int = 4) -> None:
    """A PNG of test rows: input, ground truth, hypotheses by farthest points, and their reprojections.

    Args:
        workdir: The run.
        config: Its configuration.
        output: The PNG.
        count: Test rows to draw, one drawn from each of as many equal parts of the test set.
    """
    lifter, _ = workdir.load_lifter()
    rows, data = load_test_rows(config.data)
    rng = np.random.default_rng(config.evaluation.seed)
    parts = np.array_split(np.arange(len(rows)), min(count, len(rows)))
    draw_hypotheses(lifter, rows.take([rng.choice(part) for part in parts]), config.evaluation, output, data.source)
