"""Synthetic people: are they human, do the cameras see them, are they a function of the arguments?"""

import numpy as np
import pytest
from refusals import refuses

from tf_wsgen.data.prepared import CAMERA_LABELS
from tf_wsgen.data.synthetic import (
    ARM_CHANNELS,
    ARM_POSTURES,
    BONE_SHARES,
    CAMERAS,
    FLOOR_CLEARANCE,
    LEG_CHANNELS,
    LEG_POSTURES,
    LIMITS,
    LOOK_AT,
    MOVEMENTS,
    joint_positions,
    synthetic_people,
)
from tf_wsgen.geometry.perspective_camera import rotation_looking_at
from tf_wsgen.skeleton import HUMAN16

FRAMES = 40
SIZE = {"train_sequences": 40, "test_sequences": 20, "frames": FRAMES}
GROUPS = ("train", "test")
# float32 at 5 m resolves 0.0005 mm; a joint is the sum of a few such numbers.
ROUNDING = 0.01
AIRBORNE = ("jogging", "jumping")


@pytest.fixture(scope="module")
def exact():
    return synthetic_people(seed=1, **SIZE, noise=0.0)


@pytest.fixture(scope="module")
def noisy():
    return synthetic_people(seed=1, **SIZE)


@pytest.fixture(params=GROUPS)
def group(request, exact):
    return getattr(exact, request.param)


def joint(pose, name):
    return pose[..., HUMAN16.index(name), :].astype(np.float64)


def bone(pose, first, second):
    return joint(pose, second) - joint(pose, first)


def bone_lengths(pose):
    """(N, K) in the order of the skeleton."""
    return np.stack([np.linalg.norm(bone(pose, *names), axis=-1) for names in HUMAN16.bones], axis=-1)


