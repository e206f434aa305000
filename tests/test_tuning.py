"""The search with training made up: λ, lengths, failures, resuming, results. Real runs: integration/test_tune.py."""

import csv
import itertools
import json
import math
import types

import filelock
import matplotlib.pyplot as plt
import numpy as np
import pytest
import threadpoolctl

from tf_wsgen.config import Config, load_config
from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.errors import InputError, NonFiniteLossError
from tf_wsgen.evaluation.tuning_figure import draw_trials
from tf_wsgen.sections import LossConfig, TuningConfig
from tf_wsgen.skeleton import HUMAN16
from tf_wsgen.training import loop
from tf_wsgen.training.workdir import Workdir, write_text
from tf_wsgen.tuning import search as search_module
from tf_wsgen.tuning import trials
from tf_wsgen.tuning.oracles import PAPERS, make_oracle, searched, trial_config
from tf_wsgen.tuning.search import tune
from tf_wsgen.tuning.trials import SearchOutcome, Trial

# keras-tuner 1.4.8 asks for the thread's name as Python 2 did.
pytestmark = [
    pytest.mark.filterwarnings("ignore:currentThread:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:getName:DeprecationWarning"),
]

PAPER = {name: getattr(LossConfig(), name) for name in PAPERS}
FEW = {"training": {"updates": 40, "steps_per_execution": 10, "evaluate_every": 20}}
# Two short trials, of which one goes on; then two of full length.
SHORT_HYPERBAND = {"tuner": "hyperband", "hyperband_factor": 2, "hyperband_rounds": 2, "max_trials": 6}


