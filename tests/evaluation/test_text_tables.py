"""The table that a person reads: every number, under its own heading."""

import re

import pytest

from tf_wsgen.evaluation.protocols import CHOICES
from tf_wsgen.evaluation.text_tables import COLUMNS, ROWS, align, metrics_table

TITLES = {
    "zero_code": "zero code (ZC)",
    "mean_shift": "mean-shift (MS)",
    "mean_of_hypotheses": "mean of hypotheses",
    "best_hypothesis": "best of 7 (BH, oracle)",
    "mean_pose": "baseline: mean pose",
    "random_pose": "baseline: random real pose",
    "best_random_pose": "baseline: best of 12 random real poses (oracle)",
}


def metrics(actions=True, **more):
    """Four different numbers a choice; the baselines have P2 alone."""
    found = {"num_rows": 12345, "source": "a made-up film"}
    for index, choice in enumerate(CHOICES):
        found[choice] = {"p1": 100.04 + index, "p2": 50.25 + index}
        if actions:
            found[choice] |= {"p1_action_mean": 200.5 + index, "p2_action_mean": 300.5 + index}
    found["best_hypothesis"]["num_hypotheses"] = 7
    found |= {"mean_pose": {"p2": 120.1}, "random_pose": {"p2": 140.1}}
    found["best_random_pose"] = {"p2": 93.1, "num_hypotheses": 12}
    walk = {choice: {"p1": 1.0, "p2": 10.5 + index} for index, choice in enumerate(CHOICES)}
    found["per_action"] = {"walk": {"num_rows": 6789, **walk}} if actions else {}
    return found | more


def line_of(text, title):
    return next(line for line in text.splitlines() if line.startswith(title))


def numbers(text, title):
    return re.findall(r"\d+\.\d", line_of(text, title).removeprefix(title))


@pytest.mark.parametrize("index", range(len(CHOICES)))
def test_every_choice_has_its_line_with_its_numbers(index):
    found = numbers(metrics_table(metrics()), TITLES[CHOICES[index]])
    assert found == [f"{100 + index}.0", f"{50 + index}.2", f"{200 + index}.5", f"{300 + index}.5"]


@pytest.mark.parametrize(
    ("name", "error"), [("mean_pose", "120.1"), ("random_pose", "140.1"), ("best_random_pose", "93.1")]
)
def test_a_baseline_stands_in_the_column_of_p2(name, error):
    text = metrics_table(metrics())
    line = line_of(text, TITLES[name])
    assert numbers(text, TITLES[name]) == [error]
    assert line.index(error) + len(error) == line_of(text, "mm").index("P2") + len("P2")


def test_no_choice_lacks_a_title():
    assert set(CHOICES) <= set(ROWS)
    assert ROWS.keys() == TITLES.keys()


def test_the_heading_says_what_was_measured():
    first, heading, rule = metrics_table(metrics()).splitlines()[:3]
    assert first == "12,345 rows of a made-up film"
    assert re.split(r"\s{2,}", heading) == ["mm", *COLUMNS.values()]
    assert set(rule) == {"-"}


def test_oracles_are_labelled():
    lines = [line for line in metrics_table(metrics()).splitlines() if "best of" in line]
    assert len(lines) == 2
    assert all("oracle" in line for line in lines)


def test_actions_have_a_table_of_their_own():
    assert line_of(metrics_table(metrics()), "walk").split() == ["walk", "6,789", "10.5", "11.5", "13.5"]
    assert "rows  ZC" in re.sub(r" {2,}", "  ", line_of(metrics_table(metrics()), "P2 by action"))


def test_without_actions_and_baselines():
    without = metrics(actions=False)
    for name in ("mean_pose", "random_pose", "best_random_pose"):
        del without[name]
    text = metrics_table(without)
    assert numbers(text, TITLES["zero_code"]) == ["100.0", "50.2"]
    assert "baseline" not in text
    assert "walk" not in text
    assert "STD" not in text


def test_diversity_is_a_line_where_measured():
    assert metrics_table(metrics(diversity={"std": 77.44, "std_fps": 122.36})).endswith("STD 77.4 mm, STD-FPS 122.4 mm")


def test_align_by_hand():
    lines = [["mm", "P1", "long"], ["a name", "1.0", ""], ["b", "22.0", "3"]]
    assert align(lines).splitlines() == [
        "mm        P1  long",
        "------------------",
        "a name   1.0      ",
        "b       22.0     3",
    ]
