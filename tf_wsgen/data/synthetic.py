"""Synthetic people: a kinematic model of moving humans seen by four cameras. No download.

A person is a stature and bone lengths; a movement turns random draws into joint angles over time; forward
kinematics, the floor and a path put the body into the room; perspective cameras see it. Body frame:
x forward, y to the left, z up; the room is z up; millimetres and degrees. Arrays over S sequences of F
frames are (S, F), those of paired limbs (2, S, F), right then left; a 1 stands for "the same all along".
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng

from tf_wsgen.data.prepared import CAMERA_LABELS, PoseGroup, PreparedData
from tf_wsgen.data.simulated_detector import detected
from tf_wsgen.errors import InputError
from tf_wsgen.geometry.perspective_camera import PerspectiveCamera, rotation_looking_at
from tf_wsgen.skeleton import HUMAN16

KINDS = tuple(name.split("_")[-1] for name in HUMAN16.joints)  # Joints, whatever their side.
SOURCE = "synthetic people (kinematic model, not real motion)"
FRAME_RATE = 10.0  # Frames a second: 60 frames are long enough for several steps, reaches or bends.
SEQUENCES_PER_PERSON = 4
# fmt: off
STATURE = {"mean": 1710.0, "deviation": 95.0, "low": 1500.0, "high": 1950.0}
BONE_SHARES = {  # Of the stature; hips and shoulders are half the distance between their joints.
    "hip": 0.067, "thigh": 0.245, "shank": 0.245, "spine": 0.290, "neck": 0.058, "head": 0.064,
    "shoulder": 0.098, "upper_arm": 0.176, "forearm": 0.143,
}
BONE_SPREAD, SPREAD_CUT = 0.035, 2.5  # Relative standard deviation of a person's own shares; where it is cut.

# What a joint can do, and its angle in a body at ease: low, rest, high. Zero everywhere is upright with
# straight legs and arms. Flexion and lean are forward (a knee's backward), sideways is to the right, twist
# to the left, abduction outwards, rotation inwards.
LIMITS = {
    "pelvis_lean": (-25, 2, 75), "pelvis_sideways": (-15, 0, 15),
    "spine_flexion": (-20, 3, 55), "spine_sideways": (-25, 0, 25), "spine_twist": (-40, 0, 40),
    "neck_flexion": (-35, 5, 45), "neck_sideways": (-30, 0, 30),
    "hip_flexion": (-25, 2, 125), "hip_abduction": (-15, 4, 45), "hip_rotation": (-45, -6, 35),
    "knee_flexion": (0, 6, 150), "shoulder_flexion": (-45, 4, 175), "shoulder_abduction": (-25, 8, 140),
    "shoulder_rotation": (-90, 15, 90), "elbow_flexion": (2, 14, 145),
}
LEG_CHANNELS = ("hip_flexion", "hip_abduction", "hip_rotation", "knee_flexion")
ARM_CHANNELS = ("shoulder_flexion", "shoulder_abduction", "shoulder_rotation", "elbow_flexion")
PLACEMENT = ("heading", "walked", "lift")  # Degrees, mm along the path, mm above the floor.
SIDE_SIGN = np.array([-1.0, 1.0])[:, None, None]  # The y direction of right and left.

# On top of every movement: a person's habit and a slow wandering, standard deviations as shares of a range.
HABIT_SHARE, WANDER_SHARE, WANDER_WAVES, WANDER_HZ = 0.015, 0.025, 3, (0.05, 0.7)
NECK_SLOPE, SHOULDER_SLOPE = 14.0, 8.0  # At rest: the neck forward, the collarbones down.
COLLARBONE_RHYTHM = 0.18  # Degrees that a collarbone rises for every degree that its arm does.
FLOOR_CLEARANCE = {"ankle": 80.0, "knee": 60.0, "wrist": 25.0, "pelvis": 100.0}  # Of resting joints (mm).
PATH_RADIUS = (300.0, 950.0)  # Of the circle around the middle of the room on which people are (mm).
HEADING_WANDER = 6.0
LOOK_AT = (0.0, 0.0, 900.0)
CAMERAS = {  # Position (mm), focal length and principal point (pixels).
    "north_east": ((3720.0, 3380.0, 1580.0), (1146.0, 1145.0), (513.0, 511.0)),
    "north_west": ((-3410.0, 3590.0, 1660.0), (1148.0, 1147.0), (509.0, 507.0)),
    "south_west": ((-3650.0, -3290.0, 1540.0), (1144.0, 1143.0), (515.0, 508.0)),
    "south_east": ((3300.0, -3480.0, 1620.0), (1145.0, 1146.0), (511.0, 514.0)),
}

LEG_POSTURES = {  # In the order of LEG_CHANNELS; here hip flexion is the thigh's from the vertical.
    "standing": (2, 4, -6, 5), "squat": (96, 16, -16, 124), "half_squat": (55, 10, -8, 80),
    "chair": (86, 8, -3, 84), "chair_forward": (82, 5, -5, 50), "chair_tucked": (80, 6, 0, 108),
    "floor_long": (88, 8, -8, 4), "floor_bent": (118, 8, -3, 84), "floor_crossed": (92, 36, -42, 125),
    "knees": (2, 7, 0, 91), "heels": (58, 7, 0, 146), "foot_front": (86, 8, -4, 88),
    "raised": (75, 5, 0, 80), "kick": (50, 4, 0, 12), "step": (18, 6, -8, 40),
}
ARM_POSTURES = {  # In the order of ARM_CHANNELS.
    "hanging": (4, 8, 15, 14), "crossed": (31, -4, 73, 99), "on_hips": (-8, 45, 72, 98),
    "behind": (-22, 12, 75, 55), "clasped": (14, 4, 55, 75), "on_thighs": (22, 10, 25, 55),
    "propped": (-30, 15, 0, 12), "bent": (5, 10, 10, 85), "talking": (32, 18, 5, 80),
    "forward": (88, 0, 0, 15), "low_forward": (62, 0, 10, 12), "up": (162, 8, 0, 15),
    "sideways": (10, 95, 0, 12), "to_face": (70, 2, 46, 130), "raised_hand": (15, 75, -75, 95),
}
LEG_SPREAD, ARM_SPREAD = 4.0, 7.0  # Standard deviation of a limb's own version of a posture.
PULSE_HZ, SHAKE_HZ = (0.12, 0.35), (0.7, 1.5)  # Of going there and back; of swinging forearms.
WAVES = {  # Shapes of periodic movements over a phase in radians, about 1 high.
    "swing": np.cos,
    # A knee bends most while its leg comes forward, and gives a little when the leg takes the weight.
    "stride": lambda phase: np.exp(3 * np.cos(phase + 1.9) - 3) + 0.25 * np.exp(3 * np.cos(phase - 0.6) - 3),
    "first_half": lambda phase: np.maximum(np.sin(phase), 0.0),
    "second_half": lambda phase: np.maximum(-np.sin(phase), 0.0),
    "twice": lambda phase: np.maximum(np.cos(2.0 * phase), 0.0),
}
# fmt: on

Angles = dict[str, np.ndarray]
Interval = tuple[float, float]
Names = tuple[str, ...]


class Draw:
    """Random numbers for S sequences of F frames, in the shapes that movements need."""

    def __init__(self, rng: Generator, sequences: int, frames: int):
        self.rng, self.sequences = rng, sequences
        self.time = np.arange(frames) / FRAME_RATE

    def uniform(self, low: float, high: float) -> np.ndarray:
        """(S, 1)."""
        return self.rng.uniform(low, high, (self.sequences, 1))

    def phase(self, low_hz: float, high_hz: float) -> np.ndarray:
        """(S, F) growing phase (radians), with a frequency and a start of its own for every sequence."""
        return 2.0 * np.pi * (self.uniform(low_hz, high_hz) * self.time + self.uniform(0.0, 1.0))

    def pulse(self) -> np.ndarray:
        """(S, F) from 0 to 1 and back, dwelling at both."""
        wave = 0.5 - 0.5 * np.cos(self.phase(*PULSE_HZ))
        return wave * wave * (3.0 - 2.0 * wave)

    def wander(self, *shape: int) -> np.ndarray:
        """(*shape, S, F) smooth random functions of unit variance."""
        size = (WANDER_WAVES, *shape, self.sequences, 1)
        turns = self.rng.uniform(*WANDER_HZ, size) * self.time + self.rng.uniform(0.0, 1.0, size)
        waves = self.rng.standard_normal(size) * np.sin(2.0 * np.pi * turns)
        return waves.sum(axis=0) * np.sqrt(2.0 / WANDER_WAVES)

    def going(self, both: float) -> np.ndarray:
        """(2, S, 1) of 0 and 1: which limbs go, one of them or (with the given probability) both."""
        one = self.rng.integers(0, 2, self.sequences) == np.array([[0], [1]])
        return (one | (self.uniform(0.0, 1.0)[:, 0] < both))[..., None].astype(float)

    def posture(self, table: Mapping[str, tuple], names: Names, spread: float) -> np.ndarray:
        """(4, 2, S, 1): one of the named postures for every sequence, with a spread of each limb's own."""
        rows = np.array([table[name] for name in names], float)
        chosen = rows[self.rng.integers(0, len(names), self.sequences)].T[:, None, :, None]
        own = self.rng.standard_normal((len(chosen), 2, self.sequences, 1))
        return chosen + spread * np.clip(own, -SPREAD_CUT, SPREAD_CUT)


