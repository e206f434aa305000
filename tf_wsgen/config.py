"""The whole configuration of a run: frozen dataclasses, YAML, overrides. No TensorFlow here."""

import contextlib
import dataclasses
import difflib
import pathlib
import types
import typing
from collections.abc import Collection, Iterable, Sequence

import yaml

from tf_wsgen.errors import InputError
from tf_wsgen.sections import (
    OBJECTIVES,
    SCHEDULES,
    STRATEGIES,
    TUNERS,
    DataConfig,
    EvaluationConfig,
    LossConfig,
    NetworkConfig,
    OptimizerConfig,
    TrainingConfig,
    TuningConfig,
)
from tf_wsgen.simulation.settings import SimulationConfig

# TensorFlow's seeds are 32-bit.
LARGEST_SEED = 2**31 - 1
# Weights of what trains the critic, or within a term.
NO_TERMS = ("loss.weight_gradient_penalty", "loss.dot_weight")
_POSITIVE = (
    "network.width",
    "network.code_size",
    "network.pose_branch_width",
    "network.kcs_branch_width",
    "network.num_features",
    "network.trunk_blocks",
    "loss.laplace_scale",
    "optimizer.learning_rate",
    "optimizer.epsilon",
    "optimizer.decay_rate",
    "training.updates",
    "training.steps_per_execution",
    "training.evaluate_every",
    "evaluation.num_hypotheses",
    "evaluation.batch_size",
    "evaluation.validation_rows",
    "evaluation.diversity_chosen",
    "evaluation.posterior_hypotheses",
    "tuning.max_trials",
    "tuning.hyperband_rounds",
)


