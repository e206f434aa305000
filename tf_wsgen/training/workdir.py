"""The work directory: what is where in it, written so that it is always whole."""

import contextlib
import csv
import importlib.metadata
import json
import os
import pathlib
import platform
import typing
from collections.abc import Collection, Iterator

import filelock

from tf_wsgen.config import Config, load_config
from tf_wsgen.errors import InputError
from tf_wsgen.files import whole_file

if typing.TYPE_CHECKING:  # TensorFlow takes seconds to import; a mistake in a path is told at once.
    from tf_wsgen.lifting.model import Lifter

VERSIONED = ("tensorflow", "keras", "tensorflow-probability", "numpy")


class Workdir:
    """Paths and contents of one run's folder.

    `config.yaml` (resolved), `run.json` (source, seed, versions), `log.csv`, `tensorboard/`, `checkpoints/` (what
    training resumes from), `latest.npz` and `best.npz` (lifters: all that is needed to use the model).

    Args:
        path: The folder.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = pathlib.Path(path)
        self.config_file = self.path / "config.yaml"
        self.run_file = self.path / "run.json"
        self.log_file = self.path / "log.csv"
        self.tensorboard = self.path / "tensorboard"
        self.checkpoints = self.path / "checkpoints"

    def lifter_file(self, which: str) -> pathlib.Path:
        """File of the "latest" or the "best" lifter."""
        return self.path / f"{which}.npz"

    @property
    def started(self) -> bool:
        """Whether a run was begun here."""
        return self.config_file.exists()

    def begin(self, config: Config, source: str, fingerprint: str = "") -> None:
        """Writes down what the run is, before its first update.

        Args:
            config: The whole configuration.
            source: Where the data are from, in words.
            fingerprint: Of their content.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        run = {"source": source, "seed": config.training.seed, "versions": versions(), "fingerprint": fingerprint}
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

    def load_lifter(self, which: str = "best") -> tuple["Lifter", int]:
        """The trained networks of a checkpoint, and after how many updates.

        Args:
            which: "best" (the lowest `objective` on held-out rows) or "latest".

        Raises:
            InputError: No run, or no checkpoint yet.
        """
        from tf_wsgen.lifting.model_file import load_lifter

        self.config()
        file = self.lifter_file(which)
        if not file.exists():
            raise InputError(f"{self.path}: has no {which} checkpoint yet; train until the first evaluation.")
        lifter, about = load_lifter(file)
        return lifter, about["updates"]

    def save_lifter(self, which: str, lifter: "Lifter", updates: int) -> None:
        """Writes the latest or the best lifter, with what `begin` wrote of the run."""
        from tf_wsgen.lifting.model_file import save_lifter

        save_lifter(lifter, self.lifter_file(which), {"updates": updates, **self.run()})


def versions() -> dict[str, str]:
    """Of Python, and of the packages that results depend on."""
    installed = {name: importlib.metadata.version(name) for name in VERSIONED}
    return {**installed, "python": platform.python_version()}


def check_same_data(run: Workdir, fingerprint: str, path: str) -> None:
    """Refuses data that are not those of a run.

    Args:
        run: The run.
        fingerprint: Of the data.
        path: Where they are.

    Raises:
        InputError: They have another fingerprint.
    """
    if run.run().get("fingerprint", "") not in ("", fingerprint):
        raise InputError(
            f"{run.path}: is of other data (“{run.run()['source']}”) than {path}; expected the same content."
        )


def check_unchanged(begun: Config, config: Config, changeable: Collection[str], what: str) -> None:
    """Refuses to go on with something under another configuration.

    Args:
        begun: What it was begun with.
        config: What it is to go on with.
        changeable: Fields that may differ.
        what: What would go on, as "FOLDER: holds a run".

    Raises:
        InputError: Another field differs.
    """
    for name, value in config.fields(without=changeable).items():
        if begun.get(name) != value:
            raise InputError(
                f"{what} with {name} = {begun.get(name)!r}, now {value!r}; expected the same configuration to resume, "
                "or a new work directory."
            )


@contextlib.contextmanager
def alone_in(folder: pathlib.Path) -> Iterator[None]:
    """Makes the folder, and keeps other processes out of it; the lock ends with the process.

    Raises:
        InputError: Another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / "lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise InputError(f"{folder}: another process is at work here; wait for its end, or end it.") from None
    with lock:
        yield


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes a small file atomically."""
    with whole_file(path) as partial:
        partial.write_text(text)
