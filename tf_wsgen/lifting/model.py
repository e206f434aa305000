"""The trained networks as one object: keypoints in pixels in, hypotheses in millimetres out."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tf_wsgen.data.preprocess import LARGEST_PIXEL, NormalisedPose, normalise_keypoints
from tf_wsgen.geometry.alignment import root_centre
from tf_wsgen.geometry.weak_perspective import per_hypothesis, project, rotation_from_camera
from tf_wsgen.hypotheses.mean_shift import mean_shift
from tf_wsgen.hypotheses.sampling import shared_codes, zero_code
from tf_wsgen.losses import log_likelihood
from tf_wsgen.skeleton import Skeleton

MM_PER_METRE = 1000.0
# From R's frame (y up, z towards the viewer) to the camera frame of files (y down, z away).
TO_CAMERA_FRAME = (1.0, -1.0, -1.0)


class Sample(NamedTuple):
    """Hypotheses (B, H, J, 3), metres, template frame, and their camera: (B, 2, 3), or (B, H, 2, 3), one each."""

    hypotheses: tf.Tensor
    camera: tf.Tensor


def generate(
    trunk: keras.Model,
    generator: keras.Model,
    camera: keras.Model,
    pose_2d: tf.Tensor,
    visible: tf.Tensor,
    z: tf.Tensor,
) -> Sample:
    """The three networks on normalised poses (B, J, 2), `visible` (B, J) and codes (B or 1, H, Z).

    The trunk runs once a pose and sees `visible` where it is made to; the camera takes the generator's features where
    that gives them, else the trunk's.
    """
    features = trunk([pose_2d, visible] if len(trunk.inputs) == 2 else pose_2d)
    if len(generator.outputs) == 1:
        return Sample(generator([features, z]), camera(features))
    hypotheses, features = generator([features, z])
    return Sample(hypotheses, camera(features))


def to_camera_frame(hypotheses: tf.Tensor, camera: tf.Tensor, scale: float, root_index: int) -> tf.Tensor:
    """Template frame to camera frame: poses (B, H, J, 3) turned as camera (B, 2, 3) or (B, H, 2, 3) sees them.

    The rotation nearest to the camera, then `scale`, root at the origin; x right, y down, z away.
    """
    rotated = tf.matmul(hypotheses, rotation_from_camera(per_hypothesis(camera)), transpose_b=True)
    return root_centre(rotated * tf.constant(TO_CAMERA_FRAME) * scale, root_index)


class Lifter(tf.Module):
    """Trunk, generator and camera with what they need to read pixels and to answer in millimetres.

    All methods are pure TensorFlow and take any batch size.

    Args:
        skeleton: The joints.
        trunk: The trained trunk.
        generator: The trained generator.
        camera: The trained camera network.
        template: (4, 3) metres: right hip, left hip, right shoulder, left shoulder.
        scale_ratio: Camera-frame metres per template-frame metre.
        laplace_scale: b of the likelihood, in normalised coordinates.
        body_height: Metres, the stature of the mean body, whose size every pose is given in; None if not known.
        radius_factors: (`COUNTS`, `LEVELS`, J) of `tf_wsgen.lifting.radius`; None where radii are not calibrated.
        mirrored: Lift the mirrored pose as well, so that a mirrored person has the mirrored hypotheses (`generate`).
    """

    def __init__(
        self,
        skeleton: Skeleton,
        trunk: keras.Model,
        generator: keras.Model,
        camera: keras.Model,
        template: Sequence[Sequence[float]],
        scale_ratio: float,
        laplace_scale: float = 1.0,
        body_height: float | None = None,
        radius_factors: Sequence | np.ndarray | None = None,
        mirrored: bool = False,
    ):
        super().__init__(name="lifter")
        self.mirrored = mirrored
        self.body_height, self.radius_factors = body_height, radius_factors
        self.skeleton = skeleton
        self.trunk, self.generator, self.camera = trunk, generator, camera
        self.template, self.scale_ratio, self.laplace_scale = template, scale_ratio, laplace_scale

    @property
    def code_size(self) -> int:
        """Z, the length of a latent code."""
        return self.generator.input_shape[1][-1]

    @property
    def weights(self) -> list:
        """The networks' weights, in the order of `WSGen.lifting_variables`."""
        return [weight for network in (self.trunk, self.generator, self.camera) for weight in network.weights]

    def generate(self, pose_2d: tf.Tensor, visible: tf.Tensor, z: tf.Tensor) -> Sample:
        """Hypotheses and camera of normalised poses.

        Args:
            pose_2d: (B, J, 2) normalised.
            visible: (B, J) 0 missing; else 1, or the detector's score.
            z: (B, H, Z), or (1, H, Z) for the same codes for every pose.

        Returns:
            Hypotheses (B, H, J, 3), metres, template frame, and camera: (B, H, 2, 3) where the camera network
            takes the generator's features or poses are mirrored, else the (B, 2, 3) that all hypotheses share.
            A mirrored lifter's zero code is the mean of the pose and of the mirrored pose's, mirrored back; other
            codes take one of the two by the sign of the product of their numbers, which tells nothing else of them.
        """
        networks, z = (self.trunk, self.generator, self.camera), tf.convert_to_tensor(z)
        if not self.mirrored:
            return generate(*networks, pose_2d, visible, z)
        # 1 takes the pose as it is seen, -1 the mirrored one, 0 the mean of both.
        side = tf.reduce_prod(tf.sign(z), axis=-1)
        seen = _generate_some(networks, pose_2d, visible, z, tf.reduce_any(side >= 0.0, axis=0))
        opposite = self.skeleton.opposite_joints
        across, away = tf.constant([-1.0, 1.0]), tf.constant([-1.0, 1.0, 1.0])
        turned = tf.gather(pose_2d, opposite, axis=1) * across, tf.gather(visible, opposite, axis=1)
        mirrored = _generate_some(networks, *turned, z, tf.reduce_any(side <= 0.0, axis=0))
        share = tf.expand_dims(tf.expand_dims((1.0 + side) / 2.0, -1), -1)
        poses = tf.gather(mirrored.hypotheses, opposite, axis=2) * away
        camera = mirrored.camera * across[:, None] * away
        return Sample(
            share * seen.hypotheses + (1.0 - share) * poses,
            share * seen.camera + (1.0 - share) * camera,
        )

    def to_common_frame(self, hypotheses: tf.Tensor, camera: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Hypotheses turned into the frame of one camera, where they can be averaged.

        Args:
            hypotheses: (B, H, J, 3) metres, template frame.
            camera: (B, 2, 3) or (B, H, 2, 3).

        Returns:
            (B, H, J, 3), each seen by the mean camera (B, 2, 3) as it was seen by its own.
        """
        if len(camera.shape) == 3:
            return hypotheses, camera
        mean = tf.reduce_mean(camera, axis=1)
        seen = tf.matmul(hypotheses, rotation_from_camera(camera), transpose_b=True)
        return tf.matmul(seen, rotation_from_camera(mean)[:, None]), mean

    def to_camera_frame(self, hypotheses: tf.Tensor, camera: tf.Tensor) -> tf.Tensor:
        """Template frame, metres, to camera frame, millimetres: (B, H, J, 3) with camera (B, 2, 3) or (B, H, 2, 3).

        The rotation nearest to the camera, the stored scale ratio, root at the origin; x right, y down, z away.
        """
        return to_camera_frame(hypotheses, camera, MM_PER_METRE * self.scale_ratio, self.skeleton.root_index)

    def decode(self, keypoints: tf.Tensor, visible: tf.Tensor, z: tf.Tensor) -> dict:
        """Hypotheses of given codes.

        Args:
            keypoints: (B, J, 2) pixels, x right, y down.
            visible: (B, J) 0 missing; else 1, or the detector's score, from 0 to 1.
            z: (B, H, Z), or (1, H, Z).

        Returns:
            `pose_3d` (B, H, J, 3) mm, camera frame, root-centred; `pose_3d_template` (B, H, J, 3) metres,
            template frame; `camera` (B, H, 2, 3), from the template frame to normalised 2D coordinates;
            `reprojection` (B, H, J, 2) pixels; `log_likelihood` (B, H) nats.

        Raises:
            tf.errors.InvalidArgumentError: A row without a visible root and without both hips, with all
                joints in one place, or with numbers that are not finite or that no image has.
        """
        normalised = self._normalise(keypoints, visible)
        hypotheses, camera = self.generate(normalised.pose_2d, normalised.visible, z)
        return self._describe(normalised, hypotheses, camera)

    def zero_code(self, keypoints: tf.Tensor, visible: tf.Tensor) -> dict:
        """The pose of z = 0, as `decode` describes it but without the hypothesis axis."""
        return _only_hypothesis(self.decode(keypoints, visible, zero_code(self.code_size)))

    def sample(self, keypoints: tf.Tensor, visible: tf.Tensor, num_hypotheses: int, seed: int) -> dict:
        """N hypotheses, as `decode` describes them; a pure function of each pose, N and the seed."""
        return self.decode(keypoints, visible, shared_codes(num_hypotheses, self.code_size, seed))

    def mean_shift(
        self, keypoints: tf.Tensor, visible: tf.Tensor, num_hypotheses: int, seed: int, bandwidth: float | None = None
    ) -> dict:
        """The mode of N hypotheses, as `decode` describes it but without the hypothesis axis."""
        normalised = self._normalise(keypoints, visible)
        codes = shared_codes(num_hypotheses, self.code_size, seed)
        hypotheses, camera = self.generate(normalised.pose_2d, normalised.visible, codes)
        hypotheses, camera = self.to_common_frame(hypotheses, camera)
        mode = mean_shift(hypotheses, bandwidth)
        return _only_hypothesis(self._describe(normalised, mode.pose_3d[:, None], camera))

    def _normalise(self, keypoints: tf.Tensor, visible: tf.Tensor) -> NormalisedPose:
        normalised = normalise_keypoints(keypoints, tf.minimum(visible, 1.0), self.skeleton)
        message = (
            f"keypoints: every row needs finite pixels of at most {LARGEST_PIXEL:,.0f}, a visible "
            f"{self.skeleton.root} or both hips, and joints in more than one place."
        )
        check = tf.debugging.Assert(tf.reduce_all(normalised.usable), [message])
        with tf.control_dependencies([check] if check is not None else []):
            return normalised._replace(pose_2d=tf.identity(normalised.pose_2d))

    def _describe(self, normalised: NormalisedPose, hypotheses: tf.Tensor, camera: tf.Tensor) -> dict:
        weights = self.skeleton.joint_weights * normalised.visible
        return {
            "pose_3d": self.to_camera_frame(hypotheses, camera),
            "pose_3d_template": hypotheses,
            "camera": tf.broadcast_to(per_hypothesis(camera), [*tf.unstack(tf.shape(hypotheses)[:2]), 2, 3]),
            "reprojection": normalised.to_pixels(project(per_hypothesis(camera), hypotheses)),
            "log_likelihood": log_likelihood(normalised.pose_2d, hypotheses, camera, weights, self.laplace_scale),
        }


def _generate_some(networks: tuple, pose_2d: tf.Tensor, visible: tf.Tensor, z: tf.Tensor, wanted: tf.Tensor) -> Sample:
    """`generate` where `wanted` (H,) says so, with a camera (B, H, 2, 3); elsewhere what is found at another code.

    Codes that are the same for every pose are so decoded from one side alone, half the work.
    """
    # One code at least, from which others can take something.
    wanted |= tf.range(tf.shape(wanted)[0]) == 0
    place = tf.maximum(tf.cumsum(tf.cast(wanted, tf.int32)) - 1, 0)
    some = generate(*networks, pose_2d, visible, tf.gather(z, tf.where(wanted)[:, 0], axis=1))
    camera = per_hypothesis(some.camera)
    camera = tf.gather(camera, place, axis=1) if len(some.camera.shape) == 4 else camera
    return Sample(tf.gather(some.hypotheses, place, axis=1), camera)


def _only_hypothesis(described: dict) -> dict:
    return {name: value[:, 0] for name, value in described.items()}
