"""Files: written whole or not at all, and opened though nobody vouches for them.

No code runs, no announced size is believed before memory is asked for, and what fails is told in one sentence.
"""

import contextlib
import gzip
import json
import lzma
import math
import os
import pathlib
import pickle
import struct
import sys
import tempfile
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import orjson
import yaml

from tf_wsgen.apart import read_apart
from tf_wsgen.errors import InputError
from tf_wsgen.pickles import LARGEST_ARRAY, DataUnpickler

# Poses compress a few times, and gzip makes even constant labels at most 1,032 times smaller; a file that unpacks to
# more times its size was made to exhaust memory.
LARGEST_COMPRESSION = 1100
# Bytes.
GZIP_SIGNATURE = b"\x1f\x8b"
LARGEST_JSON = 2_000_000_000
LONGEST_TEXT = 4096
BESIDE = 2_000_000_000
# Reads whatever has no fixed length in an HDF5 file; what NumPy has no type for is read by nobody (TypeError).
READ_OBJECTS = """
import contextlib, h5py
def read(_, item):
    for name in item.attrs:
        with contextlib.suppress(TypeError):
            item.attrs[name]
    with contextlib.suppress(TypeError):
        if isinstance(item, h5py.Dataset) and item.dtype.hasobject:
            item[()]
try:
    with h5py.File(sys.argv[1], "r") as file:
        read("", file)
        file.visititems(read)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""
# What the standard library, NumPy, h5py and PyYAML raise for files that are damaged inside.
DAMAGED = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, MemoryError),
    *(ArithmeticError, AssertionError, SyntaxError, NotImplementedError, struct.error, tokenize.TokenError),
    *(pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, yaml.YAMLError),
)


def partial_of(path: pathlib.Path) -> pathlib.Path:
    """Where a file is until it is whole."""
    return path.with_name(path.name + ".partial")


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """A path to write to, which takes the place of `path` when all is written; until then an older file stays.

    Raises:
        InputError: It cannot be written.

    Example:
        >>> with whole_file("poses.json") as partial:  # doctest: +SKIP
        ...     partial.write_text("{}")
    """
    path = pathlib.Path(path)
    partial = partial_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}).") from None
    finally:
        partial.unlink(missing_ok=True)


def check_new(path: str | os.PathLike, overwrite: bool, source: str | os.PathLike | None = None) -> None:
    """Refuses to write over a folder, over the input, over a file unless told to, and where nothing can be written.

    Raises:
        InputError: One of these.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; expected a file to write.")
    if source is not None and path.resolve() == pathlib.Path(source).resolve():
        raise InputError(f"{path}: is the input; expected another file to write.")
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already; --overwrite replaces it.")
    partial = partial_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}).") from None


def existing_file(path: str | os.PathLike, kind: str, largest: float = math.inf) -> pathlib.Path:
    """The path, if a file that is not empty is there; messages call it `kind`, such as "a VideoPose3D .npz file".

    Raises:
        InputError: Nothing, a folder, or an empty file is there, it may not be read, or has more than `largest` bytes.
    """
    path = pathlib.Path(path)
    # Unlike pathlib, os.path takes names that no file can have for names of files that aren't there.
    if not os.path.exists(path):
        raise InputError(f"{path}: there is no such file; expected {kind}.")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; expected {kind}.")
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{path}: is empty; expected {kind}.")
    if size > largest:
        raise InputError(f"{path}: has {size:,} bytes; expected {kind} of at most {largest:,}.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read; expected {kind}.")
    return path


@contextlib.contextmanager
def plain_file(path: pathlib.Path, kind: str) -> Iterator[pathlib.Path]:
    """The file itself, or a copy of the standard input ("-") or of what gzip compressed; errors name the original.

    Raises:
        InputError: It is not there, damaged, or unpacks to more than pose data do.
    """
    piped = str(path) == "-"
    with contextlib.nullcontext(sys.stdin.buffer) if piped else open(existing_file(path, kind), "rb") as file:
        start = file.peek(2)[:2]  # pyright: ignore[reportAttributeAccessIssue]
        if not piped and start != GZIP_SIGNATURE:
            yield path
            return
        most = LARGEST_JSON if piped else min(LARGEST_JSON, LARGEST_COMPRESSION * path.stat().st_size)
        with tempfile.TemporaryDirectory() as folder:
            plain = pathlib.Path(folder) / ("standard input" if piped else path.stem)
            with one_sentence(path, kind), plain.open("wb") as copy:
                source = gzip.GzipFile(fileobj=file) if start == GZIP_SIGNATURE else file
                while block := source.read(1 << 20):
                    copy.write(block)
                    if copy.tell() > most:
                        raise InputError(f"{path}: unpacks to more than {most:,} bytes; expected pose data.")
            try:
                yield plain
            except InputError as error:
                raise InputError(str(error).replace(str(plain), "standard input" if piped else str(path))) from None


