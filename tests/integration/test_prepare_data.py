"""scripts/prepare_data.py: from files to what training takes, and what it says of mistakes."""

import numpy as np
import pytest

from tf_wsgen.data.prepared import read_prepared
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.data.training_data import Source
from tf_wsgen.datasets.prepare import DATASETS, prepare
from tf_wsgen.errors import InputError
from tf_wsgen.sections import DataConfig
from tf_wsgen.simulation.body import to_room
from tf_wsgen.skeleton import HUMAN16


@pytest.fixture
def arrays(tmp_path):
    """Plain arrays in metres, joints in another order, and their file."""
    people = synthetic_people(seed=0, train_sequences=3, test_sequences=3, frames=5)
    order = np.random.default_rng(0).permutation(16)
    content = {"joints": np.array(HUMAN16.joints)[order]}
    for name in ("train", "test"):
        group = getattr(people, name)
        content[f"{name}_pose_2d"] = group.pose_2d[:, order]
        content[f"{name}_pose_3d"] = group.pose_3d[:, order] / 1000.0
        content[f"{name}_sequence"], content[f"{name}_action"] = group.labels["sequence"], group.labels["action"]
    np.savez(tmp_path / "arrays.npz", **content)
    return people, tmp_path / "arrays.npz"


def test_arrays_to_training(run_program, arrays, tmp_path):
    people, source = arrays
    output, preview = tmp_path / "prepared.h5", tmp_path / "preview.png"
    command = ("prepare_data", "--dataset", "arrays", "--source", source, "--output", output, "--unit", "m")
    finished = run_program(*command, "--preview", preview)
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert "train: 60 2D poses, 60 3D poses" in finished.stdout
    assert preview.stat().st_size > 10_000
    np.testing.assert_allclose(read_prepared(output).train.pose_3d, people.train.pose_3d, atol=0.01)
    data = Source(DataConfig(path=str(output))).training(seed=0)
    assert len(data.pose_2d) + len(data.validation) == 60
    assert len(Source(DataConfig(path=str(output))).test_rows) == 60

    before = output.read_bytes()
    finished = run_program(*command)
    assert finished.returncode == 2
    assert "--overwrite" in finished.stderr.splitlines()[-1]
    assert output.read_bytes() == before


def test_motion_capture_as_arrays_to_training(tmp_path):
    """3D alone, z up in the file and in the room: training knows up, wherever people turn."""
    people = synthetic_people(seed=0, train_sequences=3, test_sequences=1, frames=5).train
    x, y, z = np.moveaxis(np.asarray(to_room(people.pose_3d, people.pose_3d_up)), -1, 0)
    np.savez(tmp_path / "a.npz", pose_3d=np.stack([z, x, y], axis=-1), sequence=people.labels["sequence"])
    options = {"convention": "human16", "frame": "world_z_up"}
    prepare("arrays", tmp_path / "a.npz", tmp_path / "out.h5", options)
    train = read_prepared(tmp_path / "out.h5").train
    np.testing.assert_array_equal(train.pose_3d_up, np.tile([0.0, -1.0, 0.0], (len(x), 1)))
    data = Source(DataConfig(path=str(tmp_path / "out.h5"), validation_fraction=0.0)).training(seed=0)
    # The room has people of one size.
    height = y - y[:, HUMAN16.root_index, None]
    head = HUMAN16.index("head")
    found = data.room[..., 1] / data.room[:, head, None, 1]
    np.testing.assert_allclose(found, height / height[:, head, None], atol=1e-4)


OWN_NAMES = {joint: f"{joint} of mine" for joint in HUMAN16.joints if joint != "pelvis"}


def own_bvh(inch=25.4):
    """A standing person of names of its own, in inches and with z up."""
    height = {"ankle": 80, "knee": 480, "hip": 880, "thorax": 1400, "neck": 1490, "head": 1590}
    height |= {"shoulder": 1350, "elbow": 1070, "wrist": 820}
    lines = ["HIERARCHY", "ROOT root", "{", "OFFSET 0 0 0", "CHANNELS 3 Xposition Yposition Zposition"]
    for joint, name in OWN_NAMES.items():
        side, _, part = joint.rpartition("_")
        across = {"left": 150.0, "right": -150.0, "": 0.0}[side]
        lines += [f"JOINT {name}", "{", f"OFFSET {across / inch} 0 {height[part] / inch}", "}"]
    return "\n".join([*lines, "}", "MOTION", "Frames: 3", "Frame Time: 0.1", "0 0 0", "4 0 0", ""])


