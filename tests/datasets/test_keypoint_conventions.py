"""The table of conventions: lists by hand, and synthetic people with faces seen through every convention."""

import numpy as np
import pytest
from refusals import refuses, table

from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, convention_of, convert
from tf_wsgen.skeleton import HUMAN16

OURS = HUMAN16.joints
# The numbers of joints, and where the joints that are given are in the lists, as the data sets' descriptions count.
COUNTS = {
    "human16": 16, "coco17": 17, "halpe26": 26, "body25": 25, "coco18": 18, "mediapipe33": 33, "mpii16": 16,
    "human36m_17": 17, "human36m_32": 32, "mpi_inf_3dhp_17": 17, "mpi_inf_3dhp_28": 28, "cmu": 31,
    "halpe136": 136, "wholebody133": 133, "crowdpose14": 14, "aic14": 14, "jhmdb15": 15, "posetrack18": 17,
}  # fmt: skip
FROM_28_TO_17 = [7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6]
FROM_17_TO_16 = [8, 9, 10, 11, 12, 13, 14, 1, 16, 0, 5, 6, 7, 2, 3, 4]
INDICES = {
    "human16": list(range(16)),
    "human36m_32": [1, 2, 3, 6, 7, 8, 0, 13, 14, 15, 17, 18, 19, 25, 26, 27],
    "human36m_17": [1, 2, 3, 4, 5, 6, 0, 8, 9, 10, 11, 12, 13, 14, 15, 16],
    "mpii16": [2, 1, 0, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 12, 11, 10],
    "mpi_inf_3dhp_17": FROM_17_TO_16,
    "mpi_inf_3dhp_28": [FROM_28_TO_17[i] for i in FROM_17_TO_16],
}
# Landmarks by the detectors' own numbering.
NUMBERED = {
    "coco17": {0: "nose", 3: "left_ear", 4: "right_ear", 5: "left_shoulder", 10: "right_wrist", 15: "left_ankle"},
    "halpe26": {4: "right_ear", 16: "right_ankle", 17: "head", 18: "neck", 19: "hip", 20: "left_big_toe"},
    "body25": {1: "neck", 2: "right_shoulder", 8: "mid_hip", 9: "right_hip", 14: "left_ankle", 18: "left_ear"},
    "coco18": {1: "neck", 4: "right_wrist", 7: "left_wrist", 8: "right_hip", 13: "left_ankle", 17: "left_ear"},
    "halpe136": {0: "nose", 17: "head", 19: "hip", 25: "right_heel"},
    "wholebody133": {0: "nose", 5: "left_shoulder", 16: "right_ankle"},
    "crowdpose14": {0: "left_shoulder", 3: "right_elbow", 7: "right_hip", 12: "head_top", 13: "neck"},
    "aic14": {0: "right_shoulder", 5: "left_wrist", 6: "right_hip", 11: "left_ankle", 12: "head_top", 13: "neck"},
    "jhmdb15": {0: "neck", 1: "belly", 2: "head", 4: "left_shoulder", 5: "right_hip", 14: "left_ankle"},
    "posetrack18": {1: "head_bottom", 2: "head_top", 5: "left_shoulder", 16: "right_ankle"},
    "mediapipe33": {0: "nose", 7: "left_ear", 12: "right_shoulder", 16: "right_wrist", 28: "right_ankle"},
}  # fmt: skip

