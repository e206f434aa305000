"""Unpickling data that nobody vouches for: NumPy arrays, scalars and plain containers, and no code.

Announced sizes are compared with what is there before memory is asked for.
"""

# Python's own unpickler written in Python has no annotations.
# pyright: reportAttributeAccessIssue=false

import math
import pickle
import re
import struct
from typing import ClassVar

import numpy as np

from tf_wsgen.errors import InputError

# Bytes. The largest file of the field (VideoPose3D's 2D detections) is below 1 GB.
LARGEST_ARRAY = 8_000_000_000


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
        "TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS "
        # Protocol 0, in which PyTables keeps the names of columns.
        "LIST PUT GET INT UNICODE"
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
