"""The paper's figures, checked by what they say about themselves and by what other tables repeat."""

import numpy as np
import pytest

from tf_wsgen.reproduction import paper

BY_ACTION = {
    **paper.P1_BY_ACTION,
    **{("p2", *key): value for key, value in paper.P2_BY_ACTION.items()},
    **paper.P2_MISSING,
}


@pytest.mark.parametrize("key", BY_ACTION, ids=str)
def test_the_average_over_frames_is_near_that_over_actions(key):
    # Actions are of about equal length; a slip of a digit moves the mean by more, or an action far from the others.
    figures = BY_ACTION[key]
    assert len(figures) == 16
    assert np.mean([figures[action] for action in paper.ACTIONS]) == pytest.approx(figures[paper.ALL], abs=0.5)


def test_sitting_down_is_the_hardest_everywhere():
    for figures in BY_ACTION.values():
        assert max(figures, key=figures.get) == "SittingDown"


def test_the_best_hypothesis_is_better_than_the_others_in_every_action():
    for printed in (paper.P1_BY_ACTION, paper.P2_BY_ACTION):
        best = printed["detected", "best_hypothesis"]
        for other in (printed["detected", "zero_code"], printed["detected", "mean_shift"]):
            assert all(best[action] < other[action] for action in best)


def test_tables_agree_where_they_repeat_each_other():
    full = paper.ABLATION["full"]
    assert full["best_hypothesis"] == paper.P2_BY_ACTION["ground truth", "best_hypothesis"][paper.ALL] == 31.6
    assert paper.DIVERSITY_WEIGHTS[7.5] == {"std": full["std"], "best_hypothesis": full["best_hypothesis"]}
    assert paper.P1_BY_ACTION["ground truth", "best_hypothesis"][paper.ALL] == 60.0
    assert [paper.P2_MISSING[count][paper.ALL] for count in (1, 2)] == [41.2, 56.4]
    assert paper.DIVERSITY_WEIGHTS[12.0] == {}


def test_diversity_rises_with_its_weight():
    printed = [figures["std"] for figures in paper.DIVERSITY_WEIGHTS.values() if figures]
    assert len(printed) == 6
    assert printed == sorted(printed)
