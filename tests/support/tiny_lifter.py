"""A lifter of a tiny network, and made-up people for it."""

import keras
import numpy as np

from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.networks import Camera, Generator, Trunk
from tf_wsgen.skeleton import HUMAN16

J, Z = HUMAN16.num_joints, 8


def tiny_lifter(scale_ratio=1.0, laplace_scale=1.0, pose_gain=0.2, **more) -> Lifter:
    keras.utils.set_random_seed(0)
    networks = Trunk(J, 16), Generator(J, 16, Z, pose_gain=pose_gain), Camera(16)
    return Lifter(HUMAN16, *networks, [[0.0] * 3] * 4, scale_ratio, laplace_scale, **more)


def made_up_rows(count, missing=(), deviation=250.0, action=None) -> PairedRows:
    """Rows; `missing` are pairs of row numbers and a joint's name."""
    rng = np.random.default_rng(0)
    keypoints = rng.normal([600.0, 400.0], [80.0, 150.0], (count, J, 2)).astype(np.float32)
    visible = np.ones((count, J), np.float32)
    for row, joint in missing:
        visible[row, HUMAN16.index(joint)] = 0.0
    truth = rng.normal([0.0, 0.0, 4000.0], deviation, (count, J, 3)).astype(np.float32)
    return PairedRows(keypoints, visible, truth, action)
