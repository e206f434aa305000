"""Trains on a prepared file, or on the built-in synthetic people; run it again to resume.

python scripts/train.py --data FILE.h5 --workdir runs/mine
"""

import pathlib

from absl import flags
from command_line import INTERRUPTED, configured, run

from tf_wsgen.config import load_config
from tf_wsgen.sections import STRATEGIES

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run: configuration, logs, checkpoints.", required=True)
_STRATEGY = flags.DEFINE_enum("strategy", None, STRATEGIES, "Short for --set training.strategy=NAME.")
# Used without --config.
DEFAULTS = pathlib.Path(__file__).parents[1] / "configs" / "posterior.yaml"


def main() -> int:
    config = configured(default=load_config(DEFAULTS))
    if _STRATEGY.value:
        config = config.override_from_flags([f"training.strategy={_STRATEGY.value}"])

    from tf_wsgen.training.loop import train

    print(f"Training on {config.data.path} with seed {config.training.seed}, into {_WORKDIR.value}.")
    outcome = train(config, _WORKDIR.value)
    if outcome.interrupted:
        print(f"Stopped after update {outcome.updates}; the same command resumes.")
        return INTERRUPTED
    print(f"Trained {outcome.updates} updates; scripts/evaluate.py --workdir {_WORKDIR.value} measures them.")
    return 0


if __name__ == "__main__":
    run(main)
