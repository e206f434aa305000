"""Skeletons as data: joint names, bones, root, limbs, weights. No TensorFlow here.

Another skeleton is another `Skeleton` table; nothing else in the package knows joints by number.
"""

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from tf_wsgen.errors import InputError


@dataclasses.dataclass(frozen=True)
class Skeleton:
    """The joints of a body and what the method needs to know about them.

    Attributes:
        name: How configurations name the skeleton.
        joints: Joint names, in the order of every array's joint axis.
        bones: Pairs of joint names; a bone's vector is the first joint minus the second (the
            direction decides the signs of the kinematic chain space matrix).
        root: The joint at the origin of a root-centred pose.
        hips: The right and the left hip. Their midpoint stands in for a missing root.
        shoulders: The right and the left shoulder. Hips and shoulders make the template.
        limbs: Joints that may be hidden in training with missing joints.
        symmetric_bones: Pairs of bones (indices into `bones`) of equal length on a real person.
        reprojection_weights: Joint weights of the reprojection likelihood, 1 where not listed.
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]
    root: str
    hips: tuple[str, str]
    shoulders: tuple[str, str]
    limbs: tuple[str, ...] = ()
    symmetric_bones: tuple[tuple[int, int], ...] = ()
    reprojection_weights: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        named = {self.root, *self.hips, *self.shoulders, *self.limbs, *self.reprojection_weights}
        named.update(joint for bone in self.bones for joint in bone)
        unknown = sorted(named - set(self.joints))
        if unknown:
            raise InputError(f"Skeleton {self.name!r} uses {unknown}, which are not among its joints.")
        if len(set(self.joints)) != len(self.joints):
            raise InputError(f"Skeleton {self.name!r} lists a joint twice.")

    @property
    def num_joints(self) -> int:
        """J, the number of joints."""
        return len(self.joints)

    @property
    def root_index(self) -> int:
        """Index of the root joint."""
        return self.index(self.root)

    def index(self, joint: str) -> int:
        """Index of a joint by name."""
        return self.joints.index(joint)

    @functools.cached_property
    def bone_indices(self) -> tuple[tuple[int, int], ...]:
        """Bones as pairs of joint indices."""
        return tuple((self.index(first), self.index(second)) for first, second in self.bones)

    @functools.cached_property
    def template_indices(self) -> tuple[int, int, int, int]:
        """Indices of right hip, left hip, right shoulder, left shoulder."""
        right_hip, left_hip, right_shoulder, left_shoulder = (self.index(j) for j in (*self.hips, *self.shoulders))
        return right_hip, left_hip, right_shoulder, left_shoulder

    @functools.cached_property
    def hip_indices(self) -> tuple[int, int]:
        """Indices of right hip and left hip."""
        return self.template_indices[:2]

    @functools.cached_property
    def opposite_joints(self) -> tuple[int, ...]:
        """For each joint the index of the one on the other side of the body, its own where there is none."""
        other = {"left": "right", "right": "left"}
        names = ("_".join([other.get(side, side), *rest]) for side, *rest in (j.split("_") for j in self.joints))
        return tuple(self.index(name) for name in names)

    @functools.cached_property
    def joint_weights(self) -> np.ndarray:
        """(J,) float32 weights of the joints in the reprojection likelihood."""
        return np.array([self.reprojection_weights.get(joint, 1.0) for joint in self.joints], np.float32)


HUMAN16 = Skeleton(
    name="human16",
    joints=(
        "right_hip",
        "right_knee",
        "right_ankle",
        "left_hip",
        "left_knee",
        "left_ankle",
        "pelvis",
        "thorax",
        "neck",
        "head",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
    ),
    bones=(
        ("right_hip", "right_knee"),
        ("right_knee", "right_ankle"),
        ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"),
        ("pelvis", "thorax"),
        ("thorax", "neck"),
        ("neck", "head"),
        ("thorax", "left_shoulder"),
        ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"),
        ("thorax", "right_shoulder"),
        ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"),
        ("left_hip", "pelvis"),
        ("right_hip", "pelvis"),
    ),
    root="pelvis",
    hips=("right_hip", "left_hip"),
    shoulders=("right_shoulder", "left_shoulder"),
    limbs=(
        "right_knee",
        "right_ankle",
        "left_knee",
        "left_ankle",
        "left_elbow",
        "left_wrist",
        "right_elbow",
        "right_wrist",
    ),
    symmetric_bones=((0, 2), (1, 3), (7, 10), (8, 11), (9, 12), (13, 14)),
    # Detectors and motion capture disagree about neck and head; the pelvis is the origin.
    reprojection_weights={"pelvis": 0.0, "neck": 0.1, "head": 0.1},
)

SKELETONS = {skeleton.name: skeleton for skeleton in (HUMAN16,)}


def skeleton_by_name(name: str) -> Skeleton:
    """The skeleton of that name; raises `InputError` for an unknown one."""
    if name not in SKELETONS:
        raise InputError(f"data.skeleton is {name!r}; expected one of {sorted(SKELETONS)}.")
    return SKELETONS[name]


def skeleton_from_dict(values: Mapping) -> Skeleton:
    """The skeleton that `dataclasses.asdict` described, also after a way through JSON.

    Raises:
        InputError: Fields that a skeleton does not have, or joints that don't fit together.
    """

    def tuples(value):
        return tuple(tuples(part) for part in value) if isinstance(value, (list, tuple)) else value

    try:
        return Skeleton(**{name: tuples(value) for name, value in values.items()})
    except TypeError as error:
        raise InputError(f"The skeleton's fields are {sorted(values)}: {error}.") from None
