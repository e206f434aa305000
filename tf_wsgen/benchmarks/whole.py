"""Whole processes: starting, reading a data set, the posterior report, replicas and workers."""

import json
import os
import pathlib
import resource
import socket
import subprocess
import sys
import tempfile
import time

import numpy as np

from tf_wsgen.benchmarks.rows import Row
from tf_wsgen.config import Config
from tf_wsgen.data.human36m_cameras import CAMERA_NAMES, EXTRINSICS
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.prepare import prepare
from tf_wsgen.evaluation.posterior_report import posterior_report
from tf_wsgen.lifting.model import Lifter

ROUNDS = 2
PREDICT = "from tf_wsgen.programs.command_line import run; run('predict')"
# CMU-16's test rows, of which the report is timed on some.
REPORTED_ROWS, TIMED_ROWS = 18_012, 512
# Frames of Human3.6M in VideoPose3D's file, over all subjects, and recordings of a subject.
HUMAN36M_FRAMES, RECORDINGS = 527_600, 30


def start_rows() -> list[Row]:
    """Seconds from the start of a process to what is wanted of it, the best of `ROUNDS` by turns."""
    with tempfile.TemporaryDirectory() as folder:
        keypoints, output = pathlib.Path(folder) / "keypoints.npy", pathlib.Path(folder) / "poses.npz"
        np.save(keypoints, np.float32(500.0 + 200.0 * synthetic_people(1, 1).train.pose_2d[:10]))
        prediction = f"--input={keypoints}", f"--output={output}", "--overwrite"
        calls = {
            "import tensorflow": ["-c", "import tensorflow"],
            "import tf_wsgen": ["-c", "import tf_wsgen"],
            "predict --help": ["-c", PREDICT, "--help"],
            "the model is loaded": ["-c", "import tf_wsgen; tf_wsgen.load_pretrained()"],
            "predict, to the file": ["-c", PREDICT, *prediction],
        }
        best = dict.fromkeys(calls, np.inf)
        for _ in range(ROUNDS):
            for name, arguments in calls.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
                best[name] = min(best[name], time.perf_counter() - start)
    framework = best.pop("import tensorflow")
    limit_is = "import tensorflow alone"
    return [
        Row("start", name, seconds, "s", framework, limit_is, framework / seconds) for name, seconds in best.items()
    ]


def reading_rows(frames: int = HUMAN36M_FRAMES) -> list[Row]:
    """A file of VideoPose3D's form and size, every frame in every camera, into a prepared file.

    Args:
        frames: Frames of the file; the poses in it are synthetic.
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
    return [
        Row("reading", f"{pairs:,} pairs of VideoPose3D's form, prepared", pairs / seconds, "pairs/s"),
        Row(
            "reading",
            "most memory of the process so far",
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            "GiB",
        ),
    ]


def report_rows(lifter: Lifter, config: Config, rows: PairedRows) -> list[Row]:
    """The posterior report, and what it takes for CMU-16's test rows.

    Args:
        lifter: The trained networks.
        config: How many hypotheses.
        rows: Measured on, some of them evenly spaced.
    """
    rows = rows.take(np.arange(TIMED_ROWS) * len(rows) // TIMED_ROWS)
    times = [time.perf_counter()]
    # The first rows wait for tracing.
    posterior_report(lifter, rows, config.evaluation, lambda done: times.append(time.perf_counter()))
    batches = len(times) - 1
    rate = len(rows) * (batches - 1) / batches / (times[-1] - times[1])
    count = config.evaluation.posterior_hypotheses
    return [
        Row("report", f"posterior report, {count} hypotheses a row", rate, "rows/s"),
        Row("report", f"of {REPORTED_ROWS:,} rows", REPORTED_ROWS / rate / 60.0, "minutes"),
    ]


def scale_rows(config: Config) -> list[Row]:
    """Updates a second of one replica and two, in one process and in two; without XLA, which takes one replica only.

    Args:
        config: What is trained; strong scaling keeps its batch, weak scaling gives each replica one.
    """
    batch = config.training.batch_size
    runs = {
        "1 replica, both cores": (1, 1, batch),
        "2 replicas, the same batch": (2, 1, batch),
        "2 replicas, twice the batch": (2, 1, 2 * batch),
        "2 workers, the same batch": (1, 2, batch),
    }
    rates = {name: _update_rate(config, name, *run) for name, run in runs.items()}
    alone = rates.pop("1 replica, both cores")
    rows = [Row("scale", "1 replica, both cores", alone, "updates/s")]
    for name, rate in rates.items():
        share = runs[name][2] / batch
        rows.append(Row("scale", name, rate, "updates/s", alone / share, "1 replica, both cores", rate * share / alone))
    return rows


def _update_rate(config: Config, name: str, replicas: int, workers: int, batch: int) -> float:
    """Updates a second of processes that train together."""
    config = config.override(
        {
            "training": {
                "batch_size": batch,
                "jit_compile": False,
                "strategy": "multi_worker" if workers > 1 else "mirrored" if replicas > 1 else "one_device",
            }
        },
        "scale",
    )
    addresses = []
    for _ in range(workers):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            addresses.append(f"127.0.0.1:{probe.getsockname()[1]}")
    processes = []
    with tempfile.TemporaryDirectory() as folder:
        written = pathlib.Path(folder) / "config.yaml"
        written.write_text(config.to_yaml())
        command = [sys.executable, "-m", "tf_wsgen.benchmarks.update_rate", str(written), str(replicas)]
        for index in range(workers):
            cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            setting = {"TF_CONFIG": json.dumps(cluster)} if workers > 1 else {}
            environment = {**os.environ, **setting, "TF_CPP_MIN_LOG_LEVEL": "3"}
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            processes.append(subprocess.Popen(command, env=environment, text=True, **pipes))
        try:
            outputs = [process.communicate()[0] for process in processes]
        finally:
            for process in processes:
                process.kill()
    if any(process.returncode for process in processes):
        raise RuntimeError(f"{name} failed:\n" + "\n".join(outputs))
    return float(outputs[0].split()[-1])
