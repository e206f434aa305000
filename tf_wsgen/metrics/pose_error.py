"""Mean per-joint position errors: Protocol 1 and Protocol 2 of Human3.6M."""

import tensorflow as tf

from tf_wsgen.geometry.alignment import procrustes, root_centre
from tf_wsgen.numerics import safe_norm


def mpjpe(pose_3d: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Mean over joints of ‖y_j − ŷ_j‖: (A1..An, J, 3) twice to (A1..An), in the input's units.

    Example:
        >>> float(mpjpe(tf.zeros([2, 3]), tf.constant([[3.0, 4.0, 0.0], [0.0, 0.0, 1.0]])))
        3.0
    """
    return tf.reduce_mean(safe_norm(pose_3d - target), axis=-1)


def protocol_1(pose_3d: tf.Tensor, target: tf.Tensor, root_index: int) -> tf.Tensor:
    """P1 (MPJPE): both poses root-centred, in one frame and unit: (A1..An, J, 3) to (A1..An)."""
    return mpjpe(root_centre(pose_3d, root_index), root_centre(target, root_index))


def protocol_2(pose_3d: tf.Tensor, target: tf.Tensor, allow_reflection: bool = False) -> tf.Tensor:
    """P2 (PA-MPJPE): the pose first aligned to the target by a similarity transform.

    Args:
        pose_3d: (A1..An, J, 3) in any frame and unit.
        target: (A1..An, J, 3).
        allow_reflection: Admit mirrored alignments, as the paper's published program does.

    Returns:
        (A1..An), in the target's units.

    Example:
        >>> pose = tf.constant([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]])
        >>> round(float(protocol_2(pose, 10.0 * pose + 5.0)), 3)
        0.0
    """
    return mpjpe(procrustes(pose_3d, target, allow_reflection)(pose_3d), target)
