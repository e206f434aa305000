"""What a search found: a table, `trials.csv`, a picture, and a configuration for training."""

import csv
import dataclasses
import io
import math
import pathlib

import numpy as np
import yaml

from tf_wsgen.config import Config
from tf_wsgen.evaluation.text_tables import align
from tf_wsgen.evaluation.tuning_figure import draw_trials
from tf_wsgen.training.workdir import write_text
from tf_wsgen.tuning.oracles import TITLES, searched

OBJECTIVES = {
    "zero_code_p2": "P2 of the zero code (mm)",
    "best_hypothesis_p2": "P2 of the best hypothesis (mm)",
    "energy_score": "energy score (mm)",
    "accuracy_and_calibration": "P2 and calibration (mm)",
}
STATUSES = ("done", "unfinished", "failed")


@dataclasses.dataclass(frozen=True)
class Trial:
    """What became of a trial.

    Attributes:
        name: Its folder in `trials/`, a number.
        status: One of `STATUSES`.
        weights: λ by field of the section `loss`.
        updates: Its length, with those of the trial that it continues.
        continues: Name of the trial that it continues (Hyperband), or "".
        measures: All that was measured, by name; empty where nothing was.
        score: What the search makes small; NaN without one.
        message: Why it failed, or "".
    """

    name: str
    status: str
    weights: dict[str, float]
    updates: int
    continues: str = ""
    measures: dict[str, float] = dataclasses.field(default_factory=dict)
    score: float = math.nan
    message: str = ""


class SearchOutcome:
    """A search's trials, best first, and what stopped it.

    Args:
        config: The search's configuration.
        trials: In any order.
        interrupted: The number of the signal that stopped the search, which is to be resumed; or 0.
    """

    def __init__(self, config: Config, trials: list[Trial], interrupted: int = 0):
        self.config, self.interrupted = config, interrupted
        self.title = OBJECTIVES[config.tuning.objective]
        self.weights = searched(config.loss)

        def rank(trial):
            # Scores of different lengths don't compare: the longest come first.
            score = trial.score if math.isfinite(trial.score) else math.inf
            return STATUSES.index(trial.status), -trial.updates, score, int(trial.name)

        self.trials = sorted(trials, key=rank)

    @property
    def best(self) -> Trial | None:
        """The lowest score among the longest trials that have one."""
        return self.trials[0] if self.trials and math.isfinite(self.trials[0].score) else None

    def table(self) -> str:
        """Every trial, and why some failed."""
        lines = [["trial", *(TITLES[name] for name in self.weights), "updates", "score", "status"]]
        for trial in self.trials:
            score = f"{trial.score:.2f}" if math.isfinite(trial.score) else ""
            weights = [f"{trial.weights[name]:.4g}" for name in self.weights]
            lines.append([trial.name, *weights, f"{trial.updates:,}", score, trial.status])
        failed = [f"Trial {trial.name} failed: {trial.message}" for trial in self.trials if trial.status == "failed"]
        return "\n".join([f"Score: {self.title} on held-out rows, lower is better", align(lines), *failed])

    def best_yaml(self) -> str:
        """The searched configuration with the best trial's λ, for scripts/train.py: what differs from the defaults."""
        found = self.config.override({"loss": self.best.weights}, "best trial").to_dict()
        default, changed = Config().to_dict(), {}
        for section in [name for name in found if name != "tuning"]:
            fields = {field: value for field, value in found[section].items() if value != default[section][field]}
            # All λ are written, the unchanged ones too.
            fields |= self.best.weights if section == "loss" else {}
            changed |= {section: fields} if fields else {}
        return (
            f"# λ of trial {self.best.name}, of {self.best.updates} updates; {self.title} on held-out rows: "
            f"{self.best.score:.2f}.\n{yaml.safe_dump(changed, sort_keys=False, allow_unicode=True)}"
        )

    def write(self, folder: pathlib.Path) -> None:
        """Writes `trials.csv`, and with a score `trials.png` and `best.yaml`."""
        measures = list(dict.fromkeys(name for trial in self.trials for name in trial.measures))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["trial", "status", "score", "updates", "continues", *self.weights, *measures, "message"])
        for trial in self.trials:
            score = trial.score if math.isfinite(trial.score) else ""
            weights, known = (
                [trial.weights[name] for name in self.weights],
                [trial.measures.get(name) for name in measures],
            )
            row = [trial.name, trial.status, score, trial.updates, trial.continues, *weights, *known, trial.message]
            writer.writerow(row)
        write_text(folder / "trials.csv", text.getvalue())
        if self.best:
            write_text(folder / "best.yaml", self.best_yaml())
            weights = {TITLES[name]: np.array([trial.weights[name] for trial in self.trials]) for name in self.weights}
            numbers = [int(trial.name) for trial in self.trials]
            scores, first = np.array([trial.score for trial in self.trials]), numbers.index(min(numbers))
            draw_trials(weights, scores, self.title, folder / "trials.png", first=first)
