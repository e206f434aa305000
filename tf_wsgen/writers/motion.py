"""What the writers of motion share: checks, y up, every frame of a video, rotations of bones, names of markers."""

from collections.abc import Sequence

import numpy as np

from tf_wsgen.errors import InputError
from tf_wsgen.skeleton import Skeleton

MM_PER_METRE = 1000.0
# Millimetres below which a bone has no direction.
SHORTEST_BONE = 1e-6
# Weight of the parent's rotation against the bones' directions: it decides only what these leave open.
TWIST = 1e-9
# Markers of Pose2Sim's models for OpenSim (HALPE_26, COCO_17) at our joints. Their neck is between the shoulders, our
# thorax; our neck, within the head, they don't have.
MARKERS = {
    "pelvis": "Hip",
    "thorax": "Neck",
    "neck": "UpperNeck",
    "head": "Head",
    **{
        f"{side}_{part}": f"{side[0].upper()}{part.capitalize()}"
        for side in ("right", "left")
        for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    },
}


def marker_names(skeleton: Skeleton) -> list[str]:
    """The joints as OpenSim's models of Pose2Sim call them; those of other skeletons than `HUMAN16` by their names."""
    return [MARKERS.get(joint, joint) if set(skeleton.joints) == set(MARKERS) else joint for joint in skeleton.joints]


def skeleton_parents(skeleton: Skeleton) -> tuple[int, ...]:
    """For each joint of a skeleton the joint before it on the way from the root; -1 for the root."""
    neighbours = [set() for _ in skeleton.joints]
    for first, second in skeleton.bone_indices:
        neighbours[first].add(second)
        neighbours[second].add(first)
    parents = {skeleton.root_index: -1}
    reached = [skeleton.root_index]
    for joint in reached:
        for child in sorted(neighbours[joint] - set(parents)):
            parents[child] = joint
            reached.append(child)
    return tuple(parents[joint] for joint in range(skeleton.num_joints))


def check_motion(positions: np.ndarray, joints: Sequence[str], frame_rate: float) -> None:
    """Refuses positions (T, K, 3) that are none of K joints or not finite, names that are not words, other rates.

    Raises:
        InputError: One of these.
    """
    if positions.ndim != 3 or positions.shape[1:] != (len(joints), 3) or not len(positions) or not len(joints):
        raise InputError(f"positions have shape {positions.shape}; expected (frames, {len(joints)}, 3), as joints.")
    if not np.isfinite(positions).all():
        raise InputError(f"positions of frame {np.argwhere(~np.isfinite(positions))[0][0]} are not finite.")
    if not 0.0 < frame_rate < np.inf:
        raise InputError(f"frame_rate is {frame_rate}; expected a number above 0.")
    if len(set(joints)) != len(joints) or any(name.split() != [name] or set(name) & set("{}") for name in joints):
        raise InputError(f"joints are {list(joints)}; expected different names without blanks and braces.")


def y_up(points: np.ndarray) -> np.ndarray:
    """(…, 3) of the camera frame (y down, z away) with y up and z towards the viewer."""
    return points * np.array([1.0, -1.0, -1.0])


def at_all_frames(values: np.ndarray, frames: np.ndarray, num_frames: int) -> np.ndarray:
    """(num_frames, …) of (T, …) values at some growing frames: linear between them, held before and after them."""
    columns = values.reshape(len(values), -1).T
    every = np.stack([np.interp(np.arange(num_frames), frames, column) for column in columns], axis=1)
    return every.reshape(num_frames, *values.shape[1:])


def best_rotation(above: np.ndarray, offsets: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations that turn (C, 3) offsets closest to (T, C, 3) bones; what is left open is as in `above`."""
    products = np.einsum("tci,cj->tij", bones, offsets)
    weight = np.einsum("tc,c->t", np.linalg.norm(bones, axis=-1), np.linalg.norm(offsets, axis=-1))
    products = products / np.maximum(weight, SHORTEST_BONE**2)[:, None, None] + TWIST * above
    left, _, right = np.linalg.svd(products)
    left[..., -1] *= np.linalg.det(left @ right)[:, None]
    return left @ right
