"""Makes the paper's tables and figures on your data: trains what they take, measures, writes; run it again to resume.

python scripts/reproduce.py --all --config configs/cmu16.yaml --data FILE.h5 --workdir runs/paper --budget 10000
"""

from absl import flags
from command_line import INTERRUPTED, NOT_FINITE, configured, run

from tf_wsgen.reproduction.plan import FIGURES, TABLES, checked, targets

_TABLE = flags.DEFINE_multi_enum("table", [], TABLES, "A table; may be given many times.")
_FIGURE = flags.DEFINE_multi_enum("figure", [], FIGURES, "A figure; may be given many times.")
_ALL = flags.DEFINE_bool("all", False, "All tables and figures that the given files allow.")
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of runs/, results/ and tables/.", required=True)
_BUDGET = flags.DEFINE_integer("budget", None, "Updates of every run; short for --set training.updates.", lower_bound=1)
_FILES = {
    "detections": flags.DEFINE_string("detections", None, "Prepared file with detected 2D, for Tables 1 and 2."),
    "mpii": flags.DEFINE_string("mpii", None, "Prepared file of MPII, for Figure 4."),
    "mpi_inf_3dhp": flags.DEFINE_string(
        "mpi_inf_3dhp", None, "Prepared file to test on in Table 5, instead of --data."
    ),
}


def main() -> int:
    paths = {name: flag.value for name, flag in _FILES.items() if flag.value}
    wanted = targets(_TABLE.value, _FIGURE.value, _ALL.value, paths)
    config = checked(configured(), _BUDGET.value)

    from tf_wsgen.reproduction.running import reproduce

    print(
        f"{', '.join(wanted)} of {config.data.path}, {config.training.updates:,} updates a run, into {_WORKDIR.value}."
    )
    outcome = reproduce(config, _WORKDIR.value, wanted, paths)
    if outcome.interrupted:
        print("Stopped; the same command resumes.")
        return INTERRUPTED
    for name, reason in outcome.failed.items():
        print(f"Run {name} is in the tables as not finite. {reason}")
    return NOT_FINITE if outcome.failed else 0


if __name__ == "__main__":
    run(main)
