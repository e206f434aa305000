"""Files that nobody vouches for: sound ones come back, hostile ones run nothing, take no memory, end in a sentence."""

import contextlib
import json
import os
import pickle
import struct
import sys
import tracemalloc
import warnings
import zipfile

import h5py
import numpy as np
import pytest
from refusals import refuses, table

from tf_wsgen.errors import InputError
from tf_wsgen.files import check_new, existing_file, hdf5_array, load_json, load_npz, open_hdf5, whole_file

KIND = "a file of poses"
MEGABYTE = 2**20
POSES = np.random.default_rng(0).normal(size=(5, 3, 2))


@contextlib.contextmanager
def little_memory():
    """Fails a test that asks for more than 60 MB at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 60 * MEGABYTE
    finally:
        tracemalloc.stop()


def npy(header: bytes, content: bytes = b"", version=(1, 0)) -> bytes:
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    length = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    return b"\x93NUMPY" + bytes(version) + length + header + content


def object_npy(pickled: bytes) -> bytes:
    """What np.save writes around the pickle of a dict."""
    return npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (), }", pickled)


def write_zip(path, content: dict[str, bytes], compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def load_pickle(folder, pickled: bytes):
    return load_npz(write_zip(folder / "a.npz", {"poses.npy": object_npy(pickled)}), KIND)["poses"]


def assert_same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            assert_same(*pair)
    elif isinstance(expected, np.ndarray):
        # NumPy's own unpickler changes to this machine's byte order too.
        assert found.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")
        assert found.shape == expected.shape
        if expected.dtype == object:
            assert_same(found.ravel().tolist(), expected.ravel().tolist())
        else:
            np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


# Sound files.

ARRAYS = {
    "float32": POSES.astype(np.float32),
    "big-endian": POSES.astype(">f8"),
    "fortran": np.asfortranarray(POSES),
    "swapped axes": POSES.transpose(2, 0, 1),
    "every other": POSES[::2, ::-1],
    "no rows": POSES[:0],
    "one number": np.array(3.5),
    "integers": np.arange(7, dtype=np.uint16),
    "flags": np.array([True, False]),
    "texts": np.array(["Wäsche", "b"]),
    "bytes": np.array([b"ab", b"c"]),
    "complex": np.array([1 + 2j]),
}
NESTED = {
    "S1": {"Walking 1": POSES.astype(np.float32), "Sitting": [POSES, None, (1, 2.5, True)]},
    "metadata": {"num_joints": 17, "sides": [[1, 3], [2, 4]], "layout": "h36m", "raw": b"\x00\xff", "big": 10**30},
    "number": np.float32(2.5),
    "fortran": ARRAYS["fortran"],
    "swapped": ARRAYS["swapped axes"],
    "big-endian": ARRAYS["big-endian"],
    "texts": ARRAYS["texts"],
    "objects": np.array([[None, "a"], [1, {"b": POSES}]], object),
    3: "a number for a key",
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_and_dicts_come_back_as_numpy_saves_them(tmp_path, save):
    arrays = {name.replace(" ", "_"): values for name, values in ARRAYS.items()}
    save(tmp_path / "a.npz", **arrays, poses=NESTED)
    found = load_npz(str(tmp_path / "a.npz"), KIND)
    assert found["poses"].shape == ()
    assert_same(found.pop("poses").item(), NESTED)
    assert_same(found, arrays)


def as_numpy_1(pickled: bytes) -> bytes:
    """The same pickle with the module names of NumPy 1; for protocols from 4, of one frame."""
    changed = pickled.replace(b"cnumpy._core.", b"cnumpy.core.")
    for name in (b"numpy._core.multiarray", b"numpy._core.numeric"):
        old = name.replace(b"_core", b"core")
        changed = changed.replace(b"\x8c" + bytes([len(name)]) + name, b"\x8c" + bytes([len(old)]) + old)
    if changed[2:3] == pickle.FRAME:
        (length,) = struct.unpack("<Q", changed[3:11])
        changed = changed[:3] + struct.pack("<Q", length + len(changed) - len(pickled)) + changed[11:]
    assert changed != pickled
    return changed


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickles_of_every_protocol_and_numpy_come_back(tmp_path, protocol):
    pickled = pickle.dumps(np.array(NESTED, object), protocol)
    for content in (pickled, as_numpy_1(pickled)):
        assert_same(load_pickle(tmp_path, content).item(), NESTED)


def python_2_array(values: np.ndarray) -> bytes:
    """The opcodes that Python 2 and NumPy 1 wrote for a float64 vector: texts of bytes, and ints for flags."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
        b"(K\x01K" + bytes([len(values)]) + b"\x85"
        b"cnumpy\ndtype\n(U\x02f8K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"U" + bytes([values.nbytes]) + values.tobytes() + b"tb"
    )  # fmt: skip


