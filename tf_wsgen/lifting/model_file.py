"""A trained lifter in one small file: weights, sizes, skeleton, template, and where they come from."""

import dataclasses
import json
import os
import pathlib

import numpy as np

from tf_wsgen.errors import InputError
from tf_wsgen.files import load_npz, one_sentence, whole_file
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.networks import Camera, Generator, Trunk
from tf_wsgen.skeleton import skeleton_from_dict

KIND = "a trained lifter (.npz)"
# What a SavedModel holds beside what TensorFlow reads: its networks, for measuring them.
IN_SAVED_MODEL = "assets.extra/lifter.npz"
NETWORKS = {"trunk": Trunk, "generator": Generator, "camera": Camera}


def save_lifter(lifter: Lifter, path: str | os.PathLike, about: dict) -> None:
    """Writes a lifter atomically.

    Args:
        lifter: The trained networks.
        path: The .npz file.
        about: Plain numbers and texts that `load_lifter` gives back: updates, seed, data.
    """
    config = {
        "about": about,
        "skeleton": dataclasses.asdict(lifter.skeleton),
        "networks": {name: getattr(lifter, name).get_config() for name in NETWORKS},
        "template": lifter.template,
        "scale_ratio": lifter.scale_ratio,
        "laplace_scale": lifter.laplace_scale,
        "body_height": lifter.body_height,
        "mirrored": lifter.mirrored,
        "radius_factors": None if lifter.radius_factors is None else np.asarray(lifter.radius_factors).tolist(),
    }
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez(file, config=np.array(json.dumps(config)), **_named_weights(lifter))


def load_lifter(path: str | os.PathLike) -> tuple[Lifter, dict]:
    """The lifter of a file, and what `save_lifter` was told about it.

    Raises:
        InputError: The file is not there, damaged, or holds other weights than its networks need.
    """
    arrays = load_npz(path, KIND)
    if "config" not in arrays:
        raise InputError(f"{path}: has no 'config'; expected {KIND}.")
    with one_sentence(pathlib.Path(path), KIND):
        config = json.loads(str(arrays.pop("config")))
        networks = {name: network.from_config(config["networks"][name]) for name, network in NETWORKS.items()}
        lifter = Lifter(
            skeleton_from_dict(config["skeleton"]),
            **networks,
            template=config["template"],
            scale_ratio=config["scale_ratio"],
            laplace_scale=config["laplace_scale"],
            body_height=config.get("body_height"),
            radius_factors=config.get("radius_factors"),
            mirrored=config.get("mirrored", False),
        )
        about = config["about"]
    expected = _named_weights(lifter)
    for name, weight in expected.items():
        found = arrays.get(name)
        if found is None or found.shape != weight.shape or not np.isfinite(found).all():
            raise InputError(f"{path}: weight {name} is missing, not finite, or not of shape {weight.shape}.")
    for name, variable in zip(expected, lifter.weights, strict=True):
        variable.assign(arrays[name])
    return lifter, about


def _named_weights(lifter: Lifter) -> dict[str, np.ndarray]:
    return {f"{name}/{weight.path}": weight.numpy() for name in NETWORKS for weight in getattr(lifter, name).weights}
