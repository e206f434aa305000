"""Joints' positions as a rig: a tree of joints that turn, with one length for each bone.

A bone keeps its mean length over the frames and its direction in every frame; a motion whose bones have constant
lengths comes back as it was. Where a joint has several children, each hangs on a joint of its own at the same place
(`<child>_pivot`), as in CMU's skeletons: children need not turn together.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from tf_wsgen.errors import InputError
from tf_wsgen.writers.joint_track import JointTrack

PIVOT = "_pivot"
# Millimetres below which a bone has no direction.
SHORTEST_BONE = 1e-6
# Weight of the parent's rotation against the bones' directions: it decides only what these leave open.
TWIST = 1e-9


class Node(NamedTuple):
    """A joint of the rig.

    Attributes:
        name: The joint's, or a pivot's.
        parent: Index of the node above; -1 for the root.
        level: Nodes between it and the root.
        offset: (3,) mm from the parent, at rest.
        rotation: (T, 3, 3) from the rest pose to the world.
        position: (T, 3) mm, world.
    """

    name: str
    parent: int
    level: int
    offset: np.ndarray
    rotation: np.ndarray
    position: np.ndarray


def fit_rig(track: JointTrack) -> list[Node]:
    """The joints and their pivots, depth first, each turned as its bones are.

    The first frame is the rest pose. A joint's rotation is the one that best turns its bones from the rest pose to the
    frame (Kabsch); what they leave open, such as the twist about a single bone, follows the parent.

    Raises:
        InputError: Parents that are no tree, or joints with names that pivots have.
    """
    positions, joints, parents = track.positions, track.joints, track.parents
    bones = positions - positions[:, np.maximum(parents, 0)]
    lengths = np.linalg.norm(bones, axis=-1)
    # A bone's offset: as in the first frame where it has a direction, as long as in the mean.
    first = (lengths > SHORTEST_BONE).argmax(axis=0)
    rest = bones[first, np.arange(len(joints))]
    offsets = rest * (lengths.mean(axis=0) / np.maximum(np.linalg.norm(rest, axis=-1), SHORTEST_BONE))[:, None]

    children = [[child for child, parent in enumerate(parents) if parent == joint] for joint in range(len(joints))]
    nodes: list[Node] = []
    # What is to come: the joint, or the child of a pivot; the name, the offset, the children to turn, the parent node.
    root = list(parents).index(-1)
    waiting = [(joints[root], np.zeros(3), children[root], -1)]
    while waiting:
        name, offset, turning, parent = waiting.pop()
        if parent < 0:
            level, above, position = 0, np.tile(np.eye(3), (len(bones), 1, 1)), positions[:, root]
        else:
            level, above = nodes[parent].level + 1, nodes[parent].rotation
            position = nodes[parent].position + above @ offset
        rotation = _best_rotation(above, offsets[turning], bones[:, turning]) if turning else above
        nodes.append(Node(name, parent, level, offset, rotation, position))
        for child in turning[::-1]:
            # A child at the same place needs no pivot: it is one.
            if len(turning) > 1 and offsets[child].any():
                waiting.append((joints[child] + PIVOT, np.zeros(3), [child], len(nodes) - 1))
            else:
                waiting.append((joints[child], offsets[child], children[child], len(nodes) - 1))
    names = [node.name for node in nodes]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputError(f"joints have {twice}, names that this writer gives itself; expected others.")
    return nodes


def _best_rotation(above: np.ndarray, offsets: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations that turn (C, 3) offsets closest to (T, C, 3) bones; what is left open is as in `above`."""
    products = np.einsum("tci,cj->tij", bones, offsets)
    weight = np.einsum("tc,c->t", np.linalg.norm(bones, axis=-1), np.linalg.norm(offsets, axis=-1))
    products = products / np.maximum(weight, SHORTEST_BONE**2)[:, None, None] + TWIST * above
    left, _, right = np.linalg.svd(products)
    left[..., -1] *= np.linalg.det(left @ right)[:, None]
    return left @ right


def deviation(nodes: list[Node], track: JointTrack) -> float:
    """The largest distance (mm) between a joint as given and as the rig has it."""
    placed = {node.name: node.position for node in nodes}
    placed = np.stack([placed[joint] for joint in track.joints], axis=1)
    return float(np.linalg.norm(placed - track.positions, axis=-1).max())


def turned_at_all_frames(rotation: np.ndarray, frames: np.ndarray, num_frames: int) -> np.ndarray:
    """(num_frames, 3, 3) of (T, 3, 3) rotations at some frames; those that are given stay as they are."""
    place = np.arange(num_frames).clip(frames[0], frames[-1])
    before = np.searchsorted(frames, place, side="right") - 1
    turned = rotation[before]
    between = place != frames[before]
    if between.any():
        turned[between] = Slerp(frames, Rotation.from_matrix(rotation))(place[between]).as_matrix()
    return turned
