"""What VideoPose3D's .npz files share: poses by subject and action, and metadata that tell the joints."""

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.joint_names import convention_of_set
from tf_wsgen.errors import InputError
from tf_wsgen.files import described

# The conventions of files whose metadata have no `layout_name`.
UNNAMED = ("human36m_17", "human36m_32", "coco17", "mpii16")


def items_by_subject(arrays: dict[str, np.ndarray], name: str, where: str, kind: str) -> dict[str, dict]:
    """{subject: {action: …}} of a file's array `name` ("positions_2d" or "positions_3d"), its keys checked.

    Raises:
        InputError: No such array, or other things in it.
    """
    if name not in arrays:
        raise InputError(f"{where}: has no {name!r}; it has {sorted(arrays)[:8]}, expected {kind}.")
    content = _item(arrays[name])
    if not isinstance(content, dict):
        raise InputError(f"{where}: {name} is {described(content)}; expected subjects by name.")
    for subject, actions in content.items():
        if not isinstance(actions, dict):
            raise InputError(f"{where}: {name} of {subject!r} is {described(actions)}; expected actions by name.")
        for key in (subject, *actions):
            if not isinstance(key, str) or not key.isprintable():
                raise InputError(f"{where}: {name} of {subject!r} has the key {key!r}; expected a name.")
    return content


def _item(array: np.ndarray):
    return array.item() if array.dtype == object and array.ndim == 0 else array


def metadata_of(arrays: dict[str, np.ndarray]) -> dict:
    """The file's metadata; empty where it has none."""
    metadata = _item(arrays["metadata"]) if "metadata" in arrays else None
    return metadata if isinstance(metadata, dict) else {}


def layout_of(arrays: dict[str, np.ndarray], where: str) -> str:
    """The convention that the metadata tells, by layout and by which joints are left and right.

    Raises:
        InputError: Metadata that tell none, or contradict themselves.
    """
    advice = "expected a known layout; name it with --convention (keypoints_2d_convention in Python)"
    metadata = metadata_of(arrays)
    if type(metadata.get("num_joints")) is not int:
        raise InputError(f"{where}: has no metadata with num_joints; {advice}.")
    layout, joints = metadata.get("layout_name"), metadata["num_joints"]
    # The older files, ground truth and hourglass among them, have no name.
    known = [convention_of_set(layout)] if layout is not None else [CONVENTIONS[name] for name in UNNAMED]
    if layout == "h36m" and joints == 32:
        known = [CONVENTIONS["human36m_32"]]
    fitting = [table.name for table in known if table and len(table.joints) == joints]
    if layout is not None and not fitting:
        raise InputError(f"{where}: metadata has layout {str(layout)[:40]!r} of {joints} joints; {advice}.")
    if metadata.get("keypoints_symmetry") is not None:
        sides = _sides(metadata["keypoints_symmetry"], where)
        fitting = [name for name in fitting if sides == _sides_of(name)]
    if len(fitting) != 1:
        found = f"layout {layout!r}, {joints} joints and keypoints_symmetry"
        raise InputError(f"{where}: metadata has {found}, which fit {fitting or 'nothing'}; {advice}.")
    return fitting[0]


def _sides(symmetry, where: str) -> list[set[int]]:
    try:
        return [set(map(int, side)) for side in symmetry]
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{where}: keypoints_symmetry is no pair of lists; expected left and right joints.") from None


def _sides_of(name: str) -> list[set[int]]:
    joints = CONVENTIONS[name].joints
    return [{i for i, joint in enumerate(joints) if joint.startswith(side)} for side in ("left_", "right_")]