# A head, mm to the left, up towards our head joint, forwards. The nose is at an average adult's distance from the ears
# (tragion); our neck joint, the origin, is a little below and before the ears, as Human3.6M's is.
LEFT_EAR, RIGHT_EAR = np.array([72.0, 30.0, -25.0]), np.array([-72.0, 30.0, -25.0])
FACE = {"left_ear": LEFT_EAR, "right_ear": RIGHT_EAR, "nose": (LEFT_EAR + RIGHT_EAR) / 2 + np.array([0, -18, 120])}
# What a convention's name means, where it isn't our joint of that name.
MEANINGS = {
    "halpe26": {"neck": "mid_shoulder", "hip": "pelvis"},
    "halpe136": {"neck": "mid_shoulder", "hip": "pelvis"},
    "crowdpose14": {"neck": "mid_shoulder", "head_top": "head"},
    "aic14": {"neck": "mid_shoulder", "head_top": "head"},
    "jhmdb15": {"neck": "mid_shoulder", "head": "neck"},
    "posetrack18": {"head_bottom": "neck", "head_top": "head"},
    "body25": {"neck": "mid_shoulder", "mid_hip": "pelvis"},
    "coco18": {"neck": "mid_shoulder"},
    "mpii16": {"upper_neck": "neck", "head_top": "head"},
    "mpi_inf_3dhp_17": {"neck": "thorax", "head": "neck", "head_top": "head"},
    "mpi_inf_3dhp_28": {"neck": "thorax", "head": "neck", "head_top": "head"},
    "cmu": {
        "rhipjoint": "right_hip", "rfemur": "right_knee", "rtibia": "right_ankle", "rclavicle": "right_shoulder",
        "rhumerus": "right_elbow", "rradius": "right_radius", "rwrist": "right_hand", "lhipjoint": "left_hip",
        "lfemur": "left_knee", "ltibia": "left_ankle", "lclavicle": "left_shoulder", "lhumerus": "left_elbow",
        "lradius": "left_radius", "lwrist": "left_hand",
        "thorax": "nowhere", "lowerneck": "thorax", "upperneck": "neck",
    },
}  # fmt: skip
# mm that a derived joint may be off: the largest of all frames. All others are exact.
OFF = {"neck": 45.0, "head": 55.0, "thorax": 55.0}
# Beyond the face, the head's point is farther off when it nods.
OFF_IN = {("jhmdb15", "head"): 80.0}
DERIVED = {
    "coco17": {"thorax", "neck", "head", "pelvis"},
    "mediapipe33": {"thorax", "neck", "head", "pelvis"},
    "coco18": {"thorax", "neck", "head", "pelvis"},
    "body25": {"thorax", "neck", "head"},
    "halpe26": {"thorax", "neck"},
    "halpe136": {"thorax", "neck"},
    "wholebody133": {"thorax", "neck", "head", "pelvis"},
    "crowdpose14": {"thorax", "neck", "pelvis"},
    "aic14": {"thorax", "neck", "pelvis"},
    "jhmdb15": {"thorax", "head", "pelvis"},
    "posetrack18": {"thorax", "pelvis"},
    "cmu": {"pelvis", "left_wrist", "right_wrist"},
}  # fmt: skip


@pytest.fixture(scope="module")
def people():
    """(T, 3) mm by name, of moving people with heads; `nowhere` is not a number."""
    pose = synthetic_people(3, train_sequences=32, test_sequences=1, frames=8).train.pose_3d.astype(np.float64)
    points = {joint: pose[:, index] for index, joint in enumerate(OURS)}
    points["mid_shoulder"] = (points["left_shoulder"] + points["right_shoulder"]) / 2
    for side in ("left", "right"):
        # CMU's forearm is a bone of three quarters, and one half as long that goes on along the line.
        for end, share in (("radius", 0.75), ("hand", 1.125)):
            elbow, wrist = points[f"{side}_elbow"], points[f"{side}_wrist"]
            points[f"{side}_{end}"] = elbow + share * (wrist - elbow)
    points["nowhere"] = np.full_like(points["neck"], np.nan)
    up = points["head"] - points["neck"]
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    left = points["left_shoulder"] - points["right_shoulder"]
    left -= (left * up).sum(axis=-1, keepdims=True) * up
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    frame = np.stack([left, up, np.cross(left, up)], axis=-2)
    return points | {name: points["neck"] + place @ frame for name, place in FACE.items()}


def seen_through(people, convention):
    """(T, K, 3): what the convention shows of the people; a joint that nothing is derived from is not a number."""
    names = [MEANINGS.get(convention, {}).get(joint, joint) for joint in CONVENTIONS[convention].joints]
    return np.stack([people.get(name, people["nowhere"]) for name in names], axis=-2)


