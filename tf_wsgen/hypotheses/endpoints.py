"""A lifter's functions with fixed signatures, as a SavedModel holds them."""

import tensorflow as tf

from tf_wsgen.hypotheses.lifter import Lifter

# What one request may cost a server: hypotheses of all rows together, and in mean-shift their pairs within a row.
MOST_HYPOTHESES = 200_000
MOST_PAIRS = 50_000_000


class Endpoints(tf.Module):
    """The functions of the SavedModel: `Lifter`'s methods with fixed signatures.

    Everything a client can get wrong is refused inside the graph, since TensorFlow Serving compares
    neither shapes nor values with the signature.

    Args:
        lifter: The trained networks.
    """

    def __init__(self, lifter: Lifter):
        super().__init__(name="endpoints")
        self.lifter = lifter
        joints = lifter.skeleton.num_joints
        keypoints = tf.TensorSpec([None, joints, 2], tf.float32, name="keypoints")
        visible = tf.TensorSpec([None, joints], tf.float32, name="visible")
        z = tf.TensorSpec([None, None, lifter.code_size], tf.float32, name="z")
        count, seed = (tf.TensorSpec([], tf.int32, name=name) for name in ("num_hypotheses", "seed"))

        def endpoint(function, *signature):
            """The function behind the checks of its inputs."""
            return tf.function(lambda *inputs: function(*_checked(inputs, signature)), input_signature=signature)

        self.zero_code = endpoint(lifter.zero_code, keypoints, visible)
        self.sample = endpoint(self._sample, keypoints, visible, count, seed)
        self.mean_shift = endpoint(self._mean_shift, keypoints, visible, count, seed)
        self.decode = endpoint(self._decode, keypoints, visible, z)
        # What a client needs to know, for those who load the model in Python.
        self.joints = tf.Variable(lifter.skeleton.joints, trainable=False, name="joints")
