"""Runs that are killed, disks that are full, checkpoints that are damaged: what was trained is still there."""

import functools
import os
import shutil
import signal
import subprocess
import sys
import time

import filelock
import numpy as np
import pytest
import tensorflow as tf
from prepared_files import write_prepared

from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.errors import InputError, NonFiniteLossError
from tf_wsgen.skeleton import HUMAN16
from tf_wsgen.training.checkpoints import KEPT, Checkpoints, checkpoint_prefixes
from tf_wsgen.training.loop import make_model, train
from tf_wsgen.training.strategy import make_strategy
from tf_wsgen.training.workdir import Workdir

# $WSGEN_KILLS makes a campaign of it.
KILLS = int(os.environ.get("WSGEN_KILLS", "1"))
# Updates of a run, and those after which one is stopped between two evaluations.
UPDATES, STOPPED = 40, 18
OFTEN = {"training": {"updates": UPDATES, "evaluate_every": 5}}
POSTERIOR = {
    "network": {"sees_visible": True, "camera_per_hypothesis": True, "mirrored": True},
    "loss": {
        "weight_adversarial": 0.0,
        "weight_diversity": 0.0,
        "weight_reconstruction": 0.0,
        "weight_pose_energy": 1.0,
        "weight_joint_energy": 4.0,
        "weight_median": 2.0,
    },
}
TWO_REPLICAS = {"training": {**OFTEN["training"], "strategy": "mirrored"}}
RECIPES = {"faithful": OFTEN, "posterior": POSTERIOR | OFTEN, "two_replicas": TWO_REPLICAS}
# scripts/train.py on two logical CPUs, where a machine has one.
TRAIN = """
import sys
import tensorflow as tf
from tf_wsgen.programs.command_line import run
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
run("train", ["train.py", *sys.argv[1:]])
"""


def contents(folder):
    """All that a run ends with: weights, optimizer slots and averages of the last checkpoint, and both lifters."""
    found = {}
    prefix = str(checkpoint_prefixes(Workdir(folder).checkpoints)[0])
    for name, _ in tf.train.list_variables(prefix):
        # The graph of objects, and how often this process has saved.
        if name not in ("_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter/.ATTRIBUTES/VARIABLE_VALUE"):
            found[name] = np.asarray(tf.train.load_variable(prefix, name))
    for which in ("latest", "best"):
        with np.load(Workdir(folder).lifter_file(which)) as file:
            found |= {f"{which}/{name}": file[name] for name in file.files}
    return found


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, name)


@pytest.fixture(scope="module")
def uninterrupted(small_config, tmp_path_factory):
    """Of a recipe: the configuration, its file, and what the run that nothing interrupts ends with."""

    @functools.cache
    def trained(recipe):
        folder = tmp_path_factory.mktemp(recipe)
        config = small_config.override(RECIPES[recipe], "test")
        (folder / "config.yaml").write_text(config.to_yaml())
        train(config, folder / "run")
        return config, folder / "config.yaml", contents(folder / "run")

    return trained


@pytest.fixture(scope="module")
def half_way(uninterrupted, tmp_path_factory):
    """The folder of a run that was stopped between two evaluations."""
    folder = tmp_path_factory.mktemp("half")
    train(uninterrupted("faithful")[0].override({"training": {"updates": STOPPED}}, "test"), folder)
    return folder


@pytest.fixture
def run(uninterrupted, half_way, tmp_path):
    """A configuration, the folder of a run that is half way, and what it ends with."""
    config, _, expected = uninterrupted("faithful")
    shutil.copytree(half_way, tmp_path / "run")
    return config, tmp_path / "run", expected


@pytest.fixture(scope="module")
def restored(small_config, small_data):
    """The updates of which a folder's last sound checkpoint is."""
    model = make_model(small_config, small_data, make_strategy("one_device"))
    return lambda folder: Checkpoints(model, Workdir(folder), None).restore(Workdir(folder))


@pytest.mark.parametrize("recipe", RECIPES if KILLS > 1 else ["faithful"])
def test_a_run_that_is_killed_at_any_moment_ends_as_if_it_never_was(recipe, uninterrupted, tmp_path):
    config, config_file, expected = uninterrupted(recipe)
    rng = np.random.default_rng(0)
    command = [sys.executable, "-c", TRAIN, f"--config={config_file}", f"--workdir={tmp_path}"]
    checkpoints, killed = Workdir(tmp_path).checkpoints, 0
    for _ in range(KILLS):
        before = set(checkpoints.glob("*"))
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            # Some time after it began to write: within a checkpoint, or between two of them.
            while process.poll() is None and set(checkpoints.glob("*")) <= before:
                time.sleep(0.001)
            time.sleep(rng.uniform(0.0, 0.3))
            process.kill()
        killed += process.returncode == -signal.SIGKILL
    assert killed
    train(config, tmp_path)
    assert_same(contents(tmp_path), expected)


