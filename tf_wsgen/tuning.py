"""The search for the weights λ of the loss terms with keras-tuner; each trial is an ordinary run of training."""

import contextlib
import csv
import dataclasses
import fcntl
import gc
import io
import itertools
import json
import math
import os
import pathlib
import shutil
import time
from collections.abc import Callable, Iterator

import grpc  # What keras-tuner's chief and workers speak; it requires it.
import keras
import keras_tuner
import numpy as np
import yaml

from tf_wsgen.config import Config, TuningConfig, load_config
from tf_wsgen.data.missing_joints import hide_in_rows
from tf_wsgen.data.training_data import PairedRows, load_training_data
from tf_wsgen.errors import InputError, NonFiniteLossError
from tf_wsgen.evaluation.posterior import posterior_report
from tf_wsgen.evaluation.tables import align
from tf_wsgen.evaluation.tuning_figure import draw_trials
from tf_wsgen.training.callbacks import OBJECTIVE
from tf_wsgen.training.loop import CHANGEABLE, train
from tf_wsgen.training.workdir import Workdir, write_text

# The searched fields of the section `loss`, as the paper writes them.
WEIGHTS = {
    "weight_gradient_penalty": "λ_gp",
    "weight_2d": "λ_2D",
    "weight_camera": "λ_cam",
    "weight_diversity": "λ_reg",
    "weight_reconstruction": "λ_rec",
}
OBJECTIVES = {
    "zero_code_p2": "P2 of the zero code (mm)",
    "best_hypothesis_p2": "P2 of the best hypothesis (mm)",
    "energy_score": "energy score (mm)",
    "accuracy_and_calibration": "P2 and calibration (mm)",
}
# What the log does not hold: it takes many hypotheses.
FROM_POSTERIOR = ("energy_score", "accuracy_and_calibration")
# A search may go on with more trials, and with what a run may change; but its trials must be equally long.
CHANGEABLE_IN_SEARCH = {*CHANGEABLE, "tuning.max_trials"} - {"training.updates"}
STATUS = {"COMPLETED": "done", "RUNNING": "unfinished"}


@dataclasses.dataclass(frozen=True)
class Trial:
    """What became of a trial.

    Attributes:
        name: Its folder in `trials/`.
        status: "done", "failed" or "unfinished".
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
    continues: str
    measures: dict[str, float]
    score: float
    message: str


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A search's trials, best first, and whether a signal stopped it."""

    config: Config
    trials: tuple[Trial, ...]
    interrupted: bool

    @property
    def best(self) -> Trial | None:
        """The lowest score among the longest trials that have one: those of equal budget."""
        return self.trials[0] if self.trials and math.isfinite(self.trials[0].score) else None

    def table(self) -> str:
        """Every trial, and the failed ones' messages."""
        lines = [["trial", *WEIGHTS.values(), "updates", "score", "status"]]
        for trial in self.trials:
            score = f"{trial.score:.2f}" if math.isfinite(trial.score) else ""
            weights = [f"{value:.4g}" for value in trial.weights.values()]
            lines.append([trial.name, *weights, str(trial.updates), score, trial.status])
        failed = [f"Trial {trial.name} failed: {trial.message}" for trial in self.trials if trial.status == "failed"]
        title = f"Score: {OBJECTIVES[self.config.tuning.objective]} on held-out rows"
        return "\n".join([title, align(lines), *failed])

    def best_yaml(self) -> str:
        """The searched configuration with the best trial's λ: what differs from the defaults, for scripts/train.py."""
        found = self.config.override({"loss": self.best.weights}, "tuning").to_dict()
        found.pop("tuning")
        default = Config().to_dict()
        changed = {
            section: {field: value for field, value in fields.items() if value != default[section][field]}
            for section, fields in found.items()
        }
        changed["loss"] |= self.best.weights
        return (
            f"# λ of trial {self.best.name} of {len(self.trials)}, {self.best.updates} updates each; "
            f"{OBJECTIVES[self.config.tuning.objective]} on held-out rows: {self.best.score:.2f}.\n"
            + yaml.safe_dump({section: fields for section, fields in changed.items() if fields}, sort_keys=False)
        )

    def write(self, folder: pathlib.Path) -> None:
        """Writes `trials.csv`, and with a score `trials.png` and `best.yaml`."""
        measures = list(dict.fromkeys(name for trial in self.trials for name in trial.measures))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["trial", "status", "score", "updates", "continues", *WEIGHTS, *measures, "message"])
        for trial in self.trials:
            known = [trial.measures.get(name, "") for name in measures]
            score = trial.score if math.isfinite(trial.score) else ""
            about = [trial.name, trial.status, score, trial.updates, trial.continues]
            writer.writerow([*about, *trial.weights.values(), *known, trial.message])
        write_text(folder / "trials.csv", text.getvalue())
        if self.best:
            write_text(folder / "best.yaml", self.best_yaml())
            weights = {
                title: np.array([trial.weights[name] for trial in self.trials]) for name, title in WEIGHTS.items()
            }
            scores, names = np.array([trial.score for trial in self.trials]), [trial.name for trial in self.trials]
            title = OBJECTIVES[self.config.tuning.objective]
            draw_trials(weights, scores, title, folder / "trials.png", first=names.index(min(names)))


