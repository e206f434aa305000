"""A standing body for tests of motion: mm, z up, looking towards -y, the pelvis 820 mm high."""

import numpy as np

from tf_wsgen.skeleton import HUMAN16

BODY = {
    "right_hip": (-100, 0, 820), "right_knee": (-100, 0, 420), "right_ankle": (-100, 0, 10),
    "left_hip": (100, 0, 820), "left_knee": (100, 0, 420), "left_ankle": (100, 0, 10),
    "pelvis": (0, 0, 820), "thorax": (0, 0, 1290), "neck": (0, 0, 1380), "head": (0, 0, 1480),
    "left_shoulder": (170, 0, 1210), "left_elbow": (170, 0, 930), "left_wrist": (170, 0, 690),
    "right_shoulder": (-170, 0, 1210), "right_elbow": (-170, 0, 930), "right_wrist": (-170, 0, 690),
}  # fmt: skip
# (16, 3) in the order of HUMAN16.
STANDING_POSE = np.array([BODY[joint] for joint in HUMAN16.joints], float)
