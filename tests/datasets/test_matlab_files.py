"""MATLAB files: the same as SciPy reads, and every damage refused where SciPy's reader may crash."""

import struct
import zlib

import numpy as np
import pytest
import scipy.io

from tf_wsgen.datasets.matlab_files import read_variables

LARGEST = 10**6
POSES = np.random.default_rng(0).normal(size=(4, 6))
RECORDS = np.array([(1.5, "a"), (POSES, "image.jpg")], [("x", object), ("name", object)])
VALUES = {
    **{name: (POSES * 100).astype(name) for name in ("f4", "f8", "i1", "i2", "i4", "i8")},
    **{name: np.abs(POSES * 100).astype(name) for name in ("u1", "u2", "u4", "u8")},
    "big-endian": POSES.astype(">f8"),
    "one number": 3.25,
    "flags": np.array([[True, False]]),
    "complex": POSES + 1j * POSES[::-1],
    "three axes": POSES.reshape(2, 3, 4),
    "fortran": np.asfortranarray(POSES),
    "no rows": POSES[:0],
    "a text": "image_0.jpg",
    "a text beyond ASCII": "Wäsche 猫",
    "an empty text": "",
    "texts": np.array(["ab", "cde"]),
    "cells": np.array([[POSES, "text"], [1.0, np.array([[2, 3]])]], object),
    "no cells": np.empty((0, 0), object),
    "cells in cells": np.array([[np.array([[POSES, "a"]], object)]], object),
    "an empty cell": np.array([[np.zeros((0, 0))]], object),
    "a struct": {"id": 3, "point": {"x": POSES, "y": "left"}},
    "structs": RECORDS,
    "a struct with a long name": {"a_name_of_thirty_one_characters": 1},
}


def read(path, *names):
    return read_variables(path, names or ("v",), LARGEST)


def assert_as_scipy(found, expected):
    assert found.shape == expected.shape
    assert found.dtype.names == expected.dtype.names
    if expected.dtype.names:
        for name in expected.dtype.names:
            assert_as_scipy(found[name], expected[name])
    elif expected.dtype == object:
        assert found.dtype == object
        for pair in zip(found.ravel(), expected.ravel(), strict=True):
            assert_as_scipy(*pair)
    else:
        assert found.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_the_same_as_scipy(tmp_path, value, compressed):
    scipy.io.savemat(tmp_path / "a.mat", {"before": 1, "v": value, "after": "x"}, do_compression=compressed)
    expected = scipy.io.loadmat(tmp_path / "a.mat", variable_names=["v"])["v"]
    found = read(tmp_path / "a.mat")
    assert list(found) == ["v"]
    assert_as_scipy(found["v"], expected)


def test_several_variables_and_none(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"a": POSES, "b": POSES + 1})
    found = read(tmp_path / "a.mat", "b", "missing", "a")
    np.testing.assert_array_equal(found["a"] + 1, found["b"])
    assert read(tmp_path / "a.mat", "missing") == {}


# Files made of bytes, by the format's description.


