"""Opening files that nobody vouches for: no code runs, no announced size is believed, one sentence on failure.

Announced sizes are compared with the bytes that are there before memory is asked for; pickles are read by
an unpickler that knows NumPy arrays, scalars and plain containers and nothing else.
"""

import contextlib
import json
import lzma
import math
import os
import pathlib
import pickle
import re
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import ClassVar

import h5py
import numpy as np

from tf_wsgen.errors import InputError

# Poses compress a few times; a file that unpacks to this many times its size was made to exhaust memory.
LARGEST_COMPRESSION = 1000
# Bytes. The largest file of the field (VideoPose3D's 2D detections) is below 1 GB.
LARGEST_ARRAY = 8_000_000_000
LARGEST_JSON = 2_000_000_000
# What the standard library, NumPy and h5py raise for files that are damaged inside.
DAMAGED = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, MemoryError),
    *(ArithmeticError, AssertionError, SyntaxError, NotImplementedError, struct.error, tokenize.TokenError),
    *(pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)


def existing_file(path: str | os.PathLike, kind: str) -> pathlib.Path:
    """The path, if a file that is not empty is there.

    Args:
        path: Where it should be.
        kind: What it should be, for the message: "a VideoPose3D .npz file".

    Raises:
        InputError: Nothing, a folder, or an empty file is there, or it may not be read.
    """
    path = pathlib.Path(path)
    # Unlike pathlib, os.path takes names that no file can have for names of files that aren't there.
    if not os.path.exists(path):
        raise InputError(f"{path}: there is no such file; expected {kind}.")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; expected {kind}.")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: is empty; expected {kind}.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read; expected {kind}.")
    return path


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


class _ArrayClass:
    """Stands for numpy.ndarray inside a pickle, so that a pickle cannot ask for an array of any size."""


# Numbers, texts and objects; structured types, which could hide objects, and types of time are not among them.
_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f(2|4|8|16)|c(8|16|32)|O8?|[SU]\d{1,9})")


def _dtype(code, *_) -> np.dtype:
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        raise pickle.UnpicklingError("an array of another type than numbers, texts or objects")
    return np.dtype(code, copy=True)


def _reconstruct(cls, shape, _) -> np.ndarray:
    if cls is not _ArrayClass or tuple(shape) != (0,):
        raise pickle.UnpicklingError("an array that is not made empty first")
    return np.ndarray((0,), np.int8)


def _scalar(dtype, content=None) -> np.generic:
    if isinstance(content, str):  # As Python 2 wrote it.
        content = content.encode("latin1")
    if not isinstance(dtype, np.dtype) or not isinstance(content, bytes) or len(content) != dtype.itemsize:
        raise pickle.UnpicklingError("a scalar that does not fit its type")
    return np.frombuffer(content, dtype, 1)[0]


def _from_buffer(buffer, dtype, shape, order, axis_order=None) -> np.ndarray:
    _check_content(shape, dtype, buffer)
    array = np.frombuffer(buffer, dtype) if len(buffer) else np.empty(0, dtype)
    if order == "K" and axis_order is not None:
        return array.reshape(shape).transpose(axis_order)
    return array.reshape(shape, order=order)


def _empty_dict() -> dict:
    return {}


def _latin1(text, encoding) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError("a text in another encoding than latin1")
    return text.encode("latin1")


def _check_content(shape, dtype, content) -> None:
    """Refuses an array whose content is not exactly what its shape and type need."""
    if not (
        isinstance(shape, tuple)
        and all(type(length) is int and length >= 0 for length in shape)
        and isinstance(dtype, np.dtype)
        and isinstance(content, list if dtype.hasobject else (bytes, bytearray))
        and len(content) == math.prod(shape) * (1 if dtype.hasobject else dtype.itemsize)
        and math.prod(max(length, 1) for length in shape) * dtype.itemsize <= LARGEST_ARRAY
    ):
        raise pickle.UnpicklingError("an array that does not hold what it announces")


_ADMITTED = {
    ("numpy", "ndarray"): _ArrayClass,
    ("numpy", "dtype"): _dtype,
    ("collections", "OrderedDict"): _empty_dict,
    # How Python 2's texts of bytes arrive.
    ("_codecs", "encode"): _latin1,
}
for _package in ("numpy.core", "numpy._core"):
    _ADMITTED[f"{_package}.multiarray", "_reconstruct"] = _reconstruct
    _ADMITTED[f"{_package}.multiarray", "scalar"] = _scalar
    _ADMITTED[f"{_package}.numeric", "_frombuffer"] = _from_buffer

# What Python 2 and 3 write for arrays, numbers, texts, lists, tuples and dicts with protocols 2 to 5.
_OPCODES = [
    ord(getattr(pickle, name))
    for name in (
        "PROTO FRAME STOP MARK GLOBAL STACK_GLOBAL REDUCE BUILD BINGET LONG_BINGET BINPUT LONG_BINPUT MEMOIZE NONE "
        "NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT BINSTRING SHORT_BINSTRING BINUNICODE "
        "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 "
        "TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS"
    ).split()
]


class _Opcodes(dict):
    def __missing__(self, code: int):
        raise pickle.UnpicklingError(f"opcode {code}, which arrays and plain containers don't need")


