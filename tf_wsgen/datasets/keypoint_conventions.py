"""Which joint of which data set or detector is which of ours: the one table, and the conversion by name.

Joints have one spelling everywhere (`left_` and `right_` are the person's own sides); only CMU's are the bone
names of its files. What is given only in part is derived as a weighted sum; what cannot be derived is missing.
"""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from tf_wsgen.datasets.derived_joints import MID_SHOULDER, beyond, derivations, partial_face, two_sided
from tf_wsgen.errors import InputError
from tf_wsgen.skeleton import HUMAN16


@dataclasses.dataclass(frozen=True)
class Convention:
    """A list of joints and how ours come from it.

    Attributes:
        name: How options name the convention.
        joints: The K joint names in file order.
        human16: For each joint of `HUMAN16` that can be had, the weights of the convention's joints (sum 1); a
            joint that is not among the keys is missing.
        partial: For joints that are derived from several of the convention's, rougher weights for where not all of
            these are seen, best first.
    """

    name: str
    joints: tuple[str, ...]
    human16: Mapping[str, Mapping[str, float]]
    partial: Mapping[str, tuple[Mapping[str, float], ...]] = dataclasses.field(default_factory=dict)


class HumanPoints(NamedTuple):
    """Points in the order of `HUMAN16.joints`; missing ones have coordinates and confidence 0.

    Attributes:
        points: (..., 16, D) floats.
        visible: (..., 16) bool.
        confidence: (..., 16) floats, or None where none were given.
    """

    points: np.ndarray
    visible: np.ndarray
    confidence: np.ndarray | None


def _convention(
    name: str, names: str, partial: Mapping[str, tuple] | None = None, **others: str | Mapping[str, float]
) -> Convention:
    """Joints of ours come from the list's by their names (`derivations`), unless `others` says otherwise."""
    joints = tuple(names.split())
    given = {joint: {source: 1.0} if isinstance(source, str) else source for joint, source in others.items()}
    human16 = derivations(joints)[0] | given
    return Convention(name, joints, {joint: human16[joint] for joint in HUMAN16.joints}, partial or {})


def _points(first: int, end: int) -> str:
    return " ".join(f"point_{index}" for index in range(first, end))


_COCO = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist "
    "right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
)
_LIMBS_FIRST = (
    "right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist right_hip right_knee right_ankle "
    "left_hip left_knee left_ankle"
)
_HALPE = f"{_COCO} head neck hip left_big_toe right_big_toe left_small_toe right_small_toe left_heel right_heel"
_FACE = partial_face(MID_SHOULDER)

# What detectors call neck is between the shoulders: it is our thorax (Human3.6M's is 50 mm higher), not our neck.
CONVENTIONS: dict[str, Convention] = {
    convention.name: convention
    for convention in (
        _convention("human16", " ".join(HUMAN16.joints)),
        _convention("coco17", _COCO, _FACE),
        # AlphaPose: annotated head top, neck (between the shoulders) and hip (between the hips).
        _convention("halpe26", _HALPE, {"neck": _FACE["neck"]}),
        # Face and hands follow the body.
        _convention("halpe136", f"{_HALPE} {_points(26, 136)}", {"neck": _FACE["neck"]}),
        _convention("wholebody133", f"{_COCO} {_points(17, 133)}", _FACE),
        _convention(
            "crowdpose14",
            "left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_hip right_hip "
            "left_knee right_knee left_ankle right_ankle head_top neck",
        ),
        _convention("aic14", f"{_LIMBS_FIRST} head_top neck"),
        # Its "head" is the middle of the face, about where our neck is.
        _convention(
            "jhmdb15",
            "neck belly head right_shoulder left_shoulder right_hip left_hip right_elbow left_elbow right_knee "
            "left_knee right_wrist left_wrist right_ankle left_ankle",
            neck="head",
            head=beyond({"neck": 1.0}, ["head"], 325 / 187),
        ),
        _convention(
            "posetrack18",
            "nose head_bottom head_top left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow "
            "left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle",
        ),
        # OpenPose learnt its neck as the mean of the shoulders, and its mid-hip as the mean of the hips.
        _convention(
            "body25",
            "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip "
            "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear "
            "left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel",
            partial_face({"neck": 1.0}),
        ),
        _convention(
            "coco18",
            "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist right_hip "
            "right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear",
            partial_face({"neck": 1.0}),
        ),
        _convention(
            "mediapipe33",
            "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear "
            "right_ear mouth_left mouth_right left_shoulder right_shoulder left_elbow right_elbow left_wrist "
            "right_wrist left_pinky right_pinky left_index right_index left_thumb right_thumb left_hip right_hip "
            "left_knee right_knee left_ankle right_ankle left_heel right_heel left_foot_index right_foot_index",
            _FACE,
        ),
        # "Upper neck" is at the throat, lower than Human3.6M's point, but it is what the field pairs with it.
        _convention(
            "mpii16",
            "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax upper_neck head_top "
            "right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist",
        ),
        _convention(
            "human36m_17",
            "pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle spine thorax neck head "
            "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",
        ),
        # Joints 16 and 24 repeat the thorax, 11 the pelvis, 20 and 28 the wrists; "end" closes a chain.
        _convention(
            "human36m_32",
            "pelvis right_hip right_knee right_ankle right_toe right_toe_end left_hip left_knee left_ankle "
            "left_toe left_toe_end spine_base spine thorax neck head left_collar left_shoulder left_elbow "
            "left_wrist left_thumb left_thumb_end left_hand left_hand_end right_collar right_shoulder "
            "right_elbow right_wrist right_thumb right_thumb_end right_hand right_hand_end",
        ),
        # Its "neck" is between the shoulders, our thorax; its "head" is inside the head, as our neck is.
        _convention(
            "mpi_inf_3dhp_17",
            "head_top neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist right_hip "
            "right_knee right_ankle left_hip left_knee left_ankle pelvis spine head",
        ),
        _convention(
            "mpi_inf_3dhp_28",
            "spine3 spine4 spine2 spine pelvis neck head head_top left_clavicle left_shoulder left_elbow "
            "left_wrist left_hand right_clavicle right_shoulder right_elbow right_wrist right_hand left_hip "
            "left_knee left_ankle left_foot left_toe right_hip right_knee right_ankle right_foot right_toe",
        ),
        # A bone stands for its end. The root is 100 mm from the hips' middle and isn't used; the bone "thorax" ends
        # below the collarbones, "lowerneck" at the base of the neck. The radius ends in mid-forearm; the bone "wrist"
        # goes on along the same line to where the hand bends, past the wrist's crease.
        _convention(
            "cmu",
            "root lhipjoint lfemur ltibia lfoot ltoes rhipjoint rfemur rtibia rfoot rtoes lowerback upperback "
            "thorax lowerneck upperneck head lclavicle lhumerus lradius lwrist lhand lfingers lthumb rclavicle "
            "rhumerus rradius rwrist rhand rfingers rthumb",
            **two_sided(
                *("l", "r", "{}hipjoint {}femur {}tibia {}clavicle {}humerus {}wrist", "lowerneck", "upperneck"),
                wrist={"{}wrist": 2 / 3, "{}radius": 1 / 3},
            ),
        ),
    )
}


