"""MATLAB files of version 5 to 7.2, read by SciPy in a process of its own.

Its reader, written in C, crashes on some damaged files. Announced sizes are compared with what the file can hold first.
"""

import os
import pickle
import subprocess
import sys

import numpy as np

from tf_wsgen.errors import InputError
from tf_wsgen.files import LARGEST_COMPRESSION, existing_file
from tf_wsgen.pickles import LARGEST_ARRAY

# Bytes of memory beside the arrays, for Python and its libraries.
BESIDE = 4_000_000_000
READER = """
import contextlib, math, pickle, sys
path, largest, memory, *names = sys.argv[1:]
with contextlib.suppress(ImportError):  # Windows has no limits.
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
import scipy.io
sizes = {"double": 8, "int64": 8, "uint64": 8, "single": 4, "int32": 4, "uint32": 4, "cell": 8, "struct": 8}
try:
    for name, shape, kind in scipy.io.whosmat(path):
        if name in names and (min(shape) < 0 or math.prod(shape) * sizes.get(kind, 1) > int(largest)):
            sys.exit(f"{name} announces the shape {shape}, more than {int(largest):,} bytes")
    content = scipy.io.loadmat(path, variable_names=names, verify_compressed_data_integrity=True)
    pickle.dump({name: content[name] for name in names if name in content}, sys.stdout.buffer, protocol=5)
except NotImplementedError:
    sys.exit("a file of MATLAB 7.3, which is HDF5")
except (Exception, RecursionError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def load_mat(path: str | os.PathLike, kind: str, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Variables of a MATLAB file of version 5 to 7.2 (7.3 is HDF5: `open_hdf5`), as `scipy.io.loadmat` gives them.

    Args:
        path: The file.
        kind: What it should be.
        names: The variables to read; those that are not there are left out.

    Raises:
        InputError: The file is not there, damaged, or a variable is larger than what the file can hold.
    """
    path = existing_file(path, kind)
    largest = min(LARGEST_ARRAY, LARGEST_COMPRESSION * path.stat().st_size)
    command = [sys.executable, "-c", READER, str(path), str(largest), str(2 * largest + BESIDE), *names]
    # Threads of the linear algebra that it does not use would take the memory that it may have.
    reader = subprocess.run(command, capture_output=True, check=False, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    if reader.returncode:
        told = reader.stderr.decode(errors="replace").strip().splitlines()
        reason = told[-1] if reader.returncode == 1 and told else "SciPy's reader crashed"
        raise InputError(f"{path}: cannot be read as {kind} ({reason}).")
    return pickle.loads(reader.stdout)
