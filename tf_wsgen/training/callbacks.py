"""What happens around the updates: progress, logs, validation, and the ways to stop."""

import csv
import json
import math
import pathlib
import signal
import time

import keras
import tensorflow as tf
from tqdm import tqdm

from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.errors import NonFiniteLossError
from tf_wsgen.evaluation.protocols import Evaluator
from tf_wsgen.files import whole_file
from tf_wsgen.sections import EvaluationConfig, LossConfig
from tf_wsgen.training.workdir import write_text


def objective(loss: LossConfig) -> str:
    """The log that the best checkpoint has lowest: the energy score where pairs are simulated, else P2 of the ZC."""
    return "val_energy_score" if loss.needs_pairs else "val_zero_code_p2"


class Progress(keras.callbacks.Callback):
    """A bar over the whole run with updates a second and the losses; a line for each evaluation.

    Args:
        first: Updates done already.
        total: Updates of the whole run.
        stride: Updates between two calls of `on_train_batch_end`.
    """

    def __init__(self, first: int, total: int, stride: int):
        super().__init__()
        self.stride = stride
        self.bar = tqdm(total=total, initial=first, unit="update", dynamic_ncols=True, mininterval=1.0)

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar."""
        self.bar.update(self.stride)
        short = {"mmd²": "mmd_squared", "gp": "gradient_penalty", "2d": "reprojection", "div": "diversity"}
        short |= {"es": "pose_energy", "median": "median"}
        shown = {name: f"{logs[key]:.3g}" for name, key in short.items() if key in logs}
        self.bar.set_postfix(shown, refresh=False)

    def on_epoch_end(self, epoch, logs=None):
        """Prints the evaluation above the bar."""
        if "val_energy_score" in logs:
            line = "update {update}: held-out P2 of ZC {val_zero_code_p2:.1f} mm, of BH {val_best_hypothesis_p2:.1f} mm"
            line += ", energy score {val_energy_score:.1f} mm"
            self.bar.write(line.format(**logs))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bar.close()


class StopWhenNotFinite(keras.callbacks.Callback):
    """Raises `NonFiniteLossError` at the first loss that is not finite, and writes down where that was.

    Batches and codes are a function of seed and update: the same command does it again from the last checkpoint.

    Args:
        file: JSON: the update, the losses, the seed.
        seed: Of the run.
    """

    def __init__(self, file: pathlib.Path, seed: int):
        super().__init__()
        self.file, self.seed = file, seed

    def on_train_batch_end(self, batch, logs=None):
        """Looks at every loss."""
        wrong = [name for name, value in logs.items() if not math.isfinite(value)]
        if wrong:
            update = self.model.updates
            losses = {name: str(value) for name, value in logs.items()}
            write_text(self.file, json.dumps({"update": update, "seed": self.seed, "losses": losses}, indent=1))
            raise NonFiniteLossError(
                f"Loss {wrong[0]} is {logs[wrong[0]]} after update {update}; earlier checkpoints are as they were, and "
                f"{self.file} tells all losses. A smaller optimizer.learning_rate or network.pose_gain may help."
            )


class StopOnInterrupt(keras.callbacks.Callback):
    """Within its context: the first Ctrl-C or SIGTERM ends training after the running call, a second one at once.

    Attributes:
        interrupted: The signal's number, or 0.
    """

    def __init__(self):
        super().__init__()
        self.interrupted = 0

    def on_train_batch_end(self, batch, logs=None):
        """Stops where a signal came since the last call."""
        self.model.stop_training = bool(self.interrupted)

    def __enter__(self):
        self._previous = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_):
        self._give_back()

    def _stop(self, number, frame):
        self.interrupted = number
        self._give_back()

    def _give_back(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())


class Validation(keras.callbacks.Callback):
    """Adds errors on held-out rows to the logs of each interval.

    Args:
        rows: The held-out rows.
        config: How to evaluate.
    """

    def __init__(self, rows: PairedRows, config: EvaluationConfig):
        super().__init__()
        self.rows, self.config = rows, config
        self.evaluator = None

    def on_train_begin(self, logs=None):
        """Makes the evaluator once: it traces its graph at its first call."""
        if self.evaluator is None:
            self.evaluator = Evaluator(self.model.lifter(), self.config, diversity=False)

    def on_epoch_end(self, epoch, logs=None):
        """Evaluates the (averaged) weights, unless a signal ended the interval early."""
        if self.model.stop_training:
            return
        self.model.update_lifter(self.evaluator.lifter)
        metrics = self.evaluator(self.rows)
        for choice in ("zero_code", "best_hypothesis"):
            for protocol in ("p1", "p2"):
                logs[f"val_{choice}_{protocol}"] = metrics[choice][protocol]
        logs["val_energy_score"] = metrics["energy_score"]


class ScalarLog(keras.callbacks.Callback):
    """Every interval's numbers by update: a CSV row, and TensorBoard scalars.

    Args:
        csv_file: The CSV; rows after the update that training resumes from are dropped.
        tensorboard: Folder for TensorBoard.
    """

    def __init__(self, csv_file: pathlib.Path, tensorboard: pathlib.Path):
        super().__init__()
        self.csv_file, self.tensorboard = csv_file, tensorboard

    def on_train_begin(self, logs=None):
        """Opens the logs where training begins or resumes."""
        update = self.model.updates
        self.rows = []
        if self.csv_file.exists():
            with self.csv_file.open(newline="") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["update"]) <= update]
        self.minutes = float(self.rows[-1]["minutes"]) if self.rows else 0.0
        self.writer = tf.summary.create_file_writer(str(self.tensorboard))
        self.update, self.since = update, time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        """Writes one row; the CSV is replaced as a whole, so that it is never half written."""
        if self.model.stop_training:
            return
        now, update = time.monotonic(), self.model.updates
        elapsed = now - self.since
        self.minutes += elapsed / 60.0
        logs["update"], logs["minutes"] = update, self.minutes
        logs["updates_per_second"] = (update - self.update) / elapsed
        logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.update, self.since = update, now
        self.rows.append({name: f"{value:.6g}" for name, value in logs.items()} | {"update": update})
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        names = ["update", "minutes", *[name for name in names if name not in ("update", "minutes")]]
        with whole_file(self.csv_file) as partial, partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)
        with self.writer.as_default(step=update):
            for name, value in logs.items():
                tf.summary.scalar(name, value)
        self.writer.flush()

    def on_train_end(self, logs=None):
        """Closes TensorBoard's file."""
        self.writer.close()
