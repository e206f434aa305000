"""Positions of joints as a BVH motion that common programs play: rotations, one length for each bone.

BVH has a rotation for each joint and offsets that never change, so a bone keeps one length: its mean over the frames.
That is what is lost, and all: every bone keeps its direction in every frame, and a motion whose bones have constant
lengths comes back as it was. Where a joint has several children, each hangs on a joint of its own at the same place
(`<child>_pivot`), as in CMU's skeletons: children need not turn together.
"""

import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tf_wsgen.datasets.readers.motion import UNITS
from tf_wsgen.errors import InputError
from tf_wsgen.files import whole_file
from tf_wsgen.writers.motion import SHORTEST_BONE, at_all_frames, best_rotation, check_motion

PIVOT = "_pivot"


class _Node(NamedTuple):
    """A joint as it is written; the rotation is that of the world, (T, 3, 3), the position (T, 3)."""

    name: str
    parent: int
    level: int
    offset: np.ndarray
    rotation: np.ndarray
    position: np.ndarray


def write_bvh(
    path: str | os.PathLike,
    positions: np.ndarray,
    joints: Sequence[str],
    parents: Sequence[int],
    frame_rate: float,
    *,
    up: str = "z",
    unit: str = "cm",
    frames: Sequence[int] | None = None,
    num_frames: int | None = None,
) -> float:
    """Writes a motion atomically: a reader sees the old file or the whole new one. In the file y is up.

    The first frame is the rest pose. A joint's rotation is the one that best turns its bones from the rest pose to
    the frame (Kabsch); what they leave open, such as the twist about a single bone, follows the parent.

    Args:
        path: The file.
        positions: (T, K, 3) mm, world or at least upright.
        joints: K names, without blanks or braces.
        parents: For each joint the index of its parent, -1 for the one root
            (`tf_wsgen.writers.motion.skeleton_parents`, `Motion.parents`).
        frame_rate: Frames a second.
        up: The axis of `positions` that points up, "y" or "z".
        unit: Of the file, of `UNITS`; BVH does not say it.
        frames: T growing whole numbers from 0: when the positions are, in the file; None for one after another.
            Between them joints turn on (slerp), before the first and after the last they stand still.
        num_frames: Of the file; as many as there are up to the last if None.

    Returns:
        The largest distance (mm) between a joint as given and as written in its frame.

    Raises:
        InputError: Arguments that do not fit each other or are not finite, or a place that cannot be written.
    """
    path = pathlib.Path(path)
    positions = np.asarray(positions, np.float64)
    check_motion(positions, joints, frame_rate)
    _check(joints, parents, up, unit)
    if up == "z":
        positions = np.stack([positions[..., 0], positions[..., 2], -positions[..., 1]], axis=-1)
    times = np.arange(len(positions)) if frames is None else np.asarray(frames)
    num_frames = int(times[-1]) + 1 if num_frames is None else num_frames
    if times.shape != (len(positions),) or times[0] < 0 or (np.diff(times) <= 0).any() or times[-1] >= num_frames:
        raise InputError(f"frames are not {len(positions)} growing numbers from 0 and below {num_frames}.")
    nodes = _fit(positions, joints, parents)
    columns = [at_all_frames(nodes[0].position / UNITS[unit], times, num_frames)]
    for node in nodes:
        above = nodes[node.parent].rotation if node.level else np.eye(3)
        turned = _turned_at_all_frames(np.swapaxes(above, -1, -2) @ node.rotation, times, num_frames)
        columns.append(_euler_degrees(turned))
    values = np.round(np.concatenate(columns, axis=1), 6) + 0.0  # Without "-0".

    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in _hierarchy(nodes, UNITS[unit]))
        file.write(f"MOTION\nFrames: {len(values)}\nFrame Time: {1.0 / frame_rate:.9g}\n")
        np.savetxt(file, values, fmt="%.6f")
    written = {node.name: node.position for node in nodes}
    return max(
        float(np.linalg.norm(written[joint] - positions[:, index], axis=-1).max()) for index, joint in enumerate(joints)
    )


