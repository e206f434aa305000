"""Makes the paper's tables and figures on your data: trains what they take, measures, writes; run it again to resume.

python scripts/reproduce.py --all --config configs/cmu16.yaml --data FILE.h5 --workdir runs/paper --budget 10000
"""

import dataclasses

from tf_wsgen.programs.command_line import NOT_FINITE, SIGNALLED, ConfigOptions, option
from tf_wsgen.reproduction.plan import FIGURES, TABLES, checked, targets


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(ConfigOptions):
    """Flags of the program."""

    table: tuple[str, ...] = option("A table; may be given many times.", (), choices=TABLES)
    figure: tuple[str, ...] = option("A figure; may be given many times.", (), choices=FIGURES)
    all: bool = option("All tables and figures that the given files allow.", False)
    workdir: str = option("Folder of runs/, results/ and tables/.", required=True)
    budget: int | None = option("Updates of every run; short for --set training.updates.", least=1)
    detections: str | None = option("Prepared file with detected 2D, for Tables 1 and 2.")
    mpii: str | None = option("Prepared file of MPII, for Figure 4.")
    mpi_inf_3dhp: str | None = option("Prepared file to test on in Table 5, instead of --data.")


def main(options: Options) -> int:
    """Trains what lacks, measures and writes."""
    paths = {name: path for name in ("detections", "mpii", "mpi_inf_3dhp") if (path := getattr(options, name))}
    wanted = targets(options.table, options.figure, options.all, paths)
    config = checked(options.configured(), options.budget)

    from tf_wsgen.reproduction.running import reproduce

    updates = f"{config.training.updates:,} updates a run"
    print(f"{', '.join(wanted)} of {config.data.path}, {updates}, into {options.workdir}.")
    outcome = reproduce(config, options.workdir, wanted, paths)
    if outcome.interrupted:
        print("Stopped; the same command resumes.")
        return SIGNALLED + outcome.interrupted
    for name, reason in outcome.failed.items():
        print(f"Run {name} is in the tables as not finite. {reason}")
    return NOT_FINITE if outcome.failed else 0
