"""From any data set's official files to a prepared file: which reader, with which options."""

import dataclasses
import inspect
import os
import pathlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import numpy as np

from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.clip_writer import write_clips
from tf_wsgen.datasets.readers.arrays import read_arrays
from tf_wsgen.datasets.readers.asf_amc import cmu_clips
from tf_wsgen.datasets.readers.bvh import bvh_clips
from tf_wsgen.datasets.readers.detections import detection_clips, read_detections
from tf_wsgen.datasets.readers.human36m import TEST_STRIDE, TEST_SUBJECTS, TRAIN_SUBJECTS, read_videopose3d
from tf_wsgen.datasets.readers.human36m_baseline import read_3d_pose_baseline
from tf_wsgen.datasets.readers.human36m_mat import read_repnet_mat
from tf_wsgen.datasets.readers.mpi_inf_3dhp import CAMERAS, read_3dhp
from tf_wsgen.datasets.readers.mpii import read_mpii
from tf_wsgen.datasets.readers.skeleton_names import read_joint_names
from tf_wsgen.datasets.review import Review
from tf_wsgen.datasets.views import ViewOptions
from tf_wsgen.errors import InputError, check_choice
from tf_wsgen.skeleton import HUMAN16

Notice = Callable[[str], None]
# Parameters that are no options.
NO_OPTIONS = ("source", "notice", "path", "folder", "options", "frame_stride")


def prepare(
    dataset: str,
    source: str | os.PathLike,
    output: str | os.PathLike,
    options: dict,
    overwrite: bool = False,
    notice: Notice = print,
    progress: Callable[[int], None] | None = None,
) -> Review:
    """Reads a data set and writes it as a prepared file.

    Args:
        dataset: A name of `DATASETS`.
        source: The file or folder.
        output: The HDF5 file to write.
        options: Keyword arguments as `DATASETS` says; those that are None count as not given.
        overwrite: Whether an existing file may be replaced.
        notice: Is told in a sentence of what is left out, missing or suspicious.
        progress: Called with the number of rows as they are written.

    Raises:
        InputError: An unknown data set, an option that it does not take, or what its reader refuses.
    """
    check_choice("dataset", dataset, DATASETS)
    open_source, taker = DATASETS[dataset]
    given = {name: value for name, value in options.items() if value is not None}
    parameters = [*inspect.signature(open_source).parameters, *inspect.signature(taker).parameters]
    known = [name for name in dict.fromkeys(parameters) if name not in NO_OPTIONS]
    for name in given:
        if name not in known:
            raise InputError(f"--{name} is not an option of the data set {dataset}; it takes {known}.")
    description, clips = open_source(pathlib.Path(source), notice, **given)
    if pathlib.Path(output).absolute() == pathlib.Path(source).absolute():
        raise InputError(f"{output}: is the source itself; expected another file to write.")
    marked = 0

    def checked() -> Iterator[Clip]:
        # Nothing is trained on or measured with rows without a root.
        nonlocal marked
        for clip in clips:
            rooted = _with_root(clip)
            marked += int((~rooted).sum())
            valid = {} if rooted.all() else {"valid": clip.labels.get("valid", np.ones(len(clip))) * rooted}
            yield dataclasses.replace(clip, labels={**clip.labels, **valid})

    review = write_clips(output, checked(), description, overwrite, progress)
    if marked:
        notice(f"{marked:,} rows are marked as not valid: neither pelvis nor both hips are seen.")
    for warning in review.warnings():
        notice(f"Warning: {warning}")
    return review


def _with_root(clip: Clip) -> np.ndarray:
    """(T,) whether a row's root is known: the pelvis is seen, or both hips are."""
    visible = clip.labels.get("visible")
    if clip.pose_2d is None or np.shape(visible) != (len(clip), HUMAN16.num_joints):
        return np.ones(len(clip), bool)
    seen = np.asarray(visible) > 0
    return seen[:, HUMAN16.root_index] | seen[:, HUMAN16.hip_indices].all(axis=1)