def tune(config: Config, workdir: str | os.PathLike, say: Callable[[str], None] = print) -> Outcome | None:
    """Searches λ, or goes on with the search in the work directory.

    The first trial has the configuration's own λ (the paper's, unless changed), at full length: at equal budget
    the best is never worse. With keras-tuner's three environment variables the process is the chief, which
    gives out trials, or a worker, which runs them; all share the work directory.

    Args:
        config: The whole configuration; `tuning` tells what to search.
        workdir: Where the state of the search, its results and `trials/`, a work directory a trial, go.
        say: Told what happens.

    Returns:
        The trials, or None for a worker: its chief has them. The results are written to the work directory.

    Raises:
        InputError: A configuration or data that cannot be searched, or another search in the work directory.
    """
    folder, role = pathlib.Path(workdir), _role()
    if config.training.strategy == "multi_worker":
        raise InputError("training.strategy is 'multi_worker'; a search runs its trials in processes of one worker.")
    if Workdir(folder).started:
        raise InputError(f"{folder}: holds a run of scripts/train.py; expected a folder for a search.")
    _check_continues(folder / "search.yaml", config)
    data = load_training_data(config.data, config.training.seed)
    if data.validation is None:
        raise InputError("data.validation_fraction is 0; expected above 0, the search measures on held-out rows.")
    hidden = (config.evaluation.hidden_joints, config.evaluation.num_hidden, config.evaluation.seed)
    rows = hide_in_rows(data.validation, data.skeleton, *hidden)
    del data
    if role == "worker":
        _run(_Tuner(config, folder, rows, say), role)
        return None
    with _alone_in(folder / "search"):
        write_text(folder / "search.yaml", config.to_yaml())
        tuner = _Tuner(config, folder, rows, say)
        interrupted = False
        try:
            _run(tuner, role)
        except KeyboardInterrupt:
            interrupted = True
        outcome = Outcome(config, tuner.trials(), interrupted)
        outcome.write(folder)
    return outcome


def _role() -> str:
    """What keras-tuner's environment variables make of this process: "chief", "worker", or "alone"."""
    names = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")
    name, address, port = (os.environ.get(name) for name in names)
    if not (name or address or port):
        return "alone"
    if not (name and address and port and port.isdecimal()):
        raise InputError(
            f"The environment has {name=}, {address=}, {port=} of {', '.join(names)}; expected all or none."
        )
    return "chief" if "chief" in name else "worker"


def _check_continues(file: pathlib.Path, config: Config) -> None:
    """Refuses to go on with a search under another configuration."""
    begun = load_config(file) if file.exists() else config
    for section, fields in config.to_dict().items():
        for field, value in fields.items():
            name = f"{section}.{field}"
            if name not in CHANGEABLE_IN_SEARCH and begun.get(name) != value:
                raise InputError(
                    f"{file}: is of a search with {name} = {begun.get(name)!r}, now {value!r}; expected the same "
                    "configuration to resume, or a new work directory."
                )