class MadeUpTraining:
    """Stands for `train`: the error falls with updates, and is lowest where every λ is twice the paper's."""

    def __init__(self):
        self.runs, self.before, self.pictures = [], {}, []

    def __call__(self, config, folder, source):
        run, name = Workdir(folder), folder.name
        done = len(run.log_file.read_text().splitlines()) - 1 if run.log_file.exists() else 0
        self.runs.append((name, done, config))
        run.begin(config, "made up")
        if name in self.before:
            event = self.before.pop(name)
            if isinstance(event, BaseException):
                raise event
            if event == "signal":
                self.log(run, config, done + 1)
                return loop.Outcome(10, interrupted=True)
            write_text(run.log_file, f"update,minutes,val_zero_code_p2,val_best_hypothesis_p2\n10,1,{event},{event}\n")
            return loop.Outcome(config.training.updates, interrupted=False)
        self.log(run, config, config.training.updates // 10)
        return loop.Outcome(config.training.updates, interrupted=False)

    @staticmethod
    def error(config):
        return sum(math.log2(getattr(config.loss, name) / PAPER[name] / 2) ** 2 for name in PAPERS)

    def log(self, run, config, rows):
        values = [50.0 + self.error(config) + 100.0 / (row + 1) for row in range(rows)]
        lines = [f"{10 * row + 10},1,{value},{value - 10}" for row, value in enumerate(values)]
        write_text(run.log_file, "\n".join(["update,minutes,val_zero_code_p2,val_best_hypothesis_p2", *lines, ""]))


@pytest.fixture
def training(monkeypatch):
    made_up = MadeUpTraining()
    rows = PairedRows(np.zeros((2, 16, 2)), np.ones((2, 16)), np.zeros((2, 16, 3)))
    monkeypatch.setattr(search_module, "train", made_up)
    data = types.SimpleNamespace(validation=rows, held_out_room=rows.pose_3d, pose_3d=rows.pose_3d, skeleton=HUMAN16)
    monkeypatch.setattr(search_module.Source, "training", lambda source, seed: data)
    monkeypatch.setattr(trials, "draw_trials", lambda *arguments, first: made_up.pictures.append(arguments))
    return made_up


def configured(**tuning):
    return Config().override({**FEW, "tuning": tuning}, "test")


@pytest.fixture
def search(training, tmp_path):
    """Searches in the folder "w", with a configuration or with settings of the search."""

    def search(config=None, **tuning):
        return tune(config or configured(**tuning), tmp_path / "w", say=lambda text: None)

    return search


def by_name(outcome):
    return {trial.name: trial for trial in outcome.trials}


# What is tried.


@pytest.mark.parametrize("tuner", [{"tuner": "random"}, SHORT_HYPERBAND])
def test_the_first_trial_has_the_papers_weights_at_full_length_and_others_lie_around_them(search, tuner):
    outcome = search(**{"max_trials": 6} | tuner)
    trials = by_name(outcome)
    assert trials["0"].weights == PAPER
    assert trials["0"].updates == 40
    assert len(trials) == 6
    assert outcome.best.score <= trials["0"].score
    for trial in trials.values():
        for name, value in trial.weights.items():
            assert PAPER[name] / 4.001 <= value <= PAPER[name] * 4.001
    assert len({tuple(trial.weights.items()) for trial in trials.values()}) >= 5


def test_weights_are_drawn_evenly_on_a_log_scale():
    config = configured(max_trials=400, factor_2d=10.0)
    oracle = make_oracle(config)
    oracle.trials = {"0": None}
    drawn = [oracle.populate_space(str(number))["values"] for number in range(1, 400)]
    for name, value in PAPER.items():
        factor = 10.0 if name == "weight_2d" else 4.0
        places = np.array([math.log(values[name] / value, factor) for values in drawn])
        assert np.abs(places).max() <= 1.001
        # Quartiles of an even distribution over −1 … 1.
        np.testing.assert_allclose(np.quantile(places, [0.25, 0.5, 0.75]), [-0.5, 0.0, 0.5], atol=0.15)


def test_simulated_pairs_have_weights_of_their_own():
    config = configured(factor_median=2.0).override({"loss": {"weight_pose_energy": 1.0, "weight_median": 3.0}}, "test")
    oracle = make_oracle(config)
    oracle.trials = {"0": None}
    values = oracle.populate_space("1")["values"]
    assert set(searched(config.loss)) == set(values)
    assert 1.5 <= values["weight_median"] <= 6.0
    assert values["weight_joint_energy"] == 0.0
    assert trial_config(config, values).loss.weight_median == values["weight_median"]


def test_what_is_drawn_follows_from_the_seed_alone():
    def draws(seed):
        oracle = make_oracle(configured(seed=seed))
        oracle.trials = {"0": None}
        drawn = [oracle.populate_space(str(number))["values"] for number in range(1, 6)]
        return [round(math.log(values[name] / PAPER[name], 4), 3) for values in drawn for name in PAPERS]

    assert draws(0) == draws(0)
    assert draws(1) == draws(1)
    # keras-tuner's own neighbouring seeds share all draws but one.
    assert len({*draws(0)} & {*draws(1)}) < 3


def test_the_search_is_around_the_configurations_own_weights_and_keeps_what_it_is_told_to(search, training):
    config = configured(max_trials=4, factor_camera=1.0)
    config = config.override({"loss": {"weight_2d": 100.0, "weight_diversity": 0.0}}, "test")
    training.error = lambda config: 0.0
    trials = by_name(search(config))
    assert trials["0"].weights == {**PAPER, "weight_2d": 100.0, "weight_diversity": 0.0}
    for trial in trials.values():
        assert 25.0 <= trial.weights["weight_2d"] <= 400.0
        assert (trial.weights["weight_camera"], trial.weights["weight_diversity"]) == (10.0, 0.0)


def test_bayesian_search_chooses_by_the_scores_after_a_random_beginning(search, training, tmp_path):
    config = configured(tuner="bayesian", max_trials=7, factor_2d=1.0, factor_camera=1.0, factor_gradient_penalty=1.0)
    training.before = {"6": "signal"}
    # Matrices this small are slower on more threads.
    with threadpoolctl.threadpool_limits(1):
        stopped = by_name(search(config))
        trials = by_name(search(config))
        training.error = lambda config: -MadeUpTraining.error(config)
        others = by_name(tune(config, tmp_path / "v", say=lambda text: None))
    assert {trial.status for trial in trials.values()} == {"done"}
    assert trials["0"].weights == PAPER
    assert trials["6"].weights == stopped["6"].weights
    assert [trials[name].weights for name in "012345"] == [others[name].weights for name in "012345"]
    assert trials["6"].weights != others["6"].weights


# `tuning.updates`, updates a call, hyperband's length of 9 (random search has none), updates of the trial.
LENGTHS = [(None, 10, 9, 1000), (700, 10, 9, 700), (705, 10, 9, 710), (900, 10, 1, 100), (900, 7, 1, 105)]
LENGTHS += [(5, 10, 1, 10), (900, 10, None, 900)]


@pytest.mark.parametrize(("updates", "step", "length", "expected"), LENGTHS)
def test_the_updates_of_a_trial(updates, step, length, expected):
    training = {"updates": 1000 // step * step, "steps_per_execution": step, "evaluate_every": 20 * step}
    config = Config().override({"training": training, "tuning": {"updates": updates}}, "test")
    values = PAPER if length is None else {**PAPER, "tuner/epochs": length}
    trial = trial_config(config, values)
    assert trial.training.updates == expected
    # More trials must not make a run another one.
    assert trial.tuning == TuningConfig()


def test_hyperbands_lengths_are_those_of_its_paper():
    # R = 9, η = 3: brackets of 9, 3 and 1; of 5 and 2; of 3; what each trial adds to that it continues.
    oracle = make_oracle(configured(tuner="hyperband"))
    one_pass = [9] + [1] * 9 + [2] * 3 + [6] + [3] * 5 + [6] * 2 + [9] * 3
    assert list(itertools.islice(oracle.lengths(), 47)) == one_pass + one_pass[1:]
    assert len(one_pass) == TuningConfig().max_trials


def test_hyperband_goes_on_with_the_better_half(search, training, tmp_path):
    trials = by_name(search(**SHORT_HYPERBAND))
    assert [trials[str(number)].updates for number in range(6)] == [40, 20, 20, 40, 40, 40]
    better = min(("1", "2"), key=lambda name: trials[name].score)
    assert [trials[str(number)].continues for number in range(6)] == ["", "", "", better, "", ""]
    assert trials["3"].weights == trials[better].weights
    # Two of the four intervals were there already, and the shorter run is still as it was.
    assert [(name, done) for name, done, _ in training.runs][3] == ("3", 2)
    assert Workdir(tmp_path / "w" / "trials" / better).config().training.updates == 20


def test_the_best_is_one_of_the_longest(search, training):
    training.before = {"1": "1.0"}
    outcome = search(**SHORT_HYPERBAND)
    assert by_name(outcome)["1"].score == 1.0
    assert outcome.best.updates == 40
    assert outcome.best.score == min(trial.score for trial in outcome.trials if trial.updates == 40)


# What is measured.


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("zero_code_p2", 60.0),
        ("best_hypothesis_p2", 45.0),
        ("energy_score", 33.0),
        ("accuracy_and_calibration", 60.0 + 50.0 * 0.2),
    ],
)
def test_objectives(search, training, monkeypatch, objective, expected):
    def train(config, folder, source):
        training(config, folder, source)
        # The best checkpoint is the second's, whose best hypothesis is not the best.
        rows = "10,1,70,44\n20,1,60,45\n30,1,nan,1\n40,1,61,43\n"
        write_text(Workdir(folder).log_file, f"update,minutes,val_zero_code_p2,val_best_hypothesis_p2\n{rows}")
        return loop.Outcome(40, interrupted=False)

    asked = []

    def report(lifter, rows, config):
        asked.append((lifter, len(rows)))
        return {"energy_score": {"pose": 33.0, "joint": 9.0}, "calibration_error": 0.2}

    monkeypatch.setattr(search_module, "train", train)
    monkeypatch.setattr(search_module, "posterior_report", report)
    monkeypatch.setattr(Workdir, "load_lifter", lambda workdir, which: (which, 20))
    config = configured(objective=objective, max_trials=1, calibration_weight=50.0)
    assert search(config).best.score == pytest.approx(expected)
    assert asked == ([] if "p2" in objective else [("best", 2)])