def test_a_pickle_of_python_2_comes_back(tmp_path):
    values = np.array([-1.5, np.pi, 1e300])
    scalar = (
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(U\x02i4K\x00K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tbU\x04\xff\xff\xff\xfftR"
    )
    content = b"}(U\x02S1" + python_2_array(values) + b"U\x05Gr\xf6\xdfeK\x07U\x01n" + scalar + b"u"
    pickled = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR(K\x01)cnumpy\ndtype\n"
        b"(U\x02O8K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89]" + content + b"atb."
    )
    with warnings.catch_warnings():
        # NumPy 2.4 warns that dtype() gets ints for flags.
        warnings.simplefilter("ignore")
        oracle = pickle.loads(pickled, encoding="latin1").item()
    assert_same(load_pickle(tmp_path, pickled).item(), oracle)
    assert_same(oracle, {"S1": values, "Größe": 7, "n": np.int32(-1)})


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_headers_of_python_2_and_of_version_2_are_read(tmp_path, version):
    header = b"{'descr': '<f8', 'fortran_order': True, 'shape': (2L, 3L), }"
    values = np.arange(6.0).reshape(2, 3)
    write_zip(tmp_path / "a.npz", {"a.npy": npy(header, values.tobytes("F"), version)})
    np.testing.assert_array_equal(load_npz(tmp_path / "a.npz", KIND)["a"], values)


# Pickles that want to run something.


class Call:
    """Pickled as a call: what the pickle is to do when it is opened."""

    def __init__(self, function, *arguments):
        self.parts = function, arguments

    def __reduce__(self):
        return self.parts


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def call(module: str, name: str, *arguments: bytes) -> bytes:
    return b"\x80\x02" + f"c{module}\n{name}\n".encode() + b"(" + b"".join(arguments) + b"tR."


RUN = "touch it_ran"
COMMANDS = {
    "os.system": pickle.dumps(Call(os.system, RUN)),
    "exec, protocol 0": pickle.dumps(Call(exec, "open('it_ran', 'w')"), 0),
    "inside a dict": pickle.dumps({"S1": {"Walking": [Call(os.system, RUN)]}}),
    "inside an array": pickle.dumps(np.array([Call(os.system, RUN)], object)),
    "numpy.save": call("numpy", "save", text("it_ran"), b"K\x01"),
    "numpy.memmap": call("numpy", "memmap", text("it_ran"), text("u1"), text("w+"), b"K\x00K\x09"),
    "numpy.testing": call("numpy.testing._private.utils", "runstring", text("import os"), b"}"),
    "dotted": b"\x80\x04\x8c\x05numpy\x8c\x0bsave.__class__\x93.",
    "through our own module": b"\x80\x04\x8c\x0etf_wsgen.files\x8c\x09os.system\x93.",
    "getattr": call("builtins", "getattr", b"cnumpy\nndarray\n", text("tofile")),
    "import": call("importlib", "import_module", text("planted")),
    "a module that runs when imported": b"\x80\x02cplanted\nanything\n.",
    "copyreg": call("copyreg", "_reconstructor", b"cos\nPathLike\n", b"N", b"N"),
    "bytearray": call("builtins", "bytearray", b"\x8a\x06\x00\x00\x00\x00\x00\x01"),
    "old-style instance": b"(" + text(RUN) + b"ios\nsystem\n.",
    "object": b"\x80\x02(cos\nsystem\n" + text(RUN) + b"o.",
    "new object": b"\x80\x02csubprocess\nPopen\n" + text(RUN) + b"\x85\x81.",
    "extension": b"\x80\x02\x82\x01.",
    "persistent": b"\x80\x02" + text("x") + b"Q.",
    "out-of-band buffer": b"\x80\x05\x97.",
}


