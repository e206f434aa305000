"""The search: trials given out by keras-tuner, each trained in a work directory of its own."""

import itertools
import math
import os
import pathlib
import shutil
import time
from collections.abc import Callable

import grpc  # What keras-tuner's chief and workers speak, and require.
import keras_tuner
from keras_tuner.src import config as keras_tuner_config
from tqdm import tqdm

from tf_wsgen.config import Config, load_config
from tf_wsgen.data.training_data import PairedRows, Source
from tf_wsgen.errors import InputError, NonFiniteLossError, signal_of
from tf_wsgen.evaluation.posterior_report import posterior_report
from tf_wsgen.training.callbacks import objective
from tf_wsgen.training.loop import CHANGEABLE, held_out_rows, train
from tf_wsgen.training.workdir import Workdir, alone_in, check_unchanged, write_text
from tf_wsgen.tuning.oracles import TITLES, make_oracle, searched, trial_config
from tf_wsgen.tuning.trials import SearchOutcome, Trial

# A search may go on with more trials, and with what a run may change; but its trials must be equally long.

CHANGEABLE_IN_SEARCH = {
    *(name for name in CHANGEABLE if not name.startswith("tuning.") and name != "training.updates"),
    "tuning.max_trials",
}
# Objectives that the log of training does not hold: they take many hypotheses.
FROM_POSTERIOR = ("energy_score", "accuracy_and_calibration")
# Of keras-tuner's words; all others are failures.
STATUS = {"COMPLETED": "done", "RUNNING": "unfinished"}


def tune(config: Config, workdir: str | os.PathLike, say: Callable[[str], None] = print) -> SearchOutcome | None:
    """Searches λ, or goes on with the search in the work directory.

    The first trial has the configuration's own λ (the paper's, unless changed) at full length; so the best is
    never worse than these at equal budget. With keras-tuner's three environment variables this process is the
    chief, which gives out trials, or a worker, which runs them; they share the work directory.

    Args:
        config: The whole configuration; `tuning` tells what to search.
        workdir: Where the search's state, its results, and `trials/` (a work directory each) go.
        say: Told what happens.

    Returns:
        The trials, which are also written to the work directory; None for a worker, whose chief has them.

    Raises:
        InputError: A configuration or data that cannot be searched, or another search in the work directory.
    """
    folder, role = pathlib.Path(workdir), _role()
    source = Source(config.data)
    rows = _held_out_rows(config, source)
    _check_continues(folder, config)
    if role == "worker":
        _run(_Tuner(config, folder, source, rows, say), role)
        return None
    with alone_in(folder / "search"):
        tuner, interrupted = _Tuner(config, folder, source, rows, say), 0
        write_text(folder / "search.yaml", config.to_yaml())
        try:
            _run(tuner, role)
        except KeyboardInterrupt as stop:
            interrupted = signal_of(stop)
        outcome = SearchOutcome(config, tuner.trials(), interrupted)
        outcome.write(folder)
    return outcome


def _role() -> str:
    """What keras-tuner's environment variables make of this process: "chief", "worker", or "alone"."""
    names = [f"KERASTUNER_{name}" for name in ("TUNER_ID", "ORACLE_IP", "ORACLE_PORT")]
    missing = [name for name in names if not os.environ.get(name)]
    if len(missing) == len(names):
        return "alone"
    if missing:
        raise InputError(
            f"The environment has no {' and no '.join(missing)}; expected all of {', '.join(names)}, or none."
        )
    if not os.environ["KERASTUNER_ORACLE_PORT"].isdecimal():
        raise InputError(f"KERASTUNER_ORACLE_PORT is {os.environ['KERASTUNER_ORACLE_PORT']!r}; expected a number.")
    return "chief" if "chief" in os.environ["KERASTUNER_TUNER_ID"] else "worker"


def _held_out_rows(config: Config, source: Source) -> PairedRows:
    """The rows that trials are measured on: of the training group, never of the test group."""
    data = source.training(config.training.seed)
    rows = held_out_rows(config, data, most=len(data.pose_3d))
    if rows is None:
        raise InputError("data.validation_fraction is 0; expected above 0: the search measures on held-out rows.")
    return rows


def _check_continues(folder: pathlib.Path, config: Config) -> None:
    """Refuses a folder of something else, a search that is not this one, and what no search can do."""
    if config.training.strategy == "multi_worker":
        raise InputError("training.strategy is 'multi_worker'; each process of a search runs trials of its own.")
    if Workdir(folder).started:
        raise InputError(f"{folder}: holds a run of scripts/train.py; expected a folder for a search.")
    file = folder / "search.yaml"
    begun = load_config(file) if file.exists() else config
    check_unchanged(begun, config, CHANGEABLE_IN_SEARCH, f"{folder}: holds a search")


def _run(tuner: "_Tuner", role: str) -> None:
    """Searches to the end; as chief, serves until every worker is done."""
    # It would print the traceback of a failed trial; that is in failure.txt.
    keras_tuner_config.DEBUG = False
    address = ":".join(os.environ.get(f"KERASTUNER_ORACLE_{part}", "") for part in ("IP", "PORT"))
    try:
        if role == "chief":
            tuner.say(f"Chief at {address}: waits for workers, until {tuner.plan.max_trials} trials are done.")
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None
    except grpc.RpcError as error:
        raise InputError(f"KERASTUNER_ORACLE_IP and _PORT: no chief at {address} ({error.code().name}).") from None
    except RuntimeError as error:
        if role == "chief":
            raise InputError(f"KERASTUNER_ORACLE_IP and _PORT: cannot serve at {address} ({error}).") from None
        raise


