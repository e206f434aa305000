"""From a detector's file to files of poses, with the model in the package."""

import json
import re
import sys

import bvhio
import h5py
import numpy as np
import pytest
from detector_files import FRAMES, JSON, PERSONS, openpose_frames, wide_csv, write
from trc import TRCData

from tf_wsgen.data.prepared import CAMERA_LABELS, read_prepared
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.detections import read_detections
from tf_wsgen.errors import InputError
from tf_wsgen.evaluation.protocols import Evaluator
from tf_wsgen.lifting.api import PRETRAINED, PoseLifter
from tf_wsgen.lifting.model_file import load_lifter
from tf_wsgen.programs.pictures import images_by_frame
from tf_wsgen.programs.predict import PredictOptions, predict
from tf_wsgen.sections import EvaluationConfig
from tf_wsgen.skeleton import HUMAN16

pytestmark = pytest.mark.usefixtures("loaded_once")
# P2 of the zero code and of the best of 10 on CMU-16's test rows (mm), as on the model's card.
CARD = {"zero_code": 31.2, "best_hypothesis": 33.2}
SIZE = (640, 480)
CAMERA_NUMBERS = (CAMERA_LABELS[:2], CAMERA_LABELS[2:])


def people(convention):
    """(5, K, 2) pixels and (5, K) confidences of a moving person whose joints are where the convention has them."""
    poses = synthetic_people(seed=2, train_sequences=1, test_sequences=1, frames=5, noise=0.0).train.pose_2d[:5]
    poses = 200.0 + (poses - poses.min(axis=(0, 1))) / np.ptp(poses[..., 1]) * 250.0
    points = np.zeros((5, len(CONVENTIONS[convention].joints), 2))
    table = CONVENTIONS[convention].human16
    # The head's joints, of which ours are derived, sit around our neck; others are ours.
    points[:] = poses[:, [HUMAN16.index("neck")]]
    for joint, parts in table.items():
        if len(parts) == 1:
            points[:, CONVENTIONS[convention].joints.index(next(iter(parts)))] = poses[:, HUMAN16.index(joint)]
    jitter = np.random.default_rng(0).uniform(-4, 4, points.shape)
    return points + jitter, np.full(points.shape[:2], 0.9)


def bone_sum(poses):
    first, second = np.array(HUMAN16.bone_indices).T
    return np.linalg.norm(poses[:, first] - poses[:, second], axis=-1).sum(axis=-1)


def make_file(folder, name, convention):
    points, confidence = people(convention)
    if name == "openpose":
        (folder / "frames").mkdir()
        for number, frame in enumerate(openpose_frames(points, confidence)):
            write(folder / "frames" / f"clip_{number:012d}_keypoints.json", frame)
        return folder / "frames"
    if name == "csv":
        return wide_csv(folder / "clip.csv", convention, points, confidence)
    if name == "pose_hg":
        with h5py.File(folder / "clip.h5", "w") as file:
            file["preds"] = points
        return folder / "clip.h5"
    return write(folder / "clip.json", JSON[name][0](points, confidence))


CASES = [
    *((name, conventions[0]) for name, (_, conventions) in JSON.items()),
    ("openpose", "body25"),
    ("csv", "coco17"),
    ("pose_hg", "mpii16"),
]


@pytest.mark.parametrize(("name", "convention"), CASES)
def test_each_detector_to_bvh(tmp_path, capsys, name, convention):
    source = make_file(tmp_path, name, convention)
    options = PredictOptions(image_size=SIZE, num_hypotheses=3)
    predictions = predict(source, options, tmp_path / "poses.bvh")
    assert predictions.about["format"] == name
    assert "5 people" in capsys.readouterr().out
    files = sorted(tmp_path.glob("*.bvh"))
    assert len(files) == len(set(predictions.person.tolist()))
    for person, file in zip(sorted(set(predictions.person.tolist())), files, strict=True):
        poses = predictions.poses.pose_3d[predictions.person == person]
        root = bvhio.readAsHierarchy(str(file))
        root.loadPose(0)
        written = {joint.Name: np.array(joint.PositionWorld) for joint, _, _ in root.layout()}
        for parent, child in HUMAN16.bones:
            # Centimetres in the file.
            length = 10.0 * np.linalg.norm(written[parent] - written[child])
            bones = poses[:, HUMAN16.index(parent)] - poses[:, HUMAN16.index(child)]
            expected = np.linalg.norm(bones, axis=-1).mean()
            assert abs(length - expected) < 0.1, (parent, child)