@contextlib.contextmanager
def _alone_in(folder: pathlib.Path) -> Iterator[None]:
    """Makes the folder, and keeps other processes from entering it; the lock goes with the process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another process is at work here; end it, or wait for it.") from None
        yield


def _run(tuner: "_Tuner", role: str) -> None:
    address = ":".join(os.environ.get(f"KERASTUNER_ORACLE_{part}", "") for part in ("IP", "PORT"))
    try:
        if role == "chief":
            tuner.say(f"Chief at {address}: gives out trials until all of {tuner.plan.max_trials} are done.")
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None
    except grpc.RpcError as error:
        raise InputError(f"KERASTUNER_ORACLE_IP and _PORT: no chief at {address} ({error.code().name}).") from None


class _Tuner(keras_tuner.Tuner):
    """Runs trials; one is `train` with the oracle's λ, in a work directory of its own."""

    def __init__(self, config: Config, folder: pathlib.Path, rows: PairedRows, say: Callable[[str], None]):
        # A worker's `oracle` asks the chief; the plan stays here.
        self.config, self.folder, self.rows, self.say, self.plan = config, folder, rows, say, make_oracle(config)
        self.began = None
        super().__init__(self.plan, directory=str(folder), project_name="search")
        if self.oracle is self.plan and (folder / "search" / "oracle.json").exists():
            try:
                self.plan.reload()
            except (ValueError, LookupError, TypeError, RuntimeError) as error:
                raise InputError(f"{folder / 'search'}: is not a state of keras-tuner ({error}).") from None

    def save(self):
        """Keeps the state, which is all the oracle's."""
        if self.oracle is self.plan:
            self.plan.save()

    def on_trial_begin(self, trial):
        """Tells which trial of how many, its λ, and about how long the rest takes."""
        number, now = int(trial.trial_id), time.monotonic()
        self.began = self.began or (number, now)
        first, since = self.began
        left = ""
        if number > first:
            # Whoever ran them: the trials given out since this process began, by their lengths.
            shares = list(itertools.islice(self.plan.shares(), max(self.plan.max_trials, number)))
            seconds = (now - since) / sum(shares[first:number]) * sum(shares[number:])
            left = f"; about {_duration(seconds)} left"
        values = trial.hyperparameters.values
        weights = ", ".join(f"{title} {values[name]:.4g}" for name, title in WEIGHTS.items())
        self.say(f"Trial {trial.trial_id}, {number + 1} of {self.plan.max_trials}: {weights}{left}")

    def run_trial(self, trial):
        """Trains, and gives the measures with the objective among them.

        Raises:
            NonFiniteLossError: The trial failed; the search goes on.
            FatalError: From an InputError or OSError, which end the search.
            KeyboardInterrupt: A signal came; the trial can be resumed.
        """
        values = trial.hyperparameters.values
        run = Workdir(self.folder / "trials" / trial.trial_id)
        try:
            if "tuner/trial_id" in values and not run.path.exists():
                _copy(self.folder / "trials" / values["tuner/trial_id"], run.path)
            with _alone_in(run.path):
                if train(trial_config(self.config, values), run.path).interrupted:
                    raise KeyboardInterrupt
                return self._measures(run)
        except (InputError, OSError) as error:
            raise keras_tuner.errors.FatalError from error
        finally:
            keras.backend.clear_session()
            gc.collect()

    def _measures(self, run: Workdir) -> dict[str, float]:
        """What the best checkpoint reached on the held-out rows."""
        objective = self.config.tuning.objective
        logged = [row for row in run.log() if math.isfinite(float(row[OBJECTIVE]))]
        if not logged:
            raise NonFiniteLossError("P2 of the zero code on held-out rows was never finite.")
        best = min(logged, key=lambda row: float(row[OBJECTIVE]))
        measures = {name: float(best[f"val_{name}"]) for name in ("zero_code_p2", "best_hypothesis_p2")}
        if objective in FROM_POSTERIOR:
            report = posterior_report(run.load_lifter("best")[0], self.rows, self.config.evaluation)
            measures["energy_score"] = report["energy_score"]["pose"]
            measures["calibration_error"] = error = report["calibration_error"]
            measures["accuracy_and_calibration"] = (
                measures["zero_code_p2"] + self.config.tuning.calibration_weight * error
            )
        if not math.isfinite(measures[objective]):
            raise NonFiniteLossError(f"{objective} on held-out rows is {measures[objective]}.")
        return measures

    def on_trial_end(self, trial):
        """Writes down why a trial failed: keras-tuner's messages don't reach a chief."""
        if trial.status != "COMPLETED":
            file = self.folder / "trials" / trial.trial_id / "failure.txt"
            write_text(file, trial.message)
            self.say(f"Trial {trial.trial_id} failed: {_reason(file)}")
        super().on_trial_end(trial)

    def trials(self) -> tuple[Trial, ...]:
        """All trials, best first: the longest with a score, then shorter ones, unfinished and failed ones."""
        objective, found = self.config.tuning.objective, []
        for name, trial in self.plan.trials.items():
            values, status = trial.hyperparameters.values, STATUS.get(trial.status, "failed")
            known = {name: float(history.get_last_value()) for name, history in trial.metrics.metrics.items()}
            measures = known if status == "done" else {}
            found.append(
                Trial(
                    name,
                    status,
                    {weight: values[weight] for weight in WEIGHTS},
                    trial_config(self.config, values).training.updates,
                    values.get("tuner/trial_id", ""),
                    measures,
                    measures.get(objective, math.nan),
                    _reason(self.folder / "trials" / name / "failure.txt") if status == "failed" else "",
                )
            )
        order = ("done", "unfinished", "failed")
        return tuple(sorted(found, key=lambda trial: (order.index(trial.status), -trial.updates, trial.score)))
