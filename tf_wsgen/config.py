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
from tf_wsgen.simulation.settings import SimulationConfig

STRATEGIES = ("one_device", "mirrored", "multi_worker")
SCHEDULES = ("exponential", "cosine")
TUNERS = ("random", "hyperband", "bayesian")
OBJECTIVES = ("zero_code_p2", "best_hypothesis_p2", "energy_score", "accuracy_and_calibration")
SYNTHETIC = "synthetic"


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """What to train on."""

    # A prepared HDF5 file, or "synthetic" for the built-in people (no download).
    path: str = SYNTHETIC
    # Name of the skeleton table (tf_wsgen.skeleton.SKELETONS).
    skeleton: str = "human16"
    # Share of the training sequences held out of 2D and 3D; their pairs only measure.
    validation_fraction: float = 0.05


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """Sizes and first weights of the four networks (spec: the paper's are the defaults)."""

    # h: units of trunk, generator, camera and encoder.
    width: int = 1024
    # Z: length of a latent code.
    code_size: int = 1024
    # Units of the discriminator's pose branch and of its kinematic chain branch.
    pose_branch_width: int = 128
    kcs_branch_width: int = 1024
    # Critic features that the kernel compares.
    num_features: int = 8
    # Of the leaky ReLU below zero; null for SiLU in its place.
    negative_slope: float | None = 0.2
    # Residual blocks of the trunk and of the camera network.
    trunk_blocks: int = 1
    camera_blocks: int = 2
    # The trunk also takes which joints are seen, and how surely; each hypothesis has a camera of its own.
    sees_visible: bool = False
    camera_per_hypothesis: bool = False
    # Trained networks lift the mirrored pose as well: the zero code is the mean of both poses.
    mirrored: bool = False
    # Gains on the He-normal first weights of: the codes' part of the generator's first layer, the
    # generator's last layer, the camera's last layer. Below 1 the first poses are of human size.
    code_gain: float = 1.0
    pose_gain: float = 1.0
    camera_gain: float = 1.0


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """Weights λ of the loss terms and their constants."""

    # A term of weight 0 is not computed. Without the adversarial term no discriminator is trained.
    weight_adversarial: float = 1.0
    weight_gradient_penalty: float = 0.1
    weight_2d: float = 10.0
    weight_camera: float = 10.0
    weight_diversity: float = 7.5
    weight_reconstruction: float = 10.0
    # Energy scores of the whole pose and of each joint, the zero code's distance from the truth in the camera
    # frame and in the template frame: any of them makes the batches simulated pairs (section `simulation`).
    weight_pose_energy: float = 0.0
    weight_joint_energy: float = 0.0
    weight_median: float = 0.0
    weight_template_median: float = 0.0
    # Weight of the linear kernel ⟨a, b⟩ beside the rational quadratic ones (the paper writes 1,
    # its program uses 10).
    dot_weight: float = 10.0
    # Scale b of the Laplace likelihood, in normalised 2D coordinates.
    laplace_scale: float = 1.0
    # τ of the diversity loss.
    diversity_threshold: float = 1.0

    @property
    def needs_pairs(self) -> bool:
        """Whether a term compares hypotheses with the pose that was projected."""
        pairs = (self.weight_pose_energy, self.weight_joint_energy, self.weight_median, self.weight_template_median)
        return any(pairs)


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """Adam, one for the discriminator and one for the generator side, on one schedule."""

    learning_rate: float = 1e-4
    beta_1: float = 0.5
    beta_2: float = 0.9
    epsilon: float = 1e-8
    # "exponential", or "cosine": from learning_rate to 0 over training.updates.
    schedule: str = "exponential"
    # Exponential: multiplied by this every `decay_updates` updates (null: every epoch of the 2D poses).
    decay_rate: float = 0.94
    decay_updates: int | None = None


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """The loop."""

    # One update is one discriminator and one generator step on one batch.
    updates: int = 100_000
    # 2D poses a batch (over all replicas), and as many real 3D poses drawn independently of them.
    batch_size: int = 64
    # H: latent codes for each 2D pose of a batch.
    num_codes: int = 2
    seed: int = 0
    strategy: str = "one_device"
    # Limb joints hidden in each 2D pose of a batch: a number drawn from `least_hidden` to `most_hidden`.
    least_hidden: int = 0
    most_hidden: int = 0
    # Momentum of the average of the generator side's weights; 0 switches it off.
    ema_momentum: float = 0.0
    # Compile the update with XLA (one replica only).
    jit_compile: bool = True
    # Updates per call into TensorFlow; must divide `evaluate_every`.
    steps_per_execution: int = 10
    # Updates between two evaluations on the held-out rows, each followed by a checkpoint.
    evaluate_every: int = 2_000