def test_bvh_in_inches_with_names_of_its_own(run_program, tmp_path, caplog):
    source, names, output = tmp_path / "walk.bvh", tmp_path / "names.yaml", tmp_path / "out.h5"
    source.write_text(own_bvh())
    names.write_text("".join(f"{joint}: {name}\n" for joint, name in OWN_NAMES.items()))
    command = ("prepare_data", "--dataset", "bvh", "--source", source, "--output", output, "--up", "z")
    finished = run_program(*command, "--unit", "inch", "--joint_names", names)
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert "announces 3 frames and has 2" in caplog.text
    train = read_prepared(output).train
    hip, ankle = (train.pose_3d[:, HUMAN16.index(joint)] for joint in ("left_hip", "left_ankle"))
    np.testing.assert_allclose(hip - ankle, 800.0 * train.pose_3d_up, atol=0.1)
    np.testing.assert_allclose(np.linalg.norm(train.pose_3d[1] - train.pose_3d[0], axis=-1), 4 * 25.4, atol=0.1)

    finished = run_program(*command, "--unit", "25.4", "--overwrite")
    assert finished.returncode == 2
    assert "the option `joint_names` for the joints found: root, right_hip of mine" in finished.stderr.splitlines()[-1]


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("kind", ["missing", "empty file", "folder", "noise"])
def test_no_data_set_is_read_from_rubbish(tmp_path, dataset, kind):
    source = tmp_path / "source.bin"
    if kind == "folder":
        source.mkdir()
    elif kind != "missing":
        source.write_bytes(np.random.default_rng(0).bytes(4096) if kind == "noise" else b"")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"source\.bin"):
        prepare(dataset, source, tmp_path / "out.h5", {}, notice=lambda text: None)
    assert sorted(tmp_path.iterdir()) == before


def test_a_reader_takes_its_own_options(arrays, tmp_path):
    with pytest.raises(InputError, match=r"--noise is not an option of the data set arrays; it takes \['convention'"):
        prepare("arrays", arrays[1], tmp_path / "out.h5", {"noise": 1.0, "group": None})
    with pytest.raises(InputError, match="dataset is 'coco'"):
        prepare("coco", arrays[1], tmp_path / "out.h5", {})
    with pytest.raises(InputError, match="is the source itself"):
        prepare("arrays", arrays[1], arrays[1], {}, overwrite=True)


def test_rows_without_a_root_are_marked(arrays, tmp_path):
    with np.load(arrays[1]) as file:
        content = dict(file)
    visible = np.ones((60, 16))
    hidden = [content["joints"].tolist().index(name) for name in ("pelvis", "left_hip")]
    visible[:7, hidden] = 0.0
    np.savez(tmp_path / "hidden.npz", **content, train_visible=visible)
    said = []
    prepare("arrays", tmp_path / "hidden.npz", tmp_path / "out.h5", {"unit": "m"}, notice=said.append)
    assert said == ["7 rows are marked as not valid: neither pelvis nor both hips are seen."]
    assert read_prepared(tmp_path / "out.h5").train.labels["valid"].sum() == 53
    config = DataConfig(path=str(tmp_path / "out.h5"), validation_fraction=0.0)
    assert len(Source(config).training(seed=0).pose_2d) == 53


def test_mpii_from_annotations_and_detections(data_folder, tmp_path):
    annotations, detections = (data_folder / f"mpii_valid_{name}.h5" for name in ("annotations", "stacked_hourglass"))
    prepare("mpii", annotations, tmp_path / "a.h5", {}, notice=lambda text: None)
    prepare("mpii", annotations, tmp_path / "d.h5", {"detections": str(detections)}, notice=lambda text: None)
    seen, found = (read_prepared(tmp_path / name).test for name in ("a.h5", "d.h5"))
    assert len(seen.pose_2d) == len(found.pose_2d) == 2958
    visible = seen.labels["visible"] > 0
    distance = np.linalg.norm(seen.pose_2d - found.pose_2d, axis=-1)[visible]
    assert np.median(distance) < 15.0


def test_cmu_motion_capture(data_folder, tmp_path):
    prepare("cmu", data_folder / "cmu_raw", tmp_path / "cmu.h5", {"test_sequences": ["02_06"]})
    data = read_prepared(tmp_path / "cmu.h5")
    assert set(data.train.labels["sequence"]) == {"02_01"}
    assert set(data.test.labels["sequence"]) == {"02_06"}
    assert len(set(data.test.labels["camera"])) == 4