@table("command", COMMANDS)
def test_a_pickle_runs_nothing(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "planted.py").write_text("open('it_ran', 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    refuses(r"a\.npz", load_pickle, tmp_path, command)
    assert not (tmp_path / "it_ran").exists()
    assert "planted" not in sys.modules


@pytest.mark.parametrize("name", ["os.system", "old-style instance"])
def test_the_commands_above_would_run(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    pickle.loads(COMMANDS[name])
    assert (tmp_path / "it_ran").exists()


def test_what_a_pickle_must_not_hold_is_named(tmp_path):
    expected = r"a\.npz: poses\.npy holds a pickled 'posix\.system'; expected NumPy arrays and plain containers only"
    refuses(expected, load_pickle, tmp_path, COMMANDS["os.system"])


# Pickles and headers that want memory, or to reach into it.

RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
EMPTY_ARRAY = RECONSTRUCT + b"K\x00\x85C\x01btR"
SCALAR, BUFFER = b"\x80\x02cnumpy.core.multiarray\nscalar\n(", b"\x80\x02cnumpy.core.numeric\n_frombuffer\n("


def number(value: int) -> bytes:
    return b"\x8a\x0a" + value.to_bytes(10, "little", signed=True)


def dtype(code: str, state: bytes | None = b"K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00") -> bytes:
    return b"cnumpy\ndtype\n(" + text(code) + b"\x89\x88tR" + (b"(" + state + b"tb" if state else b"")


def array(shape: tuple[int, ...], of_type: bytes, content: bytes) -> bytes:
    lengths = b"".join(number(length) for length in shape)
    return b"\x80\x02" + EMPTY_ARRAY + b"(K\x01(" + lengths + b"t" + of_type + b"\x89" + content + b"tb."


OBJECTS = b"K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?"
LONG_TEXTS = b"K\x03U\x01|NNNJ\xff\xff\xff\x7fK\x01K\x00"
SIZES = {
    "an array made large": b"\x80\x02" + RECONSTRUCT + number(10**12) + b"\x85C\x01btR.",
    "ndarray called": b"\x80\x02cnumpy\nndarray\n(" + number(10**12) + b"tR.",
    "a large shape": array((10**12,), dtype("f8"), b"C\x08" + bytes(8)),
    "a shape that overflows": array((2**32, 2**32), dtype("f8"), b"C\x00"),
    "a shape that overflows to what is there": array((2**61 + 1,), dtype("f8"), b"C\x08" + bytes(8)),
    "large in all but one dimension": array((0, 2**62, 2**62), dtype("f8"), b"C\x00"),
    "a negative shape": array((-1,), dtype("f8"), b"C\x08" + bytes(8)),
    "two negative lengths": array((-1, -1), dtype("f8"), b"C\x08" + bytes(8)),
    "objects from bytes": array((1,), dtype("O8", OBJECTS), b"C\x08" + b"A" * 8),
    "objects without their flags": array((1,), dtype("O8"), b"C\x08" + b"A" * 8),
    "numbers with the flags of objects": array((1,), dtype("f8", OBJECTS), b"]Na"),
    "hidden objects": array((1,), dtype("V8", b"K\x03U\x01|N(U\x01atd"), b"C\x08" + b"A" * 8),
    "objects as a field": array((1,), b"cnumpy\ndtype\n(](U\x01aU\x01O\x86ae\x89\x88tR", b"C\x08" + b"A" * 8),
    "a structured type in a text": array((1,), dtype("O,f8", None), b"C\x10" + b"A" * 16),
    "another size than its type's": array((1,), dtype("S8", LONG_TEXTS), b"C\x08" + bytes(8)),
    "a large text": SCALAR + dtype("S2000000000", None) + b"C\x01atR.",
    "an object from bytes": SCALAR + dtype("O8", OBJECTS) + b"C\x08AAAAAAAAtR.",
    "a buffer of objects": BUFFER + b"C\x08AAAAAAAA" + dtype("O8", OBJECTS) + b"K\x01\x85U\x01CtR.",
    "a buffer too short": BUFFER + b"C\x08AAAAAAAA" + dtype("f8") + number(10**12) + b"\x85U\x01CtR.",
    "bytearray of 1 TB": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"abc.",
    "bytearray of 2 GB": b"\x80\x05\x96" + struct.pack("<Q", 2**31) + b"abc.",
    "bytes of 1 TB": b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.",
    "bytes of 2⁶³": b"\x80\x04\x8e" + struct.pack("<Q", 2**63) + b"abc.",
    "a text of 1 TB": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b"abc.",
    "a number of 2 GB": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"abc.",
    "a number of negative length": b"\x80\x02\x8b" + struct.pack("<i", -5) + b"abc.",
    "a frame of 1 TB": b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N.",
    "memo 2³¹": b"\x80\x02]r" + struct.pack("<I", 2**31) + b".",
    "a text memo of 20 digits": b"\x80\x02]p99999999999999999999\n.",
    "memo that isn't there": b"\x80\x02h\x05.",
    "a state for a function": b"\x80\x02cnumpy.core.multiarray\nscalar\n}" + text("__doc__") + text("x") + b"sb.",
    "a state for a class": b"\x80\x02cnumpy\nndarray\nN}" + text("x") + b"K\x01s\x86b.",
    "a key without a hash": b"\x80\x02}]Ns.",
    "an ordered dict of pairs": b"\x80\x02ccollections\nOrderedDict\n(](](K\x01K\x02eetR.",
    "items into an array": b"\x80\x02" + EMPTY_ARRAY + b"K\x00K\x01s.",
    "items into nothing": b"\x80\x02NK\x00a.",
    "nothing on the stack": b"\x80\x02R.",
    "no mark": b"\x80\x02Nt.",
    "no end": b"\x80\x02N",
    "no pickle": b"",
    "protocol 9": b"\x80\x09N.",
    "not an array": b"\x80\x02}.",
    "an array of another shape": pickle.dumps(np.array([{}, {}], object)),
    "a date": pickle.dumps(np.array(["2020-01-01"], "M8[D]")),
}


@table("pickled", SIZES)
def test_a_pickle_takes_no_memory_and_leaves_none_broken(tmp_path, pickled):
    with little_memory():
        refuses(r"a\.npz", load_pickle, tmp_path, pickled)


def test_a_key_nested_deep_does_not_end_the_process(tmp_path):
    nested = b"\x80\x02})" + b"\x85" * 200_000 + b"Ns."
    refuses("a dict whose keys are neither texts nor numbers", load_pickle, tmp_path, nested)


def test_the_pickles_above_are_made_as_sound_ones_are(tmp_path):
    # The same makers with honest numbers.
    sound = array((2,), dtype("f8"), b"C\x10" + struct.pack("<2d", 1.5, -2.0))
    sound = b"\x80\x02" + EMPTY_ARRAY + b"(K\x01)" + dtype("O8", OBJECTS) + b"\x89]" + sound[2:-1] + b"atb."
    np.testing.assert_array_equal(load_pickle(tmp_path, sound).item(), [1.5, -2.0])


def header(descr, shape):
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"


HEADERS = {
    "10¹² rows": (header("<f4", "(1000000000000, 16, 3)"), "announces 192,0"),
    "an overflow": (header("<f8", "(4294967296, 4294967296)"), "announces"),
    "a negative length": (header("<f8", "(-1,)"), "announces"),
    "two negative lengths": (header("<f8", "(-1, -1)"), "announces"),
    "wide texts": (header("|S2000000000", "(9,)"), "announces"),
    "one row more than is there": (header("<f8", "(129,)"), "."),
    "no shape": ("{'descr': '<f8', 'fortran_order': False}", "cannot be read"),
    "a shape of texts": (header("<f8", "('a',)"), "cannot be read"),
    "an unknown type": (header("no", "(1,)"), "cannot be read"),
    "code": ("{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (1,), }", "cannot be read"),
    "brackets": ("(" * 9000, "cannot be read"),
    "an open text": ("{'descr': '", "cannot be read"),
    "an open line": ("{'descr': '''", "cannot be read"),
    "not a dict": ("[1, 2]", "cannot be read"),
    "a long header": (header("<f8", "(1,)") + " " * 20000, "cannot be read"),
    "bytes": ("".join(map(chr, range(128, 250))), "cannot be read"),
}


@table("header message", HEADERS)
def test_a_header_is_not_believed(tmp_path, header, message):
    write_zip(tmp_path / "a.npz", {"a.npy": npy(header.encode("latin1"), bytes(1024))})
    with little_memory():
        refuses(r"a\.npz.*" + message, load_npz, tmp_path / "a.npz", KIND)


def test_texts_of_no_length_are_read(tmp_path):
    write_zip(tmp_path / "a.npz", {"a.npy": npy(b"{'descr': '|S0', 'fortran_order': False, 'shape': (9,), }")})
    assert load_npz(tmp_path / "a.npz", KIND)["a"].tolist() == [b""] * 9


@pytest.mark.parametrize("content", [b"", b"\x93NUMP", b"no array", npy(b"{}", version=(3, 0)), npy(b"{}")[:9]])
def test_a_member_that_is_no_array_is_refused(tmp_path, content):
    refuses(r"a\.npz", load_npz, write_zip(tmp_path / "a.npz", {"a.npy": content}), KIND)


def test_names_cannot_break_the_sentence(tmp_path):
    path = write_zip(tmp_path / "a.npz", {"poses\nare fine.npy": npy(b"{}")})
    refuses(r"a\.npz: has a member named 'poses\\nare fine\.npy'; expected the name of", load_npz, path, KIND)
    named = b"\x80\x04\x8c\x04os\rx\x8c\x06system\x93."
    refuses(r"holds a pickled 'os\\rx\.system'", load_pickle, tmp_path, named)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("members", [1, 4])
def test_a_small_archive_does_not_unpack_to_a_large_one(tmp_path, compression, members):
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4000000,), }"
    content = {f"{name}.npy": npy(header, bytes(4_000_000)) for name in range(members)}
    path = write_zip(tmp_path / "a.npz", content, compression)
    assert path.stat().st_size < 4000 * members
    with little_memory():
        refuses(r"a\.npz: announces [\d,]+ bytes from [\d,]+; expected pose data", load_npz, path, KIND)


