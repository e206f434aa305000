"""The scripts as people run them: the main job, resuming, Ctrl-C, and mistakes."""

import csv
import dataclasses
import json
import shutil

import matplotlib.image
import numpy as np
import pytest
from prepared_files import write_prepared

from tf_wsgen.config import Config
from tf_wsgen.data.prepared import read_prepared
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.errors import InputError, NonFiniteLossError
from tf_wsgen.training import loop
from tf_wsgen.training.checkpoints import Checkpoints
from tf_wsgen.training.loop import make_model, train
from tf_wsgen.training.strategy import make_strategy
from tf_wsgen.training.workdir import Workdir
from tf_wsgen.training.workflow import picture_run

CHOICES = ("zero_code", "mean_shift", "mean_of_hypotheses", "best_hypothesis")


@pytest.fixture(scope="module")
def run(small_config, tmp_path_factory):
    """A work directory of a finished small run, and its model."""
    folder, models = tmp_path_factory.mktemp("runs") / "small", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "make_model", lambda *given: models.append(make_model(*given)) or models[-1])
        outcome = train(small_config, folder)
    assert outcome.updates == small_config.training.updates
    assert not outcome.interrupted
    return folder, models[-1]


@pytest.fixture(scope="module")
def trained(run):
    return run[0]


def weights(folder, which="latest"):
    lifter, update = Workdir(folder).load_lifter(which)
    return np.concatenate([weight.numpy().ravel() for weight in lifter.weights]), update


def test_evaluate_and_export(trained, run_program, people_file, tmp_path):
    metrics_file, model = tmp_path / "metrics.json", tmp_path / "model"
    for command in (
        ("evaluate", "--workdir", trained, "--output", metrics_file),
        ("export", "--workdir", trained, "--output", model),
    ):
        finished = run_program(*command)
        assert finished.returncode == 0, finished.stderr[-2000:]
        if command[0] == "evaluate":
            table = finished.stdout
    metrics = json.loads(metrics_file.read_text())
    rows = len(read_prepared(people_file).test.pose_2d)
    assert metrics["num_rows"] == rows
    assert sum(action["num_rows"] for action in metrics["per_action"].values()) == rows
    for choice in CHOICES:
        assert {"p1", "p2", "p1_action_mean", "p2_action_mean"} <= set(metrics[choice])
        assert f"{metrics[choice]['p2']:.1f}" in table
    assert metrics["best_hypothesis"]["num_hypotheses"] == 3
    assert set(metrics["diversity"]) == {"std", "std_fps"}
    assert metrics["mean_pose"]["p2"] > 0
    assert "synthetic" in table
    assert (model / "saved_model.pb").exists()


def test_a_work_directory_tells_what_the_run_was(trained, small_config):
    workdir = Workdir(trained)
    assert workdir.config() == small_config
    assert workdir.run()["seed"] == small_config.training.seed
    assert set(workdir.run()["versions"]) >= {"tensorflow", "keras", "numpy", "python"}
    with workdir.log_file.open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["update"]) for row in rows] == [10, 20]
    assert {"val_zero_code_p2", "val_best_hypothesis_p2", "minutes", "learning_rate"} <= set(rows[0])
    assert list(workdir.tensorboard.iterdir())
    # The best checkpoint is the one with the lowest objective.
    best = min(rows, key=lambda row: float(row["val_zero_code_p2"]))
    assert weights(trained, "best")[1] == int(best["update"])


def test_any_model_is_measured_without_its_run(trained, people_file, run_program, tmp_path):
    few = ("--set=evaluation.posterior_rows=8", "--set=evaluation.posterior_hypotheses=9")
    asked = ("--set=evaluation.along_ray=true", "--set=evaluation.detector=true", "--data", people_file)
    model, output = ("--model", trained / "best.npz"), tmp_path / "metrics.json"
    finished = run_program("evaluate", *model, *asked, *few, "--output", output)
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert "2D as the simulated detector finds it; along the rays" in finished.stdout
    metrics = json.loads(output.read_text())
    assert (metrics["updates"], metrics["detector"], metrics["along_ray"]) == (
        weights(trained, "best")[1],
        "simulated",
        True,
    )
    assert set(metrics["posterior"]["coordinates"]) == {"right", "down", "away"}


def test_a_checkpoint_holds_what_was_trained_and_another_seed_begins_elsewhere(run, small_config, small_data):
    folder, model = run
    expected = np.concatenate([weight.numpy().ravel() for weight in model.lifter().weights])
    np.testing.assert_array_equal(weights(folder)[0], expected)
    first, other = (
        make_model(small_config.override({"training": {"seed": seed}}, "test"), small_data, make_strategy("one_device"))
        for seed in (0, 1)
    )
    for one, two in zip(first.trunk.trainable_variables, other.trunk.trainable_variables, strict=True):
        assert one.shape.rank == 1 or np.abs(one - two).max() > 1e-2


