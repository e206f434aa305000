"""How fast reading, an update and a prediction are, on the data and sizes of a configuration."""

import pathlib
import resource
import statistics
import tempfile
import time

import numpy as np
import tensorflow as tf

from tf_wsgen.config import Config
from tf_wsgen.data.human36m_cameras import CAMERA_NAMES, EXTRINSICS
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.data.training_data import Source
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.prepare import prepare
from tf_wsgen.training.loop import distributed_batches, make_model
from tf_wsgen.training.strategy import make_strategy

CALLS_A_TIMING = 10
POSES_A_CALL = 256
# Frames of Human3.6M in VideoPose3D's file, over all subjects, and recordings of a subject.
HUMAN36M_FRAMES, RECORDINGS = 527_600, 30


def training_rate(config: Config, repeats: int) -> float:
    """Median updates a second, input pipeline included, compilation not."""
    data, strategy = Source(config.data).training(config.training.seed), make_strategy(config.training.strategy)
    model = make_model(config, data, strategy)
    model.make_train_function()
    batches = iter(distributed_batches(config, data, strategy))
    per_call = _median_seconds(lambda: model.train_function(batches), repeats)
    return config.training.steps_per_execution / per_call


def lifting_rate(config: Config, repeats: int) -> float:
    """Median poses a second from pixels to hypotheses in millimetres, tracing not included."""
    data = Source(config.data).training(config.training.seed)
    lifter = make_model(config, data, tf.distribute.get_strategy()).lifter()
    keypoints = tf.random.stateless_normal([POSES_A_CALL, data.skeleton.num_joints, 2], [0, 0], stddev=100.0)
    visible = tf.ones(keypoints.shape[:2])
    sample = tf.function(lambda: lifter.sample(keypoints, visible, config.evaluation.num_hypotheses, 0)["pose_3d"])
    return POSES_A_CALL / _median_seconds(sample, repeats)


def reading_time(frames: int = HUMAN36M_FRAMES) -> tuple[int, float, float]:
    """Reads a file of VideoPose3D's form and size, every frame in every camera, into a prepared file.

    Args:
        frames: Frames of the file; the poses in it are synthetic.

    Returns:
        Frame-camera pairs, seconds (making the file not included), and this process's peak memory in GiB.
    """
    people = synthetic_people(train_sequences=16, test_sequences=1).train.pose_3d
    root = CONVENTIONS["human36m_32"].joints.index("pelvis")
    world = np.zeros((len(people), 32, 3), np.float32)
    for joint, name in enumerate(CONVENTIONS["human16"].joints):
        ((source, _),) = CONVENTIONS["human36m_32"].human16[name].items()
        world[:, CONVENTIONS["human36m_32"].joints.index(source)] = people[:, joint] / 1000.0
    # Camera frame (y down, z away) to z up, standing in the middle of the room.
    world = (world - world[:, root : root + 1])[..., [0, 2, 1]] * np.float32([1, 1, -1]) + np.float32([0, 0, 0.9])
    length = frames // (len(EXTRINSICS) * RECORDINGS)
    positions = {
        subject: {f"Recording {number}": np.resize(world, (length, 32, 3)) for number in range(RECORDINGS)}
        for subject in EXTRINSICS
    }
    with tempfile.TemporaryDirectory() as folder:
        source, output = pathlib.Path(folder) / "data_3d_h36m.npz", pathlib.Path(folder) / "prepared.h5"
        np.savez_compressed(source, positions_3d=positions)
        del positions
        start = time.perf_counter()
        review = prepare("h36m", source, output, {"test_stride": 1}, notice=lambda text: None)
        seconds = time.perf_counter() - start
    pairs = sum(review.rows.values())
    assert pairs == length * RECORDINGS * len(EXTRINSICS) * len(CAMERA_NAMES)
    return pairs, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _median_seconds(call, repeats: int) -> float:
    """Median time of one call over `repeats` timings of several calls each."""
    tf.nest.map_structure(lambda value: value.numpy(), call())
    timings = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(CALLS_A_TIMING):
            result = call()
        # Reading a result waits for it.
        tf.nest.map_structure(lambda value: value.numpy(), result)
        timings.append((time.perf_counter() - start) / CALLS_A_TIMING)
    return statistics.median(timings)