class DataUnpickler(pickle._Unpickler):
    """Unpickles NumPy arrays, scalars and plain containers; anything else is refused before it is looked up.

    It is the unpickler written in Python, with the few opcodes that data needs: the one in C takes memory for
    whatever memo index a pickle names, and both let a pickle set the inner state of whatever it holds.

    Args:
        file: The open pickle.
        where: File and place, for messages.
    """

    def __init__(self, file, where: str):
        super().__init__(file, encoding="latin1")
        self.where = where

    def find_class(self, module: str, name: str):
        """The admitted maker of that name.

        Raises:
            InputError: Anything but NumPy arrays, scalars and plain containers.
        """
        if (module, name) not in _ADMITTED:
            found = f"{module}.{name}"[:100]
            raise InputError(
                f"{self.where} holds a pickled {found!r}; expected NumPy arrays and plain containers only."
            )
        return _ADMITTED[module, name]

    def load_build(self) -> None:
        """Gives a new array or type its state."""
        state, instance = self.stack.pop(), self.stack[-1]
        if isinstance(instance, np.dtype):
            self._check_dtype(instance, state)
        elif isinstance(instance, np.ndarray) and isinstance(state, tuple) and len(state) == 5:
            version, shape, dtype, fortran_order, content = state
            if isinstance(content, str):  # As Python 2 wrote it.
                content = content.encode("latin1")
            _check_content(shape, dtype, content)
            state = version, shape, dtype, fortran_order, content
        else:
            raise pickle.UnpicklingError("a state of something else than an array")
        instance.__setstate__(state)

    @staticmethod
    def _check_dtype(dtype: np.dtype, state) -> None:
        # Version, byte order, parts, size, alignment, flags: only the byte order can be news.
        flexible = dtype.kind in "SU"
        size = (dtype.itemsize, dtype.alignment) if flexible else (-1, -1)
        expected = (3, None, None, None, *size, dtype.flags)
        if not isinstance(state, tuple) or state[:1] + state[2:] != expected or state[1] not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError("an array of an unknown type")

    def load_setitem(self) -> None:
        """Puts one item into a dict."""
        value, key = self.stack.pop(), self.stack.pop()
        self._set_items([key, value])

    def load_setitems(self) -> None:
        """Puts items into a dict."""
        self._set_items(self.pop_mark())

    def _set_items(self, items: list) -> None:
        keys, target = items[::2], self.stack[-1]
        # A tuple nested a million deep has no hash: Python would run out of stack.
        if not isinstance(target, dict) or not all(isinstance(key, (str, bytes, int)) for key in keys):
            raise pickle.UnpicklingError("a dict whose keys are neither texts nor numbers")
        target.update(zip(keys, items[1::2], strict=True))

    def load_bytearray8(self) -> None:
        """Reads what is there; Python's own would take the announced memory first."""
        (length,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(length)))

    dispatch: ClassVar = _Opcodes(
        {
            **{code: pickle._Unpickler.dispatch[code] for code in _OPCODES},
            ord(pickle.BUILD): load_build,
            ord(pickle.SETITEM): load_setitem,
            ord(pickle.SETITEMS): load_setitems,
            ord(pickle.BYTEARRAY8): load_bytearray8,
        }
    )


def load_json(path: str | os.PathLike, kind: str):
    """The content of a JSON file (NaN and Infinity are refused).

    Raises:
        InputError: The file is not there, too large, not JSON, or nested too deep.
    """
    path = existing_file(path, kind)
    size = path.stat().st_size
    if size > LARGEST_JSON:
        raise InputError(f"{path}: has {size:,} bytes; expected {kind} of at most {LARGEST_JSON:,}.")

    def refuse(constant):
        raise InputError(f"{path}: holds {constant}; expected finite numbers.")

    with one_sentence(path, kind):
        return json.loads(path.read_bytes(), parse_constant=refuse)


@contextlib.contextmanager
def open_hdf5(path: str | os.PathLike, kind: str) -> Iterator[h5py.File]:
    """An HDF5 file opened for reading; damage found inside the context becomes an `InputError`."""
    path = existing_file(path, kind)
    with one_sentence(path, kind), h5py.File(path, "r") as file:
        yield file


def hdf5_array(file: h5py.Group, key: str, where: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """A dataset of numbers whose announced size is what is stored.

    Args:
        file: The open file or group.
        key: The dataset's name in it.
        where: The file, for messages.
        shape: What is expected; None admits any length.

    Raises:
        InputError: There is no such dataset, or its type, shape or size is not as expected.
    """
    if key not in file:
        raise InputError(f"{where}: has no dataset {key!r}; it has {sorted(file)[:8]}.")
    dataset = file[key]
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiub":
        raise InputError(f"{where}: {key} is not an array of numbers.")
    fits = len(shape) == dataset.ndim and all(e in (None, n) for e, n in zip(shape, dataset.shape, strict=True))
    if not fits:
        expected = ", ".join("N" if length is None else str(length) for length in shape)
        raise InputError(f"{where}: {key} has shape {dataset.shape}; expected ({expected}).")
    check_stored(dataset, file.file, f"{where}: {key}", LARGEST_ARRAY)
    return dataset[()]


def check_stored(dataset: h5py.Dataset, file: h5py.File, where: str, largest: float = math.inf) -> None:
    """Refuses a dataset that is not in its file, or announces more than its file stores.

    Args:
        dataset: The dataset, before it is read.
        file: The file that was opened.
        where: File and name, for messages.
        largest: Bytes that it may have.

    Raises:
        InputError: It is kept in another file, or is larger than what is stored can hold, or than `largest`.
    """
    if dataset.external or dataset.is_virtual or dataset.file.filename != file.filename:
        raise InputError(f"{where} is kept in another file; expected the values themselves.")
    announced, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if announced > min(largest, LARGEST_COMPRESSION * stored):
        raise InputError(f"{where} announces {announced:,} bytes but stores {stored:,}.")
