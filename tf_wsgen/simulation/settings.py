"""Every draw of the simulator as a field of the configuration. No TensorFlow here."""

import dataclasses

from tf_wsgen.errors import InputError

# Standard deviation of a person's joints about their mean by the person's height, both in the image (MPII).
DEVIATION_BY_HEIGHT = 0.155
# A joint that is there has at least this score.
LOWEST_SCORE = 0.05
# What `visible` says of a joint that is known to be exact, beyond any score.
EXACT = 2.0


@dataclasses.dataclass(frozen=True)
class SimulationConfig:
    """How pairs are simulated from 3D poses, where a weight of `loss` asks for pairs (docs/beyond.md)."""

    # Bodies: shares that take the legs, and the arms, of another pose; that are tilted about a horizontal
    # axis by N(0, tilt_deviation²) degrees; that are mirrored. Bones vary by 1 + N(0, bone_deviation²).
    legs_share: float = 0.3
    arms_share: float = 0.3
    tilt_share: float = 0.2
    tilt_deviation: float = 40.0
    mirror_share: float = 0.5
    bone_deviation: float = 0.05
    # People's size, of which an image tells nothing, is left out of training and put into calibrated radii:
    # 1 + N(0, size_deviation²) times the mean.
    size_deviation: float = 0.05
    # Views: elevation uniform between the two, roll N(0, roll_deviation²), degrees; distance uniform, metres.
    least_elevation: float = -10.0
    most_elevation: float = 35.0
    roll_deviation: float = 8.0
    least_distance: float = 2.5
    most_distance: float = 9.0
    # Share of poses found by a detector; the others are exact to `exact_error` of the person's height. A
    # detector's inliers are uniformly least_scale to most_scale times as far off as the measured one's; its
    # outliers and exchanged sides uniformly 0 to most_tails times as frequent.
    detector_share: float = 0.6
    exact_error: float = 0.001
    least_scale: float = 0.5
    most_scale: float = 1.2
    most_tails: float = 0.5
    # Share of the exact poses that are known to be, as projections of motion capture are.
    known_exact_share: float = 0.5
    # Share of the detector's poses with a score for each joint, a/(d + a) + N(0, score_deviation²) for an error of
    # d heights, a = score_error, to the power e^N(0, score_power_deviation²) a pose, as detectors scale differently.
    score_share: float = 0.5
    score_error: float = 0.028
    score_deviation: float = 0.14
    score_power_deviation: float = 0.5
    # Share of the detector's poses in another convention: neck and head moved together by N(0, head_deviation²) of
    # the height, hips and shoulders 1 + N(0, width_deviation²) times as wide, thorax and pelvis in their middles.
    convention_share: float = 0.5
    head_deviation: float = 0.03
    width_deviation: float = 0.15
    # Shares of poses with missing joints: some at random; both legs from the knee or the ankle on; head and
    # neck; head; an arm from the elbow on. The rest shows every joint.
    hide_any_share: float = 0.2
    hide_legs_share: float = 0.14
    hide_head_and_neck_share: float = 0.08
    hide_head_share: float = 0.04
    hide_arm_share: float = 0.09
    # Joints hidden at random are each hidden with a rate drawn uniformly from 0 to this.
    most_hidden_rate: float = 0.5

    def __post_init__(self):
        names = [field.name for field in dataclasses.fields(self)]
        values = {f"simulation.{name}": getattr(self, name) for name in names}
        for name, value in values.items():
            if not name.endswith("_elevation") and value < 0:
                raise InputError(f"{name} is {value}; expected a number of at least 0.")
            if name.endswith(("_share", "_rate")) and value > 1:
                raise InputError(f"{name} is {value}; expected a share from 0 to 1.")
        for name in ("least_distance", "score_error"):
            if getattr(self, name) == 0:
                raise InputError(f"simulation.{name} is 0; expected a number above 0.")
        hidden = [name for name in names if name.startswith("hide_")]
        total = sum(getattr(self, name) for name in hidden)
        if total > 1 + 1e-9:
            raise InputError(f"simulation: {', '.join(hidden)} add up to {total:.3g}; expected at most 1.")
        for name in ("elevation", "distance", "scale"):
            least, most = (getattr(self, f"{end}_{name}") for end in ("least", "most"))
            if least > most:
                raise InputError(f"simulation.least_{name} is {least}; expected at most most_{name} ({most}).")