class _Tuner(keras_tuner.Tuner):
    """Runs trials: each is `train` with λ of the oracle's choice."""

    def __init__(self, config: Config, folder: pathlib.Path, source: Source, rows: PairedRows, say: Callable):
        self.config, self.folder, self.source, self.rows, self.say = config, folder, source, rows, say
        # A worker's `self.oracle` asks the chief; the plan stays here.
        self.plan, self.began = make_oracle(config), None
        super().__init__(self.plan, directory=str(folder), project_name="search")
        if self.oracle is self.plan and (folder / "search" / "oracle.json").exists():
            try:
                self.plan.reload()
            except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
                raise InputError(f"{folder / 'search'}: is no state of a search ({error}).") from None

    def save(self) -> None:
        """Keeps the state, all of which is the oracle's."""
        if self.oracle is self.plan:
            self.plan.save()

    def on_trial_begin(self, trial) -> None:
        """Tells which trial of how many, its λ, and about how long the rest takes."""
        number, total, now = int(trial.trial_id), self.plan.max_trials, time.monotonic()
        self.began = self.began or (number, now)
        first, since = self.began
        values, left = trial.hyperparameters.values, ""
        if number > first:
            # From all trials that were given out since, whoever runs them.
            lengths = list(itertools.islice(self.plan.lengths(), total))  # pyright: ignore[reportAttributeAccessIssue]
            seconds = (now - since) / sum(lengths[first:number]) * sum(lengths[number:])
            left = f"; about {tqdm.format_interval(seconds)} left"
        weights = ", ".join(f"{TITLES[name]} {values[name]:.4g}" for name in searched(self.config.loss))
        self.say(f"Trial {trial.trial_id} ({number + 1} of {total}): {weights}{left}")

    def run_trial(self, trial) -> dict[str, float]:
        """Trains, and gives the measures, the objective among them.

        Raises:
            NonFiniteLossError: The trial failed; the search goes on.
            FatalError: Because of an InputError or OSError; the search ends.
            KeyboardInterrupt: A signal came; the trial can be resumed.
        """
        values, run = trial.hyperparameters.values, Workdir(self.folder / "trials" / trial.trial_id)
        try:
            if "tuner/trial_id" in values and not run.path.exists():
                _copy(self.folder / "trials" / values["tuner/trial_id"], run.path)
            outcome = train(trial_config(self.config, values), run.path, self.source)
            if outcome.interrupted:
                raise KeyboardInterrupt(outcome.interrupted)
            return self._measures(run)
        except (InputError, OSError) as error:
            raise keras_tuner.errors.FatalError(str(error)) from error

    def _measures(self, run: Workdir) -> dict[str, float]:
        """What the run's best checkpoint reached on the held-out rows."""
        tuning = self.config.tuning
        name = objective(self.config.loss)
        rows = [row for row in run.log() if math.isfinite(float(row[name]))]
        if not rows:
            raise NonFiniteLossError(f"{name} is not finite.")
        best = min(rows, key=lambda row: float(row[name]))
        measures = {name: float(best[f"val_{name}"]) for name in ("zero_code_p2", "best_hypothesis_p2")}
        if tuning.objective in FROM_POSTERIOR:
            lifter, _ = run.load_lifter("best")
            report = posterior_report(lifter, self.rows, self.config.evaluation)
            measures["energy_score"] = report["energy_score"]["pose"]
            measures["calibration_error"] = report["calibration_error"]
            calibration = tuning.calibration_weight * report["calibration_error"]
            measures["accuracy_and_calibration"] = measures["zero_code_p2"] + calibration
        if not math.isfinite(measures[tuning.objective]):
            raise NonFiniteLossError(f"{tuning.objective} on held-out rows is {measures[tuning.objective]}.")
        return measures

    def on_trial_end(self, trial) -> None:
        """Writes down why a trial failed: keras-tuner's messages don't reach a chief."""
        if trial.status != "COMPLETED":
            file = self.folder / "trials" / trial.trial_id / "failure.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, trial.message)
            self.say(f"Trial {trial.trial_id} failed: {_reason(file)}")
        super().on_trial_end(trial)

    def trials(self) -> list[Trial]:
        """What became of every trial; for the process that has the oracle."""
        found = []
        for name, trial in self.plan.trials.items():
            values, status = trial.hyperparameters.values, STATUS.get(trial.status, "failed")
            metrics = trial.metrics.metrics if status == "done" else {}
            measures = {measure: float(history.get_last_value()) for measure, history in metrics.items()}
            found.append(
                Trial(
                    name,
                    status,
                    weights={weight: values[weight] for weight in searched(self.config.loss)},
                    updates=trial_config(self.config, values).training.updates,
                    continues=values.get("tuner/trial_id", ""),
                    measures=measures,
                    score=measures.get(self.config.tuning.objective, math.nan),
                    message=_reason(self.folder / "trials" / name / "failure.txt") if status == "failed" else "",
                )
            )
        return found


def _copy(parent: pathlib.Path, child: pathlib.Path) -> None:
    """A run for another to go on with; where it is not at hand, training begins anew, with the same result."""
    partial = child.with_name(f"{child.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    if parent.exists():
        shutil.copytree(parent, partial)
        partial.rename(child)


def _reason(file: pathlib.Path) -> str:
    """The last line of a traceback."""
    if not file.exists():
        return "its worker wrote no failure.txt here"
    return file.read_text().strip().splitlines()[-1].removeprefix("tf_wsgen.errors.")