def _check(joints, parents, up, unit) -> None:
    if up not in ("y", "z") or unit not in UNITS:
        raise InputError(f"up is {up!r} and unit {unit!r}; expected 'y' or 'z', and one of {list(UNITS)}.")
    # Up from any joint one comes to the one root.
    above = np.array([*parents, -1])
    fits = len(parents) == len(joints) and list(parents).count(-1) == 1 and set(parents) <= set(range(-1, len(joints)))
    end = np.arange(len(parents))
    for _ in parents:
        end = above[end] if fits else end
    if not fits or (end != -1).any():
        raise InputError(f"parents are {list(parents)}; expected a tree with one root, of {len(joints)} joints.")


def _fit(positions: np.ndarray, joints: Sequence[str], parents: Sequence[int]) -> list[_Node]:
    """The joints and their pivots, depth first, each turned as its bones are."""
    bones = positions - positions[:, np.maximum(parents, 0)]
    lengths = np.linalg.norm(bones, axis=-1)
    # A bone's offset: as in the first frame where it has a direction, as long as in the mean.
    first = (lengths > SHORTEST_BONE).argmax(axis=0)
    rest = bones[first, np.arange(len(joints))]
    offsets = rest * (lengths.mean(axis=0) / np.maximum(np.linalg.norm(rest, axis=-1), SHORTEST_BONE))[:, None]

    children = [[child for child, parent in enumerate(parents) if parent == joint] for joint in range(len(joints))]
    nodes: list[_Node] = []
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
        rotation = best_rotation(above, offsets[turning], bones[:, turning]) if turning else above
        nodes.append(_Node(name, parent, level, offset, rotation, position))
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


def _turned_at_all_frames(rotation: np.ndarray, frames: np.ndarray, num_frames: int) -> np.ndarray:
    """(num_frames, 3, 3) of (T, 3, 3) rotations at some frames; those that are given stay as they are."""
    place = np.arange(num_frames).clip(frames[0], frames[-1])
    before = np.searchsorted(frames, place, side="right") - 1
    turned = rotation[before]
    between = place != frames[before]
    if between.any():
        # A second to import, for videos with gaps.
        from scipy.spatial.transform import Rotation, Slerp

        turned[between] = Slerp(frames, Rotation.from_matrix(rotation))(place[between]).as_matrix()
    return turned


def _euler_degrees(rotation: np.ndarray) -> np.ndarray:
    """(T, 3) degrees z, x, y with R = R_z R_x R_y, continuous over time."""
    z = np.arctan2(-rotation[:, 0, 1], rotation[:, 1, 1])
    x = np.arctan2(rotation[:, 2, 1], np.hypot(rotation[:, 0, 1], rotation[:, 1, 1]))
    # What is left after z is about x and then y; so y is right where x = ±90° leaves z open, too.
    cosine, sine = np.cos(z), np.sin(z)
    y = np.arctan2(cosine * rotation[:, 0, 2] + sine * rotation[:, 1, 2],
                   cosine * rotation[:, 0, 0] + sine * rotation[:, 1, 0])  # fmt: skip
    return np.unwrap(np.degrees(np.stack([z, x, y], axis=-1)), period=360.0, axis=0)


def _hierarchy(nodes: list[_Node], unit: float) -> Iterator[str]:
    yield "HIERARCHY"
    for index, node in enumerate(nodes):
        indent = "\t" * node.level
        yield f"{indent}{'JOINT' if node.level else 'ROOT'} {node.name}"
        yield f"{indent}{{"
        yield f"{indent}\tOFFSET " + " ".join(f"{value:.6f}" for value in node.offset / unit + 0.0)
        position = "" if node.level else "Xposition Yposition Zposition "
        yield f"{indent}\tCHANNELS {3 if node.level else 6} {position}Zrotation Xrotation Yrotation"
        following = nodes[index + 1].level if index + 1 < len(nodes) else 0
        if following <= node.level:
            yield from (f"{indent}\tEnd Site", f"{indent}\t{{", f"{indent}\t\tOFFSET 0.000000 0.000000 0.000000")
            yield f"{indent}\t}}"
        for level in range(node.level, following - 1, -1):
            yield "\t" * level + "}"
