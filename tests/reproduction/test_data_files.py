"""Prepared files at the door, and records of runs."""

import numpy as np
import pytest
from prepared_files import write_prepared

from tf_wsgen.data.prepared import PoseGroup, PreparedData
from tf_wsgen.errors import InputError
from tf_wsgen.reproduction.data_files import RunRecord, open_data
from tf_wsgen.sections import DataConfig
from tf_wsgen.skeleton import HUMAN16
from tf_wsgen.training.workdir import alone_in


@pytest.fixture
def poses():
    rng = np.random.default_rng(0)
    return lambda rows, size: rng.normal(300.0, 100.0, (rows, 16, size)).astype(np.float32)


@pytest.fixture
def write(tmp_path):
    def write(train, test, name="people.h5"):
        write_prepared(tmp_path / name, PreparedData(HUMAN16.joints, "a made-up film", train, test))
        return DataConfig(path=str(tmp_path / name))

    return write


def test_rows_are_counted_and_invalid_ones_are_not(write, poses):
    valid = np.array([1, 0, 1, 1, 0], np.float32)
    test = PoseGroup(poses(5, 2), poses(5, 3), {"valid": valid})
    found = open_data(write(PoseGroup(poses(8, 2), poses(6, 3)), test), trained_on=True)
    assert (len(found.data.train.pose_2d), len(found.data.train.pose_3d), len(found.test_rows)) == (8, 6, 3)


def test_a_file_to_test_on_needs_no_training_group(write, poses):
    config = write(None, PoseGroup(poses(5, 2), poses(5, 3)))
    assert open_data(config, trained_on=False).data.train is None
    with pytest.raises(InputError, match="has no training poses"):
        open_data(config, trained_on=True)


def test_a_file_without_test_pairs_is_refused_before_training(write, poses):
    train = PoseGroup(poses(5, 2), poses(5, 3))
    for test in (None, PoseGroup(poses(5, 2)), PoseGroup(None, poses(5, 3))):
        with pytest.raises(InputError, match="has no pairs to measure on"):
            open_data(write(train, test), trained_on=True)


def test_a_record_is_read_back(tmp_path):
    record = RunRecord(tmp_path / "results" / "base.json")
    assert record.trained == {}
    record.keep_trained(updates=20, checkpoint="k")
    record.keep_measured({"checkpoint": "k", "hidden": 0}, {"p2": 1.0})
    record.keep_measured({"checkpoint": "k", "hidden": 1}, {"p2": 2.0})
    record.keep_measured({"checkpoint": "k", "hidden": 0}, {"p2": 3.0})
    again = RunRecord(record.file)
    assert again.trained == {"updates": 20, "checkpoint": "k"}
    assert again.measured({"checkpoint": "k", "hidden": 0}) == {"p2": 3.0}
    assert again.measured({"checkpoint": "k", "hidden": 1}) == {"p2": 2.0}
    assert again.measured({"checkpoint": "k", "hidden": 2}) is None
    assert [path.name for path in record.file.parent.iterdir()] == ["base.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"trained": 1, "measured": []}', '{"trained": {}}'])
def test_a_file_that_is_no_record_is_one_sentence(tmp_path, text):
    (tmp_path / "base.json").write_text(text)
    with pytest.raises(InputError, match=r"base\.json: is no record of a run"):
        RunRecord(tmp_path / "base.json")


def test_one_process_at_a_time(tmp_path):
    with alone_in(tmp_path / "folder"):
        assert (tmp_path / "folder").is_dir()
        with pytest.raises(InputError, match="another process"), alone_in(tmp_path / "folder"):
            pass
    with alone_in(tmp_path / "folder"):
        pass