def pose(
    draw: Draw, legs: Names = ("standing",), legs_to: Names = (), legs_both: float = 1.0,
    arms: Names = ("hanging",), arms_to: Names = (), arms_both: float = 0.4,
    shake: Interval = (0.0, 0.0), **others: Interval,
) -> Angles:  # fmt: skip
    """The angles of going from one posture (of those named) to another and back.

    `legs_both`, `arms_both` are the probabilities that both limbs go, not one; `shake` is the amplitude of
    a quick swinging of the forearms that go; every other angle goes from one draw to another.
    """
    pulse, legs_going, arms_going = draw.pulse(), draw.going(legs_both), draw.going(arms_both)
    angles = {}
    for channels, table, start, end, weight, spread in (
        (LEG_CHANNELS, LEG_POSTURES, legs, legs_to or legs, legs_going * pulse, LEG_SPREAD),
        (ARM_CHANNELS, ARM_POSTURES, arms, arms_to or arms, arms_going * pulse, ARM_SPREAD),
    ):
        first, second = draw.posture(table, start, spread), draw.posture(table, end, spread)
        angles.update(zip(channels, first + weight * (second - first), strict=True))
    for name in ("shoulder_rotation", "elbow_flexion"):
        angles[name] += arms_going * pulse * draw.uniform(*shake) * np.sin(draw.phase(*SHAKE_HZ))
    for name, interval in others.items():
        first, second = draw.uniform(*interval), draw.uniform(*interval)
        angles[name] = first + pulse * (second - first)
    return angles