# What fails.


def test_failed_trials_are_told_of_and_the_search_goes_on(training, tmp_path):
    # More in a row than keras-tuner bears by default.
    training.before = {
        "1": NonFiniteLossError("Loss mmd_squared is nan after update 7."),
        "2": "nan",
        "3": ZeroDivisionError("a mistake"),
        "4": NonFiniteLossError("Loss diversity is inf."),
    }
    told = []
    outcome = tune(configured(max_trials=6), tmp_path / "w", say=told.append)
    trials = by_name(outcome)
    assert [trials[str(number)].status for number in range(6)] == ["done"] + ["failed"] * 4 + ["done"]
    assert trials["1"].message == "NonFiniteLossError: Loss mmd_squared is nan after update 7."
    assert "not finite" in trials["2"].message
    assert trials["3"].message == "ZeroDivisionError: a mistake"
    for number in range(1, 5):
        assert math.isnan(trials[str(number)].score)
        assert f"Trial {number} failed: {trials[str(number)].message}" in outcome.table()
        assert any(text.startswith(f"Trial {number} failed: ") for text in told)
    assert [trial.status for trial in outcome.trials[-4:]] == ["failed"] * 4
    with (tmp_path / "w" / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["message"]
    assert rows[-1]["score"] == ""
    assert "Traceback" in (tmp_path / "w" / "trials" / "3" / "failure.txt").read_text()


@pytest.mark.parametrize("tuner", [{"tuner": "bayesian"}, SHORT_HYPERBAND])
def test_without_any_score_there_is_no_best(search, training, tmp_path, tuner):
    training.before = {str(number): NonFiniteLossError("inf") for number in range(10)}
    outcome = search(**{"max_trials": 6} | tuner)
    assert outcome.best is None
    assert {trial.status for trial in outcome.trials} == {"failed"}
    assert len(outcome.trials) == 6
    assert (tmp_path / "w" / "trials.csv").exists()
    assert not (tmp_path / "w" / "best.yaml").exists()


@pytest.mark.parametrize("error", [InputError("people.h5: is gone."), OSError(28, "No space left on device")])
def test_what_the_user_must_mend_ends_the_search_which_then_resumes(search, training, error):
    training.before = {"1": error}
    with pytest.raises(type(error), match=str(error.args[-1])):
        search(max_trials=3)
    outcome = search(max_trials=3)
    assert [name for name, _, _ in training.runs] == ["0", "1", "1", "2"]
    assert {trial.status for trial in outcome.trials} == {"done"}


# What is resumed.


@pytest.mark.parametrize(("tuner", "at"), [({"tuner": "random"}, "0"), (SHORT_HYPERBAND, "3")])
def test_an_interrupted_search_ends_as_an_uninterrupted_one(search, training, tmp_path, tuner, at):
    config = configured(**{"max_trials": 6} | tuner)
    whole = tune(config, tmp_path / "whole", say=lambda text: None)
    training.runs.clear()
    training.before = {at: "signal"}
    stopped = search(config)
    assert stopped.interrupted
    assert by_name(stopped)[at].status == "unfinished"
    resumed = search(config)
    assert not resumed.interrupted
    # What was done is not done again; the interrupted trial goes on where its own folder had got to.
    names = [name for name, _, _ in training.runs]
    assert names == sorted([*"012345", at])
    again = [done for name, done, _ in training.runs if name == at]
    assert again[1] == again[0] + 1
    assert by_name(resumed) == by_name(whole)


def test_a_finished_search_is_left_as_it_is_and_goes_on_with_more_trials(search, training):
    first = search(max_trials=2)
    assert by_name(search(max_trials=2)) == by_name(first)
    more = search(max_trials=4)
    assert [name for name, _, _ in training.runs] == ["0", "1", "2", "3"]
    assert by_name(first).items() <= by_name(more).items()


def test_a_trial_that_a_crash_left_out_of_the_state_is_run(search, training, tmp_path):
    state = tmp_path / "w" / "search" / "oracle.json"
    training.before = {"1": "signal"}
    search(max_trials=3)
    changed = json.loads(state.read_text()) | {"ongoing_trials": {}}
    state.write_text(json.dumps(changed))
    outcome = search(max_trials=3)
    assert {trial.status for trial in outcome.trials} == {"done"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tuning": {"tuner": "bayesian"}}, r"tuning\.tuner = 'random', now 'bayesian'"),
        ({"tuning": {"seed": 1}}, r"tuning\.seed = 0, now 1"),
        ({"tuning": {"updates": 20}}, r"tuning\.updates = None, now 20"),
        ({"training": {"updates": 80}}, r"training\.updates = 40, now 80"),
        ({"loss": {"weight_2d": 20}}, r"loss\.weight_2d = 10\.0, now 20\.0"),
        ({"training": {"strategy": "multi_worker"}}, "'multi_worker'; each process"),
        ({"tuning": {"tuner": "hyperband", "max_trials": 13}}, r"max_trials is 13; expected at least 14"),
    ],
)
def test_another_search_is_not_mixed_in(search, training, tmp_path, changes, message):
    if "strategy" not in message:
        search(max_trials=1)
    folder = tmp_path / ("v" if "13" in message else "w")
    with pytest.raises(InputError, match=message):
        tune(configured().override(changes, "test"), folder, say=lambda text: None)
    assert len(training.runs) == 1


