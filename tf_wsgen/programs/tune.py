"""Searches the weights λ of the loss terms; run it again to resume, or with more --max_trials to go on.

python scripts/tune.py --config configs/cmu16.yaml --data FILE.h5 --tuner random --max_trials 20 --workdir runs/search
"""

import dataclasses

from tf_wsgen.errors import NonFiniteLossError
from tf_wsgen.programs.command_line import SIGNALLED, ConfigOptions, option
from tf_wsgen.sections import OBJECTIVES, TUNERS

SHORT = ("tuner", "objective", "max_trials")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(ConfigOptions):
    """Flags of the program."""

    workdir: str = option("Folder of the search: state, results, trials.", required=True)
    tuner: str | None = option("Short for --set tuning.tuner=NAME.", choices=TUNERS)
    objective: str | None = option("Short for --set tuning.objective=NAME.", choices=OBJECTIVES)
    max_trials: int | None = option("Short for --set tuning.max_trials=NUMBER.")


def main(options: Options) -> int:
    """Searches."""
    given = {name: value for name in SHORT if (value := getattr(options, name)) is not None}
    config = options.configured().override_from_flags([f"tuning.{name}={value}" for name, value in given.items()])

    from tf_wsgen.tuning.search import tune

    tuning = config.tuning
    print(f"Searching λ by {tuning.tuner}, {tuning.max_trials} trials, seed {tuning.seed}, into {options.workdir}.")
    outcome = tune(config, options.workdir)
    if outcome is None:
        print("This worker is done; its chief has the results.")
        return 0
    print(f"\n{outcome.table()}\n")
    if outcome.interrupted:
        print("Stopped; the same command resumes.")
        return SIGNALLED + outcome.interrupted
    if not outcome.best:
        raise NonFiniteLossError(f"no trial has a score; {options.workdir}/trials/*/failure.txt tell why")
    print(f"Best: trial {outcome.best.name}. Train with it: scripts/train.py --config {options.workdir}/best.yaml")
    return 0