def convention_by_name(name: str) -> Convention:
    """The convention of that name.

    Raises:
        InputError: An unknown name; the message has the nearest known one.
    """
    if not isinstance(name, str) or name not in CONVENTIONS:
        nearest = difflib.get_close_matches(str(name), CONVENTIONS, n=1, cutoff=0.0)[0]
        raise InputError(f"convention is {name!r}; did you mean {nearest!r}? Known are {list(CONVENTIONS)}.")
    return CONVENTIONS[name]


def convention_of(num_joints: int, among: Iterable[str] = tuple(CONVENTIONS)) -> Convention:
    """The one convention, among those named, with that many joints.

    Raises:
        InputError: None has, or several have (16 and 17 joints are ambiguous unless `among` decides).
    """
    candidates = [CONVENTIONS[name] for name in among]
    fitting = [convention for convention in candidates if len(convention.joints) == num_joints]
    if len(fitting) == 1:
        return fitting[0]
    names = [convention.name for convention in fitting or candidates]
    problem = "can be any of" if fitting else "fit none of"
    raise InputError(f"{num_joints} joints {problem} {names}; expected the convention to be named.")


def convert(
    points: np.ndarray,
    convention: str | Convention,
    visible: np.ndarray | None = None,
    confidence: np.ndarray | None = None,
) -> HumanPoints:
    """Points of a convention as points of `HUMAN16`.

    A joint is missing if the convention has no such joint, or if joints that it is derived from are not visible and
    what is visible of them is not enough for a rougher derivation (`Convention.partial`). A
    derived joint's confidence is the smallest of its parts'. The content of invisible joints does not matter.

    Args:
        points: (..., K, D) numbers.
        convention: One with K joints, or its name in `CONVENTIONS`.
        visible: (..., K) of 0 and 1; None takes all as visible.
        confidence: (..., K) numbers, or None.

    Returns:
        `HumanPoints`, of the precision of `points`, at least float32.

    Raises:
        InputError: An unknown convention, another number of joints, or arguments whose shapes don't match.
    """
    table = convention if isinstance(convention, Convention) else convention_by_name(convention)
    points = _numbers(points, "points")
    if points.ndim < 2 or points.shape[-2] != len(table.joints):
        raise InputError(
            f"points have shape {points.shape}; expected (..., {len(table.joints)}, D), the joints of {table.name!r}."
        )
    visible = np.ones(points.shape[:-1], bool) if visible is None else _numbers(visible, "visible")
    if not np.isin(visible, (0, 1)).all():
        raise InputError("visible holds values other than 0 and 1.")
    visible = visible.astype(bool)
    confidence = None if confidence is None else _numbers(confidence, "confidence")
    for name, values in (("visible", visible), ("confidence", confidence)):
        if values is not None and values.shape != points.shape[:-1]:
            raise InputError(f"{name} has shape {values.shape}; expected {points.shape[:-1]}, one value a joint.")

    batch, joints = points.shape[:-2], HUMAN16.num_joints
    out = np.zeros((*batch, joints, points.shape[-1]), np.result_type(points.dtype, np.float32))
    seen = np.zeros((*batch, joints), bool)
    sure = None if confidence is None else np.zeros((*batch, joints), np.result_type(confidence.dtype, np.float32))
    derivations = [
        (joint, weights) for joint, best in table.human16.items() for weights in (best, *table.partial.get(joint, ()))
    ]
    for joint, weights in derivations:
        parts, target = [table.joints.index(part) for part in weights], HUMAN16.index(joint)
        there = visible[..., parts].all(axis=-1) & ~seen[..., target]
        seen[..., target] |= there
        # A joint that is given is copied bit by bit.
        summed = np.tensordot(points[..., parts, :], list(weights.values()), axes=(-2, 0))
        value = points[..., parts[0], :] if len(parts) == 1 else summed
        out[..., target, :] = np.where(there[..., None], value, out[..., target, :])
        if confidence is not None:
            sure[..., target] = np.where(there, confidence[..., parts].min(axis=-1), sure[..., target])
    return HumanPoints(out, seen, sure)


def _numbers(values, name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind not in "fiub":
        raise InputError(f"{name} are {values.dtype}; expected numbers.")
    return values
