"""Trains on a prepared file, or on the built-in synthetic people; run it again to resume.

python scripts/train.py --data FILE.h5 --workdir runs/mine
python scripts/train.py --repeat runs/mine --workdir runs/again
"""

import dataclasses

from tf_wsgen.config import Config, load_config
from tf_wsgen.errors import InputError
from tf_wsgen.programs.command_line import SIGNALLED, ConfigOptions, option, shipped
from tf_wsgen.sections import STRATEGIES
from tf_wsgen.training.workdir import Workdir, check_same_data, versions


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(ConfigOptions):
    """Flags of the program; without --config it takes configs/posterior.yaml."""

    workdir: str = option("Folder of the run: configuration, logs, checkpoints.", required=True)
    strategy: str | None = option("Short for --set training.strategy=NAME.", choices=STRATEGIES)
    repeat: str | None = option("Work directory of a run to repeat: its configuration, on the same data.")
    deterministic: bool = option(
        "TensorFlow's deterministic operations alone: on GPUs slower, and always the same.", False
    )


def main(options: Options) -> int:
    """Trains."""
    config = _repeated(options) if options.repeat else options.configured(load_config(shipped("posterior")))
    if options.strategy:
        config = config.override_from_flags([f"training.strategy={options.strategy}"])

    import tensorflow as tf

    from tf_wsgen.data.training_data import Source
    from tf_wsgen.training.loop import train

    if options.deterministic:
        tf.config.experimental.enable_op_determinism()
    source = Source(config.data)
    if options.repeat:
        check_same_data(Workdir(options.repeat), source.fingerprint, config.data.path)
    print(f"Training on {config.data.path} with seed {config.training.seed}, into {options.workdir}.")
    outcome = train(config, options.workdir, source)
    if outcome.interrupted:
        print(f"Stopped after update {outcome.updates}; the same command resumes.")
        return SIGNALLED + outcome.interrupted
    print(f"Trained {outcome.updates} updates; scripts/evaluate.py --workdir {options.workdir} measures them.")
    return 0


def _repeated(options: Options) -> Config:
    """The configuration of the run to repeat; says what is installed in other versions than it had."""
    if options.config or options.set:
        raise InputError("--repeat takes the run's own configuration; expected neither --config nor --set.")
    run = Workdir(options.repeat)
    config = options.configured(run.config())
    then, now = run.run()["versions"], versions()
    changed = [f"{name} {then[name]} then, {now[name]} now" for name in then if then[name] != now.get(name)]
    if changed:
        print(f"WARNING: results may differ: {', '.join(changed)}.")
    return config
