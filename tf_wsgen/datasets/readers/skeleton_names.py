"""Which joint of a motion is which of ours: the skeletons that programs write, known by their names, or names given.

Names are compared by their letters and digits alone, and a prefix may stand before all of them: `mixamorig:LeftLeg` is
LeftLeg, `Bip01 L Calf` and `l_calf` are LCalf.
"""

import logging
import os
import re
from collections.abc import Mapping

import numpy as np
import yaml

from tf_wsgen.datasets.derived_joints import two_sided
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.motion import JointTable, Motion
from tf_wsgen.errors import InputError
from tf_wsgen.files import existing_file, one_sentence
from tf_wsgen.skeleton import HUMAN16

KIND = "a YAML file of the file's joint for each of ours"
ENDS_OF_BONES = "CMU's bones by their ends"
# What programs call the top of the head, as names are compared; "_end" is an End Site.
HEAD_ENDS = ("headtopend", "headtop", "headend", "headnub")
# Share of the neck's length; some programs write End Sites of no length.
SHORTEST_HEAD = 0.2
_log = logging.getLogger(__name__)


_ARM_AND_LEG = "{}UpLeg {}Leg {}Foot {}Arm {}ForeArm {}Hand"
# By skeleton, the first that fits counts: which of its joints is ours. Bones of ASF are known by their ends, joints of
# BVH are bones' beginnings: Neck1 of cgspeed's conversion of CMU is the end of the bone lowerneck.
# (That conversion has no bone "thorax", at least in subject 02: its trunks are 117 mm shorter than CMU's own. It ends
# the forearm where the bone "radius" ends, and has no bone "wrist", which goes on from there along the same line, half
# as long: the wrist is a third beyond.)
JOINT_TABLES: dict[str, JointTable] = {
    "human16": CONVENTIONS["human16"].human16,
    ENDS_OF_BONES: CONVENTIONS["cmu"].human16,
    "CMU's bones": two_sided(
        *("l", "r", "{}femur {}tibia {}foot {}humerus {}radius {}wrist", "upperneck", "head"),
        wrist={"{}hand": 2 / 3, "{}wrist": 1 / 3},
    ),
    "CMU by cgspeed": two_sided(
        *("Left", "Right", _ARM_AND_LEG, "Neck1"), wrist={"{}Hand": 4 / 3, "{}ForeArm": -1 / 3}
    ),
    "MotionBuilder, Mixamo, Vicon, LAFAN1": two_sided("Left", "Right", _ARM_AND_LEG),
    "Biovision, Xsens": two_sided("Left", "Right", "{}Hip {}Knee {}Ankle {}Shoulder {}Elbow {}Wrist"),
    "Biovision's segments": two_sided("Left", "Right", "{}UpLeg {}LowLeg {}Foot {}UpArm {}LowArm {}Hand"),
    "Xsens' segments": two_sided("Left", "Right", "{}UpperLeg {}LowerLeg {}Foot {}UpperArm {}ForeArm {}Hand"),
    "Unity": two_sided("Left", "Right", "{}UpperLeg {}LowerLeg {}Foot {}UpperArm {}LowerArm {}Hand"),
    "Bandai Namco": two_sided("_L", "_R", "UpperLeg{} LowerLeg{} Foot{} UpperArm{} LowerArm{} Hand{}"),
    "Rokoko": two_sided("Left", "Right", "{}Thigh {}Shin {}Foot {}Arm {}ForeArm {}Hand"),
    "Daz": two_sided("l", "r", "{}Thigh {}Shin {}Foot {}Shldr {}ForeArm {}Hand"),
    "Daz Genesis": two_sided("l", "r", "{}ThighBend {}Shin {}Foot {}ShldrBend {}ForearmBend {}Hand", "neckLower"),
    "3ds Max Biped": two_sided("L ", "R ", "{}Thigh {}Calf {}Foot {}UpperArm {}Forearm {}Hand"),
    "OptiTrack": two_sided("L", "R", "{}Thigh {}Shin {}Foot {}UArm {}FArm {}Hand"),
    "SMPL": two_sided("L_", "R_", "{}Hip {}Knee {}Ankle {}Shoulder {}Elbow {}Wrist"),
    "Unreal": two_sided("_l", "_r", "thigh{} calf{} foot{} upperarm{} lowerarm{} hand{}", "neck_01"),
}
# A joint that tells a skeleton from those below it.
SIGNS = {"CMU by cgspeed": "LHipJoint"}


