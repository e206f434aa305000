"""What is no file of the kind: missing, a folder, empty, a text, cut in half; every reader refuses it by its name."""

from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import scipy.io
from refusals import refuses

from tf_wsgen.data.prepared import read_prepared
from tf_wsgen.datasets.readers.arrays import read_arrays
from tf_wsgen.datasets.readers.asf_amc import read_amc, read_asf
from tf_wsgen.datasets.readers.bvh import read_bvh
from tf_wsgen.datasets.readers.detections import read_detections
from tf_wsgen.datasets.readers.human36m import read_videopose3d
from tf_wsgen.datasets.readers.human36m_baseline import read_3d_pose_baseline
from tf_wsgen.datasets.readers.human36m_mat import read_repnet_mat
from tf_wsgen.datasets.readers.mpi_inf_3dhp import read_3dhp
from tf_wsgen.datasets.readers.mpii import read_mpii
from tf_wsgen.datasets.readers.skeleton_names import read_joint_names


def save_hdf5(path):
    with h5py.File(path, "w") as file:
        for name in ("part", "preds", "visible"):
            file[name] = np.ones((3, 16, 2) if name != "visible" else (3, 16))


# Of every kind of file a sound one, of which half is then left.
SAVE = {
    ".h5": save_hdf5,
    ".npz": lambda path: np.savez(path, positions_3d={"S1": {"Walking": np.full((3, 32, 3), 0.1, np.float32)}}),
    ".mat": lambda path: scipy.io.savemat(path, {"poses_2d": np.random.default_rng(0).normal(size=(9, 32))}),
    ".json": lambda path: path.write_text('[{"keypoints": []}]'),
}
# Where the file is in its folder, and what reads it.
READERS = {
    "prepared": ("a.h5", lambda folder: read_prepared(folder / "a.h5")),
    "arrays, npz": ("a.npz", lambda folder: read_arrays(folder / "a.npz", convention="human16")),
    "arrays, HDF5": ("a.h5", lambda folder: read_arrays(folder / "a.h5", convention="human16")),
    "MPII by pose-hg": ("a.h5", lambda folder: read_mpii(folder / "a.h5")),
    "MPII by HRNet": ("a.json", lambda folder: read_mpii(folder / "a.json")),
    "MPII, original": ("a.mat", lambda folder: read_mpii(folder / "a.mat")),
    "MPII, detections": ("a.h5", lambda folder: read_mpii(folder / "sound.h5", folder / "a.h5")),
    "VideoPose3D, 3D": ("a.npz", lambda folder: read_videopose3d(folder / "a.npz")),
    "VideoPose3D, 2D": ("a.npz", lambda folder: read_videopose3d(folder / "sound.npz", folder / "a.npz")),
    "3d-pose-baseline": ("S1/MyPoses/3D_positions/A.h5", read_3d_pose_baseline),
    "RepNet": ("a.mat", lambda folder: read_repnet_mat(folder / "a.mat", "train")),
    "3DHP, training": ("S1/Seq1/annot.mat", read_3dhp),
    "3DHP, test": ("TS1/annot_data.mat", read_3dhp),
    "detections": ("a.json", lambda folder: read_detections(folder / "a.json")),
    "detections, pose-hg": ("a.h5", lambda folder: read_detections(folder / "a.h5")),
    "BVH": ("a.bvh", lambda folder: read_bvh(folder / "a.bvh")),
    "ASF": ("a.asf", lambda folder: read_asf(folder / "a.asf")),
    "AMC": ("a.amc", lambda folder: read_amc(SimpleNamespace(joints=(), channels=(), radians=1.0), folder / "a.amc")),
    "names of joints": ("a.yaml", lambda folder: read_joint_names(folder / "a.yaml")),
}
HOW = {
    "missing": "there is no such file", "folder": "is a folder", "empty": "is empty", "text": "cannot be read",
    "half": "(cannot be read|has no variable)", "utf-16": "line 1: is",
}  # fmt: skip
BYTES = {"empty": b"", "text": b"Once upon a time\n", "utf-16": b"\xff\xfe1\x00"}
# Files of text are broken in their own tests; a folder of detections is read; where no sequence is, the next is read.
ELSEWHERE = {(reader, how) for reader in ("BVH", "ASF", "AMC", "names of joints") for how in ("text", "half")}
ELSEWHERE |= {(f"detections{kind}", how) for kind in ("", ", pose-hg") for how in ("folder", "text")}
ELSEWHERE |= {("3d-pose-baseline", "missing")}
ELSEWHERE |= {(reader, "utf-16") for reader in READERS if reader not in ("BVH", "ASF", "AMC")}
# What is no file at all is refused by one function: one reader of each kind of file is enough.
ELSEWHERE |= {
    (reader, how) for reader in READERS if ", " in reader or reader in ("MPII", "ASF") for how in ("folder", "empty")
}
CASES = [(reader, how) for reader in READERS for how in HOW if (reader, how) not in ELSEWHERE]


@pytest.mark.parametrize(("reader", "how"), CASES)
def test_it_is_refused_by_name(tmp_path, reader, how):
    name, read = READERS[reader]
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (".h5", ".npz"):
        SAVE[suffix](tmp_path / f"sound{suffix}")
    if how == "folder":
        path.mkdir()
    elif how in BYTES:
        path.write_bytes(BYTES[how])
    elif how == "half":
        SAVE[".h5" if reader == "3DHP, test" else path.suffix](path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refuses(f"{path.name}: {HOW[how]}", lambda: list(read(tmp_path)))
