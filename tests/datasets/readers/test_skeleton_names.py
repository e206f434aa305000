"""Names of joints: files as programs write them, with joints that are not ours among them, and names in a YAML file."""

import numpy as np
import pytest
from refusals import refuses, table

from tf_wsgen.datasets.readers.motion import Motion
from tf_wsgen.datasets.readers.skeleton_names import JOINT_TABLES, given_table, known_table, read_joint_names
from tf_wsgen.skeleton import HUMAN16

LIMBS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
# By skeleton and program: the left limbs' names in the order of `LIMBS`, what is left and right in them, the names of
# thorax, neck and head, and some joints beside.
FILES = [
    ("MotionBuilder, Mixamo, Vicon, LAFAN1", "Mixamo",
     "mixamorig:LeftUpLeg mixamorig:LeftLeg mixamorig:LeftFoot mixamorig:LeftArm mixamorig:LeftForeArm "
     "mixamorig:LeftHand", ("Left", "Right"), "mixamorig:Neck mixamorig:Head mixamorig:HeadTop_End",
     "mixamorig:LeftShoulder mixamorig:LeftToeBase mixamorig:LeftHandThumb1 mixamorig:HeadTop_End_end"),
    ("MotionBuilder, Mixamo, Vicon, LAFAN1", "Mixamo without the colon",
     "mixamorig1LeftUpLeg mixamorig1LeftLeg mixamorig1LeftFoot mixamorig1LeftArm mixamorig1LeftForeArm "
     "mixamorig1LeftHand", ("Left", "Right"), "mixamorig1Neck mixamorig1Head mixamorig1HeadTop_End",
     "mixamorig1LeftShoulder"),
    ("MotionBuilder, Mixamo, Vicon, LAFAN1", "LAFAN1", "LeftUpLeg LeftLeg LeftFoot LeftArm LeftForeArm LeftHand",
     ("Left", "Right"), "Neck Head -", "LeftToe LeftToe_end Spine Spine1 Spine2 LeftShoulder LeftHand_end"),
    ("MotionBuilder, Mixamo, Vicon, LAFAN1", "Vicon", "LeftUpLeg LeftLeg LeftFoot LeftArm LeftForeArm LeftHand",
     ("Left", "Right"), "Neck Head Head_end", "Neck1 Spine3 LeftShoulder LeftForeArmRoll LeftToeBase LeftToeBase_end"),
    ("Biovision, Xsens", "Xsens", "LeftHip LeftKnee LeftAnkle LeftShoulder LeftElbow LeftWrist", ("Left", "Right"),
     "Neck Head Head_end", "Chest Chest4 LeftCollar LeftToe LeftToe_end"),
    ("Biovision, Xsens", "SMPL-X", "left_hip left_knee left_ankle left_shoulder left_elbow left_wrist",
     ("left", "right"), "neck head -", "pelvis spine3 left_foot left_collar jaw left_index1"),
    ("Biovision's segments", "Biovision", "LeftUpLeg LeftLowLeg LeftFoot LeftUpArm LeftLowArm LeftHand",
     ("Left", "Right"), "Neck Head Head_end", "Chest LeftCollar LeftFoot_end"),
    ("Xsens' segments", "Xsens", "LeftUpperLeg LeftLowerLeg LeftFoot LeftUpperArm LeftForeArm LeftHand",
     ("Left", "Right"), "Neck Head Head_end", "Pelvis L5 T8 LeftShoulder LeftToe"),
    ("Unity", "Unity", "LeftUpperLeg LeftLowerLeg LeftFoot LeftUpperArm LeftLowerArm LeftHand", ("Left", "Right"),
     "Neck Head Head_end", "UpperChest LeftShoulder LeftToes"),
    ("Bandai Namco", "Bandai Namco", "UpperLeg_L LowerLeg_L Foot_L UpperArm_L LowerArm_L Hand_L", ("_L", "_R"),
     "Neck Head Head_end", "joint_Root Chest Shoulder_L Toes_L Toes_L_end"),
    ("Rokoko", "Rokoko", "LeftThigh LeftShin LeftFoot LeftArm LeftForeArm LeftHand", ("Left", "Right"),
     "Neck Head Head_end", "Spine4 LeftShoulder LeftToe"),
    ("Daz", "cgspeed", "lThigh lShin lFoot lShldr lForeArm lHand", ("l", "r"), "neck head -",
     "abdomen chest lButtock lCollar lThumb1 leftEye leftEye_end"),
    ("Daz Genesis", "Daz", "lThighBend lShin lFoot lShldrBend lForearmBend lHand", ("l", "r"), "neckLower head -",
     "lThighTwist lShldrTwist lForearmTwist neckUpper lCollar lEye"),
    ("3ds Max Biped", "Biped", "Bip01 L Thigh,Bip01 L Calf,Bip01 L Foot,Bip01 L UpperArm,Bip01 L Forearm,Bip01 L Hand",
     (" L ", " R "), "Bip01 Neck,Bip01 Head,Bip01 HeadNub", "Bip01,Bip01 L Clavicle,Bip01 L Toe0,Bip01 L Finger0"),
    ("3ds Max Biped", "with lines", "Bip001_L_Thigh Bip001_L_Calf Bip001_L_Foot Bip001_L_UpperArm "
     "Bip001_L_Forearm Bip001_L_Hand", ("_L_", "_R_"), "Bip001_Neck Bip001_Head Bip001_HeadNub", "Bip001_L_Clavicle"),
    ("OptiTrack", "OptiTrack", "LThigh LShin LFoot LUArm LFArm LHand", ("L", "R"), "Neck Head Head_end",
     "Ab Chest LShoulder LToe"),
    ("SMPL", "SMPL", "L_Hip L_Knee L_Ankle L_Shoulder L_Elbow L_Wrist", ("L", "R"), "Neck Head Head_end",
     "Pelvis Spine3 L_Foot L_Collar L_Hand"),
    ("SMPL", "SMPL in FBX", "m_avg_L_Hip m_avg_L_Knee m_avg_L_Ankle m_avg_L_Shoulder m_avg_L_Elbow m_avg_L_Wrist",
     ("_L_", "_R_"), "m_avg_Neck m_avg_Head -", "m_avg_Pelvis m_avg_L_Foot m_avg_L_Collar m_avg_L_Hand"),
    ("Unreal", "Unreal", "thigh_l calf_l foot_l upperarm_l lowerarm_l hand_l", ("_l", "_r"), "neck_01 head -",
     "clavicle_l ball_l thumb_01_l"),
]  # fmt: skip


