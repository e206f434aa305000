"""Joints by the names that programs and data sets give them."""

import numpy as np
import pytest
from refusals import refuses, table

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, convert
from tf_wsgen.datasets.readers.joint_names import convention_of_names, convention_of_set, unused_names
from tf_wsgen.skeleton import HUMAN16

SHOULDERS_TO_KNEES = {
    "words": "left_shoulder right_shoulder left_hip right_hip left_knee right_knee",
    "initials": "l_shoulder r_shoulder l_hip r_hip l_knee r_knee",
    "camels": "LShoulder RShoulder LHip RHip LKnee RKnee",
    "one word": "lshoulder rshoulder lhip rhip lknee rknee",
    "capitals": "LEFT_SHOULDER RIGHT_SHOULDER LEFT_HIP RIGHT_HIP LEFT_KNEE RIGHT_KNEE",
    "side last": "Shoulder_L Shoulder_R Hip_L Hip_R Knee_L Knee_R",
    "side after a dot": "shoulder.l shoulder.r hip.l hip.r knee.l knee.r",
    "joints": "LShoulderJoint RShoulderJoint left_hip_joint right_hip_joint left_knee_joint right_knee_joint",
    "Mixamo": "mixamorig:LeftArm mixamorig:RightArm LeftUpLeg RightUpLeg LeftLeg RightLeg",
    "Daz": "lShldr rShldr lThigh rThigh lShin rShin",
}
ORDER = ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "left_knee", "right_knee")


@table("names", SHOULDERS_TO_KNEES)
def test_spellings(names):
    found = convention_of_names(names.split())
    values = np.arange(12.0).reshape(6, 2)
    human = convert(values, found)
    for index, joint in enumerate(ORDER):
        np.testing.assert_array_equal(human.points[HUMAN16.index(joint)], values[index])
    # Middles of hips (5, 6 and 7, 8) and shoulders (0, 1 and 2, 3).
    np.testing.assert_array_equal(human.points[HUMAN16.index("pelvis")], [5, 6])
    np.testing.assert_array_equal(human.points[HUMAN16.index("thorax")], [1, 2])
    assert human.visible.sum() == 8


def test_the_names_of_a_known_list_are_that_list():
    for name in set(CONVENTIONS) - {"cmu"}:
        assert convention_of_names(CONVENTIONS[name].joints) is CONVENTIONS[name]


# Names of data sets' lists as programs write them, and the places of our joints in them.
LISTS = {
    "Human3.6M": (
        "root_(pelvis) right_hip right_knee right_foot left_hip left_knee left_foot spine thorax neck_base head "
        "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",
        "human36m_17",
    ),
    "CrowdPose": (
        "left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_hip right_hip left_knee "
        "right_knee left_ankle right_ankle top_head neck",
        "crowdpose14",
    ),
    "Human3.6M by VideoPose3D": (
        "Hip RHip RKnee RFoot LHip LKnee LFoot Spine Thorax Neck/Nose Head LShoulder LElbow LWrist RShoulder RElbow "
        "RWrist",
        None,
    ),
    "bones": (
        "Hips Spine Neck Head LeftShoulder LeftArm LeftForeArm LeftHand RightShoulder RightArm RightForeArm RightHand "
        "LeftUpLeg LeftLeg LeftFoot RightUpLeg RightLeg RightFoot",
        None,
    ),
}
PLACES = {
    "Human3.6M by VideoPose3D": {"pelvis": 0, "right_ankle": 3, "thorax": 8, "neck": 9, "head": 10, "left_wrist": 13},
    "bones": {"pelvis": 0, "thorax": 2, "head": 3, "left_shoulder": 5, "left_wrist": 7, "left_hip": 12, "left_knee": 13,
              "right_ankle": 17},
}  # fmt: skip


@pytest.mark.parametrize("case", LISTS)
def test_lists(case):
    names, known = LISTS[case]
    found = convention_of_names([name.replace("_(pelvis)", " (pelvis)") for name in names.split()])
    assert found.name == (known or "named")
    points = np.arange(len(found.joints) * 2.0).reshape(-1, 2)
    human = convert(points, found).points
    for joint, place in PLACES.get(case, {}).items():
        np.testing.assert_array_equal(human[HUMAN16.index(joint)], points[place], err_msg=joint)


def test_head_and_neck_by_hand():
    names = [*SHOULDERS_TO_KNEES["words"].split(), "nose", "left_ear", "right_ear", "tail"]
    points = np.zeros((10, 1))
    points[[0, 1, 6, 7, 8], 0] = [1, -5, 8, 2, 6]
    found = convention_of_names(names)
    human = dict(zip(HUMAN16.joints, convert(points, found).points[:, 0], strict=True))
    # As in COCO: ears' middle 4, shoulders' middle -2.
    assert (human["thorax"], human["neck"], human["head"]) == (-2, 6, 7)
    assert unused_names(found) == ["tail"]
    # Without ears: on from between the shoulders to the nose, 10 away, and beyond.
    visible = np.array([1, 1, 1, 1, 1, 1, 1, 0, 0, 1])
    human = dict(zip(HUMAN16.joints, convert(points, found, visible).points[:, 0], strict=True))
    assert human["neck"] == 8
    assert human["head"] == pytest.approx(-2 + 10 * 325 / 185)


REFUSED = {
    "numbers": ([str(index) for index in range(17)], "tell no left_shoulder: .*'16'"),
    "an animal": (["left_eye", "right_eye", "nose", "left_front_paw"], "tell no left_shoulder: .*'left_front_paw'"),
    "no knees": (SHOULDERS_TO_KNEES["words"].split()[:4], "tell no left_knee: .*'right_hip'.*expected at least"),
    "a name twice": ([*SHOULDERS_TO_KNEES["words"].split(), "left_hip"], "come twice"),
    "no texts": ([None] * 17, "are no texts"),
}


@table("names message", REFUSED)
def test_names_that_tell_too_little_are_refused_with_the_names(names, message):
    refuses(message, convention_of_names, names)


def test_names_of_data_sets():
    known = {"coco": "coco17", "coco_wholebody": "wholebody133", "Human-Art": "coco17", "halpe": "halpe136",
             "h36m": "human36m_17", "mhp": "mpii16", "posetrack18": "posetrack18"}  # fmt: skip
    assert {name: convention_of_set(name).name for name in known} == known
    assert [convention_of_set(name) for name in ("ap10k", "", None, 3)] == [None] * 4
