"""A lifter's functions with fixed signatures, as a SavedModel holds them."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from tf_wsgen.hypotheses.lifter import Lifter

# Most hypotheses of a pose in one call; mean-shift compares each with each.
MOST_SAMPLES, MOST_SHIFTED = 10_000, 1_000


class Endpoints(tf.Module):
    """The functions of the SavedModel: `Lifter`'s methods with fixed signatures.

    What a client can get wrong is refused within the graph (`InvalidArgumentError`), because TensorFlow
    Serving compares no shapes with the signature: one that broadcasts would go through.

    Args:
        lifter: The trained networks.
    """

    def __init__(self, lifter: Lifter):
        super().__init__(name="endpoints")
        # TensorFlow's variables without the Keras objects about them: with both, the SavedModel holds every
        # variable twice, and TensorFlow Serving restores the one that isn't read.
        self.weights = [weight.value for weight in lifter.weights]
        # What a client needs to know, for those who load the model in Python.
        self.joints = tf.Variable(lifter.skeleton.joints, trainable=False, name="joints")

        joints = lifter.skeleton.num_joints
        keypoints = tf.TensorSpec([None, joints, 2], tf.float32, name="keypoints")
        visible = tf.TensorSpec([None, joints], tf.float32, name="visible")
        z = tf.TensorSpec([None, None, lifter.code_size], tf.float32, name="z")
        count, seed = (tf.TensorSpec([], tf.int32, name=name) for name in ("num_hypotheses", "seed"))

        def sample(keypoints, visible, num_hypotheses, seed):
            return lifter.sample(keypoints, visible, _checked_count(num_hypotheses, MOST_SAMPLES), seed)

        def mean_shift(keypoints, visible, num_hypotheses, seed):
            return lifter.mean_shift(keypoints, visible, _checked_count(num_hypotheses, MOST_SHIFTED), seed)

        def decode(keypoints, visible, z):
            return lifter.decode(keypoints, visible, _checked_codes(z, tf.shape(keypoints)[0]))

        self.zero_code = _endpoint(lifter.zero_code, [keypoints, visible])
        self.sample = _endpoint(sample, [keypoints, visible, count, seed])
        self.mean_shift = _endpoint(mean_shift, [keypoints, visible, count, seed])
        self.decode = _endpoint(decode, [keypoints, visible, z])

    def signatures(self) -> dict:
        """Signatures by name, for TensorFlow Serving."""
        named = ("zero_code", "sample", "mean_shift", "decode")
        concrete = {name: getattr(self, name).get_concrete_function() for name in named}
        return {**concrete, "serving_default": concrete["zero_code"]}


def _endpoint(function: Callable[..., dict], signature: Sequence[tf.TensorSpec]) -> Callable[..., dict]:
    """The function behind checks of its inputs' shapes, and of `visible`, the second of them."""

    def checked(*inputs):
        keypoints, visible, *others = (
            tf.ensure_shape(given, expected.shape, expected.name)
            for given, expected in zip(inputs, signature, strict=True)
        )
        rows, seen = tf.shape(keypoints)[0], tf.shape(visible)[0]
        keypoints = _required(rows == seen, keypoints, "visible: expected a row for each of keypoints; found", seen)
        finite = tf.reduce_all(tf.math.is_finite(visible))
        visible = _required(finite, visible, "visible: expected finite numbers, 1 seen and 0 missing.")
        return function(keypoints, visible, *others)

    # The names of arguments are those of the signature.
    return tf.function(checked, input_signature=list(signature))


def _checked_count(num_hypotheses: tf.Tensor, most: int) -> tf.Tensor:
    allowed = (num_hypotheses >= 1) & (num_hypotheses <= most)
    return _required(allowed, num_hypotheses, f"num_hypotheses: expected 1 to {most}; found", num_hypotheses)


def _checked_codes(z: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    found = tf.shape(z)[0]
    z = _required((found == rows) | (found == 1), z, "z: expected one row, or one for each pose; found", found)
    return _required(tf.reduce_all(tf.math.is_finite(z)), z, "z: expected finite numbers.")


def _required(condition: tf.Tensor, value: tf.Tensor, *message: str | tf.Tensor) -> tf.Tensor:
    """The value, which nobody can read where the condition doesn't hold."""
    with tf.control_dependencies([tf.debugging.Assert(condition, message)]):
        return tf.identity(value)
