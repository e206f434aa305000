"""Writing clips as they come into one prepared file, without holding more than a few thousand rows."""

import os
from collections.abc import Callable, Iterable

import h5py
import numpy as np

from tf_wsgen.data.prepared import CAMERA_LABELS, JOINT_LABELS, PREFIX_3D, TEXT_LABELS, UP
from tf_wsgen.datasets.clip import Clip, check_clip
from tf_wsgen.datasets.review import Review
from tf_wsgen.errors import InputError
from tf_wsgen.files import check_new, whole_file
from tf_wsgen.skeleton import HUMAN16

ROWS_A_CHUNK = 4096


def write_clips(
    path: str | os.PathLike,
    clips: Iterable[Clip],
    source: str,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Review:
    """Checks clips and writes them to a prepared file, atomically: whole, or not at all.

    Args:
        path: The HDF5 file.
        clips: What a reader yields.
        source: Where the poses come from, in words; it is shown wherever their figures are.
        overwrite: Whether an existing file may be replaced.
        progress: Called with the number of rows after each clip.

    Returns:
        What was seen on the way: counts, bone lengths, what is suspicious.

    Raises:
        InputError: The file exists, or a clip that the format does not allow.
    """
    check_new(path, overwrite)
    review = Review()
    with whole_file(path) as partial, h5py.File(partial, "w") as file:
        file.attrs["joints"] = np.bytes_(HUMAN16.joints)
        file.attrs["source"] = np.bytes_(source.encode())
        groups = {}
        for clip in clips:
            check_clip(clip)
            if clip.group not in groups:
                groups[clip.group] = _GroupWriter(file.create_group(clip.group))
            groups[clip.group].add(clip)
            review.add(clip)
            if progress:
                progress(len(clip))
        if not groups:
            raise InputError(f"{path}: nothing to write; the source has no poses with these options.")
        for group in groups.values():
            group.close()
    return review


class _GroupWriter:
    """Appends clips to the datasets of one group."""

    def __init__(self, file: h5py.Group):
        self.file = file
        # Held open, so that HDF5 keeps the last chunk in memory until it is full.
        self.poses: dict[str, h5py.Dataset] = {}
        # Labels by clip, with the rows that each stands for: texts are short, joint labels go to the file.
        self.labels = {"pose_2d": [], "pose_3d": []}
        self.paired, self.up = True, []
        self.seen = {}

    def add(self, clip: Clip) -> None:
        self._refuse_twice(clip)
        for name, poses in (("pose_2d", clip.pose_2d), ("pose_3d", clip.pose_3d)):
            if poses is not None:
                self._append(name, poses)
                self.labels[name].append(({**clip.camera_labels, **clip.labels}, len(clip)))
        if clip.pose_3d is not None:
            self.up.append(None if clip.up is None else np.tile(np.float32(clip.up), (len(clip), 1)))
        rows_2d, rows_3d = (len(self.poses.get(name, ())) for name in ("pose_2d", "pose_3d"))
        self.paired &= rows_2d == rows_3d

    def close(self) -> None:
        both = len(self.poses) == 2
        # Rows of which some don't tell where up is are taken as none that does.
        if self.up and all(up is not None for up in self.up):
            self._create(UP, np.concatenate(self.up))
        if "pose_2d" in self.poses:
            self._write_labels(self.labels["pose_2d"], "")
        if "pose_3d" in self.poses and not (both and self.paired):
            self._write_labels(self.labels["pose_3d"], PREFIX_3D if both else "")
        if self.file.name == "/test" and both and not self.paired:
            raise InputError(
                "The test group has 2D and 3D poses that do not belong together; expected pairs, row by row."
            )

    def _refuse_twice(self, clip: Clip) -> None:
        subject, sequence, camera = (clip.labels.get(name) for name in ("subject", "sequence", "camera"))
        if not isinstance(sequence, str):
            return
        of = [name if isinstance(name, str) else "" for name in (subject, camera)]
        key = (sequence, *of, clip.pose_2d is None, clip.pose_3d is None)
        if key in self.seen:
            raise InputError(
                f"{clip.where}: sequence {sequence!r} is in the group {clip.group!r} already, from {self.seen[key]}; "
                "expected each once."
            )
        self.seen[key] = clip.where

    def _write_labels(self, labels: list[tuple[dict, int]], prefix: str) -> None:
        for name in dict.fromkeys(name for values, _ in labels for name in values):
            if name in TEXT_LABELS:
                texts = [(np.char.encode(values.get(name, ""), "utf-8"), rows) for values, rows in labels]
                parts = [np.broadcast_to(text, rows) for text, rows in texts]
            else:
                trailing = (HUMAN16.num_joints,) if name in JOINT_LABELS else ()
                # Rows of clips that don't say otherwise are seen, trusted and valid, and their cameras not known.
                unsaid = np.float32(0.0 if name in CAMERA_LABELS else 1.0)
                parts = [np.broadcast_to(values.get(name, unsaid), (rows, *trailing)) for values, rows in labels]
                parts = [part.astype(np.float32) for part in parts]
            self._create(prefix + name, np.concatenate(parts))

    def _append(self, name: str, values: np.ndarray) -> None:
        if name not in self.poses:
            shape = values.shape[1:]
            self.poses[name] = self._create(
                name, np.zeros((0, *shape), np.float32), chunks=(ROWS_A_CHUNK, *shape), maxshape=(None, *shape)
            )
        dataset = self.poses[name]
        start = len(dataset)
        dataset.resize(start + len(values), axis=0)
        dataset[start:] = values

    def _create(self, name: str, values: np.ndarray, **layout: tuple) -> h5py.Dataset:
        return self.file.create_dataset(
            name, data=values, compression="gzip", compression_opts=1, shuffle=True, **layout
        )
