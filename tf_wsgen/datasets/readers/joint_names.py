"""Joints by the names that people give them: `l_hip`, `LHip`, `Hip_L`, `LeftUpLeg` are one joint.

A file that names its joints is read by these names, whatever their number and order.
"""

import re
from collections.abc import Sequence

from tf_wsgen.datasets.derived_joints import derivations, places_of
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, Convention
from tf_wsgen.errors import InputError

NEEDED = tuple(f"{side}_{part}" for part in ("shoulder", "hip", "knee") for side in ("left", "right"))
# The lists that data sets and programs mean by a name in their files' meta data.
NAMED_SETS = {
    "coco": "coco17",
    "humanart": "coco17",
    "ochuman": "coco17",
    "body8": "halpe26",
    "cocowholebody": "wholebody133",
    "ubody": "wholebody133",
    "crowdpose": "crowdpose14",
    "aic": "aic14",
    "jhmdb": "jhmdb15",
    "mhp": "mpii16",
    "mpii": "mpii16",
    "posetrack18": "posetrack18",
    "halpe": "halpe136",
    "halpe26": "halpe26",
    "h36m": "human36m_17",
}
# What Apple's Vision calls joints; ARKit, which has hips, means the head itself.
VISION = {
    "head_joint": "nose",
    "neck_1_joint": "neck",
    "left_shoulder_1_joint": "left_shoulder",
    "right_shoulder_1_joint": "right_shoulder",
}
NAMED = "named"
MOST_NAMES = 40


def convention_of_names(names: Sequence[str]) -> Convention:
    """The convention of a file's joints by their names in order: a known one, or one that is called `NAMED`.

    Raises:
        InputError: Names that are none or that come twice, or fewer joints than shoulders, hips and knees.
    """
    if not all(isinstance(name, str) and name.isprintable() for name in names):
        raise InputError("the joints' names are no texts; expected a name for each joint.")
    if "neck_1_joint" in names and "hips_joint" not in names:
        names = [VISION.get(name, name) for name in names]
    places = places_of(names)
    lacking = [joint for joint in NEEDED if joint not in places]
    if lacking or len(set(names)) < len(names):
        problem = f"tell no {lacking[0]}" if lacking else "come twice"
        raise InputError(
            f"the file's names of joints {problem}: {listed(names)}; expected at least shoulders, hips and knees."
        )
    for table in CONVENTIONS.values():
        if len(table.joints) == len(names) and _with_one_head(places_of(table.joints)) == _with_one_head(places):
            return table
    return Convention(NAMED, tuple(names), *derivations(names))


def convention_of_set(name: object) -> Convention | None:
    """The convention of a data set by the name that programs give it; None for an unknown one."""
    known = NAMED_SETS.get(re.sub(r"[^a-z0-9]", "", name.lower())) if isinstance(name, str) else None
    return CONVENTIONS[known] if known else None


def unused_names(convention: Convention) -> list[str]:
    """The file's names that stand for no joint that is known."""
    known = {convention.joints[place] for place in places_of(convention.joints).values()}
    return [name for name in convention.joints if name not in known]


def listed(names: Sequence[str]) -> str:
    """Names for a message: not too many, nor too long ones."""
    return str([name[:MOST_NAMES] for name in names[:MOST_NAMES]]) + (" …" if len(names) > MOST_NAMES else "")


def _with_one_head(places: dict[str, int]) -> dict[str, int]:
    """The only point of the head is its top, however it is called."""
    return {"head_top" if joint == "head" and "head_top" not in places else joint: at for joint, at in places.items()}