def test_a_run_of_training_is_not_taken_for_a_search(training, tmp_path):
    Workdir(tmp_path).begin(configured(), "made up")
    with pytest.raises(InputError, match=r"holds a run of scripts/train\.py"):
        tune(configured(), tmp_path, say=lambda text: None)


def test_without_held_out_rows_there_is_no_search(search, training, tmp_path, monkeypatch):
    data = types.SimpleNamespace(held_out_room=None, pose_3d=np.zeros((2, 16, 3)))
    monkeypatch.setattr(search_module.Source, "training", lambda source, seed: data)
    with pytest.raises(InputError, match=r"data\.validation_fraction is 0"):
        search()
    assert not (tmp_path / "w").exists()


def test_two_processes_are_never_in_one_folder(search, tmp_path):
    folder = tmp_path / "w" / "search"
    folder.mkdir(parents=True)
    expected = pytest.raises(InputError, match="search: another process is at work here")
    with filelock.FileLock(folder / "lock"), expected:
        search(max_trials=1)
    search(max_trials=1)


@pytest.mark.parametrize(("file", "text"), [("oracle.json", "{"), ("oracle.json", "{}"), ("trial_0/trial.json", "[]")])
def test_a_damaged_state_is_refused(search, tmp_path, file, text):
    search(max_trials=1)
    (tmp_path / "w" / "search" / file).write_text(text)
    with pytest.raises(InputError, match="search: is no state of a search"):
        search(max_trials=2)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"TUNER_ID": "chief"}, "no KERASTUNER_ORACLE_IP and no KERASTUNER_ORACLE_PORT; expected all"),
        ({"TUNER_ID": "a", "ORACLE_IP": "127.0.0.1"}, "no KERASTUNER_ORACLE_PORT; expected all"),
        ({"TUNER_ID": "a", "ORACLE_IP": "127.0.0.1", "ORACLE_PORT": "http"}, "PORT is 'http'; expected a number"),
        (
            {"TUNER_ID": "chief", "ORACLE_IP": "nowhere.invalid", "ORACLE_PORT": "1"},
            "cannot serve at nowhere.invalid:1",
        ),
    ],
)
def test_an_environment_that_keras_tuner_cannot_use(search, monkeypatch, environment, message):
    for name, value in environment.items():
        monkeypatch.setenv(f"KERASTUNER_{name}", value)
    with pytest.raises(InputError, match=message):
        search()


