"""WSGen: the four networks and one update of them."""

import dataclasses

import keras
import tensorflow as tf

from tf_wsgen import losses
from tf_wsgen.geometry.alignment import to_template
from tf_wsgen.lifting.model import TO_CAMERA_FRAME, Lifter, Sample, generate, to_camera_frame
from tf_wsgen.networks import Camera, Discriminator, Encoder, Generator, Trunk
from tf_wsgen.sections import LossConfig, NetworkConfig
from tf_wsgen.skeleton import Skeleton, skeleton_from_dict


@keras.saving.register_keras_serializable("tf_wsgen")
class WSGen(keras.Model):
    """Weakly supervised generative network: trained on 2D poses and on 3D poses, never on measured pairs.

    Args:
        skeleton: The joints.
        template: (4, 3) metres: right hip, left hip, right shoulder, left shoulder of the template.
        scale_ratio: Mean of 1/s over the training poses; template-frame metres times it are metres.
        network: Sizes and first weights.
        loss: Weights and constants of the loss terms.
        body_height: Metres, the mean stature of the training poses, or None.
        ema_momentum: Momentum of the generator side's average; 0 switches it off.
        seed: Seeds the first weights (it sets the process's global seeds).
    """

    def __init__(
        self,
        skeleton: Skeleton,
        template,
        scale_ratio: float,
        network: NetworkConfig = NetworkConfig(),
        loss: LossConfig = LossConfig(),
        body_height: float | None = None,
        ema_momentum: float = 0.0,
        seed: int = 0,
    ):
        super().__init__(name="wsgen")
        keras.utils.set_random_seed(seed)
        self.skeleton, self.loss_config = skeleton, loss
        self.ema_momentum = ema_momentum
        joints, slope = skeleton.num_joints, network.negative_slope
        self.trunk = Trunk(joints, network.width, slope, network.trunk_blocks, network.sees_visible)
        each, gains = network.camera_per_hypothesis, (network.code_gain, network.pose_gain)
        self.generator = Generator(joints, network.width, network.code_size, slope, *gains, gives_features=each)
        self.camera = Camera(network.width, slope, network.camera_gain, network.camera_blocks, each)
        self.encoder = Encoder(joints, network.width, network.code_size, slope)
        self.discriminator = Discriminator(
            joints,
            skeleton.bone_indices,
            network.pose_branch_width,
            network.kcs_branch_width,
            network.num_features,
            slope,
        )
        self.averages = [
            # Every replica computes the same average, so their mean is it.
            keras.Variable(variable, trainable=False, aggregation="mean", name=f"average_{variable.name}")
            for variable in (self.lifting_variables if ema_momentum else [])
        ]
        self._arguments = {
            "skeleton": dataclasses.asdict(skeleton),
            "template": [[float(x) for x in point] for point in template],
            "scale_ratio": float(scale_ratio),
            "network": dataclasses.asdict(network),
            "loss": dataclasses.asdict(loss),
            "body_height": body_height,
            "ema_momentum": ema_momentum,
            "seed": seed,
        }
        self.built = True

    @property
    def updates(self) -> int:
        """Updates done since the first weights."""
        return int(keras.ops.convert_to_numpy(self.optimizer.iterations))

    @property
    def lifting_variables(self) -> list:
        """Weights that turn a 2D pose into hypotheses (those that are averaged)."""
        networks = (self.trunk, self.generator, self.camera)
        return [variable for network in networks for variable in network.trainable_variables]

    @property
    def generator_variables(self) -> list:
        """Weights of the generator side's update: trunk, generator, camera, and the encoder where it is trained."""
        encoder = self.encoder.trainable_variables if self.loss_config.weight_reconstruction else []
        return self.lifting_variables + encoder

    def weights_by_part(self) -> dict[str, list]:
        """Every weight and average, as a checkpoint names them.

        `tf.train.Checkpoint` finds nothing in a functional Keras model or in a list of Keras variables that a
        model holds, and says nothing of it; so checkpoints are given these lists.
        """
        networks = (self.trunk, self.generator, self.camera, self.encoder, self.discriminator)
        return {network.name: list(network.weights) for network in networks} | {"averages": list(self.averages)}

    def compile(self, optimizer, discriminator_optimizer, **kwargs) -> None:
        """Takes the two optimizers and builds them (inside the strategy's scope)."""
        super().compile(optimizer=optimizer, **kwargs)
        self.discriminator_optimizer = discriminator_optimizer
        optimizer.build(self.generator_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)

    def train_step(self, batch: dict) -> dict:
        """One discriminator update, then one generator update, on the same batch, codes and hypotheses.

        Args:
            batch: `pose_2d` (B, J, 2), `visible` (B, J), `pose_3d` (B or B·H, J, 3), `z` (B, H, Z) and
                `epsilon` (B, H), as `tf_wsgen.data.pipeline` makes them; simulated ones also `pose_3d_seen` (B, J, 3),
                and a last code that is zero.

        Returns:
            Every loss term by name, as it was before the update that used it.
        """
        told = {}
        with tf.GradientTape() as generator_tape:
            sample = self.generate(batch["pose_2d"], batch["visible"], batch["z"])
        if self.loss_config.weight_adversarial:
            critic = self.discriminator.trainable_variables
            with tf.GradientTape() as discriminator_tape:
                critic_losses = self.discriminator_losses(sample, batch)
                discriminator_loss = self.discriminator_loss(critic_losses)
            self._update(self.discriminator_optimizer, discriminator_tape, discriminator_loss, critic)
            told["gradient_penalty"] = critic_losses["gradient_penalty"]
        with generator_tape:
            generator_losses = self.generator_losses(sample, batch)
            generator_loss = self.generator_loss(generator_losses)
        self._update(self.optimizer, generator_tape, generator_loss, self.generator_variables)
        self._update_averages()
        return {**told, **generator_losses}

    def generate(self, pose_2d: tf.Tensor, visible: tf.Tensor, z: tf.Tensor) -> Sample:
        """Hypotheses and camera of (B, J, 2) poses, seen as (B, J) says, with (B, H, Z) codes."""
        return generate(self.trunk, self.generator, self.camera, pose_2d, visible, z)

    def discriminator_losses(self, sample: Sample, batch: dict) -> dict:
        """L_adv and L_gp by name."""
        generated, real = self._critic_features(sample.hypotheses, batch["pose_3d"])
        interpolated = losses.interpolate(sample.hypotheses, batch["pose_3d"], batch["epsilon"])
        dot_weight = self.loss_config.dot_weight
        return {
            "mmd_squared": losses.mmd_squared(generated, real, dot_weight),
            "gradient_penalty": losses.gradient_penalty(self.discriminator, interpolated, generated, real, dot_weight),
        }

    def discriminator_loss(self, terms: dict) -> tf.Tensor:
        """−L_adv + λ_gp L_gp."""
        return self.loss_config.weight_gradient_penalty * terms["gradient_penalty"] - terms["mmd_squared"]

    def generator_losses(self, sample: Sample, batch: dict) -> dict:
        """L_adv, L_2D, L_cam, L_reg, L_rec and the scores of simulated pairs by name, those of weight 0 left out."""
        config, z = self.loss_config, batch["z"]

        def adversarial():
            generated, real = self._critic_features(sample.hypotheses, batch["pose_3d"])
            return losses.mmd_squared(generated, real, config.dot_weight)

        def reprojection():
            weights = self.skeleton.joint_weights * tf.minimum(batch["visible"], 1.0)
            # Where pairs train the poses, the likelihood trains the cameras alone: it would shrink diversity.
            poses = tf.stop_gradient(sample.hypotheses) if config.needs_pairs else sample.hypotheses
            return losses.reprojection(batch["pose_2d"], poses, sample.camera, weights, config.laplace_scale)

        terms = {
            "mmd_squared": adversarial,
            "reprojection": reprojection,
            "camera": lambda: losses.camera_constraint(sample.camera),
            "diversity": lambda: losses.diversity(sample.hypotheses, z, config.diversity_threshold),
            "reconstruction": lambda: losses.latent_reconstruction(z, self.encoder(sample.hypotheses)),
        }
        if config.needs_pairs:
            # The last code of a batch of pairs is zero and takes no part in the scores.
            truth, hypotheses = batch["pose_3d_seen"], self._to_camera_frame(sample)
            terms |= {
                "pose_energy": lambda: losses.pose_energy(hypotheses[:, :-1], truth),
                "joint_energy": lambda: losses.joint_energy(hypotheses[:, :-1], truth),
                "median": lambda: losses.median_distance(hypotheses[:, -1], truth),
                "template_median": lambda: losses.median_distance(sample.hypotheses[:, -1], self._to_template(truth)),
            }
        return {name: term() for name, term in terms.items() if self._weights[name]}

    def generator_loss(self, terms: dict) -> tf.Tensor:
        """The sum of λ L over the terms: L_adv + λ_2D L_2D + λ_cam L_cam + λ_reg L_reg + λ_rec L_rec + …."""
        return tf.add_n([self._weights[name] * term for name, term in terms.items()])

    @property
    def _weights(self) -> dict[str, float]:
        config = self.loss_config
        return {
            "mmd_squared": config.weight_adversarial,
            "reprojection": config.weight_2d,
            "camera": config.weight_camera,
            "diversity": config.weight_diversity,
            "reconstruction": config.weight_reconstruction,
            "pose_energy": config.weight_pose_energy,
            "joint_energy": config.weight_joint_energy,
            "median": config.weight_median,
            "template_median": config.weight_template_median,
        }

    def _to_camera_frame(self, sample: Sample) -> tf.Tensor:
        """(B, H, J, 3) metres, root-centred, x right, y down, z away."""
        scale = self._arguments["scale_ratio"]
        return to_camera_frame(sample.hypotheses, sample.camera, scale, self.skeleton.root_index)

    def _to_template(self, pose_3d: tf.Tensor) -> tf.Tensor:
        """(B, J, 3) metres of the camera frame, turned so that the torso lies like the template's."""
        skeleton, template = self.skeleton, tf.constant(self._arguments["template"])
        turned = pose_3d * tf.constant(TO_CAMERA_FRAME)
        return to_template(turned, template, skeleton.template_indices, skeleton.root_index)[0]

    def _critic_features(self, hypotheses: tf.Tensor, real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Critic features of generated and real poses, of all replicas, so that MMD² is the global batch's."""
        generated = tf.reshape(hypotheses, [-1, *hypotheses.shape[2:]])
        features = self.discriminator(tf.concat([generated, real], axis=0))
        generated, real = tf.split(features, [tf.shape(generated)[0], tf.shape(real)[0]])
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            generated, real = context.all_gather(generated, axis=0), context.all_gather(real, axis=0)
        return generated, real

    def _update(self, optimizer, tape: tf.GradientTape, loss: tf.Tensor, variables: list) -> None:
        # Optimizers sum gradients over replicas; every term is a mean over the batch. What no term reaches stays.
        gradients = zip(tape.gradient(loss, variables), variables, strict=True)
        share = 1.0 / self.distribute_strategy.num_replicas_in_sync
        optimizer.apply_gradients([(gradient * share, v) for gradient, v in gradients if gradient is not None])

    def _update_averages(self) -> None:
        # Early on the average forgets faster, so that it doesn't remember the first weights.
        updates = tf.cast(self.optimizer.iterations, tf.float32)
        momentum = tf.minimum(self.ema_momentum, (1.0 + updates) / (10.0 + updates))
        for average, variable in zip(self.averages, self.lifting_variables if self.averages else [], strict=True):
            average.assign(momentum * average + (1.0 - momentum) * variable)

    def lifter(self) -> Lifter:
        """The trained part alone, in copies that further training does not touch; averaged where EMA is on."""
        networks = [type(n).from_config(n.get_config()) for n in (self.trunk, self.generator, self.camera)]
        arguments = self._arguments
        scale = self.loss_config.laplace_scale
        sizes = (arguments["template"], arguments["scale_ratio"], scale, arguments["body_height"])
        lifter = Lifter(self.skeleton, *networks, *sizes, mirrored=arguments["network"]["mirrored"])
        self.update_lifter(lifter)
        return lifter

    def update_lifter(self, lifter: Lifter) -> None:
        """Copies the present (averaged) weights into a lifter that `lifter` made."""
        for copy, variable in zip(lifter.weights, self.averages or self.lifting_variables, strict=True):
            copy.assign(variable)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Everything is built by `compile`. Keras would take a batch from the iterator to make sure, so that
        # training under a strategy would begin one batch late (and it fails with several workers).
        pass

    def make_train_function(self, force: bool = False):
        """Keras' training function; for several replicas one whose loop over `steps_per_execution` works.

        Keras' own loop puts the optimizers' merge calls into a conditional, which fails under several replicas.
        """
        strategy = self.distribute_strategy
        if strategy.num_replicas_in_sync == 1:
            return super().make_train_function(force)
        if self.train_function is not None and not force:
            return self.train_function

        # Traced once, not again for the loop: two replicas take long.
        @tf.function(reduce_retracing=True)
        def one_step(iterator):
            outputs = strategy.run(self.train_step, args=(next(iterator),))
            return tf.nest.map_structure(lambda value: strategy.reduce("MEAN", value, axis=None), outputs)

        @tf.function(reduce_retracing=True)
        def train_function(iterator):
            outputs = one_step(iterator)
            for _ in tf.range(self.steps_per_execution - 1):
                outputs = one_step(iterator)
            return outputs

        self.train_function = train_function if self.steps_per_execution > 1 else one_step
        return self.train_function

    def get_config(self) -> dict:
        """The constructor's arguments as plain numbers, texts and lists."""
        return dict(self._arguments)

    @classmethod
    def from_config(cls, config: dict, custom_objects=None) -> "WSGen":
        """The model that `get_config` describes, with fresh weights."""
        rest = {
            "skeleton": skeleton_from_dict(config["skeleton"]),
            "network": NetworkConfig(**config["network"]),
            "loss": LossConfig(**config["loss"]),
        }
        return cls(**{**config, **rest})
