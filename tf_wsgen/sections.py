"""The sections of a run's configuration: every option with its default. No TensorFlow here."""

import dataclasses

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
