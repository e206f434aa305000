"""A small configuration and data of the real kind, for tests of whole programs."""

import contextlib
import io
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from prepared_files import write_prepared

from tf_wsgen.config import Config
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.data.training_data import Source
from tf_wsgen.programs import command_line

ROOT = pathlib.Path(__file__).parents[2]
SMALL = {
    "network": {"width": 24, "code_size": 12, "pose_branch_width": 12, "kcs_branch_width": 16, "pose_gain": 0.02},
    "optimizer": {"learning_rate": 1e-3},
    "training": {
        "updates": 20,
        "batch_size": 8,
        "steps_per_execution": 1,
        "evaluate_every": 10,
        "ema_momentum": 0.9,
        "jit_compile": False,
    },
    "evaluation": {
        "validation_rows": 40,
        "num_hypotheses": 3,
        "diversity_pool": 6,
        "posterior_rows": 8,
        "posterior_hypotheses": 9,
    },
}


@pytest.fixture(scope="session")
def people_file(tmp_path_factory) -> pathlib.Path:
    """A prepared file of few synthetic people."""
    path = tmp_path_factory.mktemp("people") / "people.h5"
    write_prepared(path, synthetic_people(seed=1, train_sequences=12, test_sequences=4, frames=6))
    return path


@pytest.fixture(scope="session")
def small_config(people_file) -> Config:
    return Config().override({**SMALL, "data": {"path": str(people_file)}}, "test")


@pytest.fixture(scope="session")
def small_data(small_config):
    return Source(small_config.data).training(seed=0)


@pytest.fixture(scope="session")
def small_flags(small_config, tmp_path_factory) -> list[str]:
    """The small configuration as a flag of the scripts."""
    file = tmp_path_factory.mktemp("config") / "small.yaml"
    file.write_text(small_config.to_yaml())
    return [f"--config={file}"]


@pytest.fixture(scope="session")
def script():
    """Makes the command line of a script."""
    return lambda name, *arguments: [sys.executable, str(ROOT / "scripts" / f"{name}.py"), *map(str, arguments)]


@pytest.fixture(scope="session")
def run_script(script):
    """Runs a script to its end, within two minutes; standard output and error are texts."""

    def run(name, *arguments, environment=None):
        return subprocess.run(
            script(name, *arguments),
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})},
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def interrupt_script(script):
    """Runs a script and sends it a signal as soon as it may be; exit code, and all that it printed."""

    def run(ready, name, *arguments, number=signal.SIGINT):
        command = script(name, *arguments)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            deadline = time.monotonic() + 300
            while not ready() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(number)
            output = process.communicate(timeout=60)[0]
        return process.returncode, output

    return run


@pytest.fixture(scope="session")
def run_program():
    """Runs a program as its script does, but in this process; standard output and error are texts."""

    def run(name, *arguments):
        output, error, terminate = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
        command = [f"{name}.py", *map(str, arguments)]
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(error):
                command_line.run(name, command)
        except SystemExit as end:
            return subprocess.CompletedProcess(command, end.code or 0, output.getvalue(), error.getvalue())
        finally:
            signal.signal(signal.SIGTERM, terminate)

    return run
