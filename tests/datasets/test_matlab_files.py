"""MATLAB files: what SciPy reads, and one sentence for what it refuses or crashes on."""

import struct
import zlib

import h5py
import numpy as np
import pytest
import scipy.io
from refusals import refuses, table

from tf_wsgen.datasets.matlab_files import load_mat

KIND = "a file of poses"
POSES = np.random.default_rng(0).normal(size=(4, 6))
STRUCTS = np.array([(1.5, "a"), (POSES, "image.jpg")], [("x", object), ("name", object)])


def read(path, *names):
    return load_mat(path, KIND, names or ("v",))


@pytest.mark.parametrize("compressed", [False, True])
def test_variables_come_back(tmp_path, compressed):
    cells = np.array([[POSES, "text"]], object)
    content = {"poses": POSES, "cells": cells, "structs": STRUCTS, "other": 1}
    scipy.io.savemat(tmp_path / "a.mat", content, do_compression=compressed)
    found = read(tmp_path / "a.mat", "poses", "cells", "structs", "missing")
    assert list(found) == ["poses", "cells", "structs"]
    np.testing.assert_array_equal(found["poses"], POSES)
    np.testing.assert_array_equal(found["cells"][0, 0], POSES)
    assert found["structs"]["name"][0, 1].tolist() == ["image.jpg"]


# Bytes by the format's description.


def element(kind, content):
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(kind, shape, *parts, name=b"v"):
    start = element(6, struct.pack("<II", kind, 0)) + element(5, struct.pack(f"<{len(shape)}i", *shape))
    return element(14, start + element(1, name) + b"".join(parts))


def doubles(*values):
    return element(9, struct.pack(f"<{len(values)}d", *values))


HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49)
PLAIN = matrix(6, (2, 2), doubles(1, 2, 3, 4))


PACKED = zlib.compress(PLAIN)
DAMAGED = {
    "a letter": b"x",
    "zeros": bytes(4096),
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "cut": HEADER + PLAIN[:-6],
    "no compression": HEADER + struct.pack("<II", 15, 8) + b"nonsense",
    "cut compression": HEADER + struct.pack("<II", 15, len(PACKED)) + PACKED[:-6],
    "10¹¹ numbers": HEADER + matrix(6, (10**9, 100), doubles(1)),
    "an overflow": HEADER + matrix(6, (2**30, 2**30, 16), doubles()),
    "negative lengths": HEADER + matrix(6, (-1, -1), doubles(1)),
    "10¹² cells": HEADER + matrix(1, (10**6, 10**6), matrix(6, (1, 1), doubles(1))),
    "numbers of a type that is none, where SciPy crashes": HEADER + matrix(6, (1, 1), element(0xA809, bytes(8))),
}


@table("content", DAMAGED)
def test_what_is_damaged_is_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "a.mat").write_bytes(content)
    refuses(r"a\.mat: cannot be read as a file of poses \(.+\)\.$", read, tmp_path / "a.mat")


def test_matlab_7_3_is_told_apart(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file["poses"] = POSES
    with (tmp_path / "a.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    refuses(r"\(a file of MATLAB 7\.3, which is HDF5\)", read, tmp_path / "a.mat")
