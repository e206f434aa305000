"""The .mat files of RepNet (Wandt and Rosenhahn, CVPR 2019) and of this paper's program: one pose a row.

`poses_2d` (F, 32) and `poses_3d` (F, 48), in some files `Att2d` and `Att3d`: x of the 16 joints in our order, then
their y, then in 3D their z; 3D in millimetres. MATLAB 5 to 7.3. The files don't say where their 2D came from (pixels,
or centred and divided by the spread), nor which way y points; but most people's heads are above their ankles.

RepNet's 3D is in the camera's frame. So is that of the authors' test files `2d*_3dCAM`; that of `2d*_3dTEM` is turned
into the template's frame, which does for training and for Protocol 2, never for Protocol 1.
"""

import os
import pathlib
from collections.abc import Callable, Iterator

import h5py
import numpy as np

from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.matlab_files import load_mat
from tf_wsgen.datasets.readers.human36m import ACTIONS, UNTIL_CHECKED
from tf_wsgen.errors import InputError, check_stride
from tf_wsgen.files import check_numbers, existing_file, hdf5_array, open_hdf5
from tf_wsgen.skeleton import HUMAN16

KIND = "a .mat file with poses_2d and poses_3d"
NAMES = {2: ("poses_2d", "Att2d"), 3: ("poses_3d", "Att3d")}
ANKLES, HEAD = [HUMAN16.index("left_ankle"), HUMAN16.index("right_ankle")], HUMAN16.index("head")


def read_repnet_mat(
    path: str | os.PathLike, group: str, *, stride: int = 1, notice: Callable[[str], None] = lambda text: None
) -> Iterator[Clip]:
    """The poses of one .mat file.

    Args:
        path: The file.
        group: "train" or "test".
        stride: Every how many rows; Human3.6M's test rows are every 64th of an action's file.
        notice: Is told in a sentence where y points up, by heads and ankles, and is turned down; z with it in 3D.

    Yields:
        One clip with both if there are as many rows, otherwise one of 2D and one of 3D: `sequence` (the file's name)
        and `action`, where the name begins with it (Walking_2dGT_3d_test.mat).

    Raises:
        InputError: A file or option that is not as described, with what was found and what was expected.
    """
    check_stride("stride", stride)
    path = existing_file(path, KIND)
    flat, poses = _read(path), {}
    for dimensions, rows in flat.items():
        with np.errstate(**UNTIL_CHECKED):
            found = rows[::stride].astype(np.float32).reshape(-1, dimensions, HUMAN16.num_joints).swapaxes(1, 2)
            ankles_above = np.median(found[:, ANKLES, 1].mean(axis=1) - found[:, HEAD, 1]) < 0
        if ankles_above:
            notice(
                f"{path}: most heads are below the ankles in {dimensions}D, so y points up there; it is turned down."
            )
            found = found * np.array([1, -1, -1], np.float32)[:dimensions]
        poses[dimensions] = np.ascontiguousarray(found)
    pose_2d, pose_3d = poses.get(2), poses.get(3)
    labels = {"sequence": path.stem}
    if (action := path.stem.partition("_")[0]) in ACTIONS:
        labels["action"] = action
    if pose_2d is None or pose_3d is None or len(flat[2]) == len(flat[3]):
        yield Clip(str(path), group, pose_2d, pose_3d, labels)
    else:
        yield Clip(f"{path}: 2D", group, pose_2d, None, labels)
        yield Clip(f"{path}: 3D", group, None, pose_3d, labels)


def _read(path: pathlib.Path) -> dict[int, np.ndarray]:
    """The flat poses by dimensions."""
    names = [name for alternatives in NAMES.values() for name in alternatives]
    if h5py.is_hdf5(path):
        with open_hdf5(path, KIND) as file:
            # MATLAB 7.3 stores the columns of a matrix as rows.
            content = {name: hdf5_array(file, name, str(path), (None, None)).T for name in names if name in file}
    else:
        content = load_mat(path, KIND, tuple(names))
    found = {}
    for dimensions, alternatives in NAMES.items():
        there = [name for name in alternatives if name in content]
        if len(there) > 1:
            raise InputError(f"{path}: has both {there[0]} and {there[1]}; expected one of them.")
        if there:
            flat, where = content[there[0]], f"{path}: {there[0]}"
            check_numbers(flat, (None, HUMAN16.num_joints * dimensions), where)
            if not len(flat):
                raise InputError(f"{where} has no rows; expected a pose a row.")
            found[dimensions] = flat
    if not found:
        raise InputError(f"{path}: has none of {names}; expected {KIND}.")
    return found