@dataclasses.dataclass(frozen=True)
class EvaluationConfig:
    """How hypotheses are drawn, chosen and scored."""

    num_hypotheses: int = 10
    # Rows a call; changes memory and speed, never a result.
    batch_size: int = 256
    seed: int = 0
    # Mean-shift bandwidth in metres (null: from the spread of each pose's hypotheses).
    bandwidth: float | None = None
    # Held-out rows scored while training, evenly spaced (the final evaluation takes every row).
    validation_rows: int = 2_000
    # Hypotheses from which, and how many, farthest-point sampling chooses for STD-FPS.
    diversity_pool: int = 100
    diversity_chosen: int = 5
    # Look along the ray to each person where the rows' cameras are known (docs/beyond.md).
    along_ray: bool = False
    # The rows' 2D are known to be exact projections, as those of motion capture, and the model is told so.
    exact_2d: bool = False
    # Measure on what the simulated detector finds (section `simulation`) in place of the rows' own 2D.
    detector: bool = False
    # Joints hidden in every row, with commas between them, and limb joints hidden at random in each.
    hidden_joints: str = ""
    num_hidden: int = 0
    # The posterior report's hypotheses a pose, and its rows, evenly spaced (0: all, minutes on two cores).
    posterior_hypotheses: int = 200
    posterior_rows: int = 2_000


@dataclasses.dataclass(frozen=True)
class TuningConfig:
    """The search for the weights λ of the loss terms (scripts/tune.py); training does not look at it."""

    # How λ are chosen.
    tuner: str = "random"
    # What the search makes small, on held-out rows: P2 of the zero code or of the best hypothesis, the energy
    # score of the pose (mm each), or P2 of the zero code + calibration_weight × calibration error.
    objective: str = "zero_code_p2"
    # Millimetres of P2 that a calibration error of 1 is worth.
    calibration_weight: float = 100.0
    # Trials in all, the first with the λ of the section `loss`. With Hyperband's values below, 24 are one pass.
    max_trials: int = 24
    # Updates of a trial (null: training.updates), rounded up to a multiple of training.steps_per_execution.
    updates: int | None = None
    # Draws λ; every trial trains with training.seed.
    seed: int = 0
    # Each λ is drawn, evenly on a log scale, from λ / factor to λ · factor, λ that of the section `loss`; 1 keeps it.
    factor_gradient_penalty: float = 4.0
    factor_2d: float = 4.0
    factor_camera: float = 4.0
    factor_diversity: float = 4.0
    factor_reconstruction: float = 4.0
    factor_joint_energy: float = 4.0
    factor_median: float = 4.0
    factor_template_median: float = 4.0
    # Hyperband goes on with the best 1 / hyperband_factor of the trials, each with that many times the updates;
    # in the last of so many rounds they reach the full number.
    hyperband_factor: int = 3
    hyperband_rounds: int = 3


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

    data: DataConfig = DataConfig()
    simulation: SimulationConfig = dataclasses.field(default_factory=SimulationConfig)
    network: NetworkConfig = NetworkConfig()
    loss: LossConfig = LossConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    tuning: TuningConfig = TuningConfig()

    def __post_init__(self):
        for name in _POSITIVE:
            if self.get(name) <= 0:
                raise InputError(f"{name} is {self.get(name)}; expected a number above 0.")
        weights = [f"loss.{field.name}" for field in dataclasses.fields(LossConfig) if "weight_" in field.name]
        counts = ("training.seed", "training.least_hidden", "evaluation.seed", "evaluation.num_hidden", "tuning.seed")
        for name in (*weights, *counts, "network.camera_blocks", "tuning.calibration_weight"):
            if self.get(name) < 0:
                raise InputError(f"{name} is {self.get(name)}; expected a number of at least 0.")
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
            if section not in _SECTIONS:
                raise InputError(f"{where}: unknown section {section!r}{_nearest(section, _SECTIONS)}.")
            if not isinstance(fields, dict):
                raise InputError(f"{where}: section {section!r} holds {fields!r}; expected fields.")
            known = typing.get_type_hints(_SECTIONS[section])
            changed = {}
            for field, value in fields.items():
                name = f"{section}.{field}"
                if field not in known:
                    raise InputError(f"{where}: unknown field {name!r}{_nearest(name, _field_names())}.")
                changed[field] = _converted(value, known[field], f"{where}: {name}")
            sections[section] = dataclasses.replace(getattr(self, section), **changed)
        return dataclasses.replace(self, **sections)

    def override_from_flags(self, assignments: Sequence[str]) -> "Config":
        """A copy with fields set from texts such as "loss.weight_2d=20"."""
        values: dict[str, dict[str, str]] = {}
        for assignment in assignments:
            name, equals, text = assignment.partition("=")
            section, dot, field = name.strip().partition(".")
            if not (equals and dot):
                known = _nearest(name.strip(), _field_names())
                raise InputError(f"--set {assignment!r}: expected SECTION.FIELD=VALUE{known}.")
            values.setdefault(section, {})[field] = text.strip()
        return self.override(values, " ".join(f"--set {assignment}" for assignment in assignments))

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