@contextlib.contextmanager
def one_sentence(path: pathlib.Path, kind: str) -> Iterator[None]:
    """Turns what libraries raise for damaged content into an `InputError` about the file."""
    try:
        yield
    except InputError:
        raise
    except RecursionError:
        raise InputError(f"{path}: is nested too deep; expected {kind}.") from None
    except DAMAGED as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: cannot be read as {kind} ({reason}).") from None


def load_npz(path: str | os.PathLike, kind: str) -> dict[str, np.ndarray]:
    """All arrays of an .npz file by name; object arrays through the unpickler that runs no code.

    Raises:
        InputError: The file is not there, damaged, made to exhaust memory, or holds other objects than data.
    """
    path = existing_file(path, kind)
    arrays = {}
    with one_sentence(path, kind), zipfile.ZipFile(path) as archive, warnings.catch_warnings():
        # Headers that Python 2 wrote are read with a warning.
        warnings.simplefilter("ignore")
        members, stored = archive.infolist(), path.stat().st_size
        announced = sum(member.file_size for member in members)
        if announced > min(LARGEST_ARRAY, LARGEST_COMPRESSION * stored):
            raise InputError(f"{path}: announces {announced:,} bytes from {stored:,}; expected pose data.")
        for member in members:
            if not member.filename.isprintable():
                raise InputError(f"{path}: has a member named {member.filename[:40]!r}; expected the name of an array.")
            with archive.open(member) as file:
                where = f"{path}: {member.filename}"
                arrays[member.filename.removesuffix(".npy")] = _read_npy(file, member.file_size, where)
    return arrays


def load_npy(path: str | os.PathLike, kind: str) -> np.ndarray:
    """The array of an .npy file, opened as those of .npz files are.

    Raises:
        InputError: The file is not there, damaged, or holds other objects than data.
    """
    path = existing_file(path, kind)
    with one_sentence(path, kind), path.open("rb") as file:
        return _read_npy(file, path.stat().st_size, str(path))


def load_pickle(path: str | os.PathLike, kind: str):
    """The arrays and plain containers of a pickle; no code in it is run.

    Raises:
        InputError: The file is not there, damaged, or holds other objects than data.
    """
    path = existing_file(path, kind)
    with one_sentence(path, kind), path.open("rb") as file:
        return DataUnpickler(file, str(path)).load()


def _read_npy(file, size: int, where: str) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise InputError(f"{where} has .npy version {version}; expected 1.0 or 2.0.")
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read_header(file)
    if dtype.hasobject:
        value = DataUnpickler(file, where).load()
        if not isinstance(value, np.ndarray) or value.shape != shape:
            raise InputError(f"{where} does not hold the array that it announces.")
        return value
    announced = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or announced > size:
        raise InputError(f"{where} announces {announced:,} bytes and holds at most {size:,}.")
    return np.ndarray(shape, dtype, file.read(announced), order="F" if fortran_order else "C")


def load_json(path: str | os.PathLike, kind: str, nan: bool = False):
    """The content of a JSON file, or the list of JSON lines (Infinity is refused, and NaN if it is not expected).

    Raises:
        InputError: The file is not there, too large, not JSON, or nested too deep.
    """
    path = existing_file(path, kind, LARGEST_JSON)

    def refuse(constant):
        if nan and constant == "NaN":
            return np.nan
        raise InputError(f"{path}: holds {constant}; expected finite numbers.")

    with one_sentence(path, kind):
        content = path.read_bytes()
        # The quick reader takes all that is well-formed; the other one says what is wrong, and takes JSON lines.
        with contextlib.suppress(orjson.JSONDecodeError):
            return orjson.loads(content)
        try:
            return json.loads(content, parse_constant=refuse)
        except json.JSONDecodeError as error:
            lines = [line for line in content.splitlines() if line.strip()]
            if error.msg != "Extra data" or len(lines) < 2:
                raise
        return [json.loads(line, parse_constant=refuse) for line in lines]


@contextlib.contextmanager
def open_hdf5(path: str | os.PathLike, kind: str) -> Iterator[h5py.File]:
    """An HDF5 file opened for reading; damage found inside the context becomes an `InputError`.

    HDF5 itself never returns from some damaged values of varying length, and takes gigabytes for others: where the
    file has such values, all of them are read in another process first.
    """
    path = existing_file(path, kind)
    with one_sentence(path, kind), h5py.File(path, "r") as file:
        if _of_varying_length(file):
            read_apart(READ_OBJECTS, path, kind, BESIDE + 8 * path.stat().st_size)
        yield file