def known_table(motion: Motion, where: str) -> JointTable:
    """The table of `JOINT_TABLES` that fits, with the names of the motion.

    Where the head has no end, it is taken as far beyond the base of the skull as this is from the base of the neck, and
    a log entry says so.

    Raises:
        InputError: The joints are no known skeleton's.
    """
    names = {_plain(name): name for name in motion.joints[::-1]}
    lacking = {}
    for skeleton, table in JOINT_TABLES.items():
        prefix = _prefix(names, table)
        needed = {source for weights in table.values() for source in weights} | {SIGNS.get(skeleton, "")} - {""}
        lacking[skeleton] = sorted(source for source in needed if prefix + _plain(source) not in names)
        # The writer of this package writes bones' ends; who writes their beginnings has this one at the root.
        if skeleton == ENDS_OF_BONES and not lacking[skeleton] and _distance(motion, names[prefix + "lhipjoint"]) < 1.0:
            lacking[skeleton] = ["lhipjoint away from the root"]
        if not lacking[skeleton]:
            found = {
                joint: {names[prefix + _plain(source)]: weight for source, weight in weights.items()}
                for joint, weights in table.items()
            }
            ends = [names[prefix + end] for end in HEAD_ENDS if prefix + end in names]
            return found if "head" in found else found | {"head": _head(motion, found, ends, where)}
    nearest = min(lacking, key=lambda skeleton: len(lacking[skeleton]))
    raise InputError(
        f"{where}: its joints are no known skeleton's; the nearest, {nearest}, has also "
        f"{', '.join(lacking[nearest])}; expected one of {list(JOINT_TABLES)} or the option `joint_names` for the "
        f"joints found: {_listed(motion)}."
    )


def given_table(joint_names: Mapping[str, str], motion: Motion, where: str) -> JointTable:
    """The table of the file's joint for each joint of `HUMAN16`; without a pelvis this is the middle of the hips.

    Raises:
        InputError: Names that `HUMAN16` or the file do not have.
    """
    needed = set(HUMAN16.joints) - {HUMAN16.root}
    if not needed <= set(joint_names) <= set(HUMAN16.joints):
        wrong = sorted(needed ^ (set(joint_names) - {HUMAN16.root}))
        raise InputError(f"joint_names and the joints of {HUMAN16.name} differ in {wrong}; expected those joints.")
    unknown = sorted(set(joint_names.values()) - set(motion.joints))
    if unknown:
        raise InputError(
            f"{where}: joint_names has {unknown}, which the file does not; its joints are {_listed(motion)}."
        )
    middle = {joint_names[hip]: 0.5 for hip in HUMAN16.hips}
    return {HUMAN16.root: middle} | {joint: {name: 1.0} for joint, name in joint_names.items()}


def read_joint_names(path: str | os.PathLike) -> dict[str, str]:
    """The names that a YAML file gives, such as `left_knee: LeftLowerLeg`, as `given_table` takes them.

    Raises:
        InputError: The file is not there, is not YAML, or holds anything but names by name.
    """
    path = existing_file(path, KIND)
    with one_sentence(path, KIND):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds a {type(content).__name__}; expected {KIND}, such as left_knee: LeftLeg.")
    for joint, name in content.items():
        if not isinstance(joint, str) or not isinstance(name, str):
            raise InputError(f"{path}: has {joint!r}: {name!r}; expected texts, such as left_knee: LeftLeg.")
    return content


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _listed(motion: Motion) -> str:
    return ", ".join(motion.joints[:80])


def _prefix(names: Mapping[str, str], table: JointTable) -> str:
    """What stands before the left hip's name in a file; of several prefixes that with which most of the table fits."""
    hip = _plain(next(iter(table["left_hip"])))
    sources = [_plain(source) for weights in table.values() for source in weights]
    prefixes = [name.removesuffix(hip) for name in names if name.endswith(hip)]
    return max(prefixes, key=lambda prefix: sum(prefix + source in names for source in sources), default="")


def _distance(motion: Motion, joint: str, other: str | None = None) -> float:
    """Typical millimetres between two joints, or from a joint to the root."""
    ends = [motion.positions[:, 0 if name is None else motion.joints.index(name)] for name in (joint, other)]
    return float(np.median(np.linalg.norm(ends[0] - ends[1], axis=-1)))


def _head(motion: Motion, found: JointTable, ends: list[str], where: str) -> dict[str, float]:
    (thorax,), (neck,) = found["thorax"], found["neck"]
    for end in ends:
        if _distance(motion, end, neck) > SHORTEST_HEAD * _distance(motion, neck, thorax):
            return {end: 1.0}
    _log.warning("%s: %s has no end; the head is taken as far beyond it as it is from %s.", where, neck, thorax)
    return {neck: 2.0, thorax: -1.0}
