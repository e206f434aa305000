"""A motion as glTF 2.0 in one binary file (.glb): a skinned skeleton that viewers, Blender and three.js play.

The rig is that of `tf_wsgen.writers.rig`; each bone is an octahedron that moves with the joint at its thick end.
Specification: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html.
"""

import json
import os
import struct

import numpy as np
from scipy.spatial.transform import Rotation

from tf_wsgen.files import whole_file
from tf_wsgen.writers.joint_track import JointTrack, at_all_frames
from tf_wsgen.writers.rig import Node, deviation, fit_rig, turned_at_all_frames

FLOAT, SHORT = 5126, 5123
# A bone's octahedron: its waist is at this share of its length, and this share of it wide.
WAIST, WIDTH = 0.15, 0.07
FACES = np.array([(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 1), (5, 2, 1), (5, 3, 2), (5, 4, 3), (5, 1, 4)])


class _Buffer:
    """The binary part, and the accessors that tell what lies where in it."""

    def __init__(self):
        self.content, self.views, self.accessors = bytearray(), [], []

    def add(self, values: np.ndarray, kind: str, bounds: bool = False) -> int:
        """Appends an array; returns the accessor's index."""
        component = SHORT if values.dtype == np.uint16 else FLOAT
        self.content += bytes(-len(self.content) % 4)
        self.views.append({"buffer": 0, "byteOffset": len(self.content), "byteLength": values.nbytes})
        self.content += values.tobytes()
        accessor = {"bufferView": len(self.views) - 1, "componentType": component, "count": len(values), "type": kind}
        if bounds:
            flat = values.reshape(len(values), -1)
            accessor |= {"min": flat.min(axis=0).tolist(), "max": flat.max(axis=0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def write_glb(path: str | os.PathLike, track: JointTrack) -> float:
    """Writes a motion atomically; metres, y up.

    Between the frames that are there joints turn on (slerp), before the first and after the last they stand still.

    Args:
        path: The file.
        track: What to write.

    Returns:
        The largest distance (mm) between a joint as given and as written in its frame.

    Raises:
        InputError: Joints' names that the rig gives itself, or a place that cannot be written.
    """
    nodes, buffer = fit_rig(track), _Buffer()
    joints = [{"name": node.name, "translation": _metres(node.offset)} for node in nodes]
    for index, node in enumerate(nodes):
        if node.parent >= 0:
            joints[node.parent].setdefault("children", []).append(index)
    joints[0]["translation"] = _metres(nodes[0].position[0])
    content = {
        "asset": {"version": "2.0", "generator": "tf_wsgen"},
        "scene": 0,
        "scenes": [{"nodes": [0, len(nodes)]}],
        "nodes": [*joints, {"name": "body", "mesh": 0, "skin": 0}],
        "meshes": [{"primitives": [_octahedra(nodes, buffer)]}],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [0.2, 0.45, 0.7, 1.0], "metallicFactor": 0.0}}],
        "skins": [{"joints": list(range(len(nodes))), "skeleton": 0, "inverseBindMatrices": _unbind(nodes, buffer)}],
        "animations": [_animation(nodes, track, buffer)],
    }
    content["accessors"], content["bufferViews"] = buffer.accessors, buffer.views
    content["buffers"] = [{"byteLength": len(buffer.content)}]
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    binary = bytes(buffer.content) + bytes(-len(buffer.content) % 4)
    with whole_file(path) as partial, partial.open("wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(binary)))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", len(binary), b"BIN\0") + binary)
    return deviation(nodes, track)


def _metres(millimetres: np.ndarray) -> list[float]:
    return (np.asarray(millimetres) / 1000.0).tolist()


def _rest(nodes: list[Node]) -> np.ndarray:
    """(N, 3) metres of the rest pose, the root at the origin."""
    places = np.zeros((len(nodes), 3))
    for index, node in enumerate(nodes):
        if node.parent >= 0:
            places[index] = places[node.parent] + node.offset / 1000.0
    return places


def _unbind(nodes: list[Node], buffer: _Buffer) -> int:
    """Inverse bind matrices, column by column: from the rest pose to each joint's own frame."""
    matrices = np.tile(np.eye(4, dtype=np.float32), (len(nodes), 1, 1))
    matrices[:, 3, :3] = -_rest(nodes)
    return buffer.add(matrices.reshape(len(nodes), 16), "MAT4")


def _octahedra(nodes: list[Node], buffer: _Buffer) -> dict:
    """The mesh of all bones."""
    rest, vertices, faces, owners = _rest(nodes), [], [], []
    for index, node in enumerate(nodes):
        length = np.linalg.norm(node.offset) / 1000.0
        if node.parent < 0 or length == 0.0:
            continue
        start, along = rest[node.parent], rest[index] - rest[node.parent]
        least = np.eye(3)[np.argmin(np.abs(along))]
        side = np.cross(along, least) / np.linalg.norm(np.cross(along, least))
        other = np.cross(along, side) / length
        waist = [start + WAIST * along + WIDTH * length * axis for axis in (side, other, -side, -other)]
        faces.append(FACES + 6 * len(vertices))
        vertices.append([start, *waist, rest[index]])
        owners.append(node.parent)
    points = np.array(vertices, np.float32).reshape(-1, 3)
    triangles = np.array(faces, np.uint16).reshape(-1)
    # Each corner for itself, so that faces are flat.
    corners = points[triangles]
    normals = np.cross(corners[1::3] - corners[::3], corners[2::3] - corners[::3]).repeat(3, axis=0)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    bound = np.zeros((len(corners), 4), np.uint16)
    bound[:, 0] = np.repeat(owners, len(FACES) * 3)
    weights = np.zeros((len(corners), 4), np.float32)
    weights[:, 0] = 1.0
    return {
        "material": 0,
        "attributes": {
            "POSITION": buffer.add(corners, "VEC3", bounds=True),
            "NORMAL": buffer.add(normals.astype(np.float32), "VEC3"),
            "JOINTS_0": buffer.add(bound, "VEC4"),
            "WEIGHTS_0": buffer.add(weights, "VEC4"),
        },
    }


def _animation(nodes: list[Node], track: JointTrack, buffer: _Buffer) -> dict:
    times = (np.arange(track.num_frames) / track.frame_rate).astype(np.float32)
    place = at_all_frames(nodes[0].position / 1000.0, track.frames, track.num_frames)
    seconds = buffer.add(times[:, None], "SCALAR", bounds=True)
    outputs = [(0, "translation", buffer.add(place.astype(np.float32), "VEC3"))]
    for index, node in enumerate(nodes):
        above = nodes[node.parent].rotation if node.level else np.eye(3)
        turned = turned_at_all_frames(np.swapaxes(above, -1, -2) @ node.rotation, track.frames, track.num_frames)
        turns = Rotation.from_matrix(turned).as_quat().astype(np.float32)
        # q and −q are one rotation; neighbours are to be near, for players that interpolate between them.
        signs = np.cumprod(np.where((turns[1:] * turns[:-1]).sum(axis=1, keepdims=True) < 0, -1.0, 1.0), axis=0)
        turns[1:] *= signs
        outputs.append((index, "rotation", buffer.add(turns, "VEC4")))
    return {
        "name": "motion",
        "samplers": [{"input": seconds, "output": output} for _, _, output in outputs],
        "channels": [
            {"sampler": sampler, "target": {"node": node, "path": path}}
            for sampler, (node, path, _) in enumerate(outputs)
        ],
    }
