"""What is trained and measured, what is not repeated, and what is refused; training and measuring are stood in for."""

import json

import numpy as np
import pytest
from made_up_results import errors
from prepared_files import write_prepared

from tf_wsgen.config import Config
from tf_wsgen.data.prepared import PoseGroup, PreparedData
from tf_wsgen.errors import InputError, NonFiniteLossError
from tf_wsgen.reproduction import running, session
from tf_wsgen.reproduction.running import reproduce
from tf_wsgen.skeleton import HUMAN16
from tf_wsgen.training.loop import Outcome
from tf_wsgen.training.workdir import Workdir

REASON = "Loss mmd_squared is nan after update 5."
TABLES = ["table_1", "table_2", "table_3", "table_4a", "table_4b"]


class StandIn:
    """Notes what is trained and measured; `behaviour` by run: "fails", "stops", or nothing special."""

    def __init__(self):
        self.trained, self.measured, self.behaviour = [], [], {}

    def train(self, config, path, source=None):
        folder = Workdir(path)
        if folder.started and folder.config().loss != config.loss:
            raise InputError(f"{path}: holds a run with another loss.")
        self.trained.append(path.name)
        folder.begin(config, "a made-up film", source.fingerprint if source else "")
        behaviour = self.behaviour.get(path.name)
        if behaviour == "fails":
            raise NonFiniteLossError(REASON)
        if behaviour == "stops":
            return Outcome(10, interrupted=True)
        for which in ("best", "latest"):
            folder.lifter_file(which).write_bytes(f"{config.loss} {config.training.updates}".encode())
        return Outcome(config.training.updates, interrupted=False)

    def evaluate(self, workdir, config, which, source):
        assert which == "best"
        if self.behaviour.get(workdir.path.name) == "ctrl_c":
            raise KeyboardInterrupt
        self.measured.append((workdir.path.name, config.evaluation.num_hidden))
        result = errors(40.0 + config.loss.weight_diversity, source="a made-up film")
        return {name: value for name, value in result.items() if name != "run"}


@pytest.fixture
def stand_in(monkeypatch):
    made = StandIn()
    monkeypatch.setattr(session, "train", made.train)
    monkeypatch.setattr(session, "evaluate_run", made.evaluate)
    monkeypatch.setattr(Workdir, "load_lifter", lambda self, which="best": (None, 10))
    # Charts are drawn in other tests; without models there is nothing to free, which takes a moment each time.
    monkeypatch.setattr(running, "draw_chart", lambda *arguments: arguments[-1].write_bytes(b"a chart"))
    for module in (running, session):
        monkeypatch.setattr(module, "clear", lambda: None)
    return made


def write_people(path, seed=0):
    rng = np.random.default_rng(seed)
    groups = [
        PoseGroup(
            rng.normal(300.0, 100.0, (rows, 16, 2)).astype(np.float32),
            rng.normal(0.0, 300.0, (rows, 16, 3)).astype(np.float32),
        )
        for rows in (6, 4)
    ]
    write_prepared(path, PreparedData(HUMAN16.joints, "a made-up film", *groups))


@pytest.fixture
def config(tmp_path):
    write_people(tmp_path / "people.h5")
    changes = {"data": {"path": str(tmp_path / "people.h5")}, "training": {"updates": 20}}
    return Config().override(changes, "test")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "W"


def contents(folder):
    return {path.name: path.read_bytes() for path in (folder / "tables").iterdir()}


def test_runs_are_shared_between_tables_and_each_is_trained_once(stand_in, config, folder):
    outcome = reproduce(config, folder, TABLES)
    weights = [f"reg_{weight}" for weight in (7.0, 8.0, 9.0, 10.0, 11.0, 12.0)]
    assert stand_in.trained == ["base", "hidden_1", "hidden_2", "hidden_0_to_2", "without_reg_rec", *weights]
    assert sorted(stand_in.measured) == sorted(
        [("base", 0), ("hidden_1", 1), ("hidden_2", 2), ("without_reg_rec", 0)]
        + [("hidden_0_to_2", count) for count in (0, 1, 2)]
        + [(weight, 0) for weight in weights]
    )
    assert not outcome.failed
    assert not outcome.interrupted
    names = ["table_1", "table_2", "table_3", "table_3_actions", "table_4a", "table_4b"]
    expected = {f"{name}.{ending}" for name in names for ending in ("md", "csv", "json", "png")}
    assert set(contents(folder)) == {file.name for file in outcome.written} == expected


def test_nothing_is_repeated(stand_in, config, folder):
    reproduce(config, folder, ["table_4a"])
    before, _ = contents(folder), stand_in.__init__()
    reproduce(config, folder, ["table_4a"])
    assert stand_in.trained == stand_in.measured == []
    assert contents(folder) == before
    # A further table takes what is there, and trains the rest.
    reproduce(config, folder, ["table_1", "table_4b"])
    assert len(stand_in.trained) == len(stand_in.measured) == 6
    assert "base" not in stand_in.trained


def test_more_updates_train_on_and_measure_anew_fewer_do_not(stand_in, config, folder):
    for updates, expected in ((20, 1), (10, 1), (40, 2)):
        reproduce(config.override({"training": {"updates": updates}}, "test"), folder, ["table_1"])
        assert len(stand_in.trained) == len(stand_in.measured) == expected
    assert "40 updates" in (folder / "tables" / "table_1.md").read_text()


