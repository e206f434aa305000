"""MATLAB files of version 5 to 7.2, read without trust: SciPy's reader, written in C, crashes on some damaged ones.

The format is MathWorks' "MAT-File Format": a header of 128 bytes, then elements of a tag (type, size) and content,
which are matrices or compressed matrices; a matrix is a row of elements: flags, dimensions, name, content. What comes
back is what `scipy.io.loadmat` gives: numbers in the type that is stored, at least two axes; texts as arrays of str;
cells as arrays of objects; structs as record arrays of objects.
"""

import math
import mmap
import os
import struct
import zlib
from collections.abc import Iterable

import numpy as np

from tf_wsgen.files import LARGEST_ARRAY, LARGEST_COMPRESSION, existing_file, one_sentence

HEADER_SIZE = 128
VERSION_5, VERSION_73 = 1, 2
INT8, INT32, UINT32, MATRIX, COMPRESSED = 1, 5, 6, 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
ENCODINGS = {1: "latin1", 2: "latin1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
CELL, STRUCT, TEXT, NUMERIC = 1, 2, 4, range(6, 16)
COMPLEX = 0x0800
MOST_DIMENSIONS = 32
# More than a matrix' flags, dimensions and name take.
LONGEST_START = 1024


def read_variables(path: str | os.PathLike, names: Iterable[str], largest: int) -> dict[str, np.ndarray]:
    """Variables of a file by name; those that are not there are left out.

    Args:
        path: The file.
        names: The variables' names.
        largest: The bytes that a compressed one may have.

    Raises:
        ValueError: What the format does not allow; objects and sparse matrices; a variable larger than `largest`.
        OSError, struct.error, zlib.error: What the standard library finds in damaged files.
    """
    names, found = set(names), {}
    with open(path, "rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    order = _byte_order(bytes(data[:HEADER_SIZE]))
    elements = _Elements(data[HEADER_SIZE:], order)
    while elements.left:
        kind, content = elements.next(aligned=False)
        compressed = content if kind == COMPRESSED else None
        if compressed is not None:
            start = zlib.decompressobj().decompress(compressed, LONGEST_START)
            kind, content = _Elements(memoryview(start), order).next(whole=False)
        if kind != MATRIX:
            raise ValueError(f"an element of type {kind}, expected a matrix")
        name = _read_start(_Elements(content, order))[2]
        if name not in names:
            continue
        if name in found:
            raise ValueError(f"{name} is there twice")
        if compressed is not None:
            content = _Elements(_decompress(compressed, largest, name), order).next()[1]
        found[name] = _read_matrix(content, order)
    return found


def _byte_order(header: bytes) -> str:
    orders = {b"IM": "<", b"MI": ">"}
    if len(header) < HEADER_SIZE or header[126:] not in orders:
        raise ValueError("no header of MATLAB 5 to 7.2")
    order = orders[header[126:]]
    version = struct.unpack(order + "H", header[124:126])[0] >> 8
    if version != VERSION_5:
        raise ValueError("a file of MATLAB 7.3, which is HDF5" if version == VERSION_73 else f"version {version}")
    return order


def _decompress(content: memoryview, largest: int, name: str) -> memoryview:
    stream = zlib.decompressobj()
    data = stream.decompress(content, largest)
    if not stream.eof:
        raise ValueError(f"{name} has more than {largest:,} bytes" if len(data) == largest else "it ends too early")
    return memoryview(data)


class _Elements:
    """A row of elements, taken one by one.

    Args:
        data: Their bytes.
        order: "<" or ">".
    """

    def __init__(self, data: memoryview, order: str):
        self.data, self.order, self.position = data, order, 0

    @property
    def left(self) -> bool:
        return self.position < len(self.data)

    def next(self, aligned: bool = True, whole: bool = True) -> tuple[int, memoryview]:
        """Type and content; content that is not there in full is refused where it has to be `whole`."""
        start = self.position + 8
        kind, size = struct.unpack(self.order + "II", self.data[self.position : start])
        if kind >> 16:
            # A small element: type, size and up to four bytes of content in eight bytes.
            kind, size, start = kind & 0xFFFF, kind >> 16, start - 4
            self.position = start + 4
            if size > 4:
                raise ValueError(f"a small element of {size} bytes")
        else:
            self.position = start + size + (-size % 8 if aligned else 0)
        content = self.data[start : start + size]
        if whole and len(content) < size:
            raise ValueError("it ends too early")
        return kind, content

    def content(self, expected: int) -> memoryview:
        """The content of an element that has to be of that type."""
        kind, content = self.next()
        if kind != expected:
            raise ValueError(f"an element of type {kind}, expected {expected}")
        return content

    def numbers(self, count: int) -> np.ndarray:
        """The content of an element that has to be so many numbers."""
        kind, content = self.next()
        if kind not in NUMBERS:
            raise ValueError(f"an element of type {kind}, expected numbers")
        dtype = np.dtype(self.order + NUMBERS[kind])
        if len(content) != count * dtype.itemsize:
            raise ValueError(f"{len(content):,} bytes for {count:,} numbers")
        return np.frombuffer(content, dtype)


def _read_start(parts: _Elements) -> tuple[int, tuple[int, ...], str]:
    """Flags, dimensions and name of a matrix."""
    flags = struct.unpack(parts.order + "II", parts.content(UINT32))[0]
    sizes = parts.content(INT32)
    shape = struct.unpack(f"{parts.order}{len(sizes) // 4}i", sizes)
    if not 2 <= len(shape) <= MOST_DIMENSIONS or min(shape) < 0:
        raise ValueError(f"a matrix of shape {shape}")
    return flags, shape, bytes(parts.content(INT8)).decode("latin1")


def _read_matrix(content: memoryview, order: str) -> np.ndarray:
    if not len(content):
        return np.zeros((0, 0))
    parts = _Elements(content, order)
    flags, shape, _ = _read_start(parts)
    kind, count = flags & 0xFF, math.prod(shape)
    if kind in NUMERIC:
        values = parts.numbers(count)
        if flags & COMPLEX:
            values = values + 1j * parts.numbers(count)
    elif kind == TEXT:
        return _read_text(parts, shape)
    elif kind == CELL:
        values = _objects([_read_matrix(parts.content(MATRIX), order) for _ in _counted(count, parts)])
    elif kind == STRUCT:
        values = _read_struct(parts, count)
    else:
        raise ValueError(f"a matrix of class {kind}, expected numbers, texts, cells or structs")
    return values.reshape(shape, order="F")


def _counted(count: int, parts: _Elements) -> range:
    """As many as announced, if so many elements can be there."""
    if count * 8 > len(parts.data):
        raise ValueError(f"{count:,} elements in {len(parts.data):,} bytes")
    return range(count)


def _objects(values: list) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _read_struct(parts: _Elements, count: int) -> np.ndarray:
    (length,) = struct.unpack(parts.order + "i", parts.content(INT32))
    names = bytes(parts.content(INT8))
    if length < 1 or len(names) % length:
        raise ValueError(f"{len(names)} bytes for field names of {length}")
    fields = [names[i : i + length].partition(b"\0")[0].decode("latin1") for i in range(0, len(names), length)]
    indices = _counted(count * len(fields), parts)
    records = np.empty(count if fields else 0, [(field, object) for field in fields])
    for index in indices:
        record, field = divmod(index, len(fields))
        records[fields[field]][record] = _read_matrix(parts.content(MATRIX), parts.order)
    return records


def _read_text(parts: _Elements, shape: tuple[int, ...]) -> np.ndarray:
    """A text a row of the characters' matrix."""
    kind, content = parts.next()
    if kind not in ENCODINGS:
        raise ValueError(f"an element of type {kind}, expected characters")
    encoding = ENCODINGS[kind]
    if encoding in ("utf-16", "utf-32"):
        encoding += "-le" if parts.order == "<" else "-be"
    characters = bytes(content).decode(encoding)
    if len(characters) != math.prod(shape):
        raise ValueError(f"{len(characters):,} characters for a text of shape {shape}")
    if not characters:
        return np.zeros(0, "U1")
    rows = np.array(list(characters)).reshape(shape, order="F").reshape(-1, shape[-1])
    return np.array(["".join(row) for row in rows.tolist()]).reshape(shape[:-1])


def load_mat(path: str | os.PathLike, kind: str, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Variables of a MATLAB file of version 5 to 7.2 (7.3 is HDF5: `open_hdf5`).

    Args:
        path: The file.
        kind: What it should be.
        names: The variables to read; those that are not there are left out.

    Raises:
        InputError: The file is not there, damaged, or a variable is larger than what the file can hold.
    """
    path = existing_file(path, kind)
    with one_sentence(path, kind):
        return read_variables(path, names, min(LARGEST_ARRAY, LARGEST_COMPRESSION * path.stat().st_size))
