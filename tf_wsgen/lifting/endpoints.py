"""A lifter's functions with fixed signatures, as a SavedModel holds them."""

import dataclasses
import json

import numpy as np
import tensorflow as tf

from tf_wsgen.data.preprocess import LARGEST_PIXEL, normalise_keypoints
from tf_wsgen.geometry.ray import ray_through
from tf_wsgen.hypotheses.sampling import LARGEST_CODE, usable_codes
from tf_wsgen.lifting.model import Lifter

# Most hypotheses of a pose in one call; mean-shift compares each with each.
MOST_SAMPLES, MOST_SHIFTED = 10_000, 1_000


def input_specs(lifter: Lifter) -> dict[str, tf.TensorSpec]:
    """What the functions take, by name."""
    joints = lifter.skeleton.num_joints
    shapes = {"keypoints": [None, joints, 2], "visible": [None, joints], "z": [None, None, lifter.code_size]}
    shapes["camera"] = [None, 3]
    floats = {name: tf.TensorSpec(shape, tf.float32, name) for name, shape in shapes.items()}
    return floats | {name: tf.TensorSpec([], tf.int32, name) for name in ("num_hypotheses", "seed")}


class Endpoints(tf.Module):
    """The functions of the SavedModel: `Lifter`'s methods with fixed signatures.

    Each comes twice, the second time as `…_along_ray` with a further input `camera` (B, 3): width and height of the
    image and focal length in pixels (0 for what is usual). People are then lifted as by a camera that looks at them,
    and turned back (`tf_wsgen.geometry.ray`); without it, poses are in the frame of that ray.

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
        skeleton = json.dumps(dataclasses.asdict(lifter.skeleton))
        self.skeleton = tf.Variable(skeleton, trainable=False, name="skeleton")
        self.code_size = tf.Variable(lifter.code_size, trainable=False, name="code_size")
        # 0 and empty where the lifter has none.
        self.body_height = tf.Variable(lifter.body_height or 0.0, trainable=False, name="body_height")
        factors = np.zeros(0) if lifter.radius_factors is None else lifter.radius_factors
        self.radius_factors = tf.Variable(factors, dtype=tf.float32, trainable=False, name="radius_factors")
        specs = input_specs(lifter)

        def shaped(**inputs):
            return [tf.ensure_shape(value, specs[name].shape, name) for name, value in inputs.items()]

        def zero_code(keypoints, visible):
            return lifter.zero_code(*_checked_poses(*shaped(keypoints=keypoints, visible=visible)))

        def sample(keypoints, visible, num_hypotheses, seed):
            poses = _checked_poses(*shaped(keypoints=keypoints, visible=visible))
            count, seed = shaped(num_hypotheses=num_hypotheses, seed=seed)
            return lifter.sample(*poses, _checked_count(count, MOST_SAMPLES), seed)

        def mean_shift(keypoints, visible, num_hypotheses, seed):
            poses = _checked_poses(*shaped(keypoints=keypoints, visible=visible))
            count, seed = shaped(num_hypotheses=num_hypotheses, seed=seed)
            return lifter.mean_shift(*poses, _checked_count(count, MOST_SHIFTED), seed)

        def decode(keypoints, visible, z):
            poses = _checked_poses(*shaped(keypoints=keypoints, visible=visible))
            return lifter.decode(*poses, _checked_codes(*shaped(z=z), tf.shape(poses[0])[0]))

        def along_ray(function):
            def turned(keypoints, visible, camera, *rest):
                keypoints, visible, camera = shaped(keypoints=keypoints, visible=visible, camera=camera)
                keypoints, visible = _checked_poses(keypoints, visible)
                camera = _checked_cameras(camera, tf.shape(keypoints)[0])
                root = normalise_keypoints(keypoints, visible, lifter.skeleton).root
                ray = ray_through(root, camera[:, :2], camera[:, 2])
                described = dict(function(ray.to_virtual(keypoints), visible, *rest))
                ray = ray if described["pose_3d"].shape.rank == 3 else ray.over_hypotheses()
                described["pose_3d"] = ray.to_camera_frame(described["pose_3d"])
                described["reprojection"] = ray.to_image(described["reprojection"])
                return described

            return turned

        def endpoint(function, *names):
            # Nothing here needs Autograph, and reading the source of all that is called takes it seconds.
            signature = [specs[name] for name in ("keypoints", "visible", *names)]
            return tf.function(function, input_signature=signature, autograph=False)

        functions = {
            "zero_code": (zero_code,),
            "sample": (sample, "num_hypotheses", "seed"),
            "mean_shift": (mean_shift, "num_hypotheses", "seed"),
            "decode": (decode, "z"),
        }
        for name, (function, *inputs) in functions.items():
            setattr(self, name, endpoint(function, *inputs))
            setattr(self, f"{name}_along_ray", endpoint(along_ray(function), "camera", *inputs))
        self._names = [f"{name}{ray}" for name in functions for ray in ("", "_along_ray")]

    def signatures(self) -> dict:
        """Signatures by name, for TensorFlow Serving; saving traces each once, and concrete ones again."""
        functions = {name: getattr(self, name) for name in self._names}
        return {**functions, "serving_default": functions["zero_code"]}


def _checked_poses(keypoints: tf.Tensor, visible: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Pixels are the lifter's to check, which knows the joints that are missing."""
    rows, found = tf.shape(keypoints)[0], tf.shape(visible)[0]
    keypoints = _required(rows == found, keypoints, "visible: expected one row for each of keypoints; found", found)
    finite = tf.reduce_all(tf.math.is_finite(visible))
    return keypoints, _required(finite, visible, "visible: expected finite numbers, 0 missing and up to 1 seen.")


def _checked_cameras(camera: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    found = tf.shape(camera)[0]
    camera = _required(found == rows, camera, "camera: expected one row for each of keypoints; found", found)
    allowed = (camera > tf.constant([0.0, 0.0, -1e-9])) & (camera <= LARGEST_PIXEL)
    message = f"camera: expected width and height above 0, focal length from 0, at most {LARGEST_PIXEL:,.0f}."
    return _required(tf.reduce_all(allowed), camera, message)


def _checked_count(num_hypotheses: tf.Tensor, most: int) -> tf.Tensor:
    allowed = (num_hypotheses >= 1) & (num_hypotheses <= most)
    return _required(allowed, num_hypotheses, f"num_hypotheses: expected 1 to {most}; found", num_hypotheses)


def _checked_codes(z: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    found = tf.shape(z)[0]
    z = _required((found == rows) | (found == 1), z, "z: expected one row, or one for each pose; found", found)
    return _required(tf.reduce_all(usable_codes(z)), z, f"z: expected finite numbers of at most {LARGEST_CODE:,.0f}.")


def _required(condition: tf.Tensor, value: tf.Tensor, *message: str | tf.Tensor) -> tf.Tensor:
    """The value, which nothing can read where the condition doesn't hold."""
    with tf.control_dependencies([tf.debugging.Assert(condition, message)]):
        return tf.identity(value)
