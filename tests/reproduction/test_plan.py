"""What each table takes, what is shared, and what is refused."""

import pytest

from tf_wsgen.config import Config
from tf_wsgen.errors import InputError
from tf_wsgen.reproduction.plan import BASE, DETECTIONS, checked, measurements, runs, targets

CONFIG = Config()
ALL = ["table_1", "table_2", "table_3", "table_4a", "table_4b", "table_5", "figure_3"]
FILES = ("data", "detections", "mpii", "mpi_inf_3dhp")


def changed(run, given=CONFIG):
    """Fields that a run changes, the data's path apart."""
    config, found = run.config(given, "some.h5"), {}
    assert config.data.path == "some.h5"
    for section, fields in config.to_dict().items():
        for field, value in fields.items():
            if value != given.to_dict()[section][field]:
                found[f"{section}.{field}"] = value
    return {name: value for name, value in found.items() if name != "data.path"}


def test_the_runs_of_everything():
    found = {run.name: changed(run) for target in ALL for run in runs(target, CONFIG, ["data"])}
    hidden = {"loss.weight_2d": 20.0}
    assert found == {
        "base": {},
        "hidden_1": hidden | {"training.least_hidden": 1, "training.most_hidden": 1, "evaluation.num_hidden": 1},
        "hidden_2": hidden | {"training.least_hidden": 2, "training.most_hidden": 2, "evaluation.num_hidden": 2},
        "hidden_0_to_2": hidden | {"training.most_hidden": 2, "evaluation.num_hidden": 1},
        "without_reg_rec": {"loss.weight_diversity": 0.0, "loss.weight_reconstruction": 0.0},
        **{f"reg_{w}": {"loss.weight_diversity": w} for w in (7.0, 8.0, 9.0, 10.0, 11.0, 12.0)},
    }


def test_the_paper_s_weight_is_trained_where_the_configuration_has_another():
    given = CONFIG.override({"loss": {"weight_diversity": 9.0}}, "test")
    names = {name: measured.run.name for name, measured in measurements("table_4b", given, ["data"]).items()}
    assert names["9.0"] == "base"
    assert names["7.5"] == "reg_7.5"
    assert len(names) == 7


def test_one_run_for_all_is_measured_with_none_one_and_two_hidden():
    found = measurements("table_3", CONFIG, ["data"])
    measured = {name: (what.run.name, what.num_hidden) for name, what in found.items()}
    assert measured == {
        "none": ("base", 0),
        "special 1": ("hidden_1", 1),
        "special 2": ("hidden_2", 2),
        "for all 0": ("hidden_0_to_2", 0),
        "for all 1": ("hidden_0_to_2", 1),
        "for all 2": ("hidden_0_to_2", 2),
    }


@pytest.mark.parametrize("target", ["table_1", "table_2"])
def test_detected_2d_has_a_run_of_its_own(target):
    assert set(measurements(target, CONFIG, ["data"])) == {"ground truth"}
    found = measurements(target, CONFIG, ["data", "detections"])["detected"]
    assert (found.run, found.run.data, found.data) == (DETECTIONS, "detections", "detections")


def test_table_5_is_measured_on_its_own_file_where_there_is_one():
    for given, data in ((["data"], "data"), (["data", "mpi_inf_3dhp"], "mpi_inf_3dhp")):
        found = measurements("table_5", CONFIG, given)["pck"]
        assert (found.run, found.kind, found.data) == (BASE, "pck", data)


@pytest.mark.parametrize(
    ("tables", "figures", "everything", "given", "expected"),
    [
        ([], [], True, FILES, [*ALL, "figure_4"]),
        ([], [], True, (), ALL),
        (["5", "4a", "5"], [], False, (), ["table_4a", "table_5"]),
        (["2"], ["4", "3"], False, ("mpii",), ["table_2", "figure_3", "figure_4"]),
    ],
)
def test_targets(tables, figures, everything, given, expected):
    assert targets(tables, figures, everything, given) == expected


@pytest.mark.parametrize(
    ("tables", "figures", "everything", "message"),
    [
        ([], [], False, "expected --table"),
        (["1"], [], True, "--all is given with --table"),
        ([], ["4"], False, "--figure 4 needs --mpii"),
    ],
)
def test_what_cannot_be_asked_for(tables, figures, everything, message):
    with pytest.raises(InputError, match=message):
        targets(tables, figures, everything, ())


@pytest.mark.parametrize(("budget", "updates"), [(None, 100_000), (1, 10), (10, 10), (11, 20), (12_345, 12_350)])
def test_a_budget_is_whole_calls_into_tensorflow(budget, updates):
    assert checked(CONFIG, budget).training.updates == updates
    # A run resumes under another budget, so nothing else depends on it.
    assert checked(CONFIG, budget).override({"training": {"updates": 100_000}}, "test") == CONFIG


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("training", "most_hidden", 2),
        ("evaluation", "num_hidden", 1),
        ("evaluation", "hidden_joints", "left_wrist"),
        ("training", "strategy", "multi_worker"),
    ],
)
def test_configurations_that_would_mislabel_a_table(section, field, value):
    with pytest.raises(InputError, match=rf"{section}\.{field} is"):
        checked(CONFIG.override({section: {field: value}}, "test"), None)