# What is told.


def test_progress_tells_the_trial_its_weights_and_the_time_left(training, tmp_path, monkeypatch):
    clock = itertools.count(0, 60)
    monkeypatch.setattr(search_module.time, "monotonic", lambda: next(clock))
    told = []
    tune(configured(**SHORT_HYPERBAND), tmp_path / "w", say=told.append)
    assert told[0] == "Trial 0 (1 of 6): λ_gp 0.1, λ_2D 10, λ_cam 10, λ_reg 7.5, λ_rec 10"
    # A trial a minute, of lengths 2, 1, 1, 1, 2, 2: after the first 7 / 2 minutes are left, at the end 2 · 5 / 7.
    left = [text.partition("; about ")[2] for text in told[1:]]
    assert left == ["03:30 left", "04:00 left", "03:45 left", "03:12 left", "01:25 left"]


def outcome_of(*scores, interrupted=False, config=None):
    trials = [
        Trial(str(number), "failed" if math.isnan(score) else "done", PAPER, 40, score=score, message="bad, or worse")
        for number, score in enumerate(scores)
    ]
    return SearchOutcome(config or configured(), trials, interrupted)


def test_the_table_is_sorted_by_score():
    lines = outcome_of(3.0, math.nan, 1.0, 2.0).table().splitlines()
    assert lines[0] == "Score: P2 of the zero code (mm) on held-out rows, lower is better"
    assert lines[1].split() == ["trial", "λ_gp", "λ_2D", "λ_cam", "λ_reg", "λ_rec", "updates", "score", "status"]
    assert [line.split()[0] for line in lines[3:7]] == ["2", "3", "0", "1"]
    assert lines[3].split()[1:] == ["0.1", "10", "10", "7.5", "10", "40", "1.00", "done"]
    assert lines[7:] == ["Trial 1 failed: bad, or worse"]


