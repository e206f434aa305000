"""Tables from made-up results: each number in its place, the paper's beside it, and honest words."""

import csv
import json

import pytest
from made_up_results import errors, failed, shares

from tf_wsgen.reproduction import paper
from tf_wsgen.reproduction.cells import Chart, Table
from tf_wsgen.reproduction.paper_tables import make_tables
from tf_wsgen.reproduction.results import Results

H36M = "Human3.6M, every 64th test frame, 2D from ground truth"
CMU = "motion seen by the four Human3.6M cameras"
OTHER = "paper (Human3.6M)"


def table(target, number=0, **results):
    return make_tables(target, Results({name.replace("_", " "): result for name, result in results.items()}))[number]


def by_weight(**changes):
    found = {w: errors(40.0 + i, std=50.0 + i, name=f"reg_{w}") for i, w in enumerate(paper.DIVERSITY_WEIGHTS)}
    return {str(weight): changes.get(f"w{weight:g}", result) for weight, result in found.items()}


def missing(source=CMU, **changes):
    """ZC is 50 with none hidden, 60 with one, 70 with two; the run for all is 10 % above."""
    found = {"none": errors(50.0, source=source)}
    found |= {f"special_{n}": errors(50.0 + 10.0 * n, source=source, name=f"hidden_{n}") for n in (1, 2)}
    found |= {f"for_all_{n}": errors(55.0 + 11.0 * n, source=source, name="hidden_0_to_2") for n in (0, 1, 2)}
    return found | changes


def cells(found, label):
    """{column: cell} of the row with this label."""
    (row,) = [row for row in found.rows if row[0] == label]
    return dict(zip(found.columns, row, strict=True))


def test_table_1_on_the_paper_s_data():
    found = table("table_1", ground_truth=errors(source=H36M), detected=errors(60.0, source=H36M))
    # Our actions first, in the paper's order; then those that only the paper has.
    assert [row[0] for row in found.rows[:3]] == ["Directions", "Walking", "Discussion"]
    assert [row[0] for row in found.rows[-2:]] == ["all", "mean of actions"]
    assert len(found.rows) == 15 + 2
    assert cells(found, "Walking") == {
        "action": "Walking",
        "rows": 101,
        "detected ZC": 62.0,
        "detected ZC, paper": 42.1,
        "detected MS": 63.0,
        "detected MS, paper": 43.8,
        "detected BH": 58.0,
        "detected BH, paper": 38.6,
        "ground truth ZC": 52.0,
        "ground truth MS": 53.0,
        "ground truth BH": 48.0,
        "ground truth BH, paper": 24.7,
    }
    overall = cells(found, "all")
    assert (overall["rows"], overall["ground truth BH"], overall["ground truth BH, paper"]) == (4321, 46.0, 31.6)
    means = cells(found, "mean of actions")
    assert (means["rows"], means["detected ZC"], means["detected ZC, paper"]) == (None, 60.5, None)
    discussion = cells(found, "Discussion")
    assert (discussion["detected ZC"], discussion["detected ZC, paper"]) == (None, 44.7)


def test_table_2_is_protocol_1():
    found = cells(table("table_2", ground_truth=errors(source=H36M)), "Directions")
    assert (found["ground truth BH"], found["ground truth BH, paper"]) == (94.0, 54.8)
    assert found["detected ZC, paper"] == 67.9


def test_detected_2d_that_was_not_given_says_so():
    found = table("table_1", ground_truth=errors(source=H36M))
    assert [cells(found, "all")[f"detected {short}"] for short in ("ZC", "MS", "BH")] == ["not given"] * 3
    assert "| all | 4,321 | not given | 48.7 |" in found.markdown()


def test_an_action_of_other_data_is_never_beside_the_paper_s():
    # Walking in both, and the source speaks of Human3.6M's cameras: still not the paper's data.
    found = table("table_1", ground_truth=errors(source=CMU))
    assert cells(found, "Walking")[f"ground truth BH, {OTHER}"] is None
    assert cells(found, "Walking")["ground truth BH"] == 48.0
    assert cells(found, "Walking (Human3.6M)")[f"ground truth BH, {OTHER}"] == 24.7
    assert cells(found, "Walking (Human3.6M)")["ground truth BH"] is None
    assert cells(found, "all")[f"ground truth BH, {OTHER}"] == 31.6
    assert any("are of Human3.6M, not of these data" in note for note in found.notes)
    assert not any("not of these data" in note for note in table("table_1", ground_truth=errors(source=H36M)).notes)