def test_npz_and_json_hold_the_same(tmp_path, pretrained):
    source = make_file(tmp_path, "mmpose", "coco17")
    options = PredictOptions(track="file", num_hypotheses=4, seed=3, image_size=SIZE)
    predictions = predict(source, options, tmp_path / "poses.npz")
    predict(source, options, tmp_path / "poses.json")
    with np.load(tmp_path / "poses.npz") as file:
        arrays = dict(file)
    record = json.loads((tmp_path / "poses.json").read_text())
    assert record["schema"] == "tf_wsgen/predictions/1"
    assert record["joints"] == arrays["joints"].tolist() == list(HUMAN16.joints)
    assert record["about"] == json.loads(str(arrays["about"])) == predictions.about
    assert arrays["frame"].tolist() == [person["frame"] for person in record["people"]] == FRAMES
    assert arrays["person"].tolist() == [person["person"] for person in record["people"]] == PERSONS
    names = (
        "keypoints",
        "visible",
        "confidence",
        "pose_3d",
        "reprojection",
        "log_likelihood",
        "spread",
        "root_position",
    )
    for name in names:
        np.testing.assert_allclose([person[name] for person in record["people"]], arrays[name], atol=0.0051)
    hypotheses = [[one["pose_3d"] for one in person["hypotheses"]] for person in record["people"]]
    np.testing.assert_allclose(hypotheses, arrays["hypotheses"], atol=0.0051)
    # The detector's scores are told to the model.
    sureness = read_detections(source, lowest_confidence=options.lowest_confidence).sureness
    np.testing.assert_allclose(arrays["confidence"], sureness, atol=1e-6)
    assert 0.0 < sureness[arrays["visible"] > 0].min() < 1.0
    direct = pretrained(arrays["keypoints"], sureness, num_hypotheses=4, seed=3, image_size=SIZE)
    np.testing.assert_allclose(direct.hypotheses, arrays["hypotheses"], atol=0.01)
    assert all(np.isfinite(value).all() for value in arrays.values() if value.dtype.kind == "f")


@pytest.mark.parametrize("size", [SIZE, None])
def test_motion_and_tables_have_people_where_the_predictions_do(tmp_path, size):
    source = make_file(tmp_path, "mmpose", "coco17")
    options = PredictOptions(track="file", num_hypotheses=2, image_size=size, focal_length=size and 600.0)
    predictions = predict(source, options, tmp_path / "a.trc")
    predict(source, options, tmp_path / "a.csv")
    poses, pelvis = predictions.poses, HUMAN16.root_index
    assert predictions.about["focal_length"] == (size and 600.0)
    roots = np.zeros((5, 3)) if size is None else poses.root_position
    for person in (0, 1):
        file = TRCData()
        file.load(str(tmp_path / f"a_person{person}.trc"))
        assert (file["NumFrames"], file["DataRate"]) == (3, 25.0)
        rows = predictions.person == person
        seen = np.array(file["Hip"])[predictions.frame[rows]] * 1000.0
        np.testing.assert_allclose(seen, roots[rows] * [1.0, -1.0, -1.0], atol=0.01)
    lines = (tmp_path / "a.csv").read_text().splitlines()[1:]
    numbers = np.array([line.split(",")[3:6] for line in lines], float).reshape(5, 16, 3)
    np.testing.assert_allclose(numbers, poses.pose_3d + roots[:, None], atol=0.01)
    np.testing.assert_allclose(numbers[:, pelvis], roots, atol=0.01)


def test_roots_are_where_people_were_filmed(pretrained):
    """Exact 2D, by the cameras that saw them; an image tells the distance in shares of the person's size."""
    group = synthetic_people(seed=3, train_sequences=8, test_sequences=1, frames=3, noise=0.0).train
    for camera in np.unique(group.labels["camera"]):
        rows = group.labels["camera"] == camera
        size, focal = ([float(group.labels[name][rows][0]) for name in names] for names in CAMERA_NUMBERS)
        result = pretrained(group.pose_2d[rows], num_hypotheses=1, image_size=size, focal_length=focal[0])
        scale = bone_sum(group.pose_3d[rows]) / bone_sum(result.pose_3d)
        found, truth = result.root_position, group.pose_3d[rows][:, HUMAN16.root_index]
        assert np.abs(scale * found[:, 2] / truth[:, 2] - 1.0).mean() < 0.04
        # Their principal points are up to 15 pixels beside the image's middle, a 76th of the focal length.
        np.testing.assert_allclose(found[:, :2] / found[:, 2:], truth[:, :2] / truth[:, 2:], atol=0.02)


