"""A motion as BVH, which common programs play: rotations, one length for each bone (`tf_wsgen.writers.rig`)."""

import os
from collections.abc import Iterator

import numpy as np

from tf_wsgen.datasets.readers.motion import UNITS
from tf_wsgen.errors import InputError
from tf_wsgen.files import whole_file
from tf_wsgen.writers.joint_track import JointTrack, at_all_frames
from tf_wsgen.writers.rig import Node, deviation, fit_rig, turned_at_all_frames


def write_bvh(path: str | os.PathLike, track: JointTrack, unit: str = "cm") -> float:
    """Writes a motion atomically: a reader sees the old file or the whole new one.

    Between the frames that are there joints turn on (slerp), before the first and after the last they stand still.

    Args:
        path: The file.
        track: What to write.
        unit: Of the file, of `UNITS`; BVH does not say it.

    Returns:
        The largest distance (mm) between a joint as given and as written in its frame.

    Raises:
        InputError: Another unit, joints' names that the rig gives itself, or a place that cannot be written.
    """
    if unit not in UNITS:
        raise InputError(f"unit is {unit!r}; expected one of {list(UNITS)}.")
    times, num_frames, nodes = track.frames, track.num_frames, fit_rig(track)
    columns = [at_all_frames(nodes[0].position / UNITS[unit], times, num_frames)]
    for node in nodes:
        above = nodes[node.parent].rotation if node.level else np.eye(3)
        turned = turned_at_all_frames(np.swapaxes(above, -1, -2) @ node.rotation, times, num_frames)
        columns.append(_euler_degrees(turned))
    values = np.round(np.concatenate(columns, axis=1), 6) + 0.0  # Without "-0".

    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in _hierarchy(nodes, UNITS[unit]))
        file.write(f"MOTION\nFrames: {len(values)}\nFrame Time: {1.0 / track.frame_rate:.9g}\n")
        np.savetxt(file, values, fmt="%.6f")
    return deviation(nodes, track)


def _euler_degrees(rotation: np.ndarray) -> np.ndarray:
    """(T, 3) degrees z, x, y with R = R_z R_x R_y, continuous over time."""
    z = np.arctan2(-rotation[:, 0, 1], rotation[:, 1, 1])
    x = np.arctan2(rotation[:, 2, 1], np.hypot(rotation[:, 0, 1], rotation[:, 1, 1]))
    # What is left after z is about x and then y; so y is right where x = ±90° leaves z open, too.
    cosine, sine = np.cos(z), np.sin(z)
    y = np.arctan2(cosine * rotation[:, 0, 2] + sine * rotation[:, 1, 2],
                   cosine * rotation[:, 0, 0] + sine * rotation[:, 1, 0])  # fmt: skip
    return np.unwrap(np.degrees(np.stack([z, x, y], axis=-1)), period=360.0, axis=0)


def _hierarchy(nodes: list[Node], unit: float) -> Iterator[str]:
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
