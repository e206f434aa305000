"""How far hypotheses lie apart (Table 4a)."""

import tensorflow as tf

from tf_wsgen.geometry.alignment import root_centre


def hypothesis_deviation(hypotheses: tf.Tensor, root_index: int) -> tf.Tensor:
    """STD: the standard deviation (ddof 0) of each root-relative coordinate over hypotheses, averaged.

    Args:
        hypotheses: (A1..An, H, J, 3).
        root_index: The joint to centre on.

    Returns:
        (A1..An), in the input's units.
    """
    deviation = tf.math.reduce_std(root_centre(hypotheses, root_index), axis=-3)
    return tf.reduce_mean(deviation, axis=[-2, -1])