def test_a_run_is_repeated_from_its_folder(trained, run_script, run_program, tmp_path):
    again = ("train", "--repeat", trained, "--workdir", tmp_path / "again")
    # Deterministic operations are of a whole process.
    finished = run_script(*again, "--deterministic")
    assert finished.returncode == 0, finished.stderr[-2000:]
    np.testing.assert_array_equal(weights(tmp_path / "again")[0], weights(trained)[0])
    other = tmp_path / "other.h5"
    write_prepared(other, synthetic_people(seed=2, train_sequences=12, test_sequences=4, frames=6))
    for arguments, message in (
        ((*again, "--data", other), "is of other data"),
        (("train", "--workdir", trained, "--config", trained / "config.yaml", "--data", other), "is of other data"),
        ((*again, "--set=training.seed=1"), "expected neither --config nor --set"),
    ):
        refused = run_program(*arguments)
        assert refused.returncode == 2, refused.stderr[-2000:]
        assert message in refused.stderr.splitlines()[-1]


def test_another_configuration_is_not_mixed_into_a_run(trained, small_config):
    before = (trained / "config.yaml").read_text()
    other = small_config.override({"loss": {"weight_2d": 20.0}}, "test")
    with pytest.raises(InputError, match=r"loss\.weight_2d = 10\.0, now 20\.0"):
        train(other, trained)
    assert (trained / "config.yaml").read_text() == before


def test_a_loss_that_is_not_finite_stops_with_the_last_checkpoint_intact(trained, run_program, small_flags, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    before = weights(tmp_path / "run")[0]
    # A run that was fine so far, made to explode: its rate is rewritten as if it had always been this.
    config_file = tmp_path / "run" / "config.yaml"
    config_file.write_text(config_file.read_text().replace("learning_rate: 0.001", "learning_rate: 1.0e+30"))
    flags = [*small_flags, "--set=optimizer.learning_rate=1e30", "--set=training.updates=40"]
    finished = run_program("train", "--workdir", tmp_path / "run", *flags)
    assert finished.returncode == 3, finished.stderr[-2000:]
    message = finished.stderr.strip().splitlines()[-1]
    assert message.startswith("train.py: ")
    assert "earlier checkpoints are as they were" in message
    assert "Traceback" not in finished.stderr
    np.testing.assert_array_equal(weights(tmp_path / "run")[0], before)
    told = json.loads((tmp_path / "run" / "not_finite.json").read_text())
    assert (told["seed"], 20 < told["update"] <= 40) == (0, True)
    assert {"nan", "inf"} & set(told["losses"].values())


def test_nonfinite_weights_are_not_saved(small_config, small_data, tmp_path):
    model, workdir = make_model(small_config, small_data, make_strategy("one_device")), Workdir(tmp_path)
    workdir.begin(small_config, small_data.source)
    checkpoints = Checkpoints(model, workdir, "val_zero_code_p2")
    checkpoints.set_model(model)
    broken = model.encoder.trainable_variables[0]
    broken.assign(np.full(broken.shape, np.inf))
    with pytest.raises(NonFiniteLossError, match=f"{broken.path} is not finite"):
        checkpoints.save({"val_zero_code_p2": 1.0})
    assert not list(tmp_path.rglob("*ckpt*"))
    with pytest.raises(InputError, match="no latest checkpoint yet"):
        weights(tmp_path)


def test_every_configuration_file_is_valid(request):
    from tf_wsgen.config import load_config

    files = sorted((request.config.rootpath / "configs").glob("*.yaml"))
    assert {"cmu16.yaml", "paper.yaml", "quickstart.yaml"} <= {file.name for file in files}
    for file in files:
        assert load_config(file) != Config() or file.name == "paper.yaml"
    paper = load_config(request.config.rootpath / "configs" / "paper.yaml")
    assert dataclasses.asdict(paper.network) == dataclasses.asdict(Config().network)
    assert (paper.network.width, paper.network.code_size, paper.optimizer.learning_rate) == (1024, 1024, 1e-4)
    assert paper.training.ema_momentum == 0.0


def test_a_picture_of_hypotheses(trained, small_config, tmp_path):
    picture_run(Workdir(trained), small_config, tmp_path / "hypotheses.png", count=2)
    image = matplotlib.image.imread(tmp_path / "hypotheses.png")
    assert image.std() > 0.02