def _h36m(
    source: pathlib.Path,
    notice: Notice,
    *,
    detections: str | None = None,
    convention: str | None = None,
    train_subjects: Iterable[str] = TRAIN_SUBJECTS,
    test_subjects: Iterable[str] = TEST_SUBJECTS,
    stride: int = 1,
    test_stride: int = TEST_STRIDE,
    keep_corrupt: bool = False,
    group: str | None = None,
):
    """VideoPose3D's npz, 3d-pose-baseline's folder, or RepNet's mat, by what the source is."""
    if source.suffix == ".mat":
        if group is None:
            raise InputError(f"{source}: a .mat file has no split of its own; expected --group train or test.")
        return f"Human3.6M ({source.name})", read_repnet_mat(source, group, stride=stride, notice=notice)
    if group is not None:
        raise InputError("--group is for .mat files; subjects make the groups of Human3.6M.")
    split = {
        "train_subjects": tuple(train_subjects),
        "test_subjects": tuple(test_subjects),
        "train_stride": stride,
        "test_stride": test_stride,
        "skip_corrupt": not keep_corrupt,
        "notice": notice,
    }
    seen = f"2D from {pathlib.Path(detections).name}" if detections else "2D from ground truth"
    description = f"Human3.6M, every {test_stride}th test frame, {seen}"
    if source.is_dir():
        return description, read_3d_pose_baseline(source, detections, **split)
    return description, read_videopose3d(source, detections, keypoints_2d_convention=convention, **split)


def _mpi_inf_3dhp(
    source: pathlib.Path,
    notice: Notice,
    *,
    cameras: Iterable[str] = CAMERAS,
    annotation: str = "univ_annot3",
    **options,
):
    """MPI-INF-3DHP, its training and test folders, whichever are there."""
    try:
        numbers = tuple(int(camera) for camera in cameras)
    except ValueError:
        raise InputError(f"--cameras is {list(cameras)}; expected numbers from 0 to 13.") from None
    return f"MPI-INF-3DHP ({annotation})", read_3dhp(source, numbers, annotation=annotation, **options)


def _mpii(source: pathlib.Path, notice: Notice, *, detections: str | None = None, **options):
    """MPII annotations (pose-hg HDF5, HRNet JSON, original mat), or detections of the same people."""
    seen = f"detections of {pathlib.Path(detections).name}" if detections else "annotations"
    return f"MPII, {seen}", read_mpii(source, detections, **options)


def _cmu(
    source: pathlib.Path,
    notice: Notice,
    *,
    test_subjects: Collection[str] = (),
    test_sequences: Collection[str] = (),
    stride: int = 6,
    **options,
):
    """CMU motion capture as ASF/AMC, seen by cameras."""
    views = _views(stride, **options)
    clips = cmu_clips(source, views, test_subjects=test_subjects, test_sequences=test_sequences)
    return f"CMU motion capture seen by cameras ({_seen_by(views)})", clips


def _bvh(
    source: pathlib.Path,
    notice: Notice,
    *,
    unit: str = "auto",
    up: str = "y",
    joint_names: str | None = None,
    test_subjects: Collection[str] = (),
    test_sequences: Collection[str] = (),
    stride: int = 1,
    **options,
):
    """BVH motions, seen by cameras."""
    views = _views(stride, **options)
    split = {"test_subjects": test_subjects, "test_sequences": test_sequences}
    names = None if joint_names is None else read_joint_names(joint_names)
    clips = bvh_clips(source, views, unit=unit, up=up, joint_names=names, **split)
    return f"BVH motion seen by cameras ({_seen_by(views)})", clips


def _views(stride: int, cameras: Sequence[str] = ("human36m",), **options) -> ViewOptions:
    if len(cameras) != 1:
        raise InputError(f"--cameras is {list(cameras)}; expected human36m or random.")
    if "num_random" in options and cameras[0] != "random":
        raise InputError("--num_random is given without --cameras random.")
    return ViewOptions(cameras[0], frame_stride=stride, **options)


def _seen_by(views: ViewOptions) -> str:
    return f"{views.cameras}, seed {views.seed}, noise {views.noise:g}, {views.dropped_joints} joints dropped"


def _arrays(source: pathlib.Path, notice: Notice, **options):
    """Plain arrays in npz or HDF5."""
    return source.name, read_arrays(source, **options)


def _detections(source: pathlib.Path, notice: Notice, *, group: str = "test", **options):
    """A detector's file; 2D alone."""
    found = read_detections(source, **options)
    for note in found.notes:
        notice(note)
    return f"{source.name} ({found.source_format})", detection_clips(found, str(source), group)


# How each is opened, and what takes the options that this doesn't name.
DATASETS = {
    "h36m": (_h36m, _h36m),
    "mpi_inf_3dhp": (_mpi_inf_3dhp, read_3dhp),
    "mpii": (_mpii, read_mpii),
    "cmu": (_cmu, ViewOptions),
    "bvh": (_bvh, ViewOptions),
    "arrays": (_arrays, read_arrays),
    "detections": (_detections, read_detections),
}
