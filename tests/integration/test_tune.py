"""The search with real training: the script, Ctrl-C and resuming, a chief with two workers, exit codes."""

import csv
import os
import re
import signal
import socket
import subprocess
import sys
import time
import types

import pytest
from prepared_files import write_prepared

from tf_wsgen.config import Config, load_config
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.errors import NonFiniteLossError
from tf_wsgen.training.workdir import Workdir
from tf_wsgen.tuning.oracles import PAPERS
from tf_wsgen.tuning.search import tune

pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def search_config(small_config, tmp_path_factory) -> Config:
    """A small search on data without test rows."""
    path = tmp_path_factory.mktemp("search") / "training_only.h5"
    people = synthetic_people(seed=1, train_sequences=12, test_sequences=1, frames=6)
    people.test = None
    write_prepared(path, people)
    changes = {
        "data": {"path": str(path)},
        "training": {"updates": 10, "evaluate_every": 5},
        "evaluation": {"posterior_rows": 8, "posterior_hypotheses": 6},
    }
    return small_config.override(changes, "test")


@pytest.fixture
def config_file(search_config, tmp_path):
    def write(**changes):
        path = tmp_path / "config.yaml"
        path.write_text(search_config.override(changes, "test").to_yaml())
        return path

    return write


def rows_of(file):
    with file.open() as opened:
        return list(csv.DictReader(opened))


def test_ctrl_c_leaves_a_search_whose_trial_resumes(interrupt_script, run_program, config_file, tmp_path):
    folder = tmp_path / "search"
    run = Workdir(folder / "trials" / "0")
    training = {"updates": 200, "evaluate_every": 20}
    config = config_file(training=training, tuning={"objective": "accuracy_and_calibration"})
    command = ("tune", "--config", config, "--max_trials", 1, "--workdir", folder)
    code, output = interrupt_script(run.log_file.exists, *command)
    assert code == 130, output[-2000:]
    assert "the same command resumes" in output
    assert "Traceback" not in output
    assert [row["status"] for row in rows_of(folder / "trials.csv")] == ["unfinished"]
    done = run.log()
    assert 0 < int(done[-1]["update"]) < 200

    finished = run_program(*command)
    assert finished.returncode == 0, finished.stderr[-2000:]
    # The rows of before, as they were: the trial went on from its own checkpoint.
    assert run.log()[: len(done)] == done
    assert run.log()[-1]["update"] == "200"
    (trial,) = rows_of(folder / "trials.csv")
    best = min(float(row["val_zero_code_p2"]) for row in run.log())
    assert float(trial["zero_code_p2"]) == best
    assert float(trial["score"]) == pytest.approx(best + 100.0 * float(trial["calibration_error"]))
    assert f"{float(trial['score']):.2f}" in finished.stdout
    assert (folder / "trials.png").exists()
    # A trial is a work directory like any other, and the best configuration one like any other.
    assert run.load_lifter("latest")[1] == 200
    assert load_config(folder / "best.yaml") == load_config(config).override(
        {"tuning": Config().to_dict()["tuning"]}, "test"
    )


# A worker of which training is stood in for: it takes until both workers have a trial.
WORKER = """
import os, pathlib, sys, time
from tf_wsgen.programs import command_line
from tf_wsgen.training import loop, workdir
from tf_wsgen.tuning import search

def train(config, folder, source):
    run, together = workdir.Workdir(folder), pathlib.Path(sys.argv[1])
    run.begin(config, "made up")
    (together / os.environ["KERASTUNER_TUNER_ID"]).touch()
    while len(list(together.iterdir())) < 2:
        time.sleep(0.1)
    error = 40.0 + config.loss.weight_2d
    workdir.write_text(run.log_file, f"update,minutes,val_zero_code_p2,val_best_hypothesis_p2\\n10,1,{error},1\\n")
    return loop.Outcome(10, interrupted=False)

search.train = train
command_line.run("tune", ["tune.py", *sys.argv[2:]])
"""


def test_two_workers_share_a_chiefs_trials(config_file, tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    addresses = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": port}
    folder, config, together = tmp_path / "search", config_file(tuning={"max_trials": 3}), tmp_path / "together"
    together.mkdir()
    command = [sys.executable, "-c", WORKER, str(together), f"--config={config}", f"--workdir={folder}"]
    workers = [
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **addresses, "KERASTUNER_TUNER_ID": name},
        )
        for name in ("worker1", "worker2")
    ]
    deadline = time.monotonic() + 300

    def sleep(seconds):
        # The chief of keras-tuner looks every 20 s whether all are done, and waits for the dead for ever.
        time.sleep(min(seconds, 0.2))
        assert not any(worker.poll() for worker in workers), "a worker failed"
        assert time.monotonic() < deadline

    monkeypatch.setattr("keras_tuner.src.distribute.oracle_chief.time", types.SimpleNamespace(sleep=sleep))
    for name, value in {**addresses, "KERASTUNER_TUNER_ID": "chief"}.items():
        monkeypatch.setenv(name, value)
    told = []
    try:
        outcome = tune(load_config(config), folder, say=told.append)
    finally:
        outputs = []
        for worker in workers:
            worker.send_signal(signal.SIGTERM) if "outcome" not in locals() else None
            outputs.append(worker.communicate(timeout=60)[0])
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    assert f"127.0.0.1:{port}" in told[0]
    assert [trial.status for trial in outcome.trials] == ["done"] * 3
    # Each ran some of the trials, and none ran twice.
    ran = [re.findall(r"^Trial (\d) \(\d of 3\)", output, re.MULTILINE) for output in outputs]
    assert all(ran), outputs
    assert sorted(ran[0] + ran[1]) == ["0", "1", "2"]
    assert all("This worker is done" in output for output in outputs)
    for trial in outcome.trials:
        run = Workdir(folder / "trials" / trial.name)
        assert {name: getattr(run.config().loss, name) for name in PAPERS} == trial.weights
        assert min(float(row["val_zero_code_p2"]) for row in run.log()) == trial.score
    assert len(rows_of(folder / "trials.csv")) == 3


def test_without_any_score_the_program_leaves_with_3(run_program, config_file, tmp_path, monkeypatch):
    def train(config, folder, source):
        raise NonFiniteLossError("Loss mmd_squared is nan after update 3.")

    monkeypatch.setattr("tf_wsgen.tuning.search.train", train)
    finished = run_program("tune", "--config", config_file(), "--max_trials", 2, "--workdir", tmp_path / "search")
    assert finished.returncode == 3, finished.stderr[-2000:]
    assert finished.stdout.count("failed: NonFiniteLossError: Loss mmd_squared is nan after update 3.") == 4
    assert finished.stderr.splitlines()[-1].startswith("tune.py: no trial has a score")