def test_c3d_says_what_it_needs_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(
        InputError, match=r"C3D files need ezc3d, which is not installed: pip install 'tf_wsgen\[c3d\]'"
    ):
        predict(tmp_path / "missing.json", PredictOptions(), tmp_path / "a.c3d")


def test_people_that_cannot_be_lifted_are_counted(tmp_path, capsys):
    points, confidence = people("coco17")
    confidence[2, 11:13] = 0.01
    source = write(tmp_path / "clip.json", JSON["mmpose"][0](points, confidence))
    predictions = predict(source, PredictOptions(track="file", num_hypotheses=2), tmp_path / "a.npz")
    assert "1 of 5 people are left out (first: frame 1, person 0)" in capsys.readouterr().out
    assert len(predictions.frame) == 4
    confidence[:, 11:13] = 0.01
    source = write(tmp_path / "clip.json", JSON["mmpose"][0](points, confidence))
    with pytest.raises(InputError, match="none of its 5 people can be lifted"):
        predict(source, PredictOptions(), tmp_path / "b.npz")
    assert not (tmp_path / "b.npz").exists()


def test_errors_in_head_sizes(tmp_path, capsys):
    source = make_file(tmp_path, "pose_hg", "mpii16")
    with h5py.File(tmp_path / "sizes.h5", "w") as file:
        file["normalize"] = np.full(5, 40.0)
    sizes = PredictOptions(num_hypotheses=2, head_sizes=str(tmp_path / "sizes.h5"))
    predict(source, sizes, tmp_path / "a.npz")
    words = capsys.readouterr().out.split()
    pixels, heads = (float(words[words.index(unit) - 1]) for unit in ("pixels", "head"))
    assert abs(pixels / 40.0 - heads) < 1e-3
    with h5py.File(tmp_path / "sizes.h5", "w") as file:
        file["normalize"] = np.full(4, 40.0)
    with pytest.raises(InputError, match="normalize has 4 rows; expected 5"):
        predict(source, sizes, tmp_path / "b.npz")


