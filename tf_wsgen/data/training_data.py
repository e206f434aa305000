"""A data source made ready: unpaired training poses, and held-out and test rows that only measure."""

import dataclasses
import functools
import hashlib
import os

import numpy as np
import tensorflow as tf

from tf_wsgen.data.human36m_cameras import INTRINSICS
from tf_wsgen.data.prepared import CAMERA_LABELS, GROUPS, PoseGroup, PreparedData, read_prepared
from tf_wsgen.data.preprocess import align_rows, make_template, normalise_rows
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.errors import InputError
from tf_wsgen.sections import SYNTHETIC, DataConfig
from tf_wsgen.simulation.body import body_size, mean_up, resize, stature, to_room
from tf_wsgen.simulation.settings import LOWEST_SCORE
from tf_wsgen.skeleton import HUMAN16, Skeleton, skeleton_by_name

MM_PER_METRE = 1000.0


@dataclasses.dataclass(frozen=True)
class PairedRows:
    """Rows to measure on: one person at one instant a row.

    Attributes:
        keypoints: (N, J, 2) pixels, y down.
        visible: (N, J) 0 missing; else 1, or the detector's confidence where the source tells it.
        pose_3d: (N, J, 3) millimetres, camera frame (x right, y down, z away).
        action: (N,) texts, or None.
        camera: (N, 3) width and height of the image and focal length (0: not known), pixels, or None.
        points: (N, J, 2) `keypoints` from the principal point over the focal length, where the camera looks at the
            root, or None.
    """

    keypoints: np.ndarray
    visible: np.ndarray
    pose_3d: np.ndarray
    action: np.ndarray | None = None
    camera: np.ndarray | None = None
    points: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.keypoints)

    def evenly_spaced(self, count: int) -> "PairedRows":
        """At most `count` rows, spread evenly over all."""
        return self.take(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(int))

    def take(self, rows) -> "PairedRows":
        """The rows of these numbers, in this order."""
        return PairedRows(*(None if values is None else values[rows] for values in vars(self).values()))


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """What training takes.

    Attributes:
        skeleton: The joints.
        source: Where the data is from, in words.
        pose_2d: (N, J, 2) normalised; N is 0 where the source has 3D poses alone.
        visible: (N, J).
        pose_3d: (M, J, 3) metres, template frame; drawn independently of the 2D rows.
        template: (4, 3) metres.
        scale_ratio: See `align_rows`.
        body_height: Metres, the mean stature (`tf_wsgen.simulation.body.stature`), or None.
        room: (M, J, 3) metres, y up, root-centred, each of the mean summed bone length: what is simulated from.
        held_out_room: The same of the held-out sequences, or None.
        validation: The held-out sequences' pairs, or None where the source has no pairs or nothing is held out.
    """

    skeleton: Skeleton
    source: str
    pose_2d: np.ndarray
    visible: np.ndarray
    pose_3d: np.ndarray
    template: np.ndarray
    scale_ratio: float
    body_height: float | None
    room: np.ndarray
    held_out_room: np.ndarray | None
    validation: PairedRows | None


def _training_data(data: PreparedData, config: DataConfig, seed: int) -> TrainingData:
    """Holds sequences out, normalises, and aligns to the template."""
    skeleton = skeleton_by_name(config.skeleton)
    group = data.train
    if group is None or group.pose_3d is None:
        raise InputError(f"{config.path}: has no training poses; expected train/pose_3d.")
    keep_2d, keep_3d = _hold_out(group, config, seed)
    pose_2d, visible = np.zeros((0, skeleton.num_joints, 2), np.float32), np.zeros((0, skeleton.num_joints), np.float32)
    if group.pose_2d is not None:
        visible = group.labels.get("visible")
        pose_2d, visible = normalise_rows(
            group.pose_2d[keep_2d],
            None if visible is None else visible[keep_2d],
            skeleton,
            f"{config.path}: train/pose_2d (training rows)",
        )
    metres = group.pose_3d / np.float32(MM_PER_METRE)
    metres -= metres[:, skeleton.root_index : skeleton.root_index + 1]
    up = group.pose_3d_up
    if up is None:
        labels = group.labels if group.paired or group.pose_2d is None else group.labels_3d
        up = mean_up(metres, labels.get("camera"), skeleton)
    room = to_room(metres, up)
    room = resize(room, tf.reduce_mean(body_size(room[keep_3d], skeleton)), skeleton).numpy()
    metres = metres[keep_3d]
    template = make_template(metres, skeleton)
    pose_3d, scale_ratio = align_rows(metres, template, skeleton, f"{config.path}: train/pose_3d (training rows)")
    held_out = bool(config.validation_fraction)
    return TrainingData(
        skeleton,
        data.source,
        pose_2d,
        visible,
        pose_3d,
        template,
        scale_ratio,
        None if (height := stature(metres, skeleton)) is None else float(tf.reduce_mean(height)),
        room[keep_3d],
        room[~keep_3d] if held_out else None,
        _paired_rows(group, ~keep_2d) if held_out and group.paired else None,
    )


