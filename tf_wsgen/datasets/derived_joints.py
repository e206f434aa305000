"""How our joints come from others, told by the names of these: sums with weights that add up to 1.

`l_hip`, `LHip`, `Hip_L` and `LeftUpLeg` are one joint.
"""

import re
from collections.abc import Mapping, Sequence

from tf_wsgen.skeleton import HUMAN16

# For each of our joints what files call it, best first: in the names of bones "arm" is the shoulder's joint where
# "shoulder" is the collarbone, and "foot" is the ankle where there is no other.
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
SIX_LIMBS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
PARTS = {part for parts in LIMBS.values() for part in parts}


def mean_of(*joints: str) -> dict[str, float]:
    """Equal weights of joints."""
    return {joint: 1.0 / len(joints) for joint in joints}


# Human3.6M's bone lengths, mean pose and average adults put its points of the head about here: the head's 80 mm above
# the ears (50 mm below the true top), the "neck/nose" (joint 14 of 32) inside the head, 30 mm below the ears and a
# little before them. Both count little (weight 0.1 in the reprojection), so that rough estimates do.
# - neck: halfway from between the ears to the nose. The nose alone, which the field often takes, is 100 mm before it.
# - head: half as far beyond the ears as these are from the shoulders. Adults' ears are 217 mm above the shoulders'
#   joints, so this is between Human3.6M's point and the true top, 130 mm above the ears (MPII).
# The tests hold the distances, nodding and tilting included.
# Of a face that is seen in part they are derived more roughly (`partial_face`): an ear or an eye stands for the middle
# of both (half a head's width off at most, and not at all from the side); eyes are as high as ears, 90 mm before them;
# the nose is 185 mm above the shoulders' joints, where the head's point is 325 mm above them.
BEYOND_THE_EARS = 0.5
MID_HIP = mean_of("left_hip", "right_hip")
MID_SHOULDER = mean_of("left_shoulder", "right_shoulder")
# From the top of the head (MPII), 347 mm above the shoulders' joints.
BELOW_THE_TOP = 187 / 347
INSIDE_THE_HEAD = {"nose": 0.5, "left_ear": 0.25, "right_ear": 0.25}


def beyond(start: Mapping[str, float], parts: Sequence[str], factor: float) -> dict[str, float]:
    """Weights of the point on the line from a place, by its weights, to the middle of joints, `factor` times as far."""
    return dict.fromkeys(parts, factor / len(parts)) | {joint: (1.0 - factor) * start[joint] for joint in start}


def partial_face(between_shoulders: Mapping[str, float]) -> dict[str, tuple[Mapping[str, float], ...]]:
    """Head and neck from an ear, an eye or the nose, best first; distances are those of the comment above."""
    ears, eyes = ("left_ear", "right_ear"), ("left_eye", "right_eye")
    one_ear, one_eye = [(ear,) for ear in ears], [(eye,) for eye in eyes]
    level = [*one_ear, eyes, *one_eye]
    return {
        "head": (
            *(beyond(between_shoulders, parts, 1.0 + BEYOND_THE_EARS) for parts in level),
            beyond(between_shoulders, ("nose",), 325 / 185),
        ),
        "neck": (
            *({"nose": 0.5, ear: 0.5} for ear in ears),
            *(beyond(between_shoulders, parts, 187 / 217) for parts in (ears, *one_ear)),
            {"nose": 1.0},
            *(beyond(between_shoulders, parts, 187 / 217) for parts in (eyes, *one_eye)),
        ),
    }


def two_sided(
    left: str, right: str, limbs: str, thorax: str = "Neck", neck: str = "Head", **others
) -> dict[str, dict[str, float]]:
    """The table of a skeleton that calls its limbs by a name for both sides, with {} for the side; without the head.

    Mostly "Neck" is at the base of the neck, our thorax, and "Head" at the base of the skull, our neck.
    """
    names = {limb: {name: 1.0} for limb, name in zip(SIX_LIMBS, limbs.split(), strict=True)} | others
    table = {
        f"{side}_{limb}": {name.format(sign): weight for name, weight in weights.items()}
        for side, sign in (("left", left), ("right", right))
        for limb, weights in names.items()
    }
    pelvis = dict.fromkeys((*table["left_hip"], *table["right_hip"]), 0.5)
    return {"pelvis": pelvis, "thorax": {thorax: 1.0}, "neck": {neck: 1.0}, **table}


def places_of(names: Sequence[str]) -> dict[str, int]:
    """The place in the list of each joint that is understood, by our name for it."""
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


def derivations(names: Sequence[str]) -> tuple[dict, dict]:
    """`Convention.human16` and `Convention.partial` of a list of joints, by their names.

    What "neck" and "head" mean is told by the names beside them: a neck without a thorax is between the shoulders, a
    head with a top of the head is inside it.
    """
    given = {joint: names[place] for joint, place in places_of(names).items()}
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
            *(beyond({shoulders: 1.0}, (up,), BELOW_THE_TOP) for up in ("head_top", "head")),
            *face["neck"],
        ],
        "head": [top, head, beyond(between, ("left_ear", "right_ear"), 1.0 + BEYOND_THE_EARS), *face["head"]],
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