def test_a_resumed_run_ends_as_an_uninterrupted_one(run):
    config, folder, expected = run
    # What only a search or a report reads may change on the way.
    train(config.override({"tuning": {"seed": 7}, "evaluation": {"posterior_rows": 7}}, "test"), folder)
    assert_same(contents(folder), expected)


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def unfinished(path):
    path.with_name(path.name.partition(".")[0] + ".sha256").unlink()


@pytest.mark.parametrize(
    ("harm", "message"),
    [(truncated, "is damaged"), (flipped, "is damaged"), (unfinished, "was not written to its end")],
)
def test_the_checkpoint_before_a_damaged_one_is_taken(run, restored, harm, message):
    _, folder, _ = run
    last, before = checkpoint_prefixes(Workdir(folder).checkpoints)
    assert restored(folder) == STOPPED
    harm(last.with_name(last.name + ".data-00000-of-00001"))
    with pytest.warns(UserWarning, match=f"{last.name}: {message}. .*{before.name} is taken instead"):
        assert restored(folder) == 15


def test_without_a_sound_checkpoint_nothing_is_trained(run):
    config, folder, _ = run
    for prefix in checkpoint_prefixes(Workdir(folder).checkpoints):
        truncated(prefix.with_suffix(".index"))
    left = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"is damaged\. No other checkpoint can be read"):
        train(config, folder)
    assert all(path.read_bytes() == content for path, content in left.items())


def test_a_run_that_was_killed_within_its_first_checkpoint_begins_anew(run, restored):
    _, folder, _ = run
    for prefix in checkpoint_prefixes(Workdir(folder).checkpoints):
        unfinished(prefix.with_suffix(".index"))
    assert restored(folder) == 0


def test_few_checkpoints_are_kept(run):
    _, folder, _ = run
    names = sorted({path.name.partition(".")[0] for path in Workdir(folder).checkpoints.glob("ckpt-*")})
    assert names == [f"ckpt-{update}" for update in (15, STOPPED)]
    assert len(names) == KEPT


def test_two_runs_are_never_in_one_folder(run):
    config, folder, _ = run
    with filelock.FileLock(folder / "lock"), pytest.raises(InputError, match="another process is at work here"):
        train(config, folder)


def test_signals_save_and_say_so_and_the_same_command_resumes(uninterrupted, interrupt_script, tmp_path):
    config_file, run, done = uninterrupted("faithful")[1], Workdir(tmp_path), 0
    command = ("train", "--config", config_file, "--workdir", tmp_path, "--set=training.updates=1000000")

    def goes_on():
        return run.log_file.exists() and any(int(row["update"]) > done for row in run.log())

    for number in (signal.SIGTERM, signal.SIGINT):
        code, output = interrupt_script(goes_on, *command, number=number)
        assert code == 128 + number, output[-2000:]
        assert "the same command resumes" in output
        assert "Traceback" not in output
        before, done = done, run.load_lifter("latest")[1]
        assert done > before


def constant(group):
    for poses in (group.pose_2d, group.pose_3d):
        poses[:] = poses[:1]


def two_joints(group):
    visible = np.zeros(group.pose_2d.shape[:2], np.float32)
    visible[:, HUMAN16.hip_indices] = 1.0
    group.labels["visible"] = visible


def huge(group):
    group.pose_2d *= 1e6
    group.pose_3d *= 1e6


def flat(group):
    group.pose_2d[..., 1] = group.pose_2d[:, :1, 1]


@pytest.mark.parametrize("harm", [constant, two_joints, huge, flat])
def test_wild_data_end_in_a_sentence_or_in_finite_weights(small_config, tmp_path, harm):
    data = synthetic_people(seed=1, train_sequences=12, test_sequences=2, frames=6)
    harm(data.train)
    write_prepared(tmp_path / "wild.h5", data)
    changes = {"data": {"path": str(tmp_path / "wild.h5")}, "training": {"updates": 10}}
    try:
        train(small_config.override(changes, "test"), tmp_path / "run")
    except (InputError, NonFiniteLossError):
        assert not list((tmp_path / "run").rglob("*.index"))
    else:
        # Which refuses weights that are not finite.
        Workdir(tmp_path / "run").load_lifter("latest")


@pytest.fixture
def small_disk(tmp_path):
    """A folder of its own disk, of few bytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk needs the right to mount one")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_loses_no_earlier_checkpoint(run, restored, run_program, small_disk):
    config, folder, _ = run
    shutil.copytree(folder, small_disk / "run")
    (small_disk / "config.yaml").write_text(config.to_yaml())
    free = shutil.disk_usage(small_disk).free
    (small_disk / "others").write_bytes(bytes(max(free - 20_000, 0)))
    finished = run_program("train", "--config", small_disk / "config.yaml", "--workdir", small_disk / "run")
    assert finished.returncode == 2, finished.stderr[-2000:]
    assert "No space left" in finished.stderr.splitlines()[-1]
    assert "Traceback" not in finished.stderr
    assert restored(small_disk / "run") == STOPPED