@dataclasses.dataclass(frozen=True)
class Config:
    """Everything that a run depends on besides the data file's content."""

    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    simulation: SimulationConfig = dataclasses.field(default_factory=SimulationConfig)
    network: NetworkConfig = dataclasses.field(default_factory=NetworkConfig)
    loss: LossConfig = dataclasses.field(default_factory=LossConfig)
    optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = dataclasses.field(default_factory=EvaluationConfig)
    tuning: TuningConfig = dataclasses.field(default_factory=TuningConfig)

    def __post_init__(self):
        for name in _POSITIVE:
            if self.get(name) <= 0:
                raise InputError(f"{name} is {self.get(name)}; expected a number above 0.")
        weights = [f"loss.{field.name}" for field in dataclasses.fields(LossConfig) if "weight_" in field.name]
        counts = ("training.seed", "training.least_hidden", "evaluation.seed", "evaluation.num_hidden", "tuning.seed")
        for name in (*weights, *counts, "network.camera_blocks", "tuning.calibration_weight"):
            if self.get(name) < 0:
                raise InputError(f"{name} is {self.get(name)}; expected a number of at least 0.")
        for name in ("training.seed", "evaluation.seed", "tuning.seed"):
            if self.get(name) > LARGEST_SEED:
                raise InputError(f"{name} is {self.get(name)}; expected at most {LARGEST_SEED}.")
        if not any(self.get(name) for name in weights if name not in NO_TERMS):
            raise InputError("loss has no term to train the generator: all weights are 0; expected one above 0.")
        for name in ("data.validation_fraction", "training.ema_momentum", "optimizer.beta_1", "optimizer.beta_2"):
            if not 0.0 <= self.get(name) < 1.0:
                raise InputError(f"{name} is {self.get(name)}; expected a number from 0 up to, not including, 1.")
        for name in ("optimizer.decay_updates", "evaluation.bandwidth", "tuning.updates"):
            if self.get(name) is not None and self.get(name) <= 0:
                raise InputError(f"{name} is {self.get(name)}; expected a number above 0, or null.")
        for field in dataclasses.fields(TuningConfig):
            name = f"tuning.{field.name}"
            if field.name.startswith("factor_") and self.get(name) < 1:
                raise InputError(f"{name} is {self.get(name)}; expected a number of at least 1.")
        if self.tuning.hyperband_factor < 2:
            raise InputError(f"tuning.hyperband_factor is {self.tuning.hyperband_factor}; expected at least 2.")
        choices = {
            "training.strategy": STRATEGIES,
            "optimizer.schedule": SCHEDULES,
            "tuning.tuner": TUNERS,
            "tuning.objective": OBJECTIVES,
        }
        for name, known in choices.items():
            if self.get(name) not in known:
                raise InputError(f"{name} is {self.get(name)!r}; expected one of {list(known)}.")
        if self.training.batch_size < 2:
            raise InputError(
                "training.batch_size is 1; expected at least 2, the unbiased MMD² compares within a batch."
            )
        if self.training.most_hidden < self.training.least_hidden:
            raise InputError(
                f"training.most_hidden is {self.training.most_hidden}; expected at least training.least_hidden "
                f"({self.training.least_hidden})."
            )
        if self.training.num_codes < 2:
            raise InputError("training.num_codes is 1; expected at least 2, the diversity loss compares two codes.")
        if self.training.evaluate_every % self.training.steps_per_execution:
            raise InputError(
                f"training.steps_per_execution is {self.training.steps_per_execution}; expected a divisor of "
                f"training.evaluate_every ({self.training.evaluate_every})."
            )
        if self.training.updates % self.training.steps_per_execution:
            raise InputError(
                f"training.updates is {self.training.updates}; expected a multiple of "
                f"training.steps_per_execution ({self.training.steps_per_execution})."
            )
        if self.evaluation.diversity_chosen > self.evaluation.diversity_pool:
            raise InputError(
                f"evaluation.diversity_chosen is {self.evaluation.diversity_chosen}; expected at most "
                f"evaluation.diversity_pool ({self.evaluation.diversity_pool})."
            )

    def get(self, name: str):
        """The value of a field by its dotted name, such as "loss.weight_2d"."""
        section, _, field = name.partition(".")
        return getattr(getattr(self, section), field)

    def fields(self, without: Collection[str] = ()) -> dict:
        """Values by dotted name, of every field but some."""
        return {name: self.get(name) for name in _field_names() if name not in without}

    def to_dict(self) -> dict:
        """Plain nested dictionary, as YAML and JSON take it."""
        return dataclasses.asdict(self)

    def override(self, values: dict, where: str) -> "Config":
        """A copy with some fields replaced.

        Args:
            values: {section: {field: value}}; values may be strings as a shell gives them.
            where: What to call the source of the values in an error.

        Raises:
            InputError: An unknown field (the nearest known name is said) or a value of another type.
        """
        sections = {}
        for section, fields in values.items():
            kinds = _kinds(section, where)
            if not isinstance(fields, dict):
                raise InputError(f"{where}: section {section!r} holds {fields!r}; expected fields.")
            changed = {field: _value(section, field, value, kinds, where) for field, value in fields.items()}
            sections[section] = dataclasses.replace(getattr(self, section), **changed)
        return dataclasses.replace(self, **sections)

    def override_from_flags(self, assignments: Sequence[str]) -> "Config":
        """A copy with fields set from texts such as "loss.weight_2d=20"."""
        values: dict[str, dict] = {}
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            section, dot, field = name.strip().partition(".")
            if not (equals and dot):
                known = _nearest(name.strip(), _field_names())
                raise InputError(f"--set {assignment!r}: expected SECTION.FIELD=VALUE{known}.")
            where = f"--set {assignment}"
            value = _value(section, field, text.strip(), _kinds(section, where), where)
            values.setdefault(section, {})[field] = value
        return self.override(values, "--set")

    def to_yaml(self) -> str:
        """Every field as YAML, which `load_config` reads back."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False)


_SECTIONS = typing.get_type_hints(Config)


def load_config(path: str | pathlib.Path) -> Config:
    """The defaults with a YAML file's fields put over them.

    Raises:
        InputError: The file is missing, is not YAML, or has unknown or ill-typed fields.
    """
    path = pathlib.Path(path)
    try:
        values = yaml.safe_load(path.read_text())
    except OSError as error:
        raise InputError(f"{path}: cannot be read as a configuration ({error.strerror}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a YAML file ({str(error).splitlines()[0]}).") from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise InputError(f"{path}: holds a {type(values).__name__}; expected sections {list(_SECTIONS)}.")
    return Config().override(values, str(path))


def _field_names() -> list[str]:
    return [f"{name}.{field.name}" for name, kind in _SECTIONS.items() for field in dataclasses.fields(kind)]


def _nearest(name: object, known: Iterable[str]) -> str:
    matches = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.0)
    return f"; the nearest known name is {matches[0]!r}" if matches else ""


def _kinds(section: object, where: str) -> dict:
    """The types of a section's fields by their names."""
    if section not in _SECTIONS:
        raise InputError(f"{where}: unknown section {section!r}{_nearest(section, _SECTIONS)}.")
    return typing.get_type_hints(_SECTIONS[section])


def _value(section: str, field: str, value, kinds: dict, where: str):
    name = f"{section}.{field}"
    if field not in kinds:
        raise InputError(f"{where}: unknown field {name!r}{_nearest(name, _field_names())}.")
    return _converted(value, kinds[field], f"{where}: {name}")


def _converted(value, annotation, where: str):
    """`value` as the annotated type; texts are read as a shell user means them."""
    optional = isinstance(annotation, types.UnionType)
    kind = typing.get_args(annotation)[0] if optional else annotation
    if isinstance(value, str) and kind is not str:
        lowered = value.lower()
        if optional and lowered in ("null", "none", "~", ""):
            return None
        if kind is bool and lowered in ("true", "false"):
            return lowered == "true"
        if kind in (int, float):
            # YAML reads 1e-4 as text.
            with contextlib.suppress(ValueError):
                value = int(value) if lowered.lstrip("+-").isdigit() else float(value)
    if value is None and optional:
        return None
    if kind is int and type(value) is float and value.is_integer():
        # 1e5 is a fair way to say 100000.
        value = int(value)
    if kind is float and type(value) is int:
        with contextlib.suppress(OverflowError):
            value = float(value)
    if type(value) is not kind or (kind is float and not (-float("inf") < value < float("inf"))):
        raise InputError(f"{where} is {value!r}; expected {kind.__name__}{' or null' if optional else ''}.")
    return value
