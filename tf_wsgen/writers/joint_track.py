"""One person's joints over a video's time: what every motion file is written from."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tf_wsgen.errors import InputError
from tf_wsgen.skeleton import Skeleton


@dataclasses.dataclass(frozen=True)
class JointTrack:
    """Positions of joints in some frames of a video.

    Attributes:
        positions: (T, K, 3) mm, y up.
        joints: K different names, without blanks or braces.
        parents: For each joint the index of its parent, -1 for the one root (`skeleton_parents`, `Motion.parents`).
        frame_rate: Frames a second.
        frames: (T,) growing whole numbers from 0, the frames that the positions are of; None for one after another.
        num_frames: Of the video; as many as there are up to the last if None.

    Raises:
        InputError: Values that do not fit each other or are not finite.
    """

    positions: np.ndarray
    joints: Sequence[str]
    parents: Sequence[int]
    frame_rate: float
    frames: np.ndarray | None = None
    num_frames: int | None = None

    def __post_init__(self):
        positions, joints = np.asarray(self.positions, np.float64), list(self.joints)
        if positions.ndim != 3 or positions.shape[1:] != (len(joints), 3) or not len(positions) or not len(joints):
            raise InputError(f"positions have shape {positions.shape}; expected (frames, {len(joints)}, 3), as joints.")
        if not np.isfinite(positions).all():
            raise InputError(f"positions of frame {np.argwhere(~np.isfinite(positions))[0][0]} are not finite.")
        if not 0.0 < self.frame_rate < np.inf:
            raise InputError(f"frame_rate is {self.frame_rate}; expected a number above 0.")
        if len(set(joints)) != len(joints) or any(name.split() != [name] or set(name) & set("{}") for name in joints):
            raise InputError(f"joints are {joints}; expected different names without blanks and braces.")
        times = np.arange(len(positions)) if self.frames is None else np.asarray(self.frames)
        count = int(times[-1]) + 1 if self.num_frames is None else self.num_frames
        if times.shape != (len(positions),) or times[0] < 0 or (np.diff(times) <= 0).any() or times[-1] >= count:
            raise InputError(f"frames are not {len(positions)} growing numbers from 0 and below {count}.")
        # Up from any joint one comes to the one root.
        parents = list(self.parents)
        above = np.array([*parents, -1])
        fits = len(parents) == len(joints) and parents.count(-1) == 1 and set(parents) <= set(range(-1, len(joints)))
        end = np.arange(len(parents))
        for _ in parents:
            end = above[end] if fits else end
        if not fits or (end != -1).any():
            raise InputError(f"parents are {parents}; expected a tree with one root, of {len(joints)} joints.")
        for name, value in (("positions", positions), ("frames", times), ("num_frames", count)):
            object.__setattr__(self, name, value)

    @property
    def every_frame(self) -> np.ndarray:
        """(num_frames, K, 3): linear between the frames that are there; the first and the last are held."""
        flat = at_all_frames(self.positions.reshape(len(self.positions), -1), self.frames, self.num_frames)
        return flat.reshape(self.num_frames, len(self.joints), 3)


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


def at_all_frames(values: np.ndarray, frames: np.ndarray, num_frames: int) -> np.ndarray:
    """(num_frames, 3) of (T, 3) values at some frames."""
    return np.stack([np.interp(np.arange(num_frames), frames, column) for column in values.T], axis=1)
