"""The reproduction as people run it: one small table from training to its files, and mistakes."""

import csv
import json

import matplotlib.image
import pytest

from tf_wsgen.data.prepared import read_prepared
from tf_wsgen.reproduction.running import reproduce
from tf_wsgen.training.workdir import Workdir


def test_table_4a_from_data_to_files(small_config, people_file, tmp_path):
    config = small_config.override({"training": {"updates": 5}}, "test")
    outcome = reproduce(config, tmp_path, ["table_4a"])
    assert (outcome.failed, outcome.interrupted) == ({}, False)
    assert {file.name for file in outcome.written} == {f"table_4a.{end}" for end in ("md", "csv", "json", "png")}

    data, page = read_prepared(people_file), (tmp_path / "tables" / "table_4a.md").read_text()
    assert f"{len(data.test.pose_2d)} test rows of “{data.source}”" in page
    assert f"{len(data.train.pose_2d)} 2D" in page
    assert "base (all losses), 5 updates" in page
    with (tmp_path / "tables" / "table_4a.csv").open(newline="") as file:
        full, without = csv.DictReader(file)
    rows = json.loads((tmp_path / "tables" / "table_4a.json").read_text())["rows"]
    for row, run, paper in ((full, "base", 31.6), (without, "without_reg_rec", 36.3)):
        # What the tables say is what was measured.
        record = json.loads((tmp_path / "results" / f"{run}.json").read_text())
        metrics = record["measured"][0]["metrics"]
        assert float(row["BH"]) == pytest.approx(metrics["best_hypothesis"]["p2"], abs=1e-3)
        assert float(row["STD-FPS"]) == pytest.approx(metrics["diversity"]["std_fps"], abs=1e-3)
        assert float(row["BH, paper (Human3.6M)"]) == paper
        assert metrics["num_rows"] == len(data.test.pose_2d)
    assert rows[0][1] != rows[1][1]
    loss = Workdir(tmp_path / "runs" / "without_reg_rec").config().loss
    assert (loss.weight_diversity, loss.weight_reconstruction) == (0.0, 0.0)
    assert matplotlib.image.imread(tmp_path / "tables" / "table_4a.png").std() > 0.02
