"""What a reproduction reads and keeps: prepared files checked at the door, and what became of each run."""

import json
import pathlib

from tf_wsgen.data.training_data import Source
from tf_wsgen.errors import InputError
from tf_wsgen.sections import DataConfig
from tf_wsgen.training.workdir import write_text


def open_data(config: DataConfig, trained_on: bool) -> Source:
    """Reads and checks a file once, before the hours of training.

    Args:
        config: Its path, and the skeleton.
        trained_on: Whether runs are trained on it, too.

    Raises:
        InputError: The file is refused, or has no test pairs, or no training poses though it is trained on.
    """
    source = Source(config)
    _ = source.test_rows
    train = source.data.train
    if trained_on and (train is None or train.pose_2d is None or train.pose_3d is None):
        raise InputError(f"{config.path}: has no training poses; expected train/pose_2d and train/pose_3d.")
    return source


class RunRecord:
    """What became of a run and what was measured on it: one JSON file, replaced as a whole.

    `trained` says with which configuration and data the run was begun, its `updates`, and how it ended: `checkpoint`,
    the best one's fingerprint, or `failed`, the reason; neither, where it was interrupted. `measured` is a list of
    `of`, all that a measurement depends on, and `metrics`.

    Args:
        file: The JSON file.

    Raises:
        InputError: The file is not such a record.
    """

    def __init__(self, file: pathlib.Path):
        self.file, self._trained, self._measured = file, {}, []
        if file.exists():
            try:
                content = json.loads(file.read_text())
                self._trained, self._measured = dict(content["trained"]), list(content["measured"])
            except (ValueError, LookupError, TypeError) as error:
                raise InputError(f"{file}: is no record of a run ({error}); delete it to measure anew.") from None

    @property
    def trained(self) -> dict:
        """How training went; empty if it was not begun here."""
        return self._trained

    def keep_trained(self, **trained) -> None:
        """Replaces how training went."""
        self._trained = trained
        self._write()

    def measured(self, of: dict) -> dict | None:
        """The metrics of a measurement that was made."""
        return next((entry["metrics"] for entry in self._measured if entry["of"] == of), None)

    def keep_measured(self, of: dict, metrics: dict) -> None:
        """Adds a measurement; those of other checkpoints go."""
        kept = [entry for entry in self._measured if entry["of"]["checkpoint"] == of["checkpoint"]]
        self._measured = [*(entry for entry in kept if entry["of"] != of), {"of": of, "metrics": metrics}]
        self._write()

    def _write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_text(self.file, json.dumps({"trained": self._trained, "measured": self._measured}, indent=1))
