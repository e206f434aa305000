"""Hypotheses a second, latency and mean-shift of a trained model, in each form that it is served in."""

import concurrent.futures
import importlib.util
import pathlib
import tempfile
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_wsgen.benchmarks.rows import Row, by_turns
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.export import export_onnx, export_saved_model
from tf_wsgen.hypotheses.mean_shift import MOST_STEPS, SMALLEST_STEP, default_bandwidth, mean_shift
from tf_wsgen.hypotheses.sampling import shared_codes
from tf_wsgen.lifting.api import PoseLifter
from tf_wsgen.lifting.endpoints import Endpoints
from tf_wsgen.lifting.model import Lifter

# Poses a call and hypotheses a pose.
SIZES = ((1, 1), (1, 10), (1, 200), (64, 1), (64, 10), (64, 200), (4096, 1), (4096, 10))
REQUESTS, CLIENTS = 400, (1, 4)
SHIFTED_POSES, SHIFTED_HYPOTHESES = 64, 100
# The loop in NumPy is slow: it is timed on the first of these poses.
LOOPED_POSES = 2


def lifting_rows(lifter: Lifter, seconds: float) -> list[Row]:
    """Rows of sampling and of latency; ONNX where tf2onnx and onnxruntime are installed.

    Args:
        lifter: The trained networks.
        seconds: How long to time each size.
    """
    model = PoseLifter(Endpoints(lifter), lifter.skeleton, "benchmark")
    once = tf.function(lambda keypoints, visible, z: lifter.decode(keypoints, visible, z)["pose_3d"], autograph=False)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        served = _served(lifter, pathlib.Path(folder))
        for poses, count in SIZES:
            keypoints = np.resize(_keypoints(lifter), (poses, lifter.skeleton.num_joints, 2))
            visible = np.ones(keypoints.shape[:2], np.float32)
            codes = shared_codes(count, lifter.code_size, 0).numpy()
            code = tf.constant(codes[:, :1])
            calls = {
                "Python": lambda k=keypoints, v=visible, n=count: model(k, v, n, batch_size=512),
                **{
                    name: lambda call=call, k=keypoints, v=visible, z=codes: call("decode", k, v, z)
                    for name, call in served.items()
                },
                "one at a time": lambda k=keypoints, v=visible, z=code: once(k, v, z).numpy(),
            }
            best = {name: timing.best for name, timing in by_turns(calls, seconds).items()}
            naive = poses / (count * best.pop("one at a time"))
            for name, taken in best.items():
                what = f"{name}, {count} hypotheses of {poses} poses a call"
                limit_is = "the network once for each hypothesis"
                rows.append(Row("lifting", what, poses / taken, "poses/s", naive, limit_is, poses / taken / naive))
        for name, call in served.items():
            for clients in CLIENTS:
                middle, slow = _latency(call, lifter, clients)
                what = f"{name}, one pose a request, {clients} client{'s' if clients > 1 else ''}"
                rows += [Row("lifting", f"{what}: median", middle, "ms"), Row("lifting", f"{what}: p99", slow, "ms")]
    return rows