def cycle(draw: Draw, hz: Interval, lag: float, stride: Interval, **channels: tuple) -> Angles:
    """The angles of a periodic movement, the left limbs `lag` cycles after the right ones.

    `stride` is the way gone in a cycle (mm); a channel is (interval of its mean, wave, of its amplitude).
    """
    phase = draw.phase(*hz)
    both = np.stack([phase, phase - 2.0 * np.pi * lag])
    angles = {"walked": draw.uniform(*stride) * phase / (2.0 * np.pi)}
    for name, (mean, wave, amplitude) in channels.items():
        shape = WAVES[wave](both if name in LEG_CHANNELS + ARM_CHANNELS else phase)
        angles[name] = draw.uniform(*mean) + draw.uniform(*amplitude) * shape
    return angles


# fmt: off
MOVEMENTS = {  # Joggers gain little ground: the room is too small for a run.
    "standing": partial(pose, arms=("hanging", "crossed", "on_hips", "behind", "clasped"), arms_both=1.0,
        pelvis_sideways=(-6, 6), spine_twist=(-12, 12), neck_flexion=(-10, 25)),
    "walking": partial(cycle, hz=(0.6, 1.0), lag=0.5, stride=(900, 1500),
        hip_flexion=((4, 9), "swing", (15, 26)), knee_flexion=((4, 9), "stride", (48, 65)),
        shoulder_flexion=((-5, 5), "swing", (-28, -8)), elbow_flexion=((10, 30), "swing", (-9, -3)),
        pelvis_lean=((0, 7), "swing", (0, 0)), spine_twist=((-3, 3), "swing", (2, 9))),
    "jogging": partial(cycle, hz=(1.1, 1.5), lag=0.5, stride=(0, 1000), lift=((0, 0), "twice", (40, 90)),
        hip_flexion=((8, 14), "swing", (24, 38)), knee_flexion=((8, 14), "stride", (75, 105)),
        shoulder_flexion=((-8, 8), "swing", (-40, -20)), elbow_flexion=((75, 105), "swing", (-12, -6)),
        pelvis_lean=((5, 14), "swing", (0, 0)), spine_twist=((-3, 3), "swing", (6, 12))),
    "jumping": partial(cycle, hz=(0.6, 0.9), lag=0, stride=(0, 0), lift=((0, 0), "first_half", (90, 350)),
        hip_flexion=((2, 8), "second_half", (38, 60)), knee_flexion=((6, 12), "second_half", (65, 95)),
        shoulder_flexion=((-20, 5), "first_half", (20, 150)), elbow_flexion=((9, 60), "first_half", (-8, 20)),
        pelvis_lean=((0, 5), "second_half", (10, 35)), spine_flexion=((0, 8), "second_half", (5, 25))),
    "sitting": partial(pose, legs=("chair", "chair_forward", "chair_tucked"), legs_both=0.5,
        arms=("on_thighs", "clasped", "crossed"), arms_to=("talking", "bent", "to_face", "forward"),
        pelvis_lean=(-15, 15), spine_flexion=(0, 25), spine_twist=(-20, 20)),
    "sitting_on_floor": partial(pose, legs=("floor_long", "floor_bent", "floor_crossed"),
        arms=("propped", "on_thighs", "clasped"), arms_to=("on_thighs", "talking", "low_forward"),
        pelvis_lean=(-22, 0), spine_flexion=(5, 35), spine_twist=(-20, 20)),
    "kneeling": partial(pose, legs=("knees", "heels"), legs_to=("knees", "foot_front"), legs_both=0.0,
        arms=("hanging", "on_thighs", "clasped"), arms_to=("low_forward", "forward", "talking"),
        pelvis_lean=(0, 20), spine_flexion=(0, 35)),
    "reaching": partial(pose, arms_to=("up", "forward", "sideways"),
        pelvis_lean=(-3, 12), spine_twist=(-25, 25), spine_sideways=(-12, 12)),
    "bending": partial(pose, arms_to=("low_forward", "forward", "hanging"), arms_both=0.7,
        pelvis_lean=(5, 65), spine_flexion=(5, 45), spine_twist=(-20, 20)),
    "crouching": partial(pose, legs_to=("squat", "half_squat"), arms_both=0.7,
        arms_to=("forward", "low_forward", "clasped"), pelvis_lean=(5, 30), spine_flexion=(5, 35)),
    "turning": partial(pose, legs_to=("step",), legs_both=0.0, arms=("hanging", "crossed", "on_hips"),
        arms_both=1.0, heading=(-180, 180), spine_twist=(-25, 25)),
    "waving": partial(pose, arms_to=("raised_hand", "up"), arms_both=0.15, shake=(5, 25)),
    "gesturing": partial(pose, arms=("hanging", "bent", "clasped"), arms_both=0.7, shake=(5, 25),
        arms_to=("talking", "sideways", "forward"), spine_twist=(-20, 20), neck_sideways=(-12, 12)),
    "hand_to_face": partial(pose, arms=("hanging", "crossed"), arms_to=("to_face",), arms_both=0.1),
    "raising_leg": partial(pose, legs_to=("raised", "kick"), legs_both=0, arms=("hanging", "sideways")),
    "stretching": partial(pose, arms_to=("up", "sideways"), arms_both=0.6,
        spine_sideways=(-24, 24), spine_flexion=(-15, 5), spine_twist=(-35, 35)),
}
# fmt: on


