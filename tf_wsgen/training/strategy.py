"""Distribution strategies by name, and what they ask of the work directory."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

import tensorflow as tf

from tf_wsgen.errors import InputError


def make_strategy(name: str) -> tf.distribute.Strategy:
    """The strategy of that name.

    Args:
        name: "one_device" (TensorFlow's own choice: the first GPU, or the CPU), "mirrored" (all GPUs, or
            all logical CPUs where there is none) or "multi_worker" (the cluster of the environment variable TF_CONFIG).

    Raises:
        InputError: "multi_worker" without a cluster, of which TensorFlow would make one of this process alone.
    """
    if name == "one_device":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    if "TF_CONFIG" not in os.environ:
        raise InputError("strategy is multi_worker without TF_CONFIG in the environment; expected the cluster there.")
    return tf.distribute.MultiWorkerMirroredStrategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the logs and checkpoints of the run."""
    resolver = strategy.cluster_resolver
    return resolver is None or resolver.task_type in (None, "chief") or _first_worker(resolver)


def _first_worker(resolver) -> bool:
    has_chief = "chief" in resolver.cluster_spec().jobs
    return not has_chief and resolver.task_type == "worker" and resolver.task_id == 0


@contextlib.contextmanager
def own_workdir(strategy: tf.distribute.Strategy, workdir: pathlib.Path) -> Iterator[pathlib.Path]:
    """The work directory for the chief; for other workers a temporary one.

    Saving a checkpoint reads variables on every worker, so all must save, but only one may write the result.
    """
    if is_chief(strategy):
        yield workdir
        return
    with tempfile.TemporaryDirectory(prefix="tf_wsgen_worker_") as folder:
        yield pathlib.Path(folder)


def replica_shard(strategy: tf.distribute.Strategy, context: tf.distribute.InputContext) -> tuple[int, int, int]:
    """First replica of an input pipeline, its replicas, and all replicas."""
    replicas = strategy.num_replicas_in_sync
    here = replicas // context.num_input_pipelines
    return context.input_pipeline_id * here, here, replicas