def angle(first, second):
    cosine = (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def world(group):
    """(N, J, 3) poses in the room, from those in the cameras."""
    result = np.empty(group.pose_3d.shape)
    for name, (position, _, _) in CAMERAS.items():
        rows = group.labels["camera"] == name
        result[rows] = group.pose_3d[rows] @ rotation_looking_at(np.array(position), LOOK_AT) + position
    return result


def forward(pose_world):
    """(N, 2) horizontal direction in which the hips look, unit length."""
    left = bone(pose_world, "right_hip", "left_hip")
    ahead = np.stack([left[:, 1], -left[:, 0]], axis=-1)
    return ahead / np.linalg.norm(ahead, axis=-1, keepdims=True)


def at_zero(**angles):
    """The joints of a body whose thigh is 245 mm, ..., with all angles 0 but the given ones."""
    limbs = ("hip", "knee", "shoulder", "elbow")
    channels = {name: np.zeros((2, 1, 1) if name.split("_")[0] in limbs else (1, 1)) for name in LIMITS}
    channels |= {name: np.broadcast_to(float(value), channels[name].shape) for name, value in angles.items()}
    bones = {name: np.array([[1000.0 * share]]) for name, share in BONE_SHARES.items()}
    return dict(zip(HUMAN16.joints, joint_positions(channels, bones)[0, 0], strict=True))


def test_shapes_and_labels(noisy):
    assert noisy.joints == HUMAN16.joints
    assert noisy.source == "synthetic people (kinematic model, not real motion)"
    for group, sequences in ((noisy.train, SIZE["train_sequences"]), (noisy.test, SIZE["test_sequences"])):
        rows = sequences * FRAMES * len(CAMERAS)
        assert (group.pose_2d.shape, group.pose_3d.shape) == ((rows, 16, 2), (rows, 16, 3))
        assert group.pose_2d.dtype == group.pose_3d.dtype == np.float32
        assert group.paired
        assert set(group.labels) == {"action", "subject", "sequence", "camera", "confidence", *CAMERA_LABELS}
        for name in ("action", "subject", "sequence", "camera"):
            assert (group.labels[name].shape, group.labels[name].dtype.kind) == ((rows,), "U")


def test_refuses():
    wrong = {"train_sequences": 0, "test_sequences": -1, "frames": 0, "seed": -1, "noise": np.nan}
    for name, value in wrong.items():
        refuses(name, synthetic_people, **{name: value})


def test_same_arguments_same_numbers(exact):
    again, other = (synthetic_people(seed=seed, **SIZE, noise=0.0) for seed in (1, 2))
    for name in GROUPS:
        first, second, third = (getattr(data, name) for data in (exact, again, other))
        np.testing.assert_array_equal(first.pose_2d, second.pose_2d)
        np.testing.assert_array_equal(first.pose_3d, second.pose_3d)
        for label, values in first.labels.items():
            np.testing.assert_array_equal(values, second.labels[label])
        assert (first.pose_3d != third.pose_3d).mean() > 0.99


def test_groups_are_independent(exact):
    fewer = synthetic_people(seed=1, **SIZE | {"train_sequences": 2}, noise=0.0)
    np.testing.assert_array_equal(fewer.test.pose_3d, exact.test.pose_3d)
    np.testing.assert_array_equal(fewer.test.labels["sequence"], exact.test.labels["sequence"])
    assert not set(exact.train.labels["subject"]) & set(exact.test.labels["subject"])
    # The same movement of the same index is not the same motion, nor the same person.
    assert np.abs(bone_lengths(exact.train.pose_3d[:1]) - bone_lengths(exact.test.pose_3d[:1])).max() > 2.0


def test_a_sequence_is_one_movement_seen_by_all_cameras(group):
    labels, poses = group.labels, world(group)
    names, counts = np.unique(labels["sequence"], return_counts=True)
    assert (counts == FRAMES * len(CAMERAS)).all()
    assert len(names) == len(group.pose_2d) // (FRAMES * len(CAMERAS))
    for name in names:
        rows = labels["sequence"] == name
        assert len(set(labels["action"][rows])) == len(set(labels["subject"][rows])) == 1
        views = np.array([poses[rows & (labels["camera"] == camera)] for camera in CAMERAS])
        assert np.ptp(views, axis=0).max() < ROUNDING


def test_sequences_differ_and_move_smoothly(group):
    assert set(group.labels["action"]) == set(MOVEMENTS)
    poses = world(group).reshape(-1, len(CAMERAS), FRAMES, 16, 3)[:, 0]
    assert np.linalg.norm(poses[1:] - poses[:-1], axis=-1).mean(axis=(1, 2)).min() > 20.0
    step = np.linalg.norm(np.diff(poses, axis=1), axis=-1)
    assert (step.max(axis=(1, 2)) > 10.0).all()  # mm a frame: nobody is frozen,
    assert step.max() < 1000.0  # nobody jumps from one pose to another: 10 m/s at 10 frames a second.


def test_bones_of_a_person_keep_their_lengths(group):
    lengths = bone_lengths(group.pose_3d)
    for subject in np.unique(group.labels["subject"]):
        own = lengths[group.labels["subject"] == subject]
        assert np.ptp(own, axis=0).max() < ROUNDING
    assert np.ptp(lengths, axis=0).min() > 5.0  # People differ.


def test_left_and_right_are_symmetric_about_the_pelvis(group):
    middle = 0.5 * (joint(group.pose_3d, "right_hip") + joint(group.pose_3d, "left_hip"))
    np.testing.assert_allclose(joint(group.pose_3d, "pelvis"), middle, atol=ROUNDING)
    lengths = bone_lengths(group.pose_3d)
    for first, second in HUMAN16.symmetric_bones:
        np.testing.assert_allclose(lengths[:, first], lengths[:, second], atol=ROUNDING)


# Of the bones: the shortest, the longest and the mean, mm.
BONES = {
    ("right_hip", "right_knee"): (320, 540, 420), ("right_knee", "right_ankle"): (320, 540, 420),
    ("right_hip", "pelvis"): (85, 145, 115), ("pelvis", "thorax"): (390, 630, 495),
    ("thorax", "neck"): (75, 125, 100), ("neck", "head"): (80, 140, 110),
    ("thorax", "right_shoulder"): (125, 215, 167), ("right_shoulder", "right_elbow"): (230, 390, 300),
    ("right_elbow", "right_wrist"): (185, 315, 245),
}  # fmt: skip


def test_people_are_of_human_size(exact):
    lengths = dict(zip(HUMAN16.bones, bone_lengths(exact.train.pose_3d).T, strict=True))
    for names, (low, high, mean) in BONES.items():
        assert low < lengths[names].min() < lengths[names].max() < high, names
        assert lengths[names].mean() == pytest.approx(mean, rel=0.06), names


@pytest.mark.parametrize("side", ["right", "left"])
def test_knees_and_elbows_bend_within_their_limits(group, side):
    for upper, middle, lower in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
        first, second = (
            bone(group.pose_3d, f"{side}_{a}", f"{side}_{b}") for a, b in ((upper, middle), (middle, lower))
        )
        flexion = angle(first, second)
        low, _, high = LIMITS[f"{middle}_flexion"]
        # The arccos is steep next to 0: rounding of the positions is worth a tenth of a degree.
        assert low - 0.1 <= flexion.min() <= flexion.max() <= high + 0.1
        assert np.ptp(flexion) > 100.0  # And they use them.


@pytest.mark.parametrize("side", ["right", "left"])
def test_knees_never_bend_backwards(group, side):
    """Thigh x shank points to the person's left when the shank goes back from the thigh."""
    pose = group.pose_3d
    thigh = bone(pose, f"{side}_hip", f"{side}_knee")
    shank = bone(pose, f"{side}_knee", f"{side}_ankle")
    left = bone(pose, "right_hip", "left_hip")
    sine = (np.cross(thigh, shank) * left).sum(-1)
    sine /= np.linalg.norm(thigh, axis=-1) * np.linalg.norm(shank, axis=-1) * np.linalg.norm(left, axis=-1)
    assert sine.min() > -1e-4
    bent = angle(thigh, shank) > 20.0
    assert sine[bent].min() > 0.1


def test_trunk_and_hips_stay_within_human_limits(group):
    pose = world(group)
    spine, neck = bone(pose, "pelvis", "thorax"), bone(pose, "thorax", "neck")
    assert angle(neck, bone(pose, "neck", "head")).max() < 45.0
    assert angle(spine, neck).max() < 90.0
    # The spine's chord turns half of flexion and sideways bend: it leaves the hips' normal plane a little.
    assert np.abs(angle(spine, bone(pose, "right_hip", "left_hip")) - 90.0).max() < 15.0
    for side in ("right", "left"):
        hip = 180.0 - angle(spine, bone(pose, f"{side}_hip", f"{side}_knee"))
        assert hip.max() < LIMITS["hip_flexion"][2] + 0.5 * LIMITS["spine_flexion"][2]
        # Two shoulders never come closer than a folded chest allows.
        assert np.linalg.norm(bone(pose, "right_shoulder", "left_shoulder"), axis=-1).min() > 200.0


@pytest.mark.parametrize(("channels", "postures"), [(LEG_CHANNELS, LEG_POSTURES), (ARM_CHANNELS, ARM_POSTURES)])
def test_postures_are_within_the_limits(channels, postures):
    low, rest, high = np.array([LIMITS[name] for name in channels]).T
    angles = np.array([rest, *postures.values()])
    assert angles.shape[1] == 4
    assert ((low <= angles) & (angles <= high)).all()


def test_wrists_stay_out_of_the_trunk(exact):
    pose = world(exact.train)
    trunk = bone(pose, "pelvis", "thorax")
    for side in ("right", "left"):
        wrist = bone(pose, "pelvis", f"{side}_wrist")
        along = np.clip((wrist * trunk).sum(-1) / (trunk * trunk).sum(-1), 0.0, 1.0)
        assert (np.linalg.norm(wrist - along[:, None] * trunk, axis=-1) < 80.0).mean() < 0.03


def test_feet_are_on_the_floor(group):
    pose, action = world(group), group.labels["action"]
    ankles = np.minimum(joint(pose, "right_ankle")[:, 2], joint(pose, "left_ankle")[:, 2])
    on_feet = ~np.isin(action, (*AIRBORNE, "kneeling", "sitting_on_floor", "bending", "crouching"))
    np.testing.assert_allclose(ankles[on_feet], FLOOR_CLEARANCE["ankle"], atol=ROUNDING)
    assert ankles.min() > FLOOR_CLEARANCE["ankle"] - ROUNDING
    assert pose[..., 2].min() > min(FLOOR_CLEARANCE.values()) - ROUNDING
    flight = ankles[action == "jumping"]
    assert flight.min() < 90.0
    assert flight.max() > 180.0


def test_people_stay_in_the_capture_area_and_look_everywhere(group):
    pose = world(group)
    feet = 0.5 * (joint(pose, "right_ankle") + joint(pose, "left_ankle"))
    # The path ends at 950 mm; a walker's feet are behind or before the pelvis.
    assert np.linalg.norm(feet[:, :2], axis=-1).max() < 1100.0
    ahead = forward(pose)
    quadrant = 2 * (ahead[:, 0] > 0) + (ahead[:, 1] > 0)
    assert (np.bincount(quadrant, minlength=4) > 0.05 * len(ahead)).all()


def test_walkers_go_where_they_look_and_swing_the_other_arm(group):
    walking = group.labels["action"] == "walking"
    pose = world(group)[walking].reshape(-1, FRAMES, 16, 3)
    ahead = forward(pose.reshape(-1, 16, 3)).reshape(-1, FRAMES, 2)
    velocity = np.diff(joint(pose, "pelvis")[..., :2], axis=1)
    speed = np.linalg.norm(velocity, axis=-1)
    assert 60.0 < speed.mean() < 160.0  # mm a frame at 10 frames a second: 0.6 to 1.6 m/s.
    assert ((velocity * ahead[:, 1:]).sum(-1) / speed).mean() > 0.9
    assert (np.ptp(speed, axis=1) < 0.2 * speed.mean(axis=1)).all()  # A pelvis does not stop at every step.
    for leg, arm in (("right", "right"), ("left", "left")):
        step = (bone(pose, "pelvis", f"{leg}_knee")[..., :2] * ahead).sum(-1)
        swing = (bone(pose, f"{arm}_shoulder", f"{arm}_elbow")[..., :2] * ahead).sum(-1)
        for one_step, one_swing in zip(step, swing, strict=True):
            assert np.corrcoef(one_step, one_swing)[0, 1] < -0.3


def test_projection_is_that_of_the_absolute_pose_in_the_image(group):
    assert group.pose_3d[..., 2].min() > 2500.0
    assert np.abs(joint(group.pose_3d, "pelvis")[:, 2] - 5000.0).max() < 2000.0
    assert group.pose_2d.min() > 0.0
    assert group.pose_2d.max() < 1024.0
    for name, (_, focal, centre) in CAMERAS.items():
        rows = group.labels["camera"] == name
        pose = group.pose_3d[rows].astype(np.float64)
        pixels = np.array(focal) * pose[..., :2] / pose[..., 2:] + centre
        np.testing.assert_allclose(group.pose_2d[rows], pixels, atol=0.01)


def test_noise_is_the_detectors(exact, noisy):
    for name in GROUPS:
        np.testing.assert_array_equal(getattr(noisy, name).pose_3d, getattr(exact, name).pose_3d)
        pixels = getattr(exact, name).pose_2d.astype(np.float64)
        relative = (getattr(noisy, name).pose_2d - pixels) / np.ptp(pixels, axis=1).max(axis=-1)[:, None, None]
        # Half of what is measured, the median of the normal's size, in shares of the joints' extent and not the height.
        assert 1.0 < np.median(np.abs(relative[:, HUMAN16.index("neck")])) / (0.67 * 0.005) < 1.7
        assert abs(relative.mean()) < 1e-3
        score = getattr(noisy, name).labels["confidence"]
        assert score.shape == pixels.shape[:2]
        assert "confidence" not in getattr(exact, name).labels


def test_cameras_stand_in_four_quadrants_five_metres_from_the_middle():
    positions = np.array([position for position, _, _ in CAMERAS.values()])
    distances = np.linalg.norm(positions - LOOK_AT, axis=-1)
    assert ((distances > 4500.0) & (distances < 5500.0)).all()
    assert len({tuple(signs) for signs in np.sign(positions[:, :2])}) == 4


def test_forward_kinematics_of_a_straight_body():
    body = at_zero()
    for joint_name, place in (("pelvis", [0, 0, 0]), ("thorax", [0, 0, 290]), ("left_hip", [0, 67, 0])):
        np.testing.assert_allclose(body[joint_name], place)
    np.testing.assert_allclose(body["right_ankle"], [0, -67, -490])
    np.testing.assert_allclose(body["left_shoulder"] - body["left_wrist"], [0, 0, 319], atol=1e-9)
    np.testing.assert_allclose(body["left_shoulder"] * [1, -1, 1], body["right_shoulder"], atol=1e-9)
    assert body["left_shoulder"][1] > 0 > body["right_shoulder"][1]


def test_forward_kinematics_of_right_angles():
    """x forward, y left, z up; a right angle in one joint at a time, and then two."""
    for side, outwards in (("left", 1.0), ("right", -1.0)):
        for upper, lower, vector, angles in (
            ("hip", "knee", [245, 0, 0], {"hip_flexion": 90}),
            ("hip", "knee", [0, 245 * outwards, 0], {"hip_abduction": 90}),
            ("knee", "ankle", [-245, 0, 0], {"knee_flexion": 90}),
            ("elbow", "wrist", [143, 0, 0], {"elbow_flexion": 90}),
            ("elbow", "wrist", [0, -143 * outwards, 0], {"elbow_flexion": 90, "shoulder_rotation": 90}),
            ("elbow", "wrist", [0, 0, 143], {"elbow_flexion": 90, "shoulder_flexion": 90}),
            ("shoulder", "wrist", [0, 0, 319], {"shoulder_flexion": 180}),
        ):
            body = at_zero(**angles)
            found = body[f"{side}_{lower}"] - body[f"{side}_{upper}"]
            np.testing.assert_allclose(found, vector, atol=1e-9, err_msg=f"{side}: {angles}")
    np.testing.assert_allclose(at_zero(pelvis_lean=90)["thorax"], [290, 0, 0], atol=1e-9)
    np.testing.assert_allclose(at_zero(pelvis_sideways=90)["thorax"], [0, -290, 0], atol=1e-9)


def test_up_is_the_rooms_in_every_camera(group):
    up = group.pose_3d_up
    np.testing.assert_allclose(np.linalg.norm(up, axis=1), 1.0, rtol=1e-5)
    walking = group.labels["action"] == "walking"
    assert angle(bone(group.pose_3d, "pelvis", "thorax"), up)[walking].max() < 30.0
