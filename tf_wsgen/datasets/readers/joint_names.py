"""Joints by the names that people give them: `l_hip`, `LHip`, `Hip_L`, `LeftUpLeg` are one joint.

A file that names its joints is read by these names, whatever their number and order. What "neck" and "head" mean is
told by the names beside them: a neck without a thorax is between the shoulders, a head with a top of the head is
inside it.
"""

import re
from collections.abc import Mapping, Sequence

from tf_wsgen.datasets.derived_joints import (
    BELOW_THE_TOP,
    INSIDE_THE_HEAD,
    MID_HIP,
    MID_SHOULDER,
    extended,
    head_top,
    partial_face,
)
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, Convention
from tf_wsgen.errors import InputError
from tf_wsgen.skeleton import HUMAN16

# What our name for it stands for, best first: in the names of bones "arm" is the shoulder's joint where "shoulder" is
# the collarbone, and "foot" is the ankle where there is no other.
LIMBS = {
    "shoulder": ("uparm", "upperarm", "arm", "shldr", "shoulder", "sho"),
    "elbow": ("elbow", "elb", "forearm", "lowerarm", "lowarm"),
    "wrist": ("wrist", "wri", "hand"),
    "hip": ("hip", "upleg", "upperleg", "thigh"),
    "knee": ("knee", "leg", "lowleg", "lowerleg", "shin", "calf"),
    "ankle": ("ankle", "ank", "foot"),
    "eye": ("eye",),
    "ear": ("ear",),
}
MIDDLE = {
    "pelvis": ("pelvis", "rootpelvis", "root", "midhip", "middlehip", "centerhip", "hipcenter", "hips", "hip"),
    "thorax": ("thorax", "midshoulder", "shouldercenter", "spineshoulder"),
    "low_neck": ("neck", "neckbase", "lowerneck"),
    "upper_neck": ("upperneck", "headbottom", "bottomhead", "necknose"),
    "head_top": ("headtop", "tophead", "headend"),
    "head": ("head",),
    "nose": ("nose",),
}
SIDES = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}
PARTS = {part for parts in LIMBS.values() for part in parts}
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
NAMED = "named"
MOST_NAMES = 40


def convention_of_names(names: Sequence[str]) -> Convention:
    """The joints of ours that names stand for: a known convention, or one that is called `NAMED`.

    Args:
        names: Of the joints, in their order in the file.

    Raises:
        InputError: Names that are none or that come twice, or fewer joints than shoulders, hips and knees.
    """
    if not all(isinstance(name, str) and name.isprintable() for name in names):
        raise InputError("the joints' names are no texts; expected a name for each joint.")
    places = _places(names)
    lacking = [joint for joint in NEEDED if joint not in places]
    if lacking or len(set(names)) < len(names):
        problem = f"tell no {lacking[0]}" if lacking else "come twice"
        raise InputError(
            f"the file's names of joints {problem}: {listed(names)}; expected at least shoulders, hips and knees."
        )
    for table in CONVENTIONS.values():
        if len(table.joints) == len(names) and _with_one_head(_places(table.joints)) == _with_one_head(places):
            return table
    return Convention(NAMED, tuple(names), *_derivations({joint: names[place] for joint, place in places.items()}))


def convention_of_set(name: object) -> Convention | None:
    """The convention of a data set by the name that programs give it; None for an unknown one."""
    known = NAMED_SETS.get(re.sub(r"[^a-z0-9]", "", name.lower())) if isinstance(name, str) else None
    return CONVENTIONS[known] if known else None


def unused_names(convention: Convention) -> list[str]:
    """The file's names that stand for no joint that is known."""
    known = {convention.joints[place] for place in _places(convention.joints).values()}
    return [name for name in convention.joints if name not in known]


def listed(names: Sequence[str]) -> str:
    """Names for a message: not too many, nor too long ones."""
    return str([name[:MOST_NAMES] for name in names[:MOST_NAMES]]) + (" …" if len(names) > MOST_NAMES else "")


def _places(names: Sequence[str]) -> dict[str, int]:
    """The place in the list of each joint that is understood."""
    spelt: dict[tuple[str, str], int] = {}
    for index, name in enumerate(names):
        spelt.setdefault(_side_and_part(name), index)
    wanted = {f"{side}_{joint}": (side, parts) for joint, parts in LIMBS.items() for side in ("left", "right")}
    wanted |= {joint: ("", parts) for joint, parts in MIDDLE.items()}
    found = {}
    for joint, (side, parts) in wanted.items():
        place = next((spelt[side, part] for part in parts if (side, part) in spelt), None)
        if place is not None:
            found[joint] = place
    return found


def _with_one_head(places: dict[str, int]) -> dict[str, int]:
    """The only point of the head is its top, however it is called."""
    return {"head_top" if joint == "head" and "head_top" not in places else joint: at for joint, at in places.items()}


def _side_and_part(name: str) -> tuple[str, str]:
    """("left", "upleg") of "mixamorig:LeftUpLeg"; ("", "pelvis") of what has no side."""
    name = name.rpartition(":")[2]
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]
    words = [word for word in words if word not in ("joint", "kpt", "keypoint")]
    # "LHip" is "l", "hip"; "lhip" and "LHIP" are one word.
    if len(words) == 1 and words[0][:1] in ("l", "r") and words[0][1:] in PARTS:
        words = [words[0][0], words[0][1:]]
    sides = [SIDES[word] for word in words if word in SIDES]
    part = "".join(word for word in words if word not in SIDES)
    return (sides[0] if len(sides) == 1 else "", part)


def _derivations(given: Mapping[str, str]) -> tuple[dict, dict]:
    """`Convention.human16` and `Convention.partial`, of the names in the file by what they stand for."""
    between = {"low_neck": 1.0} if "low_neck" in given and "thorax" not in given else MID_SHOULDER
    upper_neck, top, head, low_neck, thorax = (
        {joint: 1.0} for joint in ("upper_neck", "head_top", "head", "low_neck", "thorax")
    )
    face = partial_face(between)
    inside = [upper_neck] + ([low_neck] if "thorax" in given else []) + ([head] if "head_top" in given else [])
    shoulders = "thorax" if "thorax" in given else "low_neck"
    candidates = {
        "pelvis": [{"pelvis": 1.0}, MID_HIP],
        "thorax": [thorax, low_neck, MID_SHOULDER],
        "neck": [
            *inside,
            INSIDE_THE_HEAD,
            *(extended(shoulders, up, BELOW_THE_TOP) for up in ("head_top", "head")),
            *face["neck"],
        ],
        "head": [top, head, head_top(between), *face["head"]],
    }
    human16, partial = {}, {}
    for joint in HUMAN16.joints:
        ways = [
            {given[part]: weight for part, weight in way.items()}
            for way in candidates.get(joint, [{joint: 1.0}])
            if set(way) <= set(given)
        ]
        if ways:
            human16[joint] = ways[0]
        if len(ways) > 1:
            partial[joint] = tuple(ways[1:])
    return human16, partial
