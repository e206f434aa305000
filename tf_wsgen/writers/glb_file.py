"""Positions of joints as an animated skeleton in binary glTF 2.0, for Blender, browsers and engines.

Each joint is a node below its parent's, turned as its bones are (as in BVH) and moved, so that it is where it should
be at every frame though bones vary in length. A skin of one octahedron a bone makes it an armature that shows.
"""

import json
import os
import struct
from collections.abc import Sequence

import numpy as np

from tf_wsgen.files import whole_file
from tf_wsgen.writers.motion import MM_PER_METRE, best_rotation, check_motion

# glTF's numbers for types of components, uses of buffers, and its chunks.
COMPONENTS = {"<f4": 5126, "<u2": 5123}
VERTICES, INDICES = 34962, 34963
MAGIC, JSON_CHUNK, BINARY_CHUNK = b"glTF", b"JSON", b"BIN\0"
# An octahedron's ring, in shares of the bone: how far along, and how wide.
RING_PLACE, RING_WIDTH = 0.15, 0.08
TRIANGLES = [(0, 2, 1), (0, 3, 2), (0, 4, 3), (0, 1, 4), (5, 1, 2), (5, 2, 3), (5, 3, 4), (5, 4, 1)]
GREY = [0.7, 0.7, 0.75, 1.0]


class _Buffer:
    """The binary part, with the accessors and views into it."""

    def __init__(self):
        self.content, self.views, self.accessors = bytearray(), [], []

    def add(self, values: np.ndarray, kind: str, dtype: str = "<f4", target: int | None = None) -> int:
        """Puts values there; returns their accessor's number."""
        values = np.ascontiguousarray(values, dtype)
        data, rows = values.tobytes(), values.reshape(len(values), -1)
        view = {"buffer": 0, "byteOffset": len(self.content), "byteLength": len(data)}
        self.views.append(view if target is None else view | {"target": target})
        self.content += data + bytes(-len(data) % 4)
        bounds = {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        about = {"bufferView": len(self.views) - 1, "componentType": COMPONENTS[dtype], "count": len(values)}
        self.accessors.append({**about, "type": kind, **bounds})
        return len(self.accessors) - 1


def write_glb(
    path: str | os.PathLike, positions: np.ndarray, joints: Sequence[str], parents: Sequence[int], frame_rate: float
) -> None:
    """Writes an animated skeleton, atomically; metres, a key at every frame.

    The first frame is the rest pose.

    Args:
        path: The file.
        positions: (T, K, 3) mm, y up.
        joints: K names, without blanks.
        parents: For each joint the index of its parent, -1 for the root (`tf_wsgen.writers.motion.skeleton_parents`).
        frame_rate: Frames a second.

    Raises:
        InputError: Arguments that do not fit each other or are not finite, or a place that cannot be written.
    """
    positions = np.asarray(positions, np.float64) / MM_PER_METRE
    check_motion(positions, joints, frame_rate)
    children = [[child for child, parent in enumerate(parents) if parent == joint] for joint in range(len(joints))]
    root, buffer = list(parents).index(-1), _Buffer()
    nodes = [
        {"name": name, **({"children": below} if below else {})} for name, below in zip(joints, children, strict=True)
    ]
    time = buffer.add(np.arange(len(positions)) / frame_rate, "SCALAR")
    samplers, channels = [], []
    still = np.tile(np.eye(3), (len(positions), 1, 1))

    def animate(joint, movement, values, kind):
        nodes[joint][movement] = np.float32(values[0]).tolist()
        samplers.append({"input": time, "output": buffer.add(values, kind)})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": joint, "path": movement}})

    waiting = [(root, still, np.zeros_like(positions[:, 0]))]
    while waiting:
        joint, above, place = waiting.pop()
        inverse = np.swapaxes(above, -1, -2)
        bones = positions[:, children[joint]] - positions[:, [joint]]
        turned = best_rotation(above, bones[0], bones) if children[joint] else above
        animate(joint, "translation", np.einsum("tij,tj->ti", inverse, positions[:, joint] - place), "VEC3")
        if children[joint]:
            animate(joint, "rotation", _quaternions(inverse @ turned), "VEC4")
        waiting += [(child, turned, positions[:, joint]) for child in children[joint]]

    mesh = _mesh(buffer, positions[0], parents)
    resting = np.tile(np.eye(4), (len(joints), 1, 1))
    resting[:, 3, :3] = -positions[0]  # Columns before rows.
    skin = {"joints": list(range(len(joints))), "skeleton": root, "inverseBindMatrices": buffer.add(resting, "MAT4")}
    content = {
        "asset": {"version": "2.0", "generator": "tf_wsgen"},
        "scene": 0,
        "scenes": [{"nodes": [root, len(joints)]}],
        "nodes": [*nodes, {"name": "body", "mesh": 0, "skin": 0}],
        "meshes": [{"primitives": [mesh]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": GREY, "metallicFactor": 0.0}, "doubleSided": True}],
        "skins": [skin],
        "animations": [{"name": "motion", "samplers": samplers, "channels": channels}],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.content)}],
    }
    text = json.dumps(content, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    with whole_file(path) as partial, partial.open("wb") as file:
        file.write(struct.pack("<4sII", MAGIC, 2, 28 + len(text) + len(buffer.content)))
        for kind, data in ((JSON_CHUNK, text), (BINARY_CHUNK, buffer.content)):
            file.write(struct.pack("<I4s", len(data), kind) + data)


def _quaternions(rotation: np.ndarray) -> np.ndarray:
    """(T, 4) x, y, z, w of (T, 3, 3), each on the side of the one before."""
    # A second to import, which other outputs need not wait for.
    from scipy.spatial.transform import Rotation

    found = Rotation.from_matrix(rotation).as_quat()
    flips = np.einsum("ti,ti->t", found[1:], found[:-1]) < 0.0
    return found * np.where(np.cumsum([False, *flips]) % 2, -1.0, 1.0)[:, None]


def _mesh(buffer: _Buffer, positions: np.ndarray, parents: Sequence[int]) -> dict:
    """An octahedron for each bone of the rest pose (K, 3), all but its tip moving with the bone's first joint."""
    points, owners, triangles = [], [], []
    for joint, parent in enumerate(parents):
        if parent < 0:
            continue
        bone = positions[joint] - positions[parent]
        length = np.linalg.norm(bone)
        # Two directions across: any for a bone without length.
        aside = np.cross(bone, np.eye(3)[np.argmin(np.abs(bone))])
        aside *= RING_WIDTH * length / max(float(np.linalg.norm(aside)), np.finfo(float).tiny)
        across = np.cross(bone, aside) / max(length, np.finfo(float).tiny)
        ring = [positions[parent] + RING_PLACE * bone + step for step in (aside, across, -aside, -across)]
        triangles += [np.array(triangle) + len(points) for triangle in TRIANGLES]
        points += [positions[parent], *ring, positions[joint]]
        owners += [parent] * 5 + [joint]
    joints = np.zeros((len(owners), 4))
    joints[:, 0] = owners
    weights = np.tile([1.0, 0.0, 0.0, 0.0], (len(owners), 1))
    attributes = {
        "POSITION": buffer.add(np.array(points), "VEC3", target=VERTICES),
        "JOINTS_0": buffer.add(joints, "VEC4", "<u2", VERTICES),
        "WEIGHTS_0": buffer.add(weights, "VEC4", target=VERTICES),
    }
    indices = buffer.add(np.concatenate(triangles), "SCALAR", "<u2", INDICES)
    return {"attributes": attributes, "indices": indices, "material": 0}
