"""Clips: what every reader hands on, checked before anything is written."""

import dataclasses

import numpy as np

from tf_wsgen.data.prepared import (
    CAMERA_LABELS,
    GROUPS,
    JOINT_LABELS,
    LABELS,
    check_finite,
    check_label,
    check_millimetres,
    check_some_visible,
)
from tf_wsgen.errors import InputError, check_choice
from tf_wsgen.files import check_numbers
from tf_wsgen.skeleton import HUMAN16


@dataclasses.dataclass(frozen=True)
class Clip:
    """Rows of people seen by one camera, joints in the order of `HUMAN16`; mostly one person's one sequence.

    Attributes:
        where: File and place that the rows come from, for messages: "FILE: S1/Walking, camera 54138969".
        group: "train" or "test".
        pose_2d: (T, 16, 2) pixels, x right, y down; None without 2D. Missing joints are 0 and not `visible`.
        pose_3d: (T, 16, 3) millimetres, camera frame: x right, y down, z away; None without 3D.
        labels: By the names of the prepared file: texts, each one for the whole clip or (T,);
            `visible` and `confidence` (T, 16), `valid` (T,). With both poses, row i of both is one person at one
            instant; rows that do not belong together are two clips, one of 2D and one of 3D.
        image_size: Width and height in pixels, where the file or the data set tells.
        up: (3,) the unit vector that points up in the camera frame, where the room is known.
        focal_length: Pixels, where the file or the data set tells.
    """

    where: str
    group: str
    pose_2d: np.ndarray | None = None
    pose_3d: np.ndarray | None = None
    labels: dict[str, str | np.ndarray] = dataclasses.field(default_factory=dict)
    image_size: tuple[int, int] | None = None
    up: np.ndarray | None = None
    focal_length: float | None = None

    def __len__(self):
        return len(self.pose_3d if self.pose_2d is None else self.pose_2d)

    @property
    def camera_labels(self) -> dict[str, np.ndarray]:
        """`CAMERA_LABELS` of each row, where they are known."""
        width, height = self.image_size or (0, 0)
        numbers = zip(CAMERA_LABELS, (width, height, self.focal_length or 0), strict=True)
        return {name: np.full(len(self), value, np.float32) for name, value in numbers if value}

    def take(self, rows) -> "Clip":
        """The clip of some rows (a slice, indices or a mask)."""
        return dataclasses.replace(
            self,
            pose_2d=None if self.pose_2d is None else self.pose_2d[rows],
            pose_3d=None if self.pose_3d is None else self.pose_3d[rows],
            labels={n: v if isinstance(v, str) else v[rows] for n, v in self.labels.items()},
        )


def check_clip(clip: Clip) -> None:
    """Refuses a clip that cannot be right.

    Raises:
        InputError: Wrong shapes, rows that don't match, numbers that are not finite, or metres for millimetres.
    """
    joints = HUMAN16.num_joints
    check_choice(f"{clip.where}: group", clip.group, GROUPS)
    if clip.pose_2d is None and clip.pose_3d is None:
        raise InputError(f"{clip.where}: has neither 2D nor 3D poses.")
    for name, poses, dimensions in (("2D", clip.pose_2d, 2), ("3D", clip.pose_3d, 3)):
        if poses is None:
            continue
        check_numbers(poses, (None, joints, dimensions), f"{clip.where}: pose_{name.lower()}")
        if len(poses) == 0:
            raise InputError(f"{clip.where}: has no frames.")
        check_finite(poses, f"{clip.where}: {name}", "frame")
    if clip.pose_2d is not None and clip.pose_3d is not None and len(clip.pose_2d) != len(clip.pose_3d):
        raise InputError(
            f"{clip.where}: has {len(clip.pose_2d)} frames in 2D and {len(clip.pose_3d)} in 3D; expected as many."
        )
    if clip.pose_3d is not None:
        check_millimetres(clip.pose_3d, clip.where)
    _check_labels(clip)


def _check_labels(clip: Clip) -> None:
    unknown = sorted(set(clip.labels) - set(LABELS))
    if unknown:
        raise InputError(f"{clip.where}: label {unknown[0]!r} is not one of {list(LABELS)}.")
    for name, values in clip.labels.items():
        if isinstance(values, str):
            continue
        shape = (len(clip), HUMAN16.num_joints) if name in JOINT_LABELS else (len(clip),)
        if np.shape(values) != shape:
            raise InputError(f"{clip.where}: {name} has shape {np.shape(values)}; expected {shape}.")
        if values.dtype.kind in "fiub":
            check_label(values, name, f"{clip.where}: {name}")
        if name == "visible" and clip.pose_2d is not None:
            check_some_visible(values, f"{clip.where}: frame")