def test_images_find_their_frames(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("clip_000001.jpg", "clip_000002.png", "portrait.jpeg", "notes_1.txt"):
        (folder / name).write_bytes(b"")
    found = {frame: file.name for frame, file in images_by_frame(str(folder), [1, 2, 3, "portrait"]).items()}
    assert found == {1: "clip_000001.jpg", 2: "clip_000002.png", "portrait": "portrait.jpeg"}
    assert images_by_frame(str(folder / "portrait.jpeg"), [7, 7]) == {7: folder / "portrait.jpeg"}
    assert images_by_frame(None, [7]) == {}
    with pytest.raises(InputError, match="one image for 2 frames"):
        images_by_frame(str(folder / "portrait.jpeg"), [7, 8])
    with pytest.raises(InputError, match="no such image"):
        images_by_frame(str(tmp_path / "missing"), [7])
    with pytest.raises(InputError, match="none of its 3 images is of a frame; frames are 7 and so on"):
        images_by_frame(str(folder), [7, 8])


# Fields of the options, files that are written besides, and what is refused; "there" is a file, "folder" a folder.
REFUSED = {
    "image of several frames": ({"image": "there.png"}, {"html": "a.html"}, "one image for 3 frames"),
    "not an image": ({"image": "folder"}, {"html": "a.html"}, r"frame_0\.png: begins with b'no'"),
    "image without viewer": ({"image": "folder"}, {}, "expected --html"),
    "a person's file": ({}, {"output": "a.bvh"}, r"a_person0\.bvh: exists already"),
    "a hypothesis's file": ({"select": "all"}, {"output": "b.bvh"}, r"b_person1_hypothesis2\.bvh: exists already"),
    "a person's folder": ({"overwrite": True}, {"output": "c.bvh"}, r"c_person1\.bvh: is a folder"),
    "picture": ({}, {"png": "there.png"}, r"there\.png: exists already"),
    "folder": ({"overwrite": True}, {"html": "folder"}, "folder: is a folder"),
    "a file as folder": ({}, {"png": "there.png/a.png"}, r"a\.png: cannot be written"),
    "a long name": ({}, {"output": f"{'a' * 250}.npz"}, "cannot be written"),
    "twice": ({}, {"output": "a.json", "html": "folder/../a.json"}, "is to be written twice"),
    "the input": ({"overwrite": True}, {"output": "folder/../clip.json"}, "is the input"),
    "frame rate": ({"frame_rate": np.nan}, {}, "frame_rate is nan"),
}


@pytest.mark.parametrize(("fields", "outputs", "message"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_before_anything_is_lifted(tmp_path, monkeypatch, fields, outputs, message):
    source = make_file(tmp_path, "mmpose", "coco17")
    for folder in ("folder", "c_person1.bvh"):
        (tmp_path / folder).mkdir()
    for name in ("there.png", "folder/frame_0.png", "a_person0.bvh", "b_person1_hypothesis2.bvh"):
        (tmp_path / name).write_bytes(b"no")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(PoseLifter, "__call__", None)
    if "image" in fields:
        fields = {**fields, "image": str(tmp_path / fields["image"])}
    outputs = {name: tmp_path / file for name, file in ({"output": "poses.npz"} | outputs).items()}
    with pytest.raises(InputError, match=message):
        predict(source, PredictOptions(num_hypotheses=2, **fields), **outputs)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_script(run_program, tmp_path):
    source = make_file(tmp_path, "csv", "coco17")
    arguments = ("predict", "--input", source, "--output", tmp_path / "a.json", "--png", tmp_path / "a.png")
    finished = run_program(*arguments)
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert (tmp_path / "a.png").stat().st_size > 10_000
    before = (tmp_path / "a.json").read_bytes()
    finished = run_program(*arguments)
    assert finished.returncode == 2
    assert "--overwrite" in finished.stderr.splitlines()[-1]
    assert (tmp_path / "a.json").read_bytes() == before


def test_the_model_in_the_package_is_as_good_as_its_card_says(data_folder):
    group = read_prepared(data_folder / "cmu16_cameras.h5").test
    rows = PairedRows(group.pose_2d, np.ones(group.pose_2d.shape[:2], np.float32), group.pose_3d)
    metrics = Evaluator(load_lifter(PRETRAINED)[0], EvaluationConfig(), diversity=False)(rows)
    assert metrics["num_rows"] == 18_012
    for choice, p2 in CARD.items():
        assert abs(metrics[choice]["p2"] - p2) < 0.1


def test_a_pose_that_does_not_reproject_is_called_unreliable(tmp_path, capsys):
    points, confidence = people("coco17")
    # Wrists and ankles of another person: no body reprojects there.
    points[3, 9:11] += [900.0, -900.0]
    points[3, 15:17] += [-900.0, -900.0]
    source = write(tmp_path / "clip.json", JSON["mmpose"][0](points, confidence))
    predict(source, PredictOptions(num_hypotheses=2), tmp_path / "a.json")
    record = json.loads((tmp_path / "a.json").read_text())
    assert not record["people"][3]["reliable"]
    printed = capsys.readouterr().out
    assert re.search(
        rf"are probably wrong \(reliable: false\); worst in frames .*\b{record['people'][3]['frame']}\b", printed
    )
    assert "--image_size" in printed


def test_the_camera_turns_poses_back_and_is_told(tmp_path, capsys, pretrained):
    source = make_file(tmp_path, "mmpose", "coco17")
    options = PredictOptions(num_hypotheses=2, image_size=SIZE, fov=60.0)
    predict(source, options, tmp_path / "a.npz")
    assert re.search(r"focal length 554 pixels; people are \d\.\d to \d\.\d m away", capsys.readouterr().out)
    with np.load(tmp_path / "a.npz") as file:
        assert json.loads(str(file["about"]))["image_size"] == list(SIZE)
        sureness = read_detections(source, lowest_confidence=options.lowest_confidence).sureness
        direct = pretrained(file["keypoints"], sureness, 2, image_size=SIZE, focal_length=options.used_focal_length)
        for name in ("pose_3d", "root_position"):
            np.testing.assert_allclose(getattr(direct, name), file[name], atol=0.01)
    for changes, message in (
        ({"fov": 60.0}, "fov is given without"),
        ({"image_size": SIZE, "fov": 200.0}, "fov is 200"),
        ({"focal_length": 600.0}, "focal_length is given without"),
        ({"image_size": SIZE, "focal_length": -1.0}, "focal_length is -1"),
        ({"image_size": SIZE, "fov": 60.0, "focal_length": 600.0}, "expected one of them"),
        ({"ground": True}, "has no ground"),
    ):
        with pytest.raises(InputError, match=message):
            predict(source, PredictOptions(**changes), tmp_path / "b.npz")
