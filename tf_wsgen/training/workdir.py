"""The work directory: what is where in it, written so that it is always whole."""

import csv
import importlib.metadata
import json
import os
import pathlib
import platform

import tensorflow as tf

from tf_wsgen.config import Config, load_config
from tf_wsgen.errors import InputError
from tf_wsgen.hypotheses.lifter import Lifter
from tf_wsgen.training.model import WSGen

VERSIONED = ("tensorflow", "keras", "tensorflow-probability", "numpy")


class Workdir:
    """Paths and contents of one run's folder.

    `config.yaml` (resolved), `model.json` (how to build the model: sizes, skeleton, template, ratio),
    `run.json` (source, seed, versions), `log.csv`, `tensorboard/`, `checkpoints/latest` and `checkpoints/best`.

    Args:
        path: The folder.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = pathlib.Path(path)
        self.config_file = self.path / "config.yaml"
        self.model_file = self.path / "model.json"
        self.run_file = self.path / "run.json"
        self.log_file = self.path / "log.csv"
        self.tensorboard = self.path / "tensorboard"

    def checkpoints(self, which: str) -> pathlib.Path:
        """Folder of the "latest" or the "best" checkpoint."""
        return self.path / "checkpoints" / which

    @property
    def started(self) -> bool:
        """Whether a run was begun here."""
        return self.config_file.exists()

    def begin(self, config: Config, model: WSGen, source: str) -> None:
        """Writes down what the run is, before its first update."""
        self.path.mkdir(parents=True, exist_ok=True)
        versions = {name: importlib.metadata.version(name) for name in VERSIONED}
        versions["python"] = platform.python_version()
        run = {"source": source, "seed": config.training.seed, "versions": versions}
        write_text(self.model_file, json.dumps(model.get_config(), indent=1))
        write_text(self.run_file, json.dumps(run, indent=1))
        write_text(self.config_file, config.to_yaml())

    def config(self) -> Config:
        """The run's resolved configuration.

        Raises:
            InputError: No run was begun here.
        """
        if not self.started:
            raise InputError(f"{self.path}: is not a work directory of scripts/train.py (it has no config.yaml).")
        return load_config(self.config_file)

    def run(self) -> dict:
        """What `begin` wrote of the run."""
        return json.loads(self.run_file.read_text())

    def log(self) -> list[dict]:
        """Rows of the log, one an evaluation on held-out rows.

        Raises:
            InputError: Nothing was held out, or nothing logged yet.
        """
        rows = []
        if self.log_file.exists():
            with self.log_file.open(newline="") as file:
                rows = list(csv.DictReader(file))
        if not rows or "val_zero_code_p2" not in rows[0]:
            raise InputError(f"{self.log_file}: has no errors on held-out rows; train until the first evaluation.")
        return rows

    def load_lifter(self, which: str = "best") -> tuple[Lifter, int]:
        """The trained networks of a checkpoint, and after how many updates.

        Args:
            which: "best" (by P2 of the zero code on held-out rows) or "latest".

        Raises:
            InputError: No run, or no checkpoint yet.
        """
        self.config()
        model = WSGen.from_config(json.loads(self.model_file.read_text()))
        checkpoint = tf.train.latest_checkpoint(self.checkpoints(which))
        if checkpoint is None:
            raise InputError(f"{self.path}: has no {which} checkpoint yet; train until the first evaluation.")
        update = tf.Variable(0, dtype=tf.int64)
        state = tf.train.Checkpoint(**model.weights_by_part(), update=update)
        state.restore(checkpoint).assert_existing_objects_matched().expect_partial()
        return model.lifter(), int(update)


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes a small file atomically."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    os.replace(partial, path)
