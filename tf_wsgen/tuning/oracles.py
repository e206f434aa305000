"""keras-tuner's oracles, which choose the λ of trials, and what a trial's λ mean for its configuration."""

# A mixin uses what keras-tuner's oracles have.
# pyright: reportAttributeAccessIssue=false

import dataclasses
import itertools
import json
import math
import pathlib
from collections.abc import Iterator, Mapping

import keras_tuner

from tf_wsgen.config import Config
from tf_wsgen.errors import InputError
from tf_wsgen.sections import LossConfig, TuningConfig
from tf_wsgen.training.workdir import write_text

# Weights as tables call them.
TITLES = {
    "weight_gradient_penalty": "λ_gp",
    "weight_2d": "λ_2D",
    "weight_camera": "λ_cam",
    "weight_diversity": "λ_reg",
    "weight_reconstruction": "λ_rec",
    "weight_joint_energy": "λ_joint",
    "weight_median": "λ_med",
    "weight_template_median": "λ_tmpl",
}
# The searched fields of the section `loss`: the paper's, in units of L_adv, and those of simulated pairs, in units of
# the pose's energy score.
PAPERS = ("weight_gradient_penalty", "weight_2d", "weight_camera", "weight_diversity", "weight_reconstruction")
SIMULATED = ("weight_2d", "weight_camera", "weight_joint_energy", "weight_median", "weight_template_median")


def searched(loss: LossConfig) -> tuple[str, ...]:
    """Names of the weights that a search of this loss is over."""
    return SIMULATED if loss.needs_pairs else PAPERS


def make_oracle(config: Config) -> keras_tuner.Oracle:
    """The oracle of `config.tuning`, over ranges of λ around those of `config.loss`.

    Raises:
        InputError: Too few trials for Hyperband to compare anything with the first at full length.
    """
    tuning, space = config.tuning, keras_tuner.HyperParameters()
    for name in searched(config.loss):
        centre = getattr(config.loss, name)
        factor = getattr(tuning, name.replace("weight", "factor"))
        if factor == 1.0 or centre == 0.0:
            space.Fixed(name, centre)
        else:
            space.Float(name, centre / factor, centre * factor, sampling="log", default=centre)
    options = {
        "objective": keras_tuner.Objective(tuning.objective, "min"),
        "hyperparameters": space,
        # keras-tuner takes 0 for any seed, and counts up at each draw: neighbouring seeds would share draws.
        "seed": 1 + 1_000_003 * tuning.seed % (2**32 - 1),
        # A failed trial is told of, and never ends the search.
        "max_consecutive_failed_trials": math.inf,
    }
    if tuning.tuner == "random":
        oracle = _Random(max_trials=tuning.max_trials, **options)
    elif tuning.tuner == "bayesian":
        # By default keras-tuner would draw 15 trials at random before the first by its model.
        first = max(len(searched(config.loss)) + 1, tuning.max_trials // 3)
        oracle = _Bayesian(max_trials=tuning.max_trials, num_initial_points=first, **options)
    else:
        lengths = tuning.hyperband_factor ** (tuning.hyperband_rounds - 1)
        # Without an end, but for max_trials.
        oracle = _Hyperband(max_epochs=lengths, factor=tuning.hyperband_factor, hyperband_iterations=None, **options)
        oracle.max_trials = tuning.max_trials
        least = 1 + sum(1 for _ in itertools.takewhile(lambda bracket: bracket == 0, oracle.brackets()))
        if tuning.max_trials < least:
            raise InputError(
                f"tuning.max_trials is {tuning.max_trials}; expected at least {least}: with fewer, Hyperband "
                f"(factor {tuning.hyperband_factor}, {tuning.hyperband_rounds} rounds) has nothing of full length "
                "to compare the first trial with."
            )
    oracle.verbose = 0
    return oracle


def trial_config(config: Config, values: Mapping) -> Config:
    """The configuration that a trial is trained with.

    Args:
        config: The search's.
        values: What the oracle chose: λ, and Hyperband's length.
    """
    tuning, step = config.tuning, config.training.steps_per_execution
    whole = tuning.hyperband_factor ** (tuning.hyperband_rounds - 1)
    length = values.get("tuner/epochs", whole)
    updates = -(-(tuning.updates or config.training.updates) * length // (whole * step)) * step
    weights = {name: values[name] for name in searched(config.loss)}
    trial = config.override({"loss": weights, "training": {"updates": updates}}, "trial")
    # A run does not depend on the search: it resumes though the search goes on with more trials.
    return dataclasses.replace(trial, tuning=TuningConfig())


class _Sturdy:
    """What every oracle of a search does beside choosing λ."""

    def populate_space(self, trial_id: str) -> dict:
        """The first trial has the configuration's own λ, at full length; others have λ of four digits."""
        if not self.trials:
            return {"status": "RUNNING", "values": {hp.name: hp.default for hp in self.hyperparameters.space}}
        response = super().populate_space(trial_id)
        if response["status"] == "RUNNING":
            weights = {name: value for name, value in response["values"].items() if name in TITLES}
            rounded = {name: float(f"{value:.4g}") for name, value in weights.items()}
            response["values"] = {**response["values"], **rounded}
        return response

    def lengths(self) -> Iterator[int]:
        """How much each trial trains, in the order in which trials are begun, without an end."""
        return itertools.repeat(1)

    def save(self) -> None:
        """Writes the state, but for the trials, as a whole or not at all."""
        write_text(pathlib.Path(self._get_oracle_fname()), json.dumps(self.get_state()))

    def _save_trial(self, trial) -> None:
        file = pathlib.Path(self._get_trial_dir(trial.trial_id)) / "trial.json"
        write_text(file, json.dumps(trial.get_state()))

    def reload(self) -> None:
        """Reads the state; trials that were begun and have not ended come next, the oldest first."""
        super().reload()
        begun = [name for name, trial in self.trials.items() if trial.status == "RUNNING"]
        # The end of the queue is taken first.
        self._retry_queue = sorted(begun, key=int, reverse=True)


class _Random(_Sturdy, keras_tuner.oracles.RandomSearchOracle):
    pass


class _Bayesian(_Sturdy, keras_tuner.oracles.BayesianOptimizationOracle):
    pass


class _Hyperband(_Sturdy, keras_tuner.oracles.HyperbandOracle):
    # The first trial belongs to no bracket: it is what the brackets' winners are compared with.

    def lengths(self) -> Iterator[int]:
        yield self.max_epochs
        for _, length in self._rounds():
            yield length

    def brackets(self) -> Iterator[int]:
        """The number of each trial's bracket after the first trial, counted from 0."""
        return (number for number, _ in self._rounds())

    def _rounds(self) -> Iterator[tuple[int, int]]:
        """Bracket and length of each trial; a trial that continues another counts what it adds."""
        last = self._get_num_brackets() - 1
        for number in itertools.count():
            bracket, before = last - number % (last + 1), 0
            for round_number in range(bracket + 1):
                length = self._get_epochs(bracket, round_number)
                yield from [(number, length - before)] * self._get_size(bracket, round_number)
                before = length
