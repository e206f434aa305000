"""From any data set's official files to a prepared file: which reader, with which options."""

import dataclasses
import inspect
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence

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
# What motion takes beside the stride: fields of `ViewOptions`.
VIEWS = ("cameras", "num_random", "seed", "noise", "dropped_joints")


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
        options: Keyword arguments of that data set's function below; those that are None count as not given.
        overwrite: Whether an existing file may be replaced.
        notice: Is told in a sentence of what is left out, missing or suspicious.
        progress: Called with the number of rows as they are written.

    Raises:
        InputError: An unknown data set, an option that it does not take, or what its reader refuses.
    """
    check_choice("dataset", dataset, DATASETS)
    open_source = DATASETS[dataset]
    given = {name: value for name, value in options.items() if value is not None}
    known = [name for name in inspect.signature(open_source).parameters if name not in ("source", "notice", "views")]
    known += VIEWS if dataset in ("cmu", "bvh") else []
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
    stride: int = 1,
    annotation: str = "univ_annot3",
    only_valid: bool = False,
):
    """MPI-INF-3DHP, its training and test folders, whichever are there."""
    try:
        numbers = tuple(int(camera) for camera in cameras)
    except ValueError:
        raise InputError(f"--cameras is {list(cameras)}; expected numbers from 0 to 13.") from None
    clips = read_3dhp(source, cameras=numbers, stride=stride, annotation=annotation, only_valid=only_valid)
    return f"MPI-INF-3DHP ({annotation})", clips


def _mpii(
    source: pathlib.Path,
    notice: Notice,
    *,
    detections: str | None = None,
    group: str = "test",
    occluded_as_missing: bool = False,
):
    """MPII annotations (pose-hg HDF5, HRNet JSON, original mat), or detections of the same people."""
    seen = f"detections of {pathlib.Path(detections).name}" if detections else "annotations"
    return f"MPII, {seen}", read_mpii(source, detections, group, occluded_as_missing)


def _cmu(
    source: pathlib.Path,
    notice: Notice,
    *,
    test_subjects: Iterable[str] = (),
    test_sequences: Iterable[str] = (),
    stride: int = 6,
    **views,
):
    """CMU motion capture as ASF/AMC, seen by cameras."""
    options = _views(stride, **views)
    clips = cmu_clips(source, options, test_subjects=tuple(test_subjects), test_sequences=tuple(test_sequences))
    return f"CMU motion capture seen by cameras ({_seen_by(options)})", clips


def _bvh(
    source: pathlib.Path,
    notice: Notice,
    *,
    unit: str = "auto",
    up: str = "y",
    joint_names: str | None = None,
    test_subjects: Iterable[str] = (),
    test_sequences: Iterable[str] = (),
    stride: int = 1,
    **views,
):
    """BVH motions, seen by cameras."""
    options = _views(stride, **views)
    split = {"test_subjects": tuple(test_subjects), "test_sequences": tuple(test_sequences)}
    names = None if joint_names is None else read_joint_names(joint_names)
    clips = bvh_clips(source, options, unit=unit, up=up, joint_names=names, **split)
    return f"BVH motion seen by cameras ({_seen_by(options)})", clips


def _views(stride: int, cameras: Sequence[str] = ("human36m",), **options) -> ViewOptions:
    if len(cameras) != 1:
        raise InputError(f"--cameras is {list(cameras)}; expected human36m or random.")
    return ViewOptions(cameras[0], frame_stride=stride, **options)


def _seen_by(views: ViewOptions) -> str:
    return f"{views.cameras}, seed {views.seed}, noise {views.noise:g}, {views.dropped_joints} joints dropped"


def _arrays(
    source: pathlib.Path,
    notice: Notice,
    *,
    convention: str | None = None,
    unit: str = "mm",
    frame: str = "camera",
    group: str = "train",
):
    """Plain arrays in npz or HDF5."""
    return source.name, read_arrays(source, convention=convention, unit=unit, frame=frame, group=group)


def _detections(
    source: pathlib.Path,
    notice: Notice,
    *,
    format: str = "auto",
    convention: str | None = None,
    image_size: tuple[int, int] | None = None,
    lowest_confidence: float = 0.0,
    track: str = "auto",
    group: str = "test",
):
    """A detector's file; 2D alone."""
    found = read_detections(source, format, convention, image_size, lowest_confidence, track)
    for note in found.notes:
        notice(note)
    return f"{source.name} ({found.source_format})", detection_clips(found, str(source), group)


DATASETS = {
    "h36m": _h36m,
    "mpi_inf_3dhp": _mpi_inf_3dhp,
    "mpii": _mpii,
    "cmu": _cmu,
    "bvh": _bvh,
    "arrays": _arrays,
    "detections": _detections,
}