def test_the_tables_are_complete_and_consistent():
    assert {name: len(convention.joints) for name, convention in CONVENTIONS.items()} == COUNTS
    for name, convention in CONVENTIONS.items():
        assert (convention.name, tuple(convention.human16)) == (name, OURS)
        assert len(set(convention.joints)) == COUNTS[name]
        for weights in convention.human16.values():
            assert set(weights) <= set(convention.joints)
            assert sum(weights.values()) == pytest.approx(1.0, abs=1e-12)
    for name, numbers in NUMBERED.items():
        assert {number: CONVENTIONS[name].joints[number] for number in numbers} == numbers


@pytest.mark.parametrize(("name", "indices"), INDICES.items())
def test_index_lists(name, indices):
    points = np.random.default_rng(0).normal(size=(2, 5, COUNTS[name], 2))
    found = convert(points, name)
    np.testing.assert_array_equal(found.points, points[..., indices, :])
    assert found.visible.all()
    assert found.confidence is None


@pytest.mark.parametrize("name", CONVENTIONS)
def test_people_seen_through_a_convention(people, name):
    found = convert(seen_through(people, name), name).points
    derived = DERIVED.get(name, set())
    for index, joint in enumerate(OURS):
        if joint not in derived:
            np.testing.assert_array_equal(found[:, index], people[joint], err_msg=joint)
        else:
            off = np.linalg.norm(found[:, index] - people[joint], axis=-1)
            assert off.max() < OFF_IN.get((name, joint), OFF.get(joint, 0.01)), (joint, off.max())


def test_derived_joints_by_hand():
    points = np.zeros((17, 1))
    points[:5, 0] = [8, 100, 100, 2, 6]  # Nose, eyes, ears.
    points[[5, 6, 11, 12], 0] = [1, -5, 10, 30]  # Shoulders, hips.
    confidence = np.arange(1.0, 18.0) / 20.0  # Nose 0.05, left ear 0.2, left shoulder 0.3, left hip 0.6.
    found = convert(points, "coco17", confidence=confidence)
    place, sure = (dict(zip(OURS, v, strict=True)) for v in (found.points[:, 0], found.confidence))
    # Ears' middle 4, shoulders' middle −2: neck (8 + 4) / 2, head 4 + (4 + 2) / 2.
    assert (place["pelvis"], place["thorax"], place["neck"], place["head"]) == (20, -2, 6, 7)
    # As sure as the least sure part.
    assert (sure["pelvis"], sure["thorax"], sure["neck"], sure["head"], sure["right_ankle"]) == (
        0.6,
        0.3,
        0.05,
        0.2,
        0.85,
    )


# What is lost with each joint of a COCO-17 person.
# What is lost with joints of a COCO-17 person.
FIVE, SHOULDERS = CONVENTIONS["coco17"].joints[:5], ("left_shoulder", "right_shoulder")
LOST = {
    "left_hip": (["left_hip"], {"left_hip", "pelvis"}),
    "right_shoulder": (["right_shoulder"], {"right_shoulder", "thorax", "head"}),
    "left_eye": (["left_eye"], set()),
    "left_wrist": (["left_wrist"], {"left_wrist"}),
    "the face": (FIVE, {"neck", "head"}),
    "both shoulders": (SHOULDERS, {*SHOULDERS, "head", "thorax"}),
}


@table("hidden lost", LOST)
@pytest.mark.parametrize("content", [0.0, np.nan])
def test_a_missing_part_makes_a_derived_joint_missing(hidden, lost, content):
    index = [CONVENTIONS["coco17"].joints.index(joint) for joint in hidden]
    rng = np.random.default_rng(1)
    points, confidence = rng.normal(size=(2, 3, 17, 2)), rng.uniform(0.5, 1.0, (2, 3, 17))
    visible = np.ones((2, 3, 17))
    whole = convert(points, "coco17", visible, confidence)
    points[0, 1, index], confidence[0, 1, index], visible[0, 1, index] = content, content, 0
    found = convert(points, "coco17", visible, confidence)
    expected = np.ones((2, 3, 16), bool)
    expected[0, 1] = [joint not in lost for joint in OURS]
    np.testing.assert_array_equal(found.visible, expected)
    np.testing.assert_array_equal(found.points, np.where(expected[..., None], whole.points, 0))
    np.testing.assert_array_equal(found.confidence, np.where(expected, whole.confidence, 0))


