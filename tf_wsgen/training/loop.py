"""The training loop: data, strategy, model, fit, resume."""

import dataclasses
import math
import os

import keras
import tensorflow as tf

from tf_wsgen.config import Config
from tf_wsgen.data.measured_rows import hide_in_rows, measured_rows, simulated_rows
from tf_wsgen.data.pipeline import simulated_batches, unpaired_batches
from tf_wsgen.data.training_data import PairedRows, Source, TrainingData
from tf_wsgen.evaluation.conformal import radius_factors
from tf_wsgen.sections import TuningConfig
from tf_wsgen.training.adam import FusedAdam
from tf_wsgen.training.callbacks import (
    Progress,
    ScalarLog,
    StopOnInterrupt,
    StopWhenNotFinite,
    Validation,
    objective,
)
from tf_wsgen.training.checkpoints import Checkpoints
from tf_wsgen.training.model import WSGen
from tf_wsgen.training.strategy import make_strategy, own_workdir, replica_shard
from tf_wsgen.training.workdir import Workdir, alone_in, check_same_data, check_unchanged

# What may change between a run and its continuation; everything else decides what is learned, or which is the best.
CHANGEABLE = (
    *("data.path", "training.updates", "training.strategy", "training.jit_compile", "evaluation.batch_size"),
    *("evaluation.posterior_hypotheses", "evaluation.posterior_rows"),
    *("evaluation.diversity_pool", "evaluation.diversity_chosen"),
    *(f"tuning.{field.name}" for field in dataclasses.fields(TuningConfig)),
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How training ended: updates done, and the number of the signal that stopped it, or 0."""

    updates: int
    interrupted: int


def train(config: Config, workdir: str | os.PathLike, source: Source | None = None) -> Outcome:
    """Trains, or resumes from the work directory's latest checkpoint, exactly as if never stopped.

    Args:
        config: The whole configuration.
        workdir: Where the configuration, logs and checkpoints go.
        source: The configuration's data, where they are open already.

    Raises:
        InputError: Data or configuration that cannot be used, or another run in the work directory.
        NonFiniteLossError: A loss or weight is not finite; the last checkpoint stays as it was.
    """
    strategy = make_strategy(config.training.strategy)
    folder = Workdir(workdir)
    if folder.started:
        check_unchanged(folder.config(), config, CHANGEABLE, f"{folder.path}: holds a run")
    source = source or Source(config.data)
    data = source.training(config.training.seed)
    if folder.started:
        check_same_data(folder, source.fingerprint, config.data.path)
    with own_workdir(strategy, folder.path) as own, alone_in(own):
        return _fit(config, data, source.fingerprint, strategy, Workdir(own), folder)


def make_model(config: Config, data: TrainingData, strategy: tf.distribute.Strategy) -> WSGen:
    """The compiled model, its variables under the strategy."""
    optimizer, training = config.optimizer, config.training
    epoch = math.ceil(len(data.pose_2d) / training.batch_size) or 1
    with strategy.scope():
        model = WSGen(
            data.skeleton,
            data.template,
            # Simulated pairs are in metres as they are.
            1.0 if config.loss.needs_pairs else data.scale_ratio,
            config.network,
            config.loss,
            data.body_height,
            ema_momentum=training.ema_momentum,
            seed=training.seed,
        )
        # One schedule object in both optimizers: it survives checkpoints through their iterations.
        if optimizer.schedule == "cosine":
            rate = keras.optimizers.schedules.CosineDecay(optimizer.learning_rate, training.updates)
        else:
            rate = keras.optimizers.schedules.ExponentialDecay(
                optimizer.learning_rate, optimizer.decay_updates or epoch, optimizer.decay_rate, staircase=True
            )
        adams = [
            FusedAdam(rate, optimizer.beta_1, optimizer.beta_2, optimizer.epsilon, name=name)
            for name in ("generator_adam", "discriminator_adam")
        ]
        model.compile(
            *adams,
            jit_compile=training.jit_compile and strategy.num_replicas_in_sync == 1,
            steps_per_execution=training.steps_per_execution,
        )
    return model


def distributed_batches(
    config: Config, data: TrainingData, strategy: tf.distribute.Strategy, first_update: int = 0
) -> tf.distribute.DistributedDataset:
    """The global batches, each replica its rows."""

    def pipeline(context):
        training, code_size = config.training, config.network.code_size
        shard = replica_shard(strategy, context)
        if config.loss.needs_pairs:
            return simulated_batches(
                data,
                config.simulation,
                training.batch_size,
                training.num_codes,
                code_size,
                training.seed,
                first_update,
                shard,
            )
        hidden = (training.least_hidden, training.most_hidden)
        return unpaired_batches(
            data, training.batch_size, training.num_codes, code_size, training.seed, first_update, shard, hidden
        )

    return strategy.distribute_datasets_from_function(pipeline)


def held_out_rows(config: Config, data: TrainingData, most: int, seed: int = 0) -> PairedRows | None:
    """What a run is validated on: simulated pairs where it learns from such, or where the source has no pairs.

    Args:
        config: The run's.
        data: What it trains on.
        most: Rows, spread evenly over the held-out sequences.
        seed: Of the simulation.
    """
    if data.held_out_room is None:
        return None
    evaluation, simulation, skeleton = config.evaluation, config.simulation, data.skeleton
    if data.validation is not None and not config.loss.needs_pairs:
        return measured_rows(data.validation.evenly_spaced(most), evaluation, simulation, skeleton)
    rows = simulated_rows(data.held_out_room, simulation, most, skeleton, seed)
    return hide_in_rows(rows, skeleton, evaluation.hidden_joints, evaluation.num_hidden, evaluation.seed)


def _fit(
    config: Config,
    data: TrainingData,
    fingerprint: str,
    strategy: tf.distribute.Strategy,
    folder: Workdir,
    restore_from: Workdir,
) -> Outcome:
    training = config.training
    model = make_model(config, data, strategy)
    held_out = held_out_rows(config, data, config.evaluation.validation_rows)
    checkpoints = Checkpoints(model, folder, objective(config.loss) if held_out else None)
    done = checkpoints.restore(restore_from)
    folder.begin(config, data.source, fingerprint)
    if done >= training.updates:
        # Where the run was stopped between its last update and its end.
        if held_out and config.loss.needs_pairs:
            _calibrate(config, data, folder)
        return Outcome(done, interrupted=0)
    with StopOnInterrupt() as interrupt, Progress(done, training.updates, training.steps_per_execution) as progress:
        callbacks = [
            StopWhenNotFinite(folder.path / "not_finite.json", training.seed),
            interrupt,
            *([Validation(held_out, config.evaluation)] if held_out else []),
            ScalarLog(folder.log_file, folder.tensorboard),
            checkpoints,
            progress,
        ]
        # Keras' epochs are the intervals between evaluations; a resumed run first ends the one it was stopped in.
        while done < training.updates and not interrupt.interrupted:
            interval = training.evaluate_every
            steps = min(interval - done % interval, training.updates - done)
            epochs = max(1, (training.updates - done) // interval) if steps == interval else 1
            batches = distributed_batches(config, data, strategy, done)
            model.fit(batches, steps_per_epoch=steps, epochs=epochs, verbose=0, shuffle=False, callbacks=callbacks)
            done = model.updates
    if done >= training.updates and held_out and config.loss.needs_pairs:
        _calibrate(config, data, folder)
    return Outcome(done, interrupt.interrupted)


def _calibrate(config: Config, data: TrainingData, folder: Workdir) -> None:
    """Gives the lifters their radii, on other draws than those that chose the best and that `evaluate` measures."""
    rows = held_out_rows(config, data, config.evaluation.validation_rows, seed=1)
    for which in ("latest", "best"):
        lifter, updates = folder.load_lifter(which)
        if lifter.radius_factors is None:
            lifter.radius_factors = radius_factors(lifter, rows, config.simulation.size_deviation)
            folder.save_lifter(which, lifter, updates)
