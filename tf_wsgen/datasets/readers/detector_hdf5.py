"""2D keypoints in HDF5: stacked hourglass' predictions, SLEAP's analysis files, DeepLabCut's tables."""

import io
import pathlib
from collections.abc import Iterator

import h5py
import numpy as np

from tf_wsgen.datasets.keypoint_conventions import Convention
from tf_wsgen.datasets.readers.joint_names import convention_of_names
from tf_wsgen.datasets.readers.json_values import EmptyFrame, Entry, FileContent, Person
from tf_wsgen.errors import InputError
from tf_wsgen.files import check_stored, hdf5_array, hdf5_integers, hdf5_texts, open_hdf5
from tf_wsgen.pickles import LARGEST_ARRAY, DataUnpickler

# Dimensions of SLEAP's `tracks` where the file does not name them: as it writes them for MATLAB, and as others do.
SLEAP_DIMS = (("track", "xy", "node", "frame"), ("frame", "track", "node", "xy"))


def hdf5_content(path: pathlib.Path, kind: str) -> FileContent:
    """The format, all people, and the joints that the file names.

    Raises:
        InputError: None of the known layouts, or values that do not fit it.
    """
    with open_hdf5(path, kind) as file:
        if "tracks" in file and "node_names" in file:
            return FileContent("sleap", *_sleap(file, str(path)))
        tables = [group for group in file.values() if isinstance(group, h5py.Group) and "pandas_type" in group.attrs]
        if tables:
            return FileContent("deeplabcut", *_deeplabcut(tables[0], str(path)))
        return FileContent("pose_hg", list(_pose_hg(file, str(path))))


def _pose_hg(file: h5py.File, where: str) -> Iterator[Person]:
    key = "preds" if "preds" in file else "part"
    points = hdf5_array(file, key, where, (None, None, 2)).astype(np.float64)
    rows = len(points)
    frames = hdf5_integers(file, "index", where, rows).tolist() if "index" in file else range(rows)
    people = hdf5_integers(file, "person", where, rows).tolist() if "person" in file else [None] * rows
    for row, (joints, frame, person) in enumerate(zip(points, frames, people, strict=True)):
        yield Person(f"{key}[{row}]", frame, person, joints, np.ones(len(joints)), None)


def _sleap(file: h5py.File, where: str) -> tuple[list[Entry], Convention]:
    names = hdf5_texts(file, "node_names", where)
    points = hdf5_array(file, "tracks", where, (None,) * 4)
    scores = hdf5_array(file, "point_scores", where, (None,) * 3) if "point_scores" in file else None
    for dims in SLEAP_DIMS:
        tracks = points.transpose([dims.index(dim) for dim in ("frame", "track", "node", "xy")])
        # The scores have the same dimensions without the coordinates.
        left = [dim for dim in dims if dim != "xy"]
        order = [left.index(dim) for dim in ("frame", "track", "node")]
        confidence = np.ones(tracks.shape[:3]) if scores is None else scores.transpose(order)
        if tracks.shape == (*confidence.shape, 2) and len(names) == tracks.shape[2]:
            return list(_rows("tracks", np.arange(len(tracks)), tracks, confidence)), convention_of_names(names)
    raise InputError(
        f"tracks has shape {points.shape}; expected (tracks, 2, {len(names)} nodes, frames), as point_scores."
    )


def _deeplabcut(group: h5py.Group, where: str) -> tuple[list[Entry], Convention]:
    """A pandas table whose columns are (scorer, individuals where there are several, bodyparts, coords)."""
    columns, frames, values = _fixed(group, where) if "block0_values" in group else _appendable(group, where)
    if len(columns) != values.shape[1] or not all(len(column) in (3, 4) for column in columns):
        raise InputError(f"{group.name} has columns {columns[:2]} …; expected (scorer, bodyparts, coords) for each.")
    people = list(dict.fromkeys(column[1:-2] for column in columns))
    joints = list(dict.fromkeys(column[-2] for column in columns))
    found = np.full((len(values), len(people), len(joints), 3), np.nan)
    quantities = {"x": 0, "y": 1, "likelihood": 2}
    for column, numbers in zip(columns, values.T, strict=True):
        if column[-1] in quantities:
            found[:, people.index(column[1:-2]), joints.index(column[-2]), quantities[column[-1]]] = numbers
    # Tables of labels made by hand have no likelihood.
    scores = found[..., 2] if any(column[-1] == "likelihood" for column in columns) else np.ones(found.shape[:3])
    return list(_rows(group.name, frames, found[..., :2], scores)), convention_of_names(joints)


