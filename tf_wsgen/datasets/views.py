"""From motion in the room to what cameras see: 2D poses, with a detector's errors and hidden joints if wanted.

The room is z up, millimetres. All randomness is a function of the seed, the sequence's name and the camera's.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng

from tf_wsgen.data.human36m_cameras import CAMERA_NAMES, human36m_cameras
from tf_wsgen.data.prepared import check_millimetres
from tf_wsgen.data.simulated_detector import detected
from tf_wsgen.datasets.clip import Clip
from tf_wsgen.errors import InputError, check_choice
from tf_wsgen.geometry.perspective_camera import PerspectiveCamera, rotation_looking_at
from tf_wsgen.skeleton import HUMAN16

CAMERA_SETS = ("human36m", "random")
# Of the seven published placements of the four cameras, this one shows most around the room's middle: a box as wide
# as `WIDEST_PATH` and 1.8 m high is in all four images but for 12 pixels, with others up to 83 (the tests hold it).
HUMAN36M_SUBJECT = "S11"
ROOM_MIDDLE = np.array([0.0, 0.0, 900.0])
WIDEST_PATH = 2400.0  # Of the pelvis, along x or y, in the capture volume (mm).
# Random cameras: horizontal distance and height (mm), focal length (pixels), image side (pixels).
DISTANCE, HEIGHT, FOCAL_LENGTH, IMAGE = (3500.0, 6000.0), (800.0, 2200.0), (1000.0, 1300.0), 1000
# Of so many random cameras the first that has the whole person in its image is taken, or the nearest to it.
DRAWS = 16


@dataclasses.dataclass(frozen=True)
class ViewOptions:
    """How motion is seen.

    Attributes:
        cameras: "human36m", the four of Human3.6M around the room's middle, or "random".
        num_random: Random cameras a sequence.
        seed: Of all randomness.
        noise: Scale of the simulated detector's errors (`detected`); 0 gives exact projections, without scores.
        dropped_joints: Limb joints hidden in every row.
        frame_stride: One frame in so many is kept.
    """

    cameras: str = "human36m"
    num_random: int = 4
    seed: int = 0
    noise: float = 0.0
    dropped_joints: int = 0
    frame_stride: int = 1

    def __post_init__(self):
        check_choice("cameras", self.cameras, CAMERA_SETS)
        for name, least, most in (
            ("num_random", 1, 1000),
            ("seed", 0, 2**63),
            ("dropped_joints", 0, len(HUMAN16.limbs)),
            ("frame_stride", 1, 10**6),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value <= most:
                raise InputError(f"{name} is {value!r}; expected a whole number from {least} to {most}.")
        if not 0.0 <= self.noise < np.inf:
            raise InputError(f"noise is {self.noise!r}; expected a number from 0.")


def view_clips(
    poses: np.ndarray, options: ViewOptions, *, where: str, group: str, labels: Mapping[str, str]
) -> Iterator[Clip]:
    """One clip a camera, with 2D and 3D poses of the same rows; the motion is put into the room (`place_in_room`).

    Args:
        poses: (T, 16, 3) mm in the order of `HUMAN16`, world, z up.
        options: Which cameras, and what they do to the poses.
        where: File and place of the motion, for messages.
        group: "train" or "test".
        labels: Of the whole sequence; "sequence" must be among them, "camera" is added.

    Raises:
        InputError: Poses that are not finite, not (T, 16, 3) or not in millimetres, or a joint that a camera cannot
            see because it is behind it or far beside its image.
    """
    poses = np.asarray(poses, np.float64)
    if poses.shape != (len(poses), HUMAN16.num_joints, 3) or not len(poses) or not np.isfinite(poses).all():
        raise InputError(
            f"{where}: poses have shape {poses.shape}; expected finite numbers, (frames, {HUMAN16.num_joints}, 3)."
        )
    check_millimetres(poses, where)
    poses = place_in_room(poses[:: options.frame_stride])
    random = options.cameras == "random"
    names = [f"random_{index}" for index in range(options.num_random)] if random else CAMERA_NAMES
    for index, name in enumerate(names):
        for_camera, for_errors, for_hiding = _streams(options.seed, labels["sequence"], name)
        camera = _random_camera(for_camera, name, poses) if random else human36m_cameras(HUMAN36M_SUBJECT)[index]
        pose_3d, place = camera.to_camera_frame(poses), f"{where}, camera {name}"
        beside = np.argwhere(~_in_field(pose_3d))
        if len(beside):
            frame, joint = beside[0]
            raise InputError(
                f"{place}: {HUMAN16.joints[joint]} of frame {frame * options.frame_stride} is "
                f"{pose_3d[frame, joint, 2]:.0f} mm in front of the camera and outside of its field; expected motion "
                "around the middle of the room."
            )
        pose_2d = camera.project(pose_3d)
        of_camera = {**labels, "camera": name}
        if options.noise:
            pose_2d, of_camera["confidence"] = detected(for_errors, pose_2d, options.noise)
        if options.dropped_joints:
            visible = _hide(for_hiding, len(poses), options.dropped_joints)
            of_camera["visible"] = visible.astype(np.float32)
            pose_2d = np.where(visible[..., None], pose_2d, 0.0)
        pose_2d, pose_3d = pose_2d.astype(np.float32), pose_3d.astype(np.float32)
        yield Clip(place, group, pose_2d, pose_3d, of_camera, camera.image_size, camera.up, camera.mean_focal_length)


def place_in_room(poses: np.ndarray) -> np.ndarray:
    """The motion around the room's middle, so that the person stays in view: (T, J, 3) mm, z up.

    The middle of the pelvis' path is moved to x = y = 0, and a path that is wider than `WIDEST_PATH` is made
    smaller as a whole while the body keeps its size: feet then slide, trajectories are not physical.
    """
    path = poses[:, HUMAN16.root_index, :2]
    middle = (path.min(axis=0) + path.max(axis=0)) / 2.0
    width = np.ptp(path, axis=0).max()
    placed = (path - middle) * (WIDEST_PATH / max(width, WIDEST_PATH))
    result = poses.copy()
    result[..., :2] += (placed - path)[:, None]
    return result


def _hide(rng: Generator, rows: int, count: int) -> np.ndarray:
    """(T, 16) bool, False for `count` limb joints of every row."""
    limbs = np.array([HUMAN16.index(joint) for joint in HUMAN16.limbs])
    chosen = limbs[rng.random((rows, len(limbs))).argsort(axis=1)[:, :count]]
    visible = np.ones((rows, HUMAN16.num_joints), bool)
    np.put_along_axis(visible, chosen, False, axis=1)
    return visible


def _streams(seed: int, sequence: str, camera: str) -> list[Generator]:
    """Independent random numbers for the camera, the detector's errors and the hidden joints."""
    digest = hashlib.sha256(f"{sequence}\n{camera}".encode()).digest()
    return [default_rng(child) for child in SeedSequence([seed, int.from_bytes(digest)]).spawn(3)]


def _in_field(pose_3d: np.ndarray) -> np.ndarray:
    """(..., 16) whether points are in front of the camera, within the 90° in which its projection holds."""
    return pose_3d[..., 2] > np.abs(pose_3d[..., :2]).max(axis=-1)


def _random_camera(rng: Generator, name: str, poses: np.ndarray) -> PerspectiveCamera:
    def draw():
        azimuth = rng.uniform(0.0, 2.0 * np.pi)
        distance, height, focal_length = (rng.uniform(*interval) for interval in (DISTANCE, HEIGHT, FOCAL_LENGTH))
        position = np.array([distance * np.cos(azimuth), distance * np.sin(azimuth), height])
        rotation = rotation_looking_at(position, ROOM_MIDDLE)
        return PerspectiveCamera(name, rotation, position, np.full(2, focal_length), np.full(2, IMAGE / 2.0))

    def pixels_outside(camera):
        pose_3d = camera.to_camera_frame(poses)
        if not _in_field(pose_3d).all():
            return np.inf
        pose_2d = camera.project(pose_3d)
        return max(0.0, -pose_2d.min(), pose_2d.max() - IMAGE)

    return min([draw() for _ in range(DRAWS)], key=pixels_outside)
