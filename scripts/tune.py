"""Searches the weights λ of the loss terms; run it again to resume, or with more --max_trials to go on.

python scripts/tune.py --config configs/cmu16.yaml --data FILE.h5 --tuner random --max_trials 20 --workdir runs/search
"""

from absl import flags
from command_line import INTERRUPTED, configured, run

from tf_wsgen.errors import NonFiniteLossError
from tf_wsgen.sections import OBJECTIVES, TUNERS

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the search: state, results, trials.", required=True)
_SHORT = {
    "tuner": flags.DEFINE_enum("tuner", None, TUNERS, "Short for --set tuning.tuner=NAME."),
    "objective": flags.DEFINE_enum("objective", None, OBJECTIVES, "Short for --set tuning.objective=NAME."),
    "max_trials": flags.DEFINE_integer("max_trials", None, "Short for --set tuning.max_trials=NUMBER."),
}


def main() -> int:
    given = {name: flag.value for name, flag in _SHORT.items() if flag.value is not None}
    config = configured().override_from_flags([f"tuning.{name}={value}" for name, value in given.items()])

    from tf_wsgen.tuning.search import tune

    tuning = config.tuning
    print(f"Searching λ by {tuning.tuner}, {tuning.max_trials} trials, seed {tuning.seed}, into {_WORKDIR.value}.")
    outcome = tune(config, _WORKDIR.value)
    if outcome is None:
        print("This worker is done; its chief has the results.")
        return 0
    print(f"\n{outcome.table()}\n")
    if outcome.interrupted:
        print("Stopped; the same command resumes.")
        return INTERRUPTED
    if not outcome.best:
        raise NonFiniteLossError(f"no trial has a score; {_WORKDIR.value}/trials/*/failure.txt tell why")
    print(f"Best: trial {outcome.best.name}. Train with it: scripts/train.py --config {_WORKDIR.value}/best.yaml")
    return 0


if __name__ == "__main__":
    run(main)
