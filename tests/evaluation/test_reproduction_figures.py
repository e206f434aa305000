"""Plots have what they are given, and people without ground truth are drawn."""

import matplotlib.colors
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest
from tiny_lifter import made_up_rows, tiny_lifter

from tf_wsgen.errors import InputError
from tf_wsgen.evaluation.figures import HYPOTHESIS_COLOURS
from tf_wsgen.evaluation.reproduction_figures import draw_chart, draw_without_truth
from tf_wsgen.sections import EvaluationConfig
from tf_wsgen.skeleton import HUMAN16


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Draws a chart, and gives its axes before they are closed."""

    def draw(*arguments):
        axes, save = [], matplotlib.figure.Figure.savefig

        def keep(figure, *more, **options):
            axes.extend(figure.axes)
            save(figure, *more, **options)

        monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep)
        draw_chart("A title", *arguments, tmp_path / "chart.png")
        assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
        assert plt.get_fignums() == []
        return axes

    return draw


def test_numbers_are_lines_with_gaps(drawn):
    panels = {
        "P2 (mm)": {"BH": [30.0, 31.0, 32.0], "paper BH": [33.0, None, 35.0]},
        "STD (mm)": {"STD": [1.0, 2.0, 3.0]},
    }
    left, right = drawn([7.0, 7.5, 9.0], panels, "λ_reg")
    ours, paper = left.get_lines()
    np.testing.assert_array_equal(ours.get_xydata(), [[7.0, 30.0], [7.5, 31.0], [9.0, 32.0]])
    np.testing.assert_array_equal(np.isnan(paper.get_ydata()), [False, True, False])
    assert (ours.get_linestyle(), paper.get_linestyle()) == ("-", "--")
    assert ours.get_color() == paper.get_color()
    assert [axes.get_ylabel() for axes in (left, right)] == ["P2 (mm)", "STD (mm)"]
    assert left.get_xlabel() == "λ_reg"
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["BH", "paper BH"]


def test_names_are_bars(drawn):
    (axes,) = drawn(["a", "b"], {"mm": {"ZC": [1.0, 2.0], "paper ZC": [None, 3.0]}}, "")
    ours, paper = axes.containers
    assert [bar.get_height() for bar in ours] == [1.0, 2.0]
    assert [bar.get_height() for bar in paper] == [3.0]
    # Beside each other, about the middle of their name's place; nothing where there is no figure.
    alone, left, right = (bar.get_x() + bar.get_width() / 2 for bar in (*ours, *paper))
    assert alone == pytest.approx(left - 1.0)
    assert left < right
    assert left + right == pytest.approx(2.0)
    assert paper[0].get_hatch()
    assert not ours[0].get_hatch()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b"]


@pytest.fixture(scope="module")
def people():
    rows = made_up_rows(5)
    return tiny_lifter(), rows.keypoints, rows.visible


def test_people_are_drawn_with_all_hypotheses(people, tmp_path):
    draw_without_truth(*people, EvaluationConfig(diversity_pool=7), tmp_path / "people.png", "made-up people", count=2)
    pixels = plt.imread(tmp_path / "people.png")[..., :3]
    # Input, five hypotheses and reprojections; each colour in its own column and in the last.
    columns = np.array_split(pixels, len(HYPOTHESIS_COLOURS) + 2, axis=1)
    for index, colour in enumerate(HYPOTHESIS_COLOURS):
        inks = [(np.abs(column - matplotlib.colors.to_rgb(colour)).max(axis=-1) < 0.05).sum() for column in columns]
        assert inks[1 + index] > 50
        assert inks[-1] > 50
    assert plt.get_fignums() == []
    assert [path.name for path in tmp_path.iterdir()] == ["people.png"]


def test_people_that_cannot_be_lifted_are_passed_over(people, tmp_path):
    lifter, keypoints, visible = people
    hidden = visible.copy()
    hidden[:, [HUMAN16.root_index, HUMAN16.hip_indices[0]]] = 0.0
    with pytest.raises(InputError, match="made-up people: nobody can be lifted"):
        draw_without_truth(lifter, keypoints, hidden, EvaluationConfig(), tmp_path / "people.png", "made-up people")
    hidden[3] = 1.0
    config = EvaluationConfig(diversity_pool=5)
    draw_without_truth(lifter, keypoints, hidden, config, tmp_path / "people.png", "made-up people")
    assert (tmp_path / "people.png").exists()