def _levels(group: h5py.Group, axis: str, where: str) -> list[list[str]]:
    """The names on each level of an axis of pandas' form "fixed"."""
    parts = []
    for level in range(sum(name.startswith(f"{axis}_level") for name in group)):
        names = hdf5_texts(group, f"{axis}_level{level}", where)
        labels = hdf5_array(group, f"{axis}_label{level}", where, (None,))
        if not (labels.dtype.kind in "iu" and ((labels >= 0) & (labels < len(names))).all()):
            raise InputError(f"{axis}_label{level} numbers names that are not there.")
        parts.append([names[label] for label in labels])
    return parts


def _fixed(group: h5py.Group, where: str) -> tuple[list[tuple[str, ...]], np.ndarray, np.ndarray]:
    """Columns, frames and (F, C) values of pandas' form "fixed"."""
    parts = _levels(group, "block0_items", where)
    values = hdf5_array(group, "block0_values", where, (None, None))
    # The index of labels made by hand is the images' paths, or their parts on levels.
    index = group.get("axis1")
    paths = isinstance(index, h5py.Dataset) and index.dtype.kind == "S"
    named = [hdf5_texts(group, "axis1", where)] if paths else _levels(group, "axis1", where)
    images = ["/".join(names) for names in zip(*named, strict=True)]
    frames = np.array(images) if images else _whole_numbers(index, len(values))
    if len(frames) != len(values):
        raise InputError(f"{group.name} has {len(values)} rows and names of {len(frames)}; expected as many.")
    return list(zip(*parts, strict=True)), frames, values


def _appendable(group: h5py.Group, where: str) -> tuple[list[tuple[str, ...]], np.ndarray, np.ndarray]:
    """Columns, frames and (F, C) values of pandas' form "table"."""
    table = group["table"]
    kind = table.attrs.get("values_block_0_kind")
    names = table.dtype.names if isinstance(table, h5py.Dataset) else None
    if not isinstance(table, h5py.Dataset) or "values_block_0" not in (names or ()) or not isinstance(kind, bytes):
        raise InputError(f"{group.name} is no table of one kind of numbers; expected DeepLabCut's.")
    check_stored(table, group.file, f"{where}: {table.name}", LARGEST_ARRAY)
    rows = table[()]
    columns = DataUnpickler(io.BytesIO(kind), f"{where}: {group.name}").load()
    values = rows["values_block_0"]
    if not isinstance(columns, list) or not all(isinstance(column, tuple) for column in columns) or values.ndim != 2:
        raise InputError(f"{group.name} has no list of columns; expected DeepLabCut's.")
    columns = [tuple(map(str, column)) for column in columns]
    return columns, _whole_numbers(rows["index"], len(values)), values


def _whole_numbers(index, rows: int) -> np.ndarray:
    """The frames' own numbers where the index is of such, else their places."""
    return np.asarray(index[()]) if index.shape == (rows,) and index.dtype.kind in "iu" else np.arange(rows)


def _rows(place: str, frames: np.ndarray, points: np.ndarray, scores: np.ndarray) -> Iterator[Entry]:
    """People of (F, P, K, 2) points, NaN where missing, and (F, P, K) scores; who has no point is not there."""
    missing = ~np.isfinite(points).all(axis=-1)
    points = np.where(missing[..., None], 0.0, points)
    scores = np.where(missing, 0.0, np.nan_to_num(scores, nan=1.0))
    for row, frame in enumerate(frames.tolist()):
        there = np.flatnonzero(~missing[row].all(axis=-1)).tolist()
        if not there:
            yield EmptyFrame(frame)
        for person in there:
            yield Person(f"{place}[{row}][{person}]", frame, person, points[row, person], scores[row, person], None)
