"""Prepared files of data in memory."""

import h5py
import numpy as np

from tf_wsgen.data.prepared import GROUPS, PREFIX_3D, TEXT_LABELS, UP, PoseGroup, PreparedData


def write_prepared(path, data: PreparedData) -> None:
    """Writes data that are in memory as a prepared file."""
    with h5py.File(path, "w") as file:
        file.attrs["joints"] = np.bytes_(data.joints)
        file.attrs["source"] = np.bytes_(data.source.encode())
        for name in GROUPS:
            group = getattr(data, name)
            if group is not None:
                _write_group(file.create_group(name), group)


def _write_group(file: h5py.Group, group: PoseGroup) -> None:
    arrays = {"pose_2d": group.pose_2d, "pose_3d": group.pose_3d, UP: group.pose_3d_up, **group.labels}
    arrays.update({PREFIX_3D + name: values for name, values in group.labels_3d.items()})
    for name, values in arrays.items():
        if values is None:
            continue
        if values.dtype.kind == "U":
            values = np.char.encode(values, "utf-8")
        elif name.removeprefix(PREFIX_3D) not in TEXT_LABELS:
            values = values.astype(np.float32)
        file.create_dataset(name, data=values, compression="gzip", compression_opts=4, shuffle=True)
