"""Which joints an image does not show: cut off, behind something, or not found."""

import tensorflow as tf

from tf_wsgen.simulation.body import subtree
from tf_wsgen.skeleton import Skeleton


def draw_visible(rows: int, shares: dict[str, float], most_rate: float, seed: tf.Tensor, skeleton: Skeleton):
    """(rows, J) 1 seen, 0 missing. The root, or both hips, always stay.

    Args:
        rows: Number of poses.
        shares: Share of the poses by what they lack: "any" (each joint with one rate a pose), "legs" (both, from
            the knee or from the ankle on), "head_and_neck", "head", "arm" (one, from the elbow on).
        most_rate: Rates of "any" are uniform between 0 and this.
        seed: (2,) of the draw.
        skeleton: The joints.
    """
    for_kind, for_rate, for_joint, for_choice = tf.unstack(tf.random.split(seed, 4))
    rate = tf.random.stateless_uniform([rows, 1], for_rate, 0.0, most_rate)
    anything = tf.random.stateless_uniform([rows, skeleton.num_joints], for_joint) < rate
    first = tf.random.stateless_uniform([rows, 1], for_choice) < 0.5

    def mask(*joints):
        return tf.constant([[joint in joints for joint in range(skeleton.num_joints)]])

    def from_on(joint):
        names = [name for name in skeleton.joints if name.endswith(joint)]
        return [[skeleton.index(name), *subtree(skeleton, name)] for name in names]

    knees, elbows = from_on("knee"), from_on("elbow")
    ankles = [legs[1:] for legs in knees]
    hidden = {
        "any": anything,
        "legs": tf.where(first, mask(*knees[0], *knees[1]), mask(*ankles[0], *ankles[1])),
        "head_and_neck": mask(skeleton.index("head"), skeleton.index("neck")),
        "head": mask(skeleton.index("head")),
        "arm": tf.where(first, mask(*elbows[0]), mask(*elbows[1])),
    }
    number = tf.random.stateless_uniform([rows, 1], for_kind)
    missing, start = tf.zeros([rows, skeleton.num_joints], tf.bool), 0.0
    for kind, share in shares.items():
        missing |= hidden[kind] & (number >= start) & (number < start + share)
        start += share
    root, (right, left) = skeleton.root_index, skeleton.hip_indices
    lost = missing[:, root : root + 1] & (missing[:, right : right + 1] | missing[:, left : left + 1])
    return 1.0 - tf.cast(missing & ~(lost & mask(root)), tf.float32)