# What may be hidden of a face, and how far off (mm) neck and head may then be.
PARTIAL_FACES = {
    ("nose",): (60.0, 55.0), ("right_ear",): (60.0, 130.0), ("left_ear",): (60.0, 130.0),
    ("nose", "left_ear"): (95.0, 130.0), ("left_ear", "right_ear"): (110.0, 190.0),
    ("left_ear", "right_ear", "left_eye"): (110.0, 190.0),
    ("left_ear", "right_ear", "left_eye", "right_eye"): (110.0, 220.0),
}  # fmt: skip


@pytest.mark.parametrize(("hidden", "off"), PARTIAL_FACES.items())
def test_head_and_neck_from_a_part_of_the_face(people, hidden, off):
    points = seen_through(people, "coco17")
    visible = np.ones(points.shape[:-1])
    names = CONVENTIONS["coco17"].joints
    middle = (people["left_ear"] + people["right_ear"]) / 2
    for side, ear in (("left", people["left_ear"]), ("right", people["right_ear"])):
        # Eyes: as high as the ears, 32 mm beside the middle, three quarters of the way to the nose before them.
        forwards = 0.75 * (people["nose"] - middle)
        points[..., names.index(f"{side}_eye"), :] = middle + forwards + (ear - middle) * 32.0 / 72.0
    visible[..., [names.index(joint) for joint in hidden]] = 0
    found = convert(points, "coco17", visible)
    for joint, most in zip(("neck", "head"), off, strict=True):
        assert found.visible[..., OURS.index(joint)].all()
        distance = np.linalg.norm(found.points[..., OURS.index(joint), :] - people[joint], axis=-1)
        assert distance.max() < most, (joint, distance.max())


def test_what_a_convention_lacks_is_missing(monkeypatch):
    full = CONVENTIONS["human16"]
    partial = type(full)("partial", full.joints, {j: w for j, w in full.human16.items() if j != "head"})
    monkeypatch.setitem(CONVENTIONS, "partial", partial)
    found = convert(np.ones((4, 16, 2)), "partial", confidence=np.ones((4, 16)))
    expected = np.array([joint != "head" for joint in OURS]) * np.ones((4, 1))
    for values in (found.points[..., 1], found.visible, found.confidence):
        np.testing.assert_array_equal(values, expected)


def test_precision():
    for given, expected in (
        (np.float16, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.uint8, np.float32),
    ):
        assert convert(np.ones((17, 2), given), "coco17").points.dtype == expected


ONES = np.ones((5, 17, 2))
REFUSED = {
    "an unknown name": (ONES, "coco_17", {}, "'coco_17'; did you mean 'coco17'"),
    "a mistyped name": (ONES, "mediapip", {}, "did you mean 'mediapipe33'"),
    "a name that is none": (ONES, None, {}, "did you mean"),
    "too many joints": (ONES, "mpii16", {}, r"shape \(5, 17, 2\); expected \(..., 16, D\)"),
    "no coordinates": (np.ones(17), "coco17", {}, r"shape \(17,\)"),
    "texts": (np.full((17, 2), "1"), "coco17", {}, "points are <U1; expected numbers"),
    "visibility of another shape": (ONES, "coco17", {"visible": np.ones(17)}, r"visible has shape \(17,\)"),
    "visibility of COCO": (ONES, "coco17", {"visible": np.full((5, 17), 2)}, "visible holds values other than 0 and 1"),
    "confidence of another shape": (ONES, "coco17", {"confidence": np.ones((5, 16))}, r"shape \(5, 16\)"),
    "confidence of texts": (ONES, "coco17", {"confidence": np.full((5, 17), "1")}, "confidence are <U1"),
}  # fmt: skip


@table("points name others message", REFUSED)
def test_refused_arguments(points, name, others, message):
    refuses(message, convert, points, name, **others)


def test_convention_by_number_of_joints():
    assert [convention_of(count).name for count in (33, 18, 25)] == ["mediapipe33", "coco18", "body25"]
    # A choice makes it unambiguous.
    assert convention_of(17, ("coco17", "halpe26")).name == "coco17"
    refuses(r"16 joints can be any of \['human16', 'mpii16'\]", convention_of, 16)
    refuses(r"19 joints fit none of \['human16', ", convention_of, 19)
