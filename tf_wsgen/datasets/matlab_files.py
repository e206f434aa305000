"""MATLAB files of version 5 to 7.2, read by SciPy in a process of its own.

Its reader, written in C, crashes on some damaged files. Announced sizes are compared with what the file can hold first.
"""

import os
import pickle

import numpy as np

from tf_wsgen.apart import read_apart
from tf_wsgen.files import LARGEST_COMPRESSION, existing_file
from tf_wsgen.pickles import LARGEST_ARRAY

# Bytes of memory beside the arrays, for Python and its libraries.
BESIDE = 4_000_000_000
READER = """
import math, pickle, scipy.io
path, largest, *names = sys.argv[1], int(sys.argv[4]), *sys.argv[5:]
sizes = {"double": 8, "int64": 8, "uint64": 8, "single": 4, "int32": 4, "uint32": 4, "cell": 8, "struct": 8}
try:
    for name, shape, kind in scipy.io.whosmat(path):
        if name in names and (min(shape) < 0 or math.prod(shape) * sizes.get(kind, 1) > largest):
            sys.exit(f"{name} announces the shape {shape}, more than {largest:,} bytes")
    content = scipy.io.loadmat(path, variable_names=names, verify_compressed_data_integrity=True)
    pickle.dump({name: content[name] for name in names if name in content}, sys.stdout.buffer, protocol=5)
except NotImplementedError:
    sys.exit("a file of MATLAB 7.3, which is HDF5")
except (Exception, RecursionError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def load_mat(path: str | os.PathLike, kind: str, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The variables of these names that a MATLAB file of version 5 to 7.2 has (7.3 is HDF5: `open_hdf5`).

    They are as `scipy.io.loadmat` gives them.

    Raises:
        InputError: The file is not there, damaged, or a variable is larger than what the file can hold.
    """
    path = existing_file(path, kind)
    largest = min(LARGEST_ARRAY, LARGEST_COMPRESSION * path.stat().st_size)
    return pickle.loads(read_apart(READER, path, kind, 2 * largest + BESIDE, str(largest), *names))
