"""Human3.6M in the folders of 3d-pose-baseline (Martinez et al., ICCV 2017): HDF5 files, one a recording or a video.

- `S1/MyPoses/3D_positions/Walking 1.h5`: `3D_positions` (96, T), 32 joints × (x, y, z), millimetres, in the world's
  frame.
- `S1/StackedHourglass/Walking_1.54138969.h5`: `poses` (T, 16, 2), pixels, joints in MPII's order. Detections after
  fine-tuning on Human3.6M have the same structure in `S1/StackedHourglassFineTuned240`.
"""

import os
import pathlib
from collections.abc import Iterator

import numpy as np

from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.keypoint_conventions import HumanPoints
from tf_wsgen.datasets.readers.human36m import Selection, clips_of, detected_points, reconcile, world_positions
from tf_wsgen.errors import InputError
from tf_wsgen.files import hdf5_array, open_hdf5

POSITIONS = "MyPoses/3D_positions"
JOINTS = 32
KIND_3D = "an HDF5 file with 3D_positions"
KIND_2D = "an HDF5 file with poses"


def read_3d_pose_baseline(folder: str | os.PathLike, detections: str | None = None, **selection) -> Iterator[Clip]:
    """Human3.6M from 3d-pose-baseline's folders; the same rows as `read_videopose3d` gives.

    Args:
        folder: The folder with S1, S5, …
        detections: The subjects' folder of 2D poses, such as "StackedHourglass"; None projects the 3D with the
            subject's cameras.
        selection: Fields of `Selection`.

    Yields:
        A clip for each recording and camera, with `action`, `subject`, `sequence` and `camera`.

    Raises:
        InputError: A folder, file or option that is not as described, with what was found and what was expected.
    """
    yield from clips_of(_Folders(folder, detections), Selection(**selection))


class _Folders:
    """`Recordings` in folders by subject."""

    def __init__(self, folder: str | os.PathLike, detections: str | None):
        self.folder, self.detections = pathlib.Path(folder), detections
        if not os.path.isdir(self.folder):
            raise InputError(f"{folder}: there is no such folder; expected one with S1/{POSITIONS}.")
        self.where, self.where_2d = str(folder), str(folder) if detections else None
        self.subjects = {place.name for place in self.folder.glob("S*") if (place / POSITIONS).is_dir()}
        if not self.subjects:
            raise InputError(f"{folder}: has no S*/{POSITIONS}; expected the folder of 3d-pose-baseline's Human3.6M.")

    def names(self, subject: str) -> list[str]:
        names = sorted(path.stem for path in (self.folder / subject / POSITIONS).glob("[!.]*.h5"))
        if not names:
            raise InputError(f"{self.folder / subject / POSITIONS}: has no .h5 files; expected one a recording.")
        return names

    def place(self, subject: str, name: str) -> str:
        return str(self.folder / subject / POSITIONS / f"{name}.h5")

    def positions(self, subject: str, name: str) -> np.ndarray:
        path = self.place(subject, name)
        with open_hdf5(path, KIND_3D) as file:
            flat = hdf5_array(file, "3D_positions", path, (3 * JOINTS, None))
        return world_positions(flat.T.reshape(-1, JOINTS, 3), "human36m_32", path, "millimetres", 1.0)

    def keypoints(self, subject: str, name: str, camera: str) -> HumanPoints | None:
        folder = self.folder / subject / self.detections
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder; expected the 2D poses of {subject}.")
        videos = sorted(folder.glob(f"[!.]*.{camera}.h5"))
        found = [path for path in videos if reconcile(path.name.removesuffix(f".{camera}.h5")) == reconcile(name)]
        if len(found) > 1:
            raise InputError(f"{found[1]}: is there again, after {found[0].name}; expected each video once.")
        if not found:
            return None
        with open_hdf5(found[0], KIND_2D) as file:
            poses = hdf5_array(file, "poses", str(found[0]), (None, None, None))
        return detected_points(poses, "mpii16", str(found[0]))
