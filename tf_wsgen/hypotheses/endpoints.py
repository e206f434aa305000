"""A lifter's functions with fixed signatures, as a SavedModel holds them."""

import tensorflow as tf

from tf_wsgen.hypotheses.lifter import Lifter


class Endpoints(tf.Module):
    """The functions of the SavedModel: `Lifter`'s methods with fixed signatures.

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
        self.zero_code = tf.function(lifter.zero_code, input_signature=[keypoints, visible])
        self.sample = tf.function(lifter.sample, input_signature=[keypoints, visible, count, seed])
        self.mean_shift = tf.function(
            lambda keypoints, visible, num_hypotheses, seed: lifter.mean_shift(
                keypoints, visible, num_hypotheses, seed
            ),
            input_signature=[keypoints, visible, count, seed],
        )
        self.decode = tf.function(lifter.decode, input_signature=[keypoints, visible, z])
        # What a client needs to know, for those who load the model in Python.
        self.joints = tf.Variable(lifter.skeleton.joints, trainable=False, name="joints")

    def signatures(self) -> dict:
        """Signatures by name, for TensorFlow Serving."""
        named = ("zero_code", "sample", "mean_shift", "decode")
        concrete = {name: getattr(self, name).get_concrete_function() for name in named}
        return {**concrete, "serving_default": concrete["zero_code"]}