def test_the_notes_tell_data_rows_seeds_runs_and_protocol():
    notes = " ".join(table("table_2", ground_truth=errors(source=CMU)).notes)
    for words in (
        f"4,321 test rows of “{CMU}”",
        "1,234 2D and 5,678 3D rows",
        "never paired",
        "5 % of their sequences held out",
        "7 (training), 9 (evaluation)",
        "base (made up), 12,000 updates, best checkpoint of update 9,000",
        "Protocol 1 (MPJPE, mm)",
        "BH: the best of 10 hypotheses, chosen with the ground truth (an oracle)",
    ):
        assert words in notes


def test_table_3():
    found = table("table_3", **missing())
    assert found.columns == ["model", "missing joints", "ZC", "BH", f"BH, {OTHER}", "ZC, P1", "BH, P1"]
    assert [row[1:] for row in found.rows] == [
        [0, 50.0, 46.0, None, 100.0, 92.0],
        [1, 60.0, 56.0, 41.2, 120.0, 112.0],
        [2, 70.0, 66.0, 56.4, 140.0, 132.0],
        [0, 55.0, 51.0, None, 110.0, 102.0],
        [1, 66.0, 62.0, None, 132.0, 124.0],
        [2, 77.0, 73.0, None, 154.0, 146.0],
    ]
    # 66 / 60 and 62 / 56.
    assert found.findings[1].startswith("1 missing: one for all is +10.0 % (ZC) and +10.7 % (BH)")
    assert len(found.findings) == 3


def test_table_4a():
    found = table("table_4a", full=errors(35.0, std=80.0), without=errors(38.0, std=4.0, name="without_reg_rec"))
    assert [row[1::2] for row in found.rows] == [[31.0, 35.0, 80.0, 120.0], [34.0, 38.0, 4.0, 6.0]]
    assert [row[2::2] for row in found.rows] == [[31.6, 35.3, 77.4, 122.3], [36.3, 37.4, 3.6, 4.8]]
    assert found.columns[1::2] == ["BH", "ZC", "STD", "STD-FPS"]
    assert found.findings == [
        "STD with L_reg and L_rec is 20.0 times that without.",
        "BH with them is -3.0 mm against that without.",
    ]


def test_table_4b():
    found = make_tables("table_4b", Results(by_weight()))[0]
    assert found.columns == ["λ_reg", "STD", f"STD, {OTHER}", "BH", f"BH, {OTHER}", "ZC"]
    assert found.rows[1] == ["7.5", 51.0, 77.4, 37.0, 31.6, 41.0]
    # The paper has no figures for 12.0.
    assert found.rows[-1] == ["12.0", 56.0, None, 42.0, None, 46.0]
    assert found.markdown().splitlines()[10] == "| 12.0 | 56.0 |  | 42.0 |  | 46.0 |"
    assert found.findings == [
        "STD rises with every step of λ_reg.",
        "BH is lowest at λ_reg 7.0, at an end of the range.",
    ]


def test_table_4b_where_the_pattern_is_another():
    results = by_weight(w8=errors(30.0, std=51.0), w9=errors(45.0, std=49.0))
    findings = make_tables("table_4b", Results(results))[0].findings
    assert findings == [
        "STD does not rise to λ_reg 8.0, 9.0 from the one before.",
        "BH is lowest at λ_reg 8.0, inside the range.",
    ]


def test_table_5_by_scene():
    scenes = ("outdoor", "GS", "all")
    found = table("table_5", pck=shares("MPI-INF-3DHP (univ_annot3)", scenes))
    assert found.columns == [
        "pose, alignment",
        *("GS 3DPCK", "GS 3DPCK, paper", "GS AUC"),
        *("outdoor 3DPCK", "outdoor 3DPCK, paper", "outdoor AUC"),
        *("all 3DPCK", "all 3DPCK, paper", "all AUC"),
    ]
    assert [row[0] for row in found.rows] == [
        *("ZC, root-aligned", "BH, root-aligned"),
        *("ZC, scale-only-aligned", "BH, scale-only-aligned", "ZC, PA", "BH, PA"),
    ]
    assert found.rows[1][1:] == pytest.approx([61.0, 86.9, 30.5, 51.0, 79.3, 25.5, 71.0, 85.0, 35.5])
    # The paper's figures stand beside one alignment only.
    assert found.rows[5][2::3] == [None] * 3
    assert found.rows[5][1] == pytest.approx(71.0)
    assert any("Rows by scene: outdoor 10, GS 20, all 30." in note for note in found.notes)