def mean_shift_rows(lifter: Lifter, seconds: float) -> list[Row]:
    """Mean-shift of all poses at once against a loop in NumPy with the same rule of stopping.

    Raises:
        RuntimeError: The two do not agree to 0.01 mm.
    """
    keypoints = np.resize(_keypoints(lifter), (SHIFTED_POSES, lifter.skeleton.num_joints, 2))
    decoded = lifter.sample(tf.constant(keypoints), tf.ones(keypoints.shape[:2]), SHIFTED_HYPOTHESES, 0)
    hypotheses = decoded["pose_3d"] / 1000.0
    width = default_bandwidth(hypotheses)
    shifted = tf.function(mean_shift, autograph=False)
    few = slice(0, LOOPED_POSES)
    loop = np.stack([_loop(*pair) for pair in zip(hypotheses[few].numpy(), width[few].numpy(), strict=True)])
    apart = np.abs(loop - shifted(hypotheses, width).pose_3d[few].numpy()).max()
    if apart > 1e-5:
        raise RuntimeError(f"mean-shift and its loop in NumPy are {1000 * apart:.3f} mm apart.")
    taken = by_turns(
        {
            "all": lambda: shifted(hypotheses, width).pose_3d.numpy(),
            "loop": lambda: [_loop(*pair) for pair in zip(hypotheses[few].numpy(), width[few].numpy(), strict=True)],
        },
        seconds,
    )
    rate, naive = SHIFTED_POSES / taken["all"].best, LOOPED_POSES / taken["loop"].best
    what = f"mode of {SHIFTED_HYPOTHESES} hypotheses"
    return [Row("mean_shift", what, rate, "poses/s", naive, "a loop in NumPy", rate / naive)]


def _keypoints(lifter: Lifter) -> np.ndarray:
    """Pixels of synthetic people; random ones for another skeleton."""
    people = synthetic_people(train_sequences=1, test_sequences=1).train
    if people.pose_2d.shape[1] == lifter.skeleton.num_joints:
        return (500.0 + 200.0 * people.pose_2d).astype(np.float32)
    return np.random.default_rng(0).normal(500.0, 100.0, (64, lifter.skeleton.num_joints, 2)).astype(np.float32)


def _served(lifter: Lifter, folder: pathlib.Path) -> dict[str, Callable]:
    """Calls of the exported forms by name: function, keypoints, visible and codes to a pose."""
    export_saved_model(lifter, folder / "saved_model")
    saved = tf.saved_model.load(str(folder / "saved_model"))

    def call_saved(function, *inputs):
        return getattr(saved, function)(*map(tf.constant, inputs))["pose_3d"].numpy()

    if any(importlib.util.find_spec(package) is None for package in ("tf2onnx", "onnxruntime")):
        return {"SavedModel": call_saved}
    import onnxruntime

    export_onnx(lifter, folder / "onnx")
    sessions = {
        name: onnxruntime.InferenceSession(str(folder / "onnx" / f"{name}.onnx")) for name in ("zero_code", "decode")
    }

    def call_onnx(function, *inputs):
        names = ("keypoints", "visible", "z")
        return sessions[function].run(["pose_3d"], dict(zip(names, inputs, strict=False)))[0]

    return {"SavedModel": call_saved, "ONNX": call_onnx}


def _latency(call: Callable, lifter: Lifter, clients: int) -> tuple[float, float]:
    """Milliseconds a request of one pose: median and 99th percentile."""
    keypoints = _keypoints(lifter)[:1]
    visible = np.ones(keypoints.shape[:2], np.float32)

    def client(requests):
        taken = []
        for _ in range(requests):
            start = time.perf_counter()
            call("zero_code", keypoints, visible)
            taken.append(time.perf_counter() - start)
        return taken

    client(REQUESTS // 10)
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        taken = np.concatenate(list(pool.map(client, [REQUESTS] * clients)))
    middle, slow = 1e3 * np.quantile(taken, (0.5, 0.99))
    return float(middle), float(slow)


def _loop(hypotheses: np.ndarray, width: float) -> np.ndarray:
    """The highest mode of the hypotheses (N, J, 3) of one pose, written straightforwardly."""

    def kernel(point):
        return np.exp(-np.sum((hypotheses - point) ** 2, axis=(1, 2)) / (2.0 * width**2))

    candidates = [*hypotheses]
    for start in hypotheses:
        mode = start
        for _ in range(MOST_STEPS):
            weights = kernel(mode)
            moved = np.tensordot(weights / weights.sum(), hypotheses, 1)
            step, mode = np.linalg.norm(moved - mode), moved
            if step < SMALLEST_STEP:
                break
        candidates.append(mode)
    return max(candidates, key=lambda candidate: kernel(candidate).sum())
