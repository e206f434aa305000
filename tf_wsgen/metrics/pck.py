"""Percentage of correct keypoints: 3DPCK and its AUC of MPI-INF-3DHP, and PCKh of MPII in the image.

All values are shares from 0 to 1; tables show them in per cent.
"""

from collections.abc import Sequence

import tensorflow as tf

from tf_wsgen.geometry.alignment import root_centre
from tf_wsgen.numerics import safe_divide, safe_norm

# Mehta et al. (3DV 2017), by the names of `HUMAN16`: what the protocol calls neck is our thorax.
PCK_3D_JOINTS = (
    "head",
    "thorax",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
)
PCK_3D_THRESHOLD = 150.0
AUC_THRESHOLDS = tuple(float(threshold) for threshold in range(0, 151, 5))
# Share of the head box's diagonal that MPII calls the head size (SC_BIAS in its evaluation program).
HEAD_SHARE = 0.6


def pck_3d(
    pose_3d: tf.Tensor,
    target: tf.Tensor,
    root_index: int,
    joints: Sequence[int],
    threshold: float = PCK_3D_THRESHOLD,
) -> tf.Tensor:
    """3DPCK: the share of joints with ‖y_j − ŷ_j‖ < threshold, strictly, both poses root-centred.

    No rotation or scale is fitted; for the aligned variants align `pose_3d` first. Over frames of equally many
    joints the data set's figure is the mean.

    Args:
        pose_3d: (A1..An, J, 3) mm, in the target's frame.
        target: (A1..An, J, 3) mm.
        root_index: The joint to centre on.
        joints: Indices of the joints that count, those of `PCK_3D_JOINTS` for the published protocol.
        threshold: mm.

    Returns:
        (A1..An).
    """
    return _share_below(_joint_errors(pose_3d, target, root_index, joints), threshold)


def auc_3d(pose_3d: tf.Tensor, target: tf.Tensor, root_index: int, joints: Sequence[int]) -> tf.Tensor:
    """AUC: the mean of `pck_3d` over the 31 thresholds 0, 5, …, 150 mm (0 is never passed).

    Args:
        pose_3d: (A1..An, J, 3) mm, in the target's frame.
        target: (A1..An, J, 3) mm.
        root_index: The joint to centre on.
        joints: Indices of the joints that count.

    Returns:
        (A1..An).
    """
    errors = _joint_errors(pose_3d, target, root_index, joints)
    return tf.reduce_mean(_share_below(errors[..., None, :], tf.constant(AUC_THRESHOLDS, errors.dtype)[:, None]), -1)


def head_size_of_box(head_box: tf.Tensor) -> tf.Tensor:
    """MPII's head size, 0.6 of the head box's diagonal: (A1..An, 4) corners x1, y1, x2, y2 to (A1..An) pixels.

    The files of pose-hg have it as `normalize`.
    """
    return HEAD_SHARE * safe_norm(head_box[..., 2:] - head_box[..., :2])


def torso_size(target: tf.Tensor, left_shoulder: int, right_hip: int) -> tf.Tensor:
    """The torso's diagonal, where no head box is known: (A1..An, J, 2) to (A1..An) pixels.

    It is the distance from the left shoulder to the right hip (Sapp and Taskar, CVPR 2013).
    """
    return safe_norm(target[..., left_shoulder, :] - target[..., right_hip, :])


def correct_keypoints(pose_2d: tf.Tensor, target: tf.Tensor, size: tf.Tensor, threshold: float = 0.5) -> tf.Tensor:
    """1 where ‖x_j − x̂_j‖ ≤ threshold · size, else 0 (Andriluka et al., CVPR 2014; here the limit itself passes).

    Args:
        pose_2d: (A1..An, J, 2) pixels.
        target: (A1..An, J, 2) pixels.
        size: (A1..An) pixels: the head size, or another.
        threshold: Share of the size.

    Returns:
        (A1..An, J).
    """
    errors = safe_norm(pose_2d - target)
    return tf.cast(errors <= threshold * size[..., None], errors.dtype)


def pckh(
    pose_2d: tf.Tensor, target: tf.Tensor, visible: tf.Tensor, head_size: tf.Tensor, threshold: float = 0.5
) -> tf.Tensor:
    """PCKh of each person: the share of the annotated joints that are correct.

    People have different numbers of annotated joints, so the data set's figure is not the mean of these: it is
    `pckh_by_joint`, or the same sums over all joints.

    Args:
        pose_2d: (A1..An, J, 2) pixels.
        target: (A1..An, J, 2) pixels.
        visible: (A1..An, J) 1 for the joints that count, else 0.
        head_size: (A1..An) pixels.
        threshold: Share of the head size.

    Returns:
        (A1..An); 0 for a person of whom no joint counts.
    """
    return _counted(correct_keypoints(pose_2d, target, head_size, threshold), visible, axis=-1)


def pckh_by_joint(
    pose_2d: tf.Tensor, target: tf.Tensor, visible: tf.Tensor, head_size: tf.Tensor, threshold: float = 0.5
) -> tf.Tensor:
    """PCKh of each joint over all people, the figure that papers print: (N, J, 2) to (J); 0 where none counts.

    Args:
        pose_2d: (N, J, 2) pixels.
        target: (N, J, 2) pixels.
        visible: (N, J) 1 for the joints that count, else 0.
        head_size: (N,) pixels.
        threshold: Share of the head size.
    """
    return _counted(correct_keypoints(pose_2d, target, head_size, threshold), visible, axis=0)


def _joint_errors(pose_3d: tf.Tensor, target: tf.Tensor, root_index: int, joints: Sequence[int]) -> tf.Tensor:
    errors = safe_norm(root_centre(pose_3d, root_index) - root_centre(target, root_index))
    return tf.gather(errors, list(joints), axis=-1)


def _share_below(errors: tf.Tensor, threshold: tf.Tensor | float) -> tf.Tensor:
    return tf.reduce_mean(tf.cast(errors < threshold, errors.dtype), axis=-1)


def _counted(correct: tf.Tensor, visible: tf.Tensor, axis: int) -> tf.Tensor:
    visible = tf.cast(visible, correct.dtype)
    return safe_divide(tf.reduce_sum(correct * visible, axis), tf.reduce_sum(visible, axis))
