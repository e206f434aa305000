"""The loss terms: pure functions, one idea a file."""

from tf_wsgen.losses.camera_constraint import camera_constraint
from tf_wsgen.losses.diversity import diversity
from tf_wsgen.losses.energy import energy_score, joint_energy, median_distance, pose_energy
from tf_wsgen.losses.gradient_penalty import gradient_penalty, interpolate
from tf_wsgen.losses.latent_reconstruction import latent_reconstruction
from tf_wsgen.losses.mmd import critic_kernel, mmd_squared
from tf_wsgen.losses.reprojection import log_likelihood, reprojection

__all__ = [
    "camera_constraint",
    "critic_kernel",
    "diversity",
    "energy_score",
    "gradient_penalty",
    "interpolate",
    "joint_energy",
    "latent_reconstruction",
    "log_likelihood",
    "median_distance",
    "mmd_squared",
    "pose_energy",
    "reprojection",
]
