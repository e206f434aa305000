"""Trains on a prepared file, or on the built-in synthetic people; run it again to resume.

python scripts/train.py --data FILE.h5 --workdir runs/mine
"""

import dataclasses

from tf_wsgen.config import load_config
from tf_wsgen.programs.command_line import SIGNALLED, ConfigOptions, option, shipped
from tf_wsgen.sections import STRATEGIES


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(ConfigOptions):
    """Flags of the program; without --config it takes configs/posterior.yaml."""

    workdir: str = option("Folder of the run: configuration, logs, checkpoints.", required=True)
    strategy: str | None = option("Short for --set training.strategy=NAME.", choices=STRATEGIES)


def main(options: Options) -> int:
    """Trains."""
    config = options.configured(load_config(shipped("posterior")))
    if options.strategy:
        config = config.override_from_flags([f"training.strategy={options.strategy}"])

    from tf_wsgen.training.loop import train

    print(f"Training on {config.data.path} with seed {config.training.seed}, into {options.workdir}.")
    outcome = train(config, options.workdir)
    if outcome.interrupted:
        print(f"Stopped after update {outcome.updates}; the same command resumes.")
        return SIGNALLED + outcome.interrupted
    print(f"Trained {outcome.updates} updates; scripts/evaluate.py --workdir {options.workdir} measures them.")
    return 0
