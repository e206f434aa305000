"""Runs and measurements of a folder: each is made once, and remembered."""

import gc
import pathlib
from collections.abc import Mapping

import keras
from tqdm import tqdm

from tf_wsgen.config import Config
from tf_wsgen.data.training_data import Source, fingerprint
from tf_wsgen.errors import NonFiniteLossError
from tf_wsgen.evaluation.pck_report import pck_report
from tf_wsgen.reproduction.data_files import RunRecord
from tf_wsgen.reproduction.plan import Measurement, Run
from tf_wsgen.reproduction.progress import Step, StepProgress
from tf_wsgen.training.loop import CHANGEABLE, train
from tf_wsgen.training.workdir import Workdir, check_same_data
from tf_wsgen.training.workflow import evaluate_run

CHECKPOINT = "best"
# Fields of the evaluation that change no figure of a table.
WITHOUT_EFFECT = ("batch_size", "validation_rows", "posterior_hypotheses", "posterior_rows")


class Session:
    """Trains and measures, each once.

    Args:
        config: The configuration that all runs share.
        folder: Where `runs/` (a work directory each) and `results/` (a `RunRecord` each) are.
        files: The data by name.

    Attributes:
        progress: Is told what happens; set before anything is trained or measured.
        failed: Why runs stopped, by name.
    """

    def __init__(self, config: Config, folder: pathlib.Path, files: dict[str, Source]):
        self.given, self.folder, self.files = config, folder, files
        self.progress: StepProgress | None = None
        self.failed: dict[str, str] = {}
        self._records: dict[str, RunRecord] = {}

    def workdir(self, run: Run) -> Workdir:
        """Where the run is trained."""
        return Workdir(self.folder / "runs" / run.name)

    def config(self, run: Run) -> Config:
        """What the run is trained with."""
        return run.config(self.given, self.files[run.data].config.path)

    def record(self, run: Run) -> RunRecord:
        """What became of the run."""
        if run.name not in self._records:
            self._records[run.name] = RunRecord(self.folder / "results" / f"{run.name}.json")
        return self._records[run.name]

    def steps(self, needed: Mapping[Run, None], plan: Mapping[str, Mapping[str, Measurement]]) -> dict[Step, float]:
        """What is to be done, and how much it is: updates, or rows."""
        steps = {}
        for run in needed:
            trained = self._trained(run)
            if trained is None:
                steps[Step("train", run.name)] = max(self.config(run).training.updates - self._updates(run), 1)
            for what in {what for whats in plan.values() for what in whats.values() if what.run == run}:
                # Nothing is measured of a run that failed, and what was measured stays.
                if trained is None or ("failed" not in trained and not self._known(what)):
                    steps[_step(what)] = len(self.files[what.data].test_rows)
        return steps

    def trained(self, run: Run) -> dict:
        """Trains the run, to its end, unless it is; how that went."""
        found = self._trained(run)
        if found is None:
            found = self._train(run)
        if "failed" in found:
            self.failed[run.name] = found["failed"]
        return found

    def measure(self, what: Measurement) -> dict:
        """A measurement, and its run; or why there is none."""
        config, step = self.config(what.run), _step(what)
        trained, trained_on = self.trained(what.run), self.files[what.run.data].data
        about = {
            "name": what.run.name,
            "words": what.run.words,
            "updates": trained["updates"],
            "seed": config.training.seed,
            "source": trained_on.source,
            "train_2d": len(trained_on.train.pose_2d),
            "train_3d": len(trained_on.train.pose_3d),
            "validation_fraction": config.data.validation_fraction,
            "evaluation": config.to_dict()["evaluation"],
        }
        if "failed" in trained:
            self.progress.finish(step)
            return {"run": about, "source": self.files[what.data].data.source, "failed": trained["failed"]}
        metrics = self._known(what)
        if metrics is None:
            self.progress.begin(step, f"Measuring {step.name}")
            metrics = self._measure(what)
            self.record(what.run).keep_measured(self._of(what), metrics)
        self.progress.finish(step)
        return {"run": about, **metrics}

    def _trained(self, run: Run) -> dict | None:
        """How training went, if with this configuration and these data it came to its end."""
        trained, wanted = self.record(run).trained, self.config(run)
        same = (
            trained.get("config") == wanted.fields(without=CHANGEABLE)
            and trained.get("data") == self.files[run.data].fingerprint
        )
        if not (same and self.workdir(run).started and trained["updates"] >= wanted.training.updates):
            return None
        if "failed" in trained:
            return trained
        file = self.workdir(run).lifter_file(CHECKPOINT)
        return trained if file.exists() and fingerprint(file) == trained.get("checkpoint") else None

    def _train(self, run: Run) -> dict:
        config, workdir, record = self.config(run), self.workdir(run), self.record(run)
        file, step = self.files[run.data], Step("train", run.name)
        if workdir.started:
            check_same_data(workdir, file.fingerprint, file.config.path)
        trained = {"config": config.fields(without=CHANGEABLE), "data": file.fingerprint, "updates": 0}
        record.keep_trained(**trained)
        self.progress.begin(step, f"Training {run.name}: {run.words}, {config.training.updates:,} updates")
        try:
            outcome = train(config, workdir.path, file)
            if outcome.interrupted:
                raise KeyboardInterrupt(outcome.interrupted)
            best = workdir.lifter_file(CHECKPOINT)
            if not best.exists():
                raise NonFiniteLossError("P2 of the zero code on held-out rows was never finite.")
            trained |= {"updates": outcome.updates, "checkpoint": fingerprint(best)}
        except NonFiniteLossError as error:
            self.progress.say(f"Run {run.name} stopped. {error}")
            trained |= {"updates": config.training.updates, "failed": str(error)}
        finally:
            clear()
        record.keep_trained(**trained)
        self.progress.finish(step)
        return trained

    def _updates(self, run: Run) -> int:
        """Updates that an unfinished run has done, at least."""
        workdir = self.workdir(run)
        done = workdir.load_lifter("latest")[1] if workdir.lifter_file("latest").exists() else 0
        clear()
        return done

    def _of(self, what: Measurement) -> dict:
        """All that a measurement depends on, as JSON gives it back."""
        evaluation = self._evaluation(what).to_dict()["evaluation"]
        return {
            "kind": what.kind,
            "checkpoint": self.record(what.run).trained.get("checkpoint"),
            "data": self.files[what.data].fingerprint,
            "evaluation": {name: value for name, value in evaluation.items() if name not in WITHOUT_EFFECT},
        }

    def _known(self, what: Measurement) -> dict | None:
        return self.record(what.run).measured(self._of(what))

    def _evaluation(self, what: Measurement) -> Config:
        changes = {"data": {"path": self.files[what.data].config.path}, "evaluation": {"num_hidden": what.num_hidden}}
        return self.config(what.run).override(changes, "measurement")

    def _measure(self, what: Measurement) -> dict:
        config, workdir, source = self._evaluation(what), self.workdir(what.run), self.files[what.data]
        try:
            if what.kind == "errors":
                return evaluate_run(workdir, config, CHECKPOINT, source=source)
            lifter, updates = workdir.load_lifter(CHECKPOINT)
            rows, data = source.test_rows, source.data
            with tqdm(total=len(rows), unit="row", dynamic_ncols=True, desc="3DPCK") as bar:
                report = pck_report(lifter, rows, data.test.labels.get("scene"), config.evaluation, bar.update)
            return {"source": data.source, "checkpoint": CHECKPOINT, "updates": updates, **report}
        finally:
            clear()


def _step(what: Measurement) -> Step:
    hidden = f", hidden limb joints: {what.num_hidden}" if what.num_hidden else ""
    return Step("measure", f"{what.kind} of {what.run.name} on {what.data}{hidden}")


def clear() -> None:
    """Frees the model and its graphs; the next run makes new ones."""
    keras.backend.clear_session()
    gc.collect()
