"""The table that a person reads: every number, under its own heading."""

from tf_wsgen.evaluation.protocols import CHOICES
from tf_wsgen.evaluation.text_tables import align, metrics_table

TABLE = """\
12,345 rows of a made-up film
mm                                                  P1     P2  P1 by action  P2 by action
-----------------------------------------------------------------------------------------
zero code (ZC)                                   100.0   50.2         200.5         300.5
mean-shift (MS)                                  101.0   51.2         201.5         301.5
mean of hypotheses                               102.0   52.2         202.5         302.5
best of 7 (BH, oracle)                           103.0   53.2         203.5         303.5
baseline: mean pose                                     120.1
baseline: random real pose                              140.1
baseline: best of 12 random real poses (oracle)          93.1

P2 by action   rows    ZC    MS    BH
-------------------------------------
walk          6,789  10.5  11.5  13.5

STD 77.4 mm, STD-FPS 122.4 mm"""
ALONE = """\
12,345 rows of a made-up film
mm                         P1    P2  P1 by action  P2 by action
---------------------------------------------------------------
zero code (ZC)          100.0  50.2
mean-shift (MS)         101.0  51.2
mean of hypotheses      102.0  52.2
best of 7 (BH, oracle)  103.0  53.2"""


def metrics(actions=True):
    """Four different numbers a choice; the baselines have P2 alone."""
    found = {"num_rows": 12345, "source": "a made-up film", "per_action": {}}
    for index, choice in enumerate(CHOICES):
        found[choice] = {"p1": 100.04 + index, "p2": 50.25 + index}
        if actions:
            found[choice] |= {"p1_action_mean": 200.5 + index, "p2_action_mean": 300.5 + index}
    found["best_hypothesis"]["num_hypotheses"] = 7
    if actions:
        found |= {"mean_pose": {"p2": 120.1}, "random_pose": {"p2": 140.1}}
        found["best_random_pose"] = {"p2": 93.1, "num_hypotheses": 12}
        found["diversity"] = {"std": 77.44, "std_fps": 122.36}
        walk = {choice: {"p1": 1.0, "p2": 10.5 + index} for index, choice in enumerate(CHOICES)}
        found["per_action"] = {"walk": {"num_rows": 6789, **walk}}
    return found


def lines(text):
    return [line.rstrip() for line in text.splitlines()]


def test_every_number_stands_under_its_heading():
    assert lines(metrics_table(metrics())) == lines(TABLE)


def test_without_actions_baselines_and_diversity():
    assert lines(metrics_table(metrics(actions=False))) == lines(ALONE)


def test_align_by_hand():
    assert align([["mm", "P1", "long"], ["a name", "1.0", ""], ["b", "22.0", "3"]]).splitlines() == [
        "mm        P1  long",
        "------------------",
        "a name   1.0      ",
        "b       22.0     3",
    ]
