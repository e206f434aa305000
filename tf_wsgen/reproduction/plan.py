"""Which runs and measurements each table and figure takes; runs are shared. No TensorFlow here."""

import dataclasses
from collections.abc import Collection, Mapping

from tf_wsgen.config import Config
from tf_wsgen.errors import InputError
from tf_wsgen.reproduction.paper import DIVERSITY_WEIGHTS

TABLES, FIGURES = ("1", "2", "3", "4a", "4b", "5"), ("3", "4")
# What Table 3 hides itself.
HIDING = ("training.least_hidden", "training.most_hidden", "evaluation.num_hidden", "evaluation.hidden_joints")


@dataclasses.dataclass(frozen=True)
class Run:
    """A training run, in a work directory of its name.

    Attributes:
        name: Of its folder.
        words: What it is.
        changes: Fields, by dotted name, that differ from the given configuration.
        data: Which file it is trained on: "data" or "detections".
    """

    name: str
    words: str
    changes: tuple[tuple[str, float], ...] = ()
    data: str = "data"

    def config(self, given: Config, path: str) -> Config:
        """The run's configuration.

        Args:
            given: The configuration that all runs share.
            path: Its data.
        """
        values: dict[str, dict] = {"data": {"path": path}}
        for name, value in self.changes:
            section, field = name.split(".")
            values.setdefault(section, {})[field] = value
        return given.override(values, f"run {self.name}")


@dataclasses.dataclass(frozen=True)
class Measurement:
    """A trained run measured on every test row of a file.

    Attributes:
        run: What is measured.
        kind: "errors" (P1, P2, diversity) or "pck" (3DPCK by scene).
        data: Which file: "data", "detections" or "mpi_inf_3dhp".
        num_hidden: Limb joints hidden in each row.
    """

    run: Run
    kind: str = "errors"
    data: str = "data"
    num_hidden: int = 0


BASE = Run("base", "all losses")
DETECTIONS = Run("detections", "all losses, trained on detected 2D", data="detections")
WITHOUT = Run(
    "without_reg_rec", "without L_reg and L_rec", (("loss.weight_diversity", 0.0), ("loss.weight_reconstruction", 0.0))
)


def hidden_run(least: int, most: int) -> Run:
    """The run with `least` to `most` limb joints hidden in each training pose (λ_2D 20, as in the paper)."""
    exact = least == most
    changes = (
        ("training.least_hidden", least),
        ("training.most_hidden", most),
        ("evaluation.num_hidden", most if exact else 1),  # The held-out rows that choose the best checkpoint.
        ("loss.weight_2d", 20.0),
    )
    number = f"{most}" if exact else f"{least}_to_{most}"
    return Run(f"hidden_{number}", f"hidden limb joints in training: {number.replace('_', ' ')}", changes)


def weight_run(weight: float, config: Config) -> Run:
    """The run with this λ_reg: the one with all losses where the configuration has it already."""
    if weight == config.loss.weight_diversity:
        return BASE
    return Run(f"reg_{weight}", f"λ_reg {weight}", (("loss.weight_diversity", weight),))


def measurements(target: str, config: Config, given: Collection[str]) -> Mapping[str, Measurement]:
    """What a table is made of, by the name that `tables` knows it by; nothing for a figure.

    Args:
        target: One of `targets`.
        config: The configuration that all runs share.
        given: Which files there are: "data", and perhaps "detections", "mpi_inf_3dhp".
    """
    if target in ("table_1", "table_2"):
        detected = {"detected": Measurement(DETECTIONS, data="detections")} if "detections" in given else {}
        return {"ground truth": Measurement(BASE), **detected}
    if target == "table_3":
        special = {f"special {count}": Measurement(hidden_run(count, count), num_hidden=count) for count in (1, 2)}
        for_all = {f"for all {count}": Measurement(hidden_run(0, 2), num_hidden=count) for count in (0, 1, 2)}
        return {"none": Measurement(BASE), **special, **for_all}
    if target == "table_4a":
        return {"full": Measurement(BASE), "without": Measurement(WITHOUT)}
    if target == "table_4b":
        return {str(weight): Measurement(weight_run(weight, config)) for weight in DIVERSITY_WEIGHTS}
    if target == "table_5":
        data = "mpi_inf_3dhp" if "mpi_inf_3dhp" in given else "data"
        return {"pck": Measurement(BASE, kind="pck", data=data)}
    return {}


def runs(target: str, config: Config, given: Collection[str]) -> list[Run]:
    """The runs that a table or figure takes, each once."""
    measured = [measurement.run for measurement in measurements(target, config, given).values()]
    return list(dict.fromkeys(measured or [BASE]))


def targets(tables: Collection[str], figures: Collection[str], everything: bool, given: Collection[str]) -> list[str]:
    """Names such as "table_4a" and "figure_3" of what is asked for, in the paper's order.

    Args:
        tables: Of `TABLES`.
        figures: Of `FIGURES`.
        everything: All that the given files allow.
        given: Which files there are.

    Raises:
        InputError: Nothing is asked for, or Figure 4 without its file.
    """
    if everything and (tables or figures):
        raise InputError("--all is given with --table or --figure; expected one or the other.")
    if everything:
        tables, figures = TABLES, FIGURES if "mpii" in given else FIGURES[:1]
    if not (tables or figures):
        raise InputError(f"expected --table {'|'.join(TABLES)}, --figure {'|'.join(FIGURES)}, or --all.")
    if "4" in figures and "mpii" not in given:
        raise InputError("--figure 4 needs --mpii FILE.h5, a prepared file of MPII.")
    return [f"table_{name}" for name in TABLES if name in tables] + [
        f"figure_{name}" for name in FIGURES if name in figures
    ]


def checked(config: Config, budget: int | None) -> Config:
    """The configuration that all runs share, of `budget` updates rounded up to whole calls into TensorFlow.

    Raises:
        InputError: It hides joints, which Table 3's runs do on their own, or needs several processes.
    """
    for name in HIDING:
        if config.get(name):
            raise InputError(f"{name} is {config.get(name)!r}; expected none hidden: Table 3 hides joints itself.")
    if config.training.strategy == "multi_worker":
        raise InputError("training.strategy is 'multi_worker'; each run of a reproduction is of one process.")
    if budget is None:
        return config
    step = config.training.steps_per_execution
    return config.override({"training": {"updates": -(-budget // step) * step}}, f"--budget {budget}")
