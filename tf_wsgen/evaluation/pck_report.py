"""3DPCK and AUC by scene, for every alignment and choice of a pose (Table 5)."""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_wsgen.batches import in_batches
from tf_wsgen.data.preprocess import normalise_rows
from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.errors import InputError
from tf_wsgen.geometry.alignment import procrustes, root_centre
from tf_wsgen.hypotheses.sampling import codes_for_rows, zero_code
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.metrics.pck import PCK_3D_JOINTS, auc_3d, pck_3d
from tf_wsgen.metrics.pose_error import mpjpe
from tf_wsgen.numerics import safe_divide
from tf_wsgen.sections import EvaluationConfig

# Name of the mean over the rows of all scenes.
ALL = "all"


def align_root(pose_3d: tf.Tensor, target: tf.Tensor, root_index: int) -> tf.Tensor:
    """The protocol itself: the root at the origin, nothing fitted; (A1..An, J, 3)."""
    return root_centre(pose_3d, root_index)


def align_scale(pose_3d: tf.Tensor, target: tf.Tensor, root_index: int) -> tf.Tensor:
    """The root at the origin, times s = ⟨pose, target⟩ / ‖pose‖² (least squares over all joints); (A1..An, J, 3)."""
    pose_3d, target = root_centre(pose_3d, root_index), root_centre(target, root_index)
    product, square = (tf.reduce_sum(pose_3d * other, axis=[-2, -1], keepdims=True) for other in (target, pose_3d))
    return safe_divide(product, square) * pose_3d


def align_similarity(pose_3d: tf.Tensor, target: tf.Tensor, root_index: int) -> tf.Tensor:
    """PA: the proper similarity transform of Protocol 2, onto the root-centred target; (A1..An, J, 3)."""
    return procrustes(pose_3d, root_centre(target, root_index))(pose_3d)


ALIGNMENTS = {"root": align_root, "scale": align_scale, "pa": align_similarity}


def pck_report(
    lifter: Lifter,
    rows: PairedRows,
    scene: np.ndarray | None,
    config: EvaluationConfig,
    progress: Callable[[int], None] | None = None,
) -> dict:
    """3DPCK (150 mm) and AUC in the camera frame, over the protocol's 14 joints, as shares from 0 to 1.

    The best hypothesis is, for each alignment, the one with the lowest mean error of these joints.

    Args:
        lifter: The trained networks.
        rows: What to measure on; all count.
        scene: (N,) texts, or None.
        config: Hypotheses a pose, seed, rows a call.
        progress: Called with the number of rows done after each call into TensorFlow.

    Returns:
        `num_rows`, `seed`, `num_hypotheses`; `scenes`: by scene and for `ALL` the `num_rows`, and for "zero_code" and
        "best_hypothesis", for each of `ALIGNMENTS`, `pck` and `auc`.

    Raises:
        InputError: The skeleton lacks a joint of the protocol.
    """
    missing = sorted(set(PCK_3D_JOINTS) - set(lifter.skeleton.joints))
    if missing:
        raise InputError(f"3DPCK needs the joint {missing[0]!r}, which the skeleton {lifter.skeleton.name!r} lacks.")
    pose_2d, visible = normalise_rows(rows.keypoints, rows.visible, lifter.skeleton, "test/pose_2d")
    measure = tf.function(functools.partial(_measure, lifter, config), reduce_retracing=True, autograph=False)
    arrays = (pose_2d, visible, rows.pose_3d, np.arange(len(rows), dtype=np.int32))
    per_row = in_batches(measure, arrays, config.batch_size, progress)
    groups = {} if scene is None else {str(name): np.flatnonzero(scene == name) for name in np.unique(scene)}
    groups[ALL] = np.arange(len(rows))
    scenes = {}
    for name, chosen in groups.items():
        means = tf.nest.map_structure(
            lambda values, chosen=chosen: float(values[chosen].mean(dtype=np.float64)), per_row
        )
        scenes[name] = {"num_rows": len(chosen), **means}
    about = {"num_rows": len(rows), "seed": config.seed, "num_hypotheses": config.num_hypotheses}
    return {**about, "scenes": scenes}


def _measure(lifter: Lifter, config: EvaluationConfig, pose_2d, visible, target, numbers) -> dict:
    """{choice: {alignment: {measure: (B,)}}} of a batch."""
    root, joints = lifter.skeleton.root_index, [lifter.skeleton.index(name) for name in PCK_3D_JOINTS]
    codes = codes_for_rows(numbers, config.num_hypotheses, lifter.code_size, config.seed)
    measured = {}
    for choice, z in (("zero_code", zero_code(lifter.code_size)), ("best_hypothesis", codes)):
        hypotheses, camera = lifter.generate(pose_2d, visible, z)
        poses = lifter.to_camera_frame(hypotheses, camera)
        truth = tf.repeat(root_centre(target, root)[:, None], poses.shape[1], axis=1)
        measured[choice] = {}
        for name, align in ALIGNMENTS.items():
            aligned = align(poses, truth, root)
            errors = mpjpe(tf.gather(aligned, joints, axis=-2), tf.gather(truth, joints, axis=-2))
            best = tf.argmin(errors, axis=1)
            # With the origin as a further joint, and as root, nothing is shifted after the alignment.
            pair = [_with_origin(tf.gather(pose, best, batch_dims=1)) for pose in (aligned, truth)]
            origin = lifter.skeleton.num_joints
            measured[choice][name] = {
                "pck": pck_3d(*pair, origin, joints),
                "auc": auc_3d(*pair, origin, joints),
            }
    return measured


def _with_origin(pose_3d: tf.Tensor) -> tf.Tensor:
    return tf.concat([pose_3d, tf.zeros_like(pose_3d[..., :1, :])], axis=-2)