@pytest.mark.parametrize(("field", "value", "measured"), [("num_hypotheses", 20, 2), ("batch_size", 8, 1)])
def test_what_a_measurement_depends_on(stand_in, config, folder, field, value, measured):
    reproduce(config, folder, ["table_1"])
    reproduce(config.override({"evaluation": {field: value}}, "test"), folder, ["table_1"])
    assert len(stand_in.measured) == measured


def test_ctrl_c_in_training_leaves_earlier_tables_and_resumes(stand_in, config, folder):
    stand_in.behaviour["without_reg_rec"] = "stops"
    outcome = reproduce(config, folder, ["table_1", "table_4a"])
    assert outcome.interrupted
    assert {file.name for file in outcome.written} == {f"table_1.{end}" for end in ("md", "csv", "json", "png")}
    assert not (folder / "tables" / "table_4a.md").exists()
    stand_in.behaviour.clear()
    assert not reproduce(config, folder, ["table_1", "table_4a"]).interrupted
    assert stand_in.trained == ["base", "without_reg_rec", "without_reg_rec"]
    assert stand_in.measured == [("base", 0), ("without_reg_rec", 0)]


def test_ctrl_c_in_a_measurement_repeats_that_alone(stand_in, config, folder):
    stand_in.behaviour["without_reg_rec"] = "ctrl_c"
    assert reproduce(config, folder, ["table_4a"]).interrupted
    stand_in.behaviour.clear()
    reproduce(config, folder, ["table_4a"])
    assert stand_in.trained == ["base", "without_reg_rec"]
    assert stand_in.measured == [("base", 0), ("without_reg_rec", 0)]


def test_a_run_that_is_not_finite_is_reported_and_not_repeated(stand_in, config, folder):
    stand_in.behaviour["without_reg_rec"] = "fails"
    for _ in range(2):
        outcome = reproduce(config, folder, ["table_4a"])
        assert outcome.failed == {"without_reg_rec": REASON}
    assert stand_in.trained == ["base", "without_reg_rec"]
    page = (folder / "tables" / "table_4a.md").read_text()
    assert "| without L_reg and L_rec | not finite |" in page
    assert f"Run without_reg_rec stopped and is not measured. {REASON}" in page
    # Without its record it is tried again.
    stand_in.behaviour.clear()
    (folder / "results" / "without_reg_rec.json").unlink()
    assert reproduce(config, folder, ["table_4a"]).failed == {}


def test_held_out_errors_that_were_never_finite(stand_in, config, folder, monkeypatch):
    def without_best(config, path, source):
        Workdir(path).begin(config, "a made-up film")
        return Outcome(config.training.updates, interrupted=False)

    monkeypatch.setattr(session, "train", without_best)
    assert "never finite" in reproduce(config, folder, ["table_1"]).failed["base"]


def test_runs_of_other_data_are_not_mixed_in(stand_in, config, folder, tmp_path):
    reproduce(config, folder, ["table_1"])
    # The same source by name, but other numbers.
    write_people(tmp_path / "people.h5", seed=1)
    with pytest.raises(InputError, match="is of other data"):
        reproduce(config, folder, ["table_1"])
    assert stand_in.trained == ["base"]


def test_the_same_data_elsewhere_are_the_same(stand_in, config, folder, tmp_path):
    reproduce(config, folder, ["table_1"])
    (tmp_path / "people.h5").rename(tmp_path / "moved.h5")
    reproduce(config.override({"data": {"path": str(tmp_path / "moved.h5")}}, "test"), folder, ["table_1"])
    assert (stand_in.trained, len(stand_in.measured)) == (["base"], 1)


def test_detected_2d_is_trained_and_measured_on_its_own_file(stand_in, config, folder, tmp_path, monkeypatch):
    write_people(tmp_path / "detected.h5", seed=1)
    paths, train = {}, stand_in.train

    def noting(config, path, source):
        paths[path.name] = config.data.path
        return train(config, path, source)

    monkeypatch.setattr(session, "train", noting)
    reproduce(config, folder, ["table_1"], {"detections": str(tmp_path / "detected.h5")})
    assert paths == {"base": config.data.path, "detections": str(tmp_path / "detected.h5")}
    assert "not given" not in (folder / "tables" / "table_1.md").read_text()


def test_a_bad_file_is_found_before_anything_is_trained(stand_in, config, folder, tmp_path):
    with pytest.raises(InputError, match=r"missing\.h5: there is no such file"):
        reproduce(config, folder, ["table_1"], {"detections": str(tmp_path / "missing.h5")})
    assert not folder.exists()


def test_people_without_ground_truth_are_enough_for_figure_4(stand_in, config, folder, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(running, "draw_without_truth", lambda *arguments: drawn.append(arguments))
    rng = np.random.default_rng(0)
    pose_2d = rng.normal(300.0, 100.0, (3, 16, 2)).astype(np.float32)
    write_prepared(tmp_path / "mpii.h5", PreparedData(HUMAN16.joints, "MPII", None, PoseGroup(pose_2d)))
    reproduce(config, folder, ["figure_4"], {"mpii": str(tmp_path / "mpii.h5")})
    ((_, keypoints, visible, evaluation, output, source),) = drawn
    np.testing.assert_array_equal(keypoints, pose_2d)
    assert (visible == 1).all()
    assert (evaluation, output.name, source) == (config.evaluation, "figure_4.png", "MPII")
    about = json.loads((folder / "tables" / "figure_4.json").read_text())
    assert (about["source"], about["trained_on"]) == ("MPII", "a made-up film")
    assert "ground truth" not in about["title"]
