"""Checkpoints: what training resumes from, whole or not at all, and the latest and the best lifter."""

import hashlib
import pathlib
import warnings

import keras
import numpy as np
import tensorflow as tf

from tf_wsgen.errors import InputError, NonFiniteLossError
from tf_wsgen.training.model import WSGen
from tf_wsgen.training.workdir import Workdir, write_text

# The last one, and the one before it should the last be damaged.
KEPT = 2
DIGEST_SUFFIX = ".sha256"
UNFINISHED = "was not written to its end."


class Checkpoints(keras.callbacks.Callback):
    """Keeps what training resumes from, and the latest and the best lifter.

    What training resumes from: model, optimizers, averages, updates, best objective. A checkpoint counts once its
    SHA-256 is beside it. The lifters are written before: a run that is killed in between does the interval again and
    writes the same ones.

    Args:
        model: The compiled model.
        folder: The work directory to write to.
        objective: The log whose lowest value makes the best; None for the latest.
    """

    def __init__(self, model: WSGen, folder: Workdir, objective: str | None):
        super().__init__()
        self.objective, self.folder, self.lifter = objective, folder, None
        self.update = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.best_objective = tf.Variable(np.inf, dtype=tf.float32, trainable=False)
        self.state = tf.train.Checkpoint(
            **model.weights_by_part(),
            optimizer=model.optimizer,
            discriminator_optimizer=model.discriminator_optimizer,
            update=self.update,
            best_objective=self.best_objective,
        )
        self.manager = tf.train.CheckpointManager(self.state, str(folder.checkpoints), max_to_keep=KEPT)

    def restore(self, folder: Workdir) -> int:
        """Goes to the last sound checkpoint of a work directory if there is one; returns the updates done.

        A run that was killed within its first checkpoint begins anew.

        Raises:
            InputError: There are checkpoints that were written, and none can be read.
        """
        problems = []
        for prefix in checkpoint_prefixes(folder.checkpoints):
            problem = self._restored(prefix)
            for earlier in [] if problem else problems:
                warnings.warn(f"{earlier} {prefix} is taken instead.", stacklevel=2)
            if not problem:
                return int(self.update)
            problems.append(problem)
        written = [problem for problem in problems if not problem.endswith(UNFINISHED)]
        if written:
            raise InputError(f"{written[0]} No other checkpoint can be read; expected a new work directory.")
        return 0

    def _restored(self, prefix: pathlib.Path) -> str | None:
        """What is wrong with the checkpoint, if it cannot be restored."""
        digest = prefix.with_name(prefix.name + DIGEST_SUFFIX)
        if not digest.exists():
            return f"{prefix}: {UNFINISHED}"
        if digest.read_text().strip() != checkpoint_digest(prefix):
            return f"{prefix}: is damaged."
        try:
            self.state.restore(str(prefix)).assert_consumed()
        except (AssertionError, ValueError, tf.errors.OpError):
            return f"{prefix}: is of another model."
        return None

    def save(self, logs: dict | None = None) -> None:
        """Saves the latest checkpoint and, where the objective fell, the best.

        Raises:
            NonFiniteLossError: A weight is not finite; nothing is saved.
        """
        for variable in self.model.trainable_variables:
            if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
                raise NonFiniteLossError(f"Weight {variable.path} is not finite; earlier checkpoints are as they were.")
        update = self.model.updates
        self.update.assign(update)
        objective = (logs or {}).get(self.objective)
        better = objective is not None and objective < float(self.best_objective)
        if better:
            self.best_objective.assign(objective)
        if self.lifter is None:
            self.lifter = self.model.lifter()
        self.model.update_lifter(self.lifter)
        for which in ("latest", "best") if better or not self.objective else ("latest",):
            self.folder.save_lifter(which, self.lifter, update)
        prefix = pathlib.Path(self.manager.save(checkpoint_number=update))
        write_text(prefix.with_name(prefix.name + DIGEST_SUFFIX), checkpoint_digest(prefix))
        kept = {path.name for path in checkpoint_prefixes(prefix.parent)}
        for digest in prefix.parent.glob("*" + DIGEST_SUFFIX):
            if digest.name.removesuffix(DIGEST_SUFFIX) not in kept:
                digest.unlink()

    def on_epoch_end(self, epoch, logs=None):
        """Saves after each interval."""
        self.save(logs)


def checkpoint_prefixes(folder: pathlib.Path) -> list[pathlib.Path]:
    """Checkpoints of a folder without their endings, the last one first."""
    found = [path.with_suffix("") for path in folder.glob("ckpt-*.index")]
    return sorted(found, key=lambda path: int(path.name.partition("-")[2]), reverse=True)


def checkpoint_digest(prefix: pathlib.Path) -> str:
    """SHA-256 of a checkpoint's files."""
    digest = hashlib.sha256()
    for path in sorted(prefix.parent.glob(f"{prefix.name}.index")) + sorted(
        prefix.parent.glob(f"{prefix.name}.data-*")
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()