def test_the_best_configuration_is_the_searched_one_with_the_best_weights(search, training, tmp_path):
    config = configured(max_trials=4, updates=20).override({"data": {"path": "Häuser/people.h5"}}, "test")
    training.before = {"2": "1.0"}
    outcome = search(config)
    loaded = load_config(tmp_path / "w" / "best.yaml")
    assert outcome.best.name == "2"
    assert {name: getattr(loaded.loss, name) for name in PAPERS} == outcome.best.weights
    assert (loaded.data.path, loaded.training.updates, loaded.tuning) == ("Häuser/people.h5", 40, TuningConfig())
    assert loaded.override({"loss": PAPER, "tuning": config.to_dict()["tuning"]}, "test") == config
    # The trial itself was trained with just that, for fewer updates.
    trained = Workdir(tmp_path / "w" / "trials" / outcome.best.name).config()
    assert trained == loaded.override({"training": {"updates": 20}}, "test")
    assert (tmp_path / "w" / "best.yaml").read_text().startswith(f"# λ of trial {outcome.best.name}, of 20 updates;")


def test_picture(tmp_path):
    weights = {"λ_2D": np.array([1.0, 10.0, 100.0]), "λ_cam": np.array([0.0, 0.0, 0.0]), "λ_gp": np.array([1.0, 2, 3])}
    drawn = []
    for scores in ([60.0, np.nan, 50.0], [60.0, 55.0, 50.0], [np.nan] * 3, [1.0, 1.0, 1.0]):
        draw_trials(weights, np.array(scores), "P2 (mm)", tmp_path / "trials.png")
        drawn.append(plt.imread(tmp_path / "trials.png")[..., :3])
        assert 0.005 < (drawn[-1] < 0.9).any(axis=-1).mean() < 0.5
    # A trial without a score does not reach the last axis.
    assert drawn[0].shape != drawn[1].shape or np.abs(drawn[0] - drawn[1]).max() > 0.5
    assert [path.name for path in tmp_path.iterdir()] == ["trials.png"]
    assert plt.get_fignums() == []