class Source:
    """A prepared file, or the built-in synthetic people, read once and handed on to whoever needs them."""

    def __init__(self, config: DataConfig):
        self.config = config
        self._training: dict[int, TrainingData] = {}

    @functools.cached_property
    def data(self) -> PreparedData:
        """All that the file holds but the rows that are not valid."""
        skeleton, path = skeleton_by_name(self.config.skeleton), self.config.path
        if path == SYNTHETIC and skeleton.joints != HUMAN16.joints:
            raise InputError(f"data.path is {path!r}, whose skeleton is human16; data.skeleton is {skeleton.name!r}.")
        if path == SYNTHETIC:
            return synthetic_people()
        data = read_prepared(path, skeleton.joints)
        for name in GROUPS:
            group = getattr(data, name)
            group = group and group.only_valid()
            if group and any(poses is not None and not len(poses) for poses in (group.pose_2d, group.pose_3d)):
                raise InputError(f"{path}: no row of {name} is valid.")
            setattr(data, name, group)
        return data

    @functools.cached_property
    def fingerprint(self) -> str:
        """A text that changes with the file's content."""
        return SYNTHETIC if self.config.path == SYNTHETIC else fingerprint(self.config.path)

    def training(self, seed: int) -> TrainingData:
        """What training takes; the seed draws the held-out sequences.

        Raises:
            InputError: No training rows, rows that cannot be normalised, or sequences that cannot be held out.
        """
        if seed not in self._training:
            self._training[seed] = _training_data(self.data, self.config, seed)
        return self._training[seed]

    @functools.cached_property
    def test_rows(self) -> PairedRows:
        """Every row of the test group.

        Raises:
            InputError: The source has no test pairs.
        """
        group = self.data.test
        if group is None or not group.paired:
            raise InputError(f"{self.config.path}: has no pairs to measure on; expected test/pose_2d and test/pose_3d.")
        return _paired_rows(group, slice(None))


def fingerprint(path: str | os.PathLike) -> str:
    """A text that changes with the file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _paired_rows(group: PoseGroup, rows) -> PairedRows:
    action = group.labels.get("action")
    visible = group.labels.get("visible", np.ones(group.pose_2d.shape[:2], np.float32))
    if "confidence" in group.labels:
        visible = visible * group.labels["confidence"].clip(LOWEST_SCORE, 1.0)
    return PairedRows(
        group.pose_2d[rows],
        visible[rows],
        group.pose_3d[rows],
        None if action is None else action[rows],
        camera[rows] if (camera := _cameras(group)) is not None else None,
    )


def _cameras(group: PoseGroup) -> np.ndarray | None:
    """(N, 3) as `PairedRows.camera`: as the file tells, or of Human3.6M's cameras by their names."""
    if {"image_width", "image_height"} <= group.labels.keys():
        unknown = np.zeros(len(group.pose_2d), np.float32)
        camera = np.stack([group.labels.get(name, unknown) for name in CAMERA_LABELS], axis=-1)
        return camera if (camera[:, :2] > 0).all() else None
    names = group.labels.get("camera")
    known = {name: (*size, np.mean(focal)) for name, (focal, *_, size) in INTRINSICS.items()}
    if names is None or not set(np.unique(names).tolist()) <= known.keys():
        return None
    return np.array([known[name] for name in names.tolist()], np.float32)


def _hold_out(group: PoseGroup, config: DataConfig, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the 2D and of the 3D rows to train on; a sequence is held out of both."""
    rows_2d, rows_3d = (0 if poses is None else len(poses) for poses in (group.pose_2d, group.pose_3d))
    if not config.validation_fraction:
        return np.ones(rows_2d, bool), np.ones(rows_3d, bool)
    own = group.labels.get("sequence")
    sequence = own if group.paired or group.pose_2d is None else group.labels_3d.get("sequence")
    if sequence is None:
        raise InputError(
            f"{config.path}: train has no 'sequence' of the rows of pose_3d, so nothing can be held out; "
            "set data.validation_fraction=0 to train without validation."
        )
    names = np.unique(sequence)
    count = max(1, round(config.validation_fraction * len(names)))
    if count >= len(names):
        raise InputError(
            f"{config.path}: train has {len(names)} sequence(s), too few to hold out {count}; "
            "set data.validation_fraction=0 to train without validation."
        )
    held_out = np.random.default_rng(seed).choice(names, count, replace=False)
    keep_3d = ~np.isin(sequence, held_out)
    keep_2d = np.ones(rows_2d, bool) if own is None or not rows_2d else ~np.isin(own, held_out)
    return keep_2d, keep_3d