def test_sizes_that_the_archive_lies_about_are_not_believed(tmp_path):
    path = write_zip(tmp_path / "a.npz", {"a.npy": npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }")})
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    for size in (5, 10**5, 2**31):
        struct.pack_into("<I", content, directory + 24, size)
        path.write_bytes(content)
        refuses(r"a\.npz", load_npz, path, KIND)


# Damage.


def loads_or_refuses(load, path):
    """Whether a file is loaded; anything but an InputError of one line fails the test."""
    message = None
    try:
        load(path)
    except InputError as error:
        message = str(error)
    assert message is None or (str(path) in message and "\n" not in message)
    return message is None


def read_archive(path):
    return load_npz(path, KIND)


def read_hdf5(path, key="poses", shape=(None, 3, 2)):
    with open_hdf5(path, KIND) as file:
        return hdf5_array(file, key, str(path), shape)


def save_archive(path):
    np.savez_compressed(path, poses=NESTED, plain=POSES)


def save_hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("poses", data=POSES, compression="gzip")


@pytest.mark.parametrize(("save", "load", "name"), [(save_archive, read_archive, "a.npz"), (save_hdf5, read_hdf5, "a")])
def test_no_truncated_file_is_loaded(tmp_path, save, load, name):
    path = tmp_path / name
    save(path)
    content = path.read_bytes()
    for cut in np.linspace(0, len(content) - 1, 80).astype(int):
        path.write_bytes(content[:cut])
        assert not loads_or_refuses(load, path)


@pytest.mark.parametrize("protocol", [2, 5])
def test_no_truncated_pickle_is_loaded(tmp_path, protocol):
    pickled = pickle.dumps(np.array({"S1": POSES.astype(np.float32), "n": [None, 1]}, object), protocol)
    for cut in np.linspace(0, len(pickled) - 1, 100).astype(int):
        refuses(r"a\.npz", load_pickle, tmp_path, pickled[:cut])


@pytest.mark.parametrize("protocol", [None, 2, 4, 5], ids=["the archive", "protocol 2", "protocol 4", "protocol 5"])
def test_what_is_changed_is_loaded_or_refused(tmp_path, protocol):
    path, rng = tmp_path / "a.npz", np.random.default_rng(protocol or 0)
    if protocol is None:
        save_archive(path)
        whole = path.read_bytes()
    else:
        whole = pickle.dumps(np.array({"S1": POSES[:1], "n": [None, 1.5, "a"]}, object), protocol)
    outcomes = set()
    for _ in range(150):
        changed = np.frombuffer(whole, np.uint8).copy()
        places = rng.integers(0, len(whole), rng.integers(1, 5))
        changed[places] = rng.integers(0, 256, len(places))
        if protocol is None:
            path.write_bytes(changed.tobytes())
        else:
            write_zip(path, {"a.npy": object_npy(changed.tobytes())}, zipfile.ZIP_STORED)
        outcomes.add(loads_or_refuses(read_archive, path))
    assert False in outcomes
    assert protocol is None or True in outcomes


def test_an_archive_with_a_password_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.npz", {"a.npy": npy(b"{}")})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    refuses(r"a\.npz: cannot be read as a file of poses \(.*password", load_npz, path, KIND)


# What is there at all.


ABSENT = {
    "missing": "there is no such file; expected a file of poses",
    "folder": "is a folder; expected a file of poses",
    "empty": "is empty; expected a file of poses",
    "file/below a file": "there is no such file",
    "x" * 5000: "there is no such file",
    "nul\0": "there is no such file",
}
LOADERS = (load_npz, load_json, lambda path, kind: open_hdf5(path, kind).__enter__())


@pytest.mark.parametrize(("name", "message"), ABSENT.items(), ids=range(6))
def test_what_is_not_there_is_said(tmp_path, name, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    (tmp_path / "file").write_text("x")
    refuses(message, existing_file, tmp_path / name, KIND)
    for load in LOADERS if name in ("missing", "empty") else ():
        refuses(message, load, tmp_path / name, KIND)


@pytest.mark.parametrize("content", [b"x", b"x,y\n1,2\n", b"PK\x03\x04", bytes(4096), b"\x89HDF\r\n\x1a\n"])
def test_files_of_another_kind_are_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    for load in LOADERS:
        refuses(r"a: cannot be read as a file of poses", load, tmp_path / "a", KIND)


# JSON.


def test_json_comes_back(tmp_path):
    content = {"keypoints": [[1.5, -2, 1e-3]], "name": "Wäsche", "none": None}
    (tmp_path / "a.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    assert load_json(tmp_path / "a.json", KIND) == content


BROKEN_JSON = {
    "lists in lists": (b"[" * 10**5, "nested too deep"),
    "objects in objects": (b'{"a":' * 10**5, "nested too deep"),
    "NaN": (b"[1, NaN]", "holds NaN; expected finite numbers"),
    "infinity": (b"[-Infinity]", "holds -Infinity"),
    "no end": (b'{"a": 1', "cannot be read"),
    "two": (b"[1] [2]", "cannot be read"),
    "many digits": (b"1" * 10**4, "cannot be read"),
    "no UTF-8": (b'["\xff\xfe\xfd"]', "cannot be read"),
}


@table("content message", BROKEN_JSON)
def test_broken_json_is_refused(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    refuses(r"a\.json: .*" + message, load_json, tmp_path / "a.json", KIND)


def test_json_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "a.json", "wb") as file:
        file.truncate(3 * 10**9)
    message = r"a\.json: has 3,000,000,000 bytes; expected a file of poses of at most"
    refuses(message, load_json, tmp_path / "a.json", KIND)


# HDF5.


@pytest.mark.parametrize(
    "options", [{}, {"chunks": (2, 3, 2), "compression": "gzip"}, {"dtype": "f4"}, {"dtype": ">i2"}]
)
def test_datasets_come_back(tmp_path, options):
    values = np.round(POSES * 100).astype(options.get("dtype", "f8"))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("poses", data=values, **options)
    assert_same(read_hdf5(tmp_path / "a.h5"), values)


def test_what_is_the_same_in_all_rows_may_be_compressed_as_far_as_gzip_goes(tmp_path):
    values = np.ones((10**6, 3, 2), np.float32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("poses", data=values, chunks=values.shape, compression="gzip", shuffle=True)
        assert dataset.id.get_storage_size() < values.nbytes / 1000
    assert_same(read_hdf5(tmp_path / "a.h5"), values)


def announce(rows, written):
    def make(file):
        file.create_dataset("poses", (rows, 3, 2), "f4", chunks=(1024, 3, 2))[:written] = 1.0

    return make


def link_outside(file):
    with h5py.File(file.filename + ".other", "w") as other:
        other["poses"] = POSES
    file["poses"] = h5py.ExternalLink(file.filename + ".other", "poses")


def keep_outside(file):
    file.create_dataset("poses", (5, 3, 2), "f8", external=[(file.filename + ".bin", 0, 240)])


def put(values):
    return lambda file: file.update(poses=values)


HDF5 = {
    "no dataset": (lambda file: file.update(other=POSES), r"has no dataset 'poses'; it has \['other'\]"),
    "a group": (lambda file: file.create_group("poses"), "poses is not an array of numbers"),
    "texts": (put(["a"]), "poses is not an array of numbers"),
    "records": (put(np.zeros(3, "f4,i4")), "poses is not an array of numbers"),
    "a missing axis": (put(POSES[0]), r"poses has shape \(3, 2\); expected \(N, 3, 2\)"),
    "swapped axes": (put(POSES.T), r"poses has shape \(2, 3, 5\)"),
    "a number": (put(1.0), r"poses has shape \(\)"),
    "nothing": (put(h5py.Empty("f4")), "poses has shape None"),
    "10¹² rows": (announce(10**12, 0), "poses announces 24,000,000,000,000 bytes but stores 0"),
    "10⁹ rows after some": (announce(10**9, 1024), "poses announces 24,000,000,000 bytes but stores 24,576"),
    "external storage": (keep_outside, "poses is kept in another file"),
    "virtual": (lambda file: file.create_virtual_dataset("poses", h5py.VirtualLayout((10**12, 3, 2), "f4")),
        "poses is kept in another file"),
    "external link": (link_outside, "poses is kept in another file"),
    "dangling link": (put(h5py.SoftLink("/nowhere")), "cannot be read"),
    "dangling external link": (put(h5py.ExternalLink("none.h5", "x")), "cannot be read"),
}  # fmt: skip


@table("make message", HDF5)
def test_a_dataset_is_not_believed(tmp_path, make, message):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file)
    with little_memory():
        refuses(r"a\.h5: " + message, read_hdf5, tmp_path / "a.h5")


def test_a_type_that_numpy_has_not_beside_texts_spoils_nothing(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["joints"], file["poses"] = ["pelvis", "neck"], POSES
        h5py.h5a.create(file.id, b"when", h5py.h5t.UNIX_D32LE, h5py.h5s.create(h5py.h5s.SCALAR))
        with pytest.raises(TypeError):
            file.attrs["when"]
    assert_same(read_hdf5(tmp_path / "a.h5"), POSES)


def test_a_heap_of_texts_in_which_hdf5_goes_round_for_ever_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["joints"], file["poses"] = ["pelvis", "neck"], POSES
    assert_same(read_hdf5(tmp_path / "a.h5"), POSES)
    content = bytearray((tmp_path / "a.h5").read_bytes())
    # The size of the heap's first text, after the heap's header and the text's own number.
    size = content.index(b"GCOL") + 24
    assert content[size : size + 12] == struct.pack("<Q", len("neck")) + b"neck"
    content[size] = 0
    (tmp_path / "a.h5").write_bytes(content)
    refuses(r"a\.h5: cannot be read as .*\(its reader crashes or does not end\)", read_hdf5, tmp_path / "a.h5")


@pytest.mark.parametrize("old", [[], [("file.txt", "old")]], ids=["new", "existing"])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, old):
    path = tmp_path / "folder" / "file.txt"
    for _, content in old:
        path.parent.mkdir()
        path.write_text(content)

    def there():
        return [(file.name, file.read_text()) for file in path.parent.iterdir()]

    def half():
        with whole_file(path) as partial:
            partial.write_text("half")
            raise OSError(28, "No space left on device")

    refuses(r"file\.txt: cannot be written \(No space left", half)
    assert there() == old
    with whole_file(path) as partial:
        partial.write_text("new")
    assert there() == [("file.txt", "new")]


def test_what_cannot_be_written_is_refused_first(tmp_path):
    (tmp_path / "file").write_text("old")
    check_new(tmp_path / "file", overwrite=True)
    assert (tmp_path / "file").read_text() == "old"
    for path, reason in (("file", "exists already"), ("", "is a folder"), ("file/below", "cannot be written")):
        refuses(reason, check_new, tmp_path / path, overwrite=False)
    for overwrite in (False, True):
        refuses("is the input", check_new, tmp_path / "folder/../file", overwrite, tmp_path / "file")