def element(kind: int, content: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(
    kind: int, shape: tuple[int, ...], *parts: bytes, name: bytes = b"v", flags: int = 0, order: str = "<"
) -> bytes:
    start = element(6, struct.pack(order + "II", kind | flags, 0), order)
    start += element(5, struct.pack(f"{order}{len(shape)}i", *shape), order) + element(1, name, order)
    return element(14, start + b"".join(parts), order)


def header(order: str = "<", version: int = 0x0100) -> bytes:
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(order + "HH", version, 0x4D49)


def doubles(*values: float, order: str = "<") -> bytes:
    return element(9, struct.pack(f"{order}{len(values)}d", *values), order)


def compressed(content: bytes) -> bytes:
    packed = zlib.compress(content)
    return struct.pack("<II", 15, len(packed)) + packed


PLAIN = matrix(6, (2, 2), doubles(1, 2, 3, 4))
SMALL = matrix(6, (1, 3), struct.pack("<HH", 2, 3) + b"\x07\x08\x09\x00")


@pytest.mark.parametrize("order", "<>")
def test_both_byte_orders_by_hand(tmp_path, order):
    content = matrix(6, (2, 2), doubles(1, 2, 3, 4, order=order), order=order)
    small = struct.pack(order + "I", 3 << 16 | 2) + b"\x07\x08\x09\x00"
    content += matrix(6, (1, 3), small, name=b"s", order=order)
    text = "ä猫".encode("utf-16-le" if order == "<" else "utf-16-be")
    content += matrix(4, (1, 2), element(17, text, order), name=b"t", order=order)
    (tmp_path / "a.mat").write_bytes(header(order) + content)
    found = read(tmp_path / "a.mat", "v", "s", "t")
    # Columns first.
    np.testing.assert_array_equal(found["v"], [[1, 3], [2, 4]])
    np.testing.assert_array_equal(found["s"], [[7, 8, 9]])
    assert found["t"].tolist() == ["ä猫"]
    oracle = scipy.io.loadmat(tmp_path / "a.mat")
    for name, values in found.items():
        np.testing.assert_array_equal(values, oracle[name])


def test_rows_of_texts_by_hand(tmp_path):
    (tmp_path / "a.mat").write_bytes(header() + matrix(4, (2, 3), element(16, b"adbecf")))
    assert read(tmp_path / "a.mat")["v"].tolist() == ["abc", "def"]


def broken_tag(kind: int, size: int) -> bytes:
    return struct.pack("<II", kind, size)


CELL = matrix(6, (1, 1), doubles(1), name=b"")
BROKEN = {
    "another type of numbers": (matrix(6, (1, 1), element(0xA809, bytes(8))), "a small element of 0|type 43017|small"),
    "a reserved type": (matrix(6, (1, 1), element(8, bytes(8))), "an element of type 8, expected numbers"),
    "a matrix for numbers": (matrix(6, (1, 1), CELL), "an element of type 14, expected numbers"),
    "more numbers than stored": (matrix(6, (10**9, 100), doubles(1)), "8 bytes for 100,000,000,000 numbers"),
    "a shape that overflows": (matrix(6, (2**30, 2**30, 16), doubles()), "0 bytes for"),
    "fewer numbers than stored": (matrix(6, (1, 1), doubles(1, 2)), "16 bytes for 1 numbers"),
    "half a number": (matrix(6, (1, 1), element(9, bytes(4))), "4 bytes for 1 numbers"),
    "no imaginary part": (matrix(6, (1, 1), doubles(1), flags=0x0800), "unpack requires"),
    "no content": (matrix(6, (1, 1)), "unpack requires"),
    "a negative shape": (matrix(6, (-1, -1), doubles(1)), r"a matrix of shape \(-1, -1\)"),
    "one axis": (matrix(6, (1,), doubles(1)), r"a matrix of shape \(1,\)"),
    "no axis": (matrix(6, (), doubles(1)), r"a matrix of shape \(\)"),
    "fifty axes": (matrix(6, (1,) * 50, doubles(1)), "a matrix of shape"),
    "a text of numbers": (matrix(4, (1, 1), doubles(1)), "an element of type 9, expected characters"),
    "a text of another length": (matrix(4, (1, 9), element(16, b"abc")), r"3 characters for a text of shape \(1, 9\)"),
    "a text that isn't": (matrix(4, (1, 1), element(16, b"\xff")), "can't decode"),
    "cells without content": (matrix(1, (1, 2), CELL), "unpack requires"),
    "cells of numbers": (matrix(1, (1, 1), doubles(1)), "an element of type 9, expected 14"),
    "many cells": (matrix(1, (10**6, 10**6), CELL), "1,000,000,000,000 elements in"),
    "many records": (matrix(2, (2**30, 9), element(5, b"\x02\0\0\0"), element(1, b"x\0"), CELL), "elements in"),
    "many records without fields": (matrix(2, (2**20, 2**20), element(5, b"\x08\0\0\0"), element(1, b"")), "reshape"),
    "field names of no length": (matrix(2, (1, 1), element(5, bytes(4)), element(1, b"x"), CELL), "field names of 0"),
    "field names cut": (matrix(2, (1, 1), element(5, b"\x08\0\0\0"), element(1, b"abc"), CELL), "3 bytes for field"),
    "two fields of a name": (
        matrix(2, (1, 1), element(5, b"\x02\0\0\0"), element(1, b"x\0x\0"), CELL, CELL),
        "occurs more than once|duplicate",
    ),
    "sparse": (matrix(5, (1, 1), doubles(1)), "a matrix of class 5, expected numbers"),
    "an object": (matrix(3, (1, 1), doubles(1)), "a matrix of class 3"),
    "a function": (matrix(16, (1, 1), doubles(1)), "a matrix of class 16"),
    "no matrix": (doubles(1), "an element of type 9, expected a matrix"),
    "a small element of nine bytes": (matrix(6, (1, 1), struct.pack("<HH", 9, 9) + bytes(4)), "a small element of 9"),
    "twice": (PLAIN + PLAIN, "v is there twice"),
    "larger than the file": (broken_tag(14, 2**32 - 1) + PLAIN[8:], "it ends too early"),
    "half a tag": (PLAIN + b"\x0e\0\0", "unpack requires"),
    "compressed, cut": (compressed(PLAIN)[:8] + compressed(PLAIN)[8:-6], "it ends too early"),
    "compressed, damaged": (broken_tag(15, 8) + b"nonsense", "incorrect header check"),
    "compressed twice": (compressed(compressed(PLAIN)), "an element of type 15, expected a matrix"),
    "compressed, large": (compressed(matrix(6, (1, 10**6), doubles(*[0.0] * 10**6))), "more than 1,000,000 bytes"),
    "cells two thousand deep": (None, "recursion"),
}  # fmt: skip


def deep_cells(depth: int) -> bytes:
    content = matrix(6, (1, 1), doubles(1), name=b"")
    for _ in range(depth):
        content = matrix(1, (1, 1), content, name=b"v")
    return content


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_what_the_format_does_not_allow_is_refused(tmp_path, content, message):
    (tmp_path / "a.mat").write_bytes(header() + (deep_cells(2000) if content is None else content))
    with pytest.raises((ValueError, struct.error, zlib.error, RecursionError), match=message):
        read(tmp_path / "a.mat")


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"", "no header"),
        (header()[:100], "no header"),
        (header()[:126] + b"XX", "no header"),
        (header(version=0x0200), "MATLAB 7.3, which is HDF5"),
        (header(version=0x0700), "version 7"),
    ],
)
def test_other_headers_are_refused(tmp_path, start, message):
    (tmp_path / "a.mat").write_bytes(start + PLAIN if len(start) == 128 else start + b"x")
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.mat")