def listed(text):
    return text.split("," if "," in text else " ")


def motion_of(joints):
    """Two frames of joints anywhere; the first is the root."""
    joints = tuple(joints)
    positions = np.random.default_rng(0).normal(0.0, 500.0, (2, len(joints), 3))
    return Motion(joints, (-1, *[0] * (len(joints) - 1)), positions, 30.0)


@pytest.mark.parametrize(
    ("left", "sides", "trunk", "others"), [row[2:] for row in FILES], ids=[f"{row[0]}: {row[1]}" for row in FILES]
)
def test_joints_are_found_by_their_names(left, sides, trunk, others):
    ours = {f"left_{joint}": name for joint, name in zip(LIMBS, listed(left), strict=True)}
    ours |= {joint.replace("left", "right"): name.replace(*sides, 1) for joint, name in ours.items()}
    thorax, neck, head = listed(trunk)
    joints = ["Hips", *listed(others), *listed(others.replace(*sides)), thorax, neck, *ours.values()]
    motion = motion_of(dict.fromkeys([*joints, head] if head != "-" else joints))
    poses = motion.human16(known_table(motion, "here"))

    def place(name):
        return motion.positions[:, motion.joints.index(name)]

    expected = {joint: place(name) for joint, name in ours.items()}
    expected |= {"pelvis": (place(ours["left_hip"]) + place(ours["right_hip"])) / 2.0}
    expected |= {"thorax": place(thorax), "neck": place(neck)}
    expected |= {"head": 2.0 * place(neck) - place(thorax) if head == "-" else place(head)}
    for index, joint in enumerate(HUMAN16.joints):
        np.testing.assert_allclose(poses[:, index], expected[joint], atol=1e-9, err_msg=joint)


def test_every_known_skeleton_is_tested():
    # Those of CMU and of this package, which have weights, are tested as files of BVH.
    others = {"human16", "CMU's bones by their ends", "CMU's bones", "CMU by cgspeed"}
    assert {row[0] for row in FILES} | others == set(JOINT_TABLES)


def test_a_joint_too_few_is_named():
    names = "hip neck head lThigh lShin lFoot lShldr lForeArm lHand rThigh rShin rFoot rShldr rForeArm rHand"
    for lost, named in (("rShin", "rShin"), ("neck", "Neck")):
        motion = motion_of(names.replace(lost, "x").split())
        message = f"here: .* the nearest, Daz, has also {named};.*`joint_names`"
        refuses(message, known_table, motion, "here")


def test_two_people_in_a_file_are_not_mixed():
    """Of two prefixes that one counts with which all is there."""
    whole = [f"b:{name}" for side in ("l", "r") for name in (f"{side}Thigh", f"{side}Shin", f"{side}Foot")]
    whole += [f"b:{name}" for side in ("l", "r") for name in (f"{side}Shldr", f"{side}ForeArm", f"{side}Hand")]
    motion = motion_of(["a:lThigh", "a:neck", "b:neck", "b:head", *whole])
    used = {source for weights in known_table(motion, "here").values() for source in weights}
    assert used == {"b:neck", "b:head", *whole}


NAMES = {joint: f"bone of {joint}" for joint in HUMAN16.joints}
NO_NAMES = {
    "a list": ("- left_knee", "holds a list; expected a YAML file of"),
    "nothing": ("# nothing", "holds a NoneType"),
    "lists for names": ("left_knee: [a, b]", r"has 'left_knee': \['a', 'b'\]; expected texts"),
    "numbers for joints": ("1: LeftLeg", "has 1: 'LeftLeg'; expected texts"),
    "no YAML": ("left_knee: {", "cannot be read as a YAML file"),
    "an object": ("left_knee: !!python/object:os.system x", "cannot be read as a YAML file"),
    "no text": ("\udcff\udcfe", "cannot be read as a YAML file"),
}


def test_names_from_a_file(tmp_path):
    (tmp_path / "names.yaml").write_text("\n".join(f"{joint}: {name}" for joint, name in NAMES.items()))
    names = read_joint_names(tmp_path / "names.yaml")
    assert names == NAMES
    assert given_table(names, motion_of(NAMES.values()), "here") == {joint: {NAMES[joint]: 1.0} for joint in NAMES}


@table("text message", NO_NAMES)
def test_a_file_of_names_that_is_none_is_refused(tmp_path, text, message):
    (tmp_path / "names.yaml").write_bytes(text.encode(errors="surrogateescape"))
    refuses(rf"names\.yaml: .*{message}", read_joint_names, tmp_path / "names.yaml")