def _of_varying_length(file: h5py.File) -> bool:
    def has_objects(_, item: h5py.Group | h5py.Dataset) -> bool | None:
        stored = [item.id] if isinstance(item, h5py.Dataset) else []
        for place in (*stored, *map(item.attrs.get_id, item.attrs)):
            with contextlib.suppress(TypeError):  # What NumPy has no type for is read by nobody.
                if place.dtype.hasobject:
                    return True  # Ends the visit.
        return None

    return bool(has_objects("", file) or file.visititems(has_objects))


def hdf5_array(file: h5py.Group, key: str, where: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """A dataset of numbers whose announced size is what is stored; None in its shape admits any length.

    Raises:
        InputError: There is no such dataset, or its type, shape or size is not as expected.
    """
    if key not in file:
        raise InputError(f"{where}: has no dataset {key!r}; it has {sorted(file)[:8]}.")
    dataset = file[key]
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiub":
        raise InputError(f"{where}: {key} is not an array of numbers.")
    if not has_shape(dataset, shape):
        raise InputError(f"{where}: {key} has shape {dataset.shape}; expected {shape_text(shape)}.")
    check_stored(dataset, file.file, f"{where}: {key}", LARGEST_ARRAY)
    return dataset[()]


def hdf5_integers(file: h5py.Group, key: str, where: str, rows: int) -> np.ndarray:
    """(rows,) integers of a dataset of whole numbers, which may be stored as floats.

    Raises:
        InputError: What `hdf5_array` refuses, or values that are not whole.
    """
    values = hdf5_array(file, key, where, (rows,))
    if not ((np.abs(values) < 2**53) & (values == np.round(values))).all():
        raise InputError(f"{where}: {key} holds values that are not whole; expected a number for each person.")
    return values.astype(np.int64)


def hdf5_texts(file: h5py.Group, key: str, where: str, rows: int | None = None) -> list[str]:
    """A dataset of so many short texts; None admits any number.

    Raises:
        InputError: It is no dataset of so many texts, or its size is not what is stored.
    """
    dataset = file[key]
    if (
        not isinstance(dataset, h5py.Dataset)
        or h5py.check_string_dtype(dataset.dtype) is None
        or not has_shape(dataset, (rows,))
        or dataset.dtype.itemsize > LONGEST_TEXT
    ):
        expected = "a list of short texts" if rows is None else f"{rows} short texts"
        raise InputError(f"{where}: {key} is {described(dataset)}; expected {expected}.")
    check_stored(dataset, file.file, f"{where}: {key}")
    return [text.decode("utf-8", "replace") for text in np.asarray(dataset[()]).tolist()]


def has_shape(values: np.ndarray | h5py.Dataset, shape: tuple[int | None, ...]) -> bool:
    """Whether an array has this shape; None admits any length."""
    return values.ndim == len(shape) and all(e in (None, n) for e, n in zip(shape, values.shape, strict=True))


def shape_text(shape: tuple[int | None, ...]) -> str:
    """A shape for messages, "(N, 17, 2)"."""
    return f"({', '.join('N' if length is None else str(length) for length in shape)})"


def described(value: Any) -> str:
    """A value as messages call it."""
    if isinstance(value, (np.ndarray, h5py.Dataset)):
        return f"{value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, (list, tuple)) else "")


def check_numbers(values: Any, shape: tuple[int | None, ...], where: str, kinds: str = "fiu") -> None:
    """Refuses anything but an array of numbers of this shape; None admits any length."""
    array = isinstance(values, (np.ndarray, h5py.Dataset))
    if not array or values.dtype.kind not in kinds or not has_shape(values, shape):
        raise InputError(f"{where} is {described(values)}; expected numbers of shape {shape_text(shape)}.")


def check_stored(dataset: h5py.Dataset, file: h5py.File, where: str, largest: float = math.inf) -> None:
    """Refuses a dataset, before it is read, that is kept in another file than the one that was opened.

    Raises:
        InputError: That, or it announces more bytes than what is stored can hold, or than `largest`.
    """
    if dataset.external or dataset.is_virtual or dataset.file.filename != file.filename:
        raise InputError(f"{where} is kept in another file; expected the values themselves.")
    announced, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if announced > min(largest, LARGEST_COMPRESSION * stored):
        raise InputError(f"{where} announces {announced:,} bytes but stores {stored:,}.")