def _rotation(axis: int, degrees: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations about x (0), y (1) or z (2)."""
    radians, (i, j) = np.radians(degrees), ((axis + 1) % 3, (axis + 2) % 3)
    matrix = np.zeros((*radians.shape, 3, 3))
    matrix[..., axis, axis] = 1.0
    matrix[..., i, i] = matrix[..., j, j] = np.cos(radians)
    matrix[..., j, i], matrix[..., i, j] = np.sin(radians), -np.sin(radians)
    return matrix


def _frame(forward: np.ndarray, sideways: np.ndarray, twist: np.ndarray | float = 0.0) -> np.ndarray:
    """(..., 3, 3) a segment's frame, twisted, then tilted sideways, then forward; columns x, y, z."""
    return _rotation(1, forward) @ _rotation(0, sideways) @ _rotation(2, twist)


def joint_positions(angles: Mapping[str, np.ndarray], bones: Mapping[str, np.ndarray]) -> np.ndarray:
    """Forward kinematics: (S, F, J, 3) mm in the order of `HUMAN16`, body frame, the pelvis at the origin.

    Args:
        angles: Degrees by the names of `LIMITS`: (S, F), of limbs (2, S, F).
        bones: mm by the names of `BONE_SHARES`: (S, 1).
    """
    spine = np.stack([angles["spine_flexion"], angles["spine_sideways"], angles["spine_twist"]])
    nod, tilt = angles["neck_flexion"], angles["neck_sideways"]
    pelvis = _frame(angles["pelvis_lean"], angles["pelvis_sideways"])
    chest = pelvis @ _frame(*spine)
    thigh, arm = (
        base @ _frame(-angles[flexion], SIDE_SIGN * angles[abduction], -SIDE_SIGN * angles[rotation])
        for base, (flexion, abduction, rotation, _) in ((pelvis, LEG_CHANNELS), (chest, ARM_CHANNELS))
    )
    # The collarbone follows the angle between the upper arm and the spine.
    raised = np.degrees(np.arccos(np.clip((chest[..., 2] * arm[..., 2]).sum(axis=-1), -1.0, 1.0)))
    collar = chest @ _rotation(0, SIDE_SIGN * (COLLARBONE_RHYTHM * raised - SHOULDER_SLOPE))
    outwards, joints = SIDE_SIGN[..., None], {"pelvis": np.zeros(3)}
    for joint, parent, bone, direction in (
        # A bent spine and neck are arcs: their chords turn half as far as their ends.
        ("thorax", "pelvis", "spine", (pelvis @ _frame(*(0.5 * spine)))[..., 2]),
        ("neck", "thorax", "neck", (chest @ _frame(NECK_SLOPE + 0.5 * nod, 0.5 * tilt))[..., 2]),
        ("head", "neck", "head", (chest @ _frame(nod, tilt))[..., 2]),
        ("hip", "pelvis", "hip", outwards * pelvis[..., 1]),
        ("knee", "hip", "thigh", -thigh[..., 2]),
        ("ankle", "knee", "shank", -(thigh @ _rotation(1, angles["knee_flexion"]))[..., 2]),
        ("shoulder", "thorax", "shoulder", outwards * collar[..., 1]),
        ("elbow", "shoulder", "upper_arm", -arm[..., 2]),
        ("wrist", "elbow", "forearm", -(arm @ _rotation(1, -angles["elbow_flexion"]))[..., 2]),
    ):
        joints[joint] = joints[parent] + bones[bone][..., None] * direction
    pairs = [np.broadcast_to(joints[kind], arm.shape[:-1]) for kind in KINDS]
    return np.stack([pair[int("left" in name)] for pair, name in zip(pairs, HUMAN16.joints, strict=True)], -2)


def _draw_bones(rng: Generator, people: int) -> dict[str, np.ndarray]:
    spread = np.clip(rng.standard_normal((len(BONE_SHARES), people)), -SPREAD_CUT, SPREAD_CUT)
    stature = rng.normal(STATURE["mean"], STATURE["deviation"], people).clip(STATURE["low"], STATURE["high"])
    shares = np.array(list(BONE_SHARES.values()))[:, None]
    return dict(zip(BONE_SHARES, stature * shares * (1.0 + BONE_SPREAD * spread), strict=True))


def _draw_angles(rng: Generator, actions: np.ndarray, people: np.ndarray, frames: int) -> Angles:
    """The angles and the placement of all sequences: movement, habit and wandering, inside the limits."""
    angles = {name: np.zeros((len(actions), frames)) for name in PLACEMENT}
    for name, (_, rest, _) in LIMITS.items():
        sides = (2,) if name in LEG_CHANNELS + ARM_CHANNELS else ()
        angles[name] = np.full((*sides, len(actions), frames), float(rest))
    for index, movement in enumerate(MOVEMENTS.values()):
        rows = np.flatnonzero(actions == index)
        for name, values in movement(Draw(rng, len(rows), frames)).items():
            angles[name][..., rows, :] = values
    draw = Draw(rng, len(actions), frames)
    for name, (low, _, high) in LIMITS.items():
        habit = rng.standard_normal(people[-1] + 1)[people, None]
        own = HABIT_SHARE * habit + WANDER_SHARE * draw.wander(*angles[name].shape[:-2])
        angles[name] += (high - low) * own
    # Movements say how thighs stand to the vertical, hips bend from the pelvis.
    angles["hip_flexion"] += angles["pelvis_lean"]
    angles["hip_abduction"] -= SIDE_SIGN * angles["pelvis_sideways"]
    return angles | {name: np.clip(angles[name], low, high) for name, (low, _, high) in LIMITS.items()}


def _place(body: np.ndarray, angles: Angles, draw: Draw) -> np.ndarray:
    """(S, F, J, 3) bodies in the room: on a circle around its middle, the lowest joint on the floor."""
    radius, direction = draw.uniform(*PATH_RADIUS), np.sign(draw.uniform(-1.0, 1.0))
    around = draw.uniform(0.0, 2.0 * np.pi) + direction * angles["walked"] / radius
    # Who walks looks along the path and has the pelvis over it; who stays looks anywhere and keeps the feet.
    stays = np.ptp(angles["walked"], axis=1, keepdims=True) == 0.0
    facing = np.where(stays, draw.uniform(0.0, 2.0 * np.pi), around + direction * 0.5 * np.pi)
    heading = np.degrees(facing) + angles["heading"] + HEADING_WANDER * draw.wander()

    clearance = np.array([FLOOR_CLEARANCE.get(kind, -np.inf) for kind in KINDS])
    height = (clearance - body[..., 2]).max(axis=-1) + angles["lift"]
    ankles = [index for index, kind in enumerate(KINDS) if kind == "ankle"]
    feet = np.where(stays[..., None, None], body[..., ankles, :2].mean(axis=-2, keepdims=True), 0.0)
    body = np.concatenate([body[..., :2] - feet, body[..., 2:]], axis=-1)
    path = np.stack([radius * np.cos(around), radius * np.sin(around), height], axis=-1)
    return body @ np.swapaxes(_rotation(2, heading), -1, -2) + path[..., None, :]


def _cameras() -> list[PerspectiveCamera]:
    """The cameras of `CAMERAS`, which look at `LOOK_AT`."""
    return [
        PerspectiveCamera(
            name, rotation_looking_at(np.array(position), np.array(LOOK_AT)), *map(np.array, (position, focal, centre))
        )
        for name, (position, focal, centre) in CAMERAS.items()
    ]


def _draw_group(seed: SeedSequence, prefix: str, sequences: int, frames: int, noise: float) -> PoseGroup:
    people_rng, motion_rng, place_rng, noise_rng = map(default_rng, seed.spawn(4))
    index = np.arange(sequences)
    people, actions = index // SEQUENCES_PER_PERSON, index % len(MOVEMENTS)
    bones = {name: values[people, None] for name, values in _draw_bones(people_rng, people[-1] + 1).items()}
    angles = _draw_angles(motion_rng, actions, people, frames)
    world = _place(joint_positions(angles, bones), angles, Draw(place_rng, sequences, frames))

    # Sequence by sequence, camera by camera, frame by frame: (S, C, F, J, 3).
    cameras = _cameras()
    views = [camera.to_camera_frame(world) for camera in cameras]
    pixels = [camera.project(view) for camera, view in zip(cameras, views, strict=True)]
    pose_2d = np.stack(pixels, axis=1).reshape(-1, HUMAN16.num_joints, 2)
    scores = {}
    if noise:
        pose_2d, scores["confidence"] = detected(noise_rng, pose_2d, noise)
    pose_3d = np.stack(views, axis=1).reshape(-1, HUMAN16.num_joints, 3)

    action = np.array(list(MOVEMENTS))[actions]
    subject = [f"{prefix}{person + 1:02d}" for person in people]
    sequence = [f"{subject[i]}_{action[i]}_{i:03d}" for i in index]
    labels = {"action": action, "subject": subject, "sequence": sequence}
    labels = {name: np.repeat(values, len(CAMERAS) * frames) for name, values in labels.items()}
    numbers = [(*camera.image_size, camera.mean_focal_length) for camera in cameras]
    of_cameras = {"camera": list(CAMERAS), **dict(zip(CAMERA_LABELS, np.float32(numbers).T, strict=True))}
    labels |= {name: np.tile(np.repeat(values, frames), sequences) for name, values in of_cameras.items()} | scores
    up = np.tile(np.repeat([camera.up for camera in cameras], frames, axis=0), (sequences, 1)).astype(np.float32)
    return PoseGroup(pose_2d.astype(np.float32), pose_3d.astype(np.float32), labels, pose_3d_up=up)


def synthetic_people(
    seed: int = 0, train_sequences: int = 160, test_sequences: int = 40, frames: int = 60, noise: float = 0.5
) -> PreparedData:
    """People of the kinematic model, in the form of a prepared file; the same arguments, the same numbers.

    A sequence is one movement of one person, seen by all `CAMERAS` under one name. The groups have other
    people and independent random streams. Fewer sequences than `MOVEMENTS` show only the first of these.

    Args:
        seed: Of all randomness.
        train_sequences: Sequences of the group `train`.
        test_sequences: Sequences of the group `test`.
        frames: Frames of a sequence, `FRAME_RATE` a second.
        noise: Scale of the simulated detector's errors in `pose_2d`; 0 gives exact projections, without scores.

    Returns:
        N = sequences x cameras x frames rows: `pose_2d` (N, 16, 2) pixels, `pose_3d` (N, 16, 3) mm in the
        camera's frame, not root-centred, and the labels `action`, `subject`, `sequence`, `camera` and `CAMERA_LABELS`.

    Raises:
        InputError: No sequences or frames, or a negative seed or noise.
    """
    counts = {"train_sequences": train_sequences, "test_sequences": test_sequences, "frames": frames}
    for name, value in (counts | {"seed": seed, "noise": noise}).items():
        least = 1 if name in counts else 0
        if not least <= value < np.inf:
            raise InputError(f"{name} is {value}; expected a number from {least}.")
    train_seed, test_seed = SeedSequence(seed).spawn(2)
    train = _draw_group(train_seed, "P", train_sequences, frames, noise)
    test = _draw_group(test_seed, "T", test_sequences, frames, noise)
    return PreparedData(HUMAN16.joints, SOURCE, train, test)
