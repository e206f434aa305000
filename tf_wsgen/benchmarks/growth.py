"""How the cost of an update grows with what it is made of."""

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

from tf_wsgen.benchmarks.rows import Row, by_turns
from tf_wsgen.benchmarks.training import one_step
from tf_wsgen.config import Config
from tf_wsgen.skeleton import HUMAN16, Skeleton
from tf_wsgen.training.adam import FusedAdam
from tf_wsgen.training.model import WSGen

SMALL = {"poses": 64, "hypotheses": 4, "width": 256, "joints": 16}
LARGE = {"poses": 512, "hypotheses": 32, "width": 1024, "joints": 64}


def growth_rows(config: Config, seconds: float) -> list[Row]:
    """The exponent of each size: log(T / T_small) / log(size / size_small), the other sizes small.

    Args:
        config: What is trained, of other sizes than its own.
        seconds: How long to time.
    """
    calls = {"small": _update(config, **SMALL)}
    calls |= {name: _update(config, **{**SMALL, name: size}) for name, size in LARGE.items()}
    best = {name: timing.best for name, timing in by_turns(calls, seconds).items()}
    small = best.pop("small")
    return [
        Row(
            "growth",
            f"exponent of {name}, {SMALL[name]} to {LARGE[name]}",
            math.log(taken / small) / math.log(LARGE[name] / SMALL[name]),
            "",
        )
        for name, taken in best.items()
    ]


def _update(config: Config, poses: int, hypotheses: int, width: int, joints: int) -> Callable[[], object]:
    """A training step on random poses."""
    skeleton, network = _longer(joints), dataclasses.replace(config.network, width=width)
    model = WSGen(skeleton, [[0.0] * 3] * 4, 1.0, network, config.loss)
    model.compile(FusedAdam(), FusedAdam())
    batch = {
        "pose_2d": tf.random.normal([poses, joints, 2]),
        "visible": tf.ones([poses, joints]),
        "pose_3d": tf.random.normal([poses, joints, 3]),
        "pose_3d_seen": tf.random.normal([poses, joints, 3]),
        "z": tf.random.normal([poses, hypotheses, config.network.code_size]),
        "epsilon": tf.random.uniform([poses, hypotheses]),
    }
    return one_step(model, batch, jit_compile=False)


def _longer(joints: int) -> Skeleton:
    """The usual joints, and some on bones from the root."""
    more = tuple(f"joint_{number}" for number in range(HUMAN16.num_joints, joints))
    bones = HUMAN16.bones + tuple((joint, HUMAN16.root) for joint in more)
    return dataclasses.replace(HUMAN16, joints=HUMAN16.joints + more, bones=bones)