def test_table_5_without_scenes_says_so():
    found = table("table_5", pck=shares())
    assert found.columns[1:] == ["all 3DPCK", "all 3DPCK, paper (MPI-INF-3DHP)", "all AUC"]
    assert any("have no label “scene”" in note for note in found.notes)
    assert not any("“scene”" in note for note in table("table_5", pck=shares(scenes=("GS", "all"))).notes)


def test_scenes_of_other_data_have_no_figures_of_the_paper():
    found = table("table_5", pck=shares(scenes=("garden", "all")))
    assert found.columns[1:3] == ["garden 3DPCK", "garden AUC"]


FAILED = [
    ("table_1", {"ground_truth": failed()}, "all", "ground truth ZC"),
    ("table_2", {"ground_truth": errors(), "detected": failed("detections")}, "mean of actions", "detected BH"),
    ("table_3", missing(special_2=failed("hidden_2")), "trained with two missing", "ZC"),
    ("table_4a", {"full": errors(), "without": failed("without_reg_rec")}, "without L_reg and L_rec", "STD-FPS"),
    ("table_4b", by_weight(w9=failed("reg_9.0")), "9.0", "BH"),
    ("table_5", {"pck": failed()}, "BH, PA", "all AUC"),
]


@pytest.mark.parametrize(("target", "results", "row", "column"), FAILED, ids=[case[0] for case in FAILED])
def test_a_run_that_stopped_is_said_to_have(target, results, row, column):
    found = table(target, **results)
    assert cells(found, row)[column] == "not finite"
    assert any("stopped and is not measured. Loss mmd_squared is nan" in note for note in found.notes)
    assert "not finite" in found.markdown()
    assert "not finite" in found.csv()


@pytest.mark.parametrize("target", ["table_1", "table_5"])
def test_nothing_is_drawn_where_nothing_was_measured(target):
    results = {"pck": failed()} if target == "table_5" else {"ground_truth": failed()}
    assert table(target, **results).chart is None


def test_charts_have_ours_and_the_paper_s():
    chart = table("table_4a", full=errors(35.0, std=80.0), without=errors(38.0, std=4.0)).chart
    assert chart.positions == ["full model", "without L_reg and L_rec"]
    assert chart.panels["standard deviation (mm)"] == {
        "STD": [80.0, 4.0],
        f"{OTHER} STD": [77.4, 3.6],
        "STD-FPS": [120.0, 6.0],
        f"{OTHER} STD-FPS": [122.3, 4.8],
    }
    chart = make_tables("table_4b", Results(by_weight()))[0].chart
    assert chart.positions == [7.0, 7.5, 8.0, 9.0, 10.0, 11.0, 12.0]
    assert chart.panels["P2 (mm)"][f"{OTHER} BH"] == [33.0, 31.6, 31.9, 32.8, 34.2, 36.1, None]


def test_empty_series_and_panels_are_left_out():
    chart = Chart([1.0, 2.0], {"a": {"x": [None, None], "paper x": [1.0, 2.0]}, "b": {"y": [None, 3.0]}})
    assert chart.drawable().panels == {"b": {"y": [None, 3.0]}}
    assert Chart([1.0], {"a": {"paper x": [1.0]}}).drawable() is None


TABLE = Table(
    "table_9",
    "Title",
    ["name", "a", "b, paper"],
    [["x", 1.26, None], ["y", 12345, "not given"]],
    ["A note."],
    ["Found."],
)


def test_markdown_by_hand():
    assert TABLE.markdown().splitlines() == [
        "# Title",
        "",
        "| name | a | b, paper |",
        "| --- | ---: | ---: |",
        "| x | 1.3 |  |",
        "| y | 12,345 | not given |",
        "",
        "- Found.",
        "",
        "- A note.",
    ]


def test_csv_and_json_read_back():
    assert list(csv.reader(TABLE.csv().splitlines())) == [
        ["name", "a", "b, paper"],
        ["x", "1.260", ""],
        ["y", "12345", "not given"],
    ]
    content = json.loads(TABLE.json())
    assert content["rows"] == TABLE.rows
    assert content["findings"] == ["Found."]
