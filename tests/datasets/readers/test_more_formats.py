"""What further programs write, in their own structures, comes back joint by joint."""

import json

import numpy as np
import pytest

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, convert
from tf_wsgen.datasets.readers.detections import read_detections
from tf_wsgen.errors import InputError

SIZE = (800, 600)
COCO, OPENPOSE = CONVENTIONS["coco17"], CONVENTIONS["coco18"]


def points(table, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(50, 550, (len(table.joints), 2)).round(2), rng.uniform(0.3, 1.0, len(table.joints)).round(3)


def flat(table, seed=0):
    found, score = points(table, seed)
    return np.concatenate([found, score[:, None]], axis=1).ravel().tolist()


def named(seed=0):
    found, score = points(COCO, seed)
    return {
        "score": 0.9,
        "keypoints": [
            {"x": x, "y": y, "score": s, "name": joint}
            for (x, y), s, joint in zip(found.tolist(), score.tolist(), COCO.joints, strict=True)
        ],
    }


def labels(seed=0, end=""):
    found, score = points(COCO, seed)
    joints = " ".join(f"{x / 800:.8f} {y / 600:.8f} {s:.3f}" for (x, y), s in zip(found, score, strict=True))
    return f"0 0.5 0.5 0.4 0.8 {joints}{end}\n"


OPENPOSE_PERSON = {"pose_keypoints_2d": flat(OPENPOSE)}
JSON = {
    "dwpose": (OPENPOSE, [{"people": [OPENPOSE_PERSON], "canvas_width": 800, "canvas_height": 600}]),
    "alphapose, open": (OPENPOSE, {"7.jpg": {"version": "AlphaPose", "people": [OPENPOSE_PERSON]}}),
    "alphapose, cmu": (OPENPOSE, {"7.jpg": {"version": "AlphaPose", "bodies": [{"joints": flat(OPENPOSE)}]}}),
    "openpifpaf": (COCO, [{"keypoints": flat(COCO), "bbox": [1, 2, 3, 4], "score": 0.9, "category_id": 1}]),
    "tfjs, a pose": (COCO, named()),
    "tfjs, poses": (COCO, [named()]),
    "tfjs, frames": (COCO, [[], [named()]]),
}


@pytest.mark.parametrize(("table", "content"), JSON.values(), ids=JSON)
def test_json(tmp_path, table, content):
    (tmp_path / "a.json").write_text(json.dumps(content))
    found, score = points(table)
    expected = convert(found[None], table, score[None] > 0, score[None])
    read = read_detections(tmp_path / "a.json")
    np.testing.assert_allclose(read.keypoints, np.where(expected.visible[..., None], expected.points, 0), atol=1e-3)
    np.testing.assert_allclose(read.confidence, expected.confidence, atol=1e-6)
    assert read.convention == table.name


def test_frames_of_a_video_of_alphapose(tmp_path):
    image = {"people": [{"pose_keypoints_2d": flat(OPENPOSE)}]}
    (tmp_path / "a.json").write_text(json.dumps({f"{frame}.jpg": image for frame in (10, 9)}))
    assert read_detections(tmp_path / "a.json").frame.tolist() == [9, 10]


def test_a_folder_of_openpifpaf(tmp_path):
    for frame in (2, 10):
        person = {"keypoints": flat(COCO), "bbox": [1, 2, 3, 4], "score": 0.9, "category_id": 1}
        (tmp_path / f"{frame}.jpg.predictions.json").write_text(json.dumps([person]))
    assert read_detections(tmp_path).frame.tolist() == [2, 10]


@pytest.mark.parametrize(("end", "person"), [("", 0), (" 0.91", 0), (" 0.91 4", 4)])
def test_labels_of_yolo(tmp_path, end, person):
    (tmp_path / "clip_3.txt").write_text(labels(end=end))
    (tmp_path / "clip_12.txt").write_text("")
    (tmp_path / "clip_4.txt").write_text(labels(1, end))
    read = read_detections(tmp_path, image_size=SIZE, track="file")
    assert (read.frame.tolist(), read.person.tolist(), read.span) == ([3, 4], [person] * 2, (3, 12))
    found, score = points(COCO)
    expected = convert(found[None], COCO, score[None] > 0)
    np.testing.assert_allclose(read.keypoints[0], expected.points[0], atol=0.01)
    with pytest.raises(InputError, match="shares of the image"):
        read_detections(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [("0 0.5 0.5 x", "expected numbers"), ("0 0.5 0.5 0.1 0.1 0.3", "has 6 numbers; expected class")],
)
def test_broken_labels(tmp_path, line, message):
    (tmp_path / "1.txt").write_text(line)
    with pytest.raises(InputError, match=message):
        read_detections(tmp_path, image_size=SIZE)


def test_deeplabcuts_table(tmp_path):
    """Two people in two frames, the second one missing at first."""
    found, score = points(COCO)
    columns = [(who, joint, axis) for who in "ab" for joint in COCO.joints for axis in ("x", "y", "likelihood")]
    names = ("individuals", "bodyparts", "coords")
    lines = [[name, *values] for name, values in zip(names, zip(*columns, strict=True), strict=True)]
    values = np.concatenate([found, score[:, None]], axis=1).ravel().astype(str).tolist()
    rows = [["scorer", *["DLC_resnet50"] * len(columns)], *lines, ["4", *values, *[""] * 51], ["5", *values, *values]]
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in rows))
    read = read_detections(tmp_path / "a.csv", track="file")
    assert (read.frame.tolist(), read.person.tolist()) == ([4, 5, 5], [0, 0, 1])
    expected = convert(found[None], COCO, score[None] > 0)
    np.testing.assert_allclose(read.keypoints, np.repeat(expected.points, 3, axis=0), atol=1e-3)
    (tmp_path / "a.csv").write_text("scorer,x,x\nbodyparts,a,a\n")
    with pytest.raises(InputError, match="expected lines 'bodyparts' and 'coords'"):
        read_detections(tmp_path / "a.csv")


def test_sleaps_table(tmp_path):
    found, score = points(COCO)
    joints = [f"{joint}.{axis}" for joint in COCO.joints for axis in ("x", "y", "score")]
    header = ["track", "frame_idx", "instance.score", *joints]
    values = np.concatenate([found, score[:, None]], axis=1).ravel().astype(str).tolist()
    rows = [header, ["track_3", "7", "0.9", *values]]
    (tmp_path / "a.csv").write_text("\n".join(",".join(row) for row in rows))
    read = read_detections(tmp_path / "a.csv")
    assert (read.frame.tolist(), read.person.tolist()) == ([7], [3])
    np.testing.assert_allclose(read.keypoints, convert(found[None], COCO, score[None] > 0).points, atol=1e-3)


@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_plain_arrays(tmp_path, people, ending):
    found, score = points(COCO)
    frames = np.repeat(np.concatenate([found, score[:, None]], axis=1)[None], 3, axis=0)
    frames[1] = np.nan
    values = frames if people == 1 else np.stack([frames] * people)
    save = {"npy": np.save, "npz": lambda path, array: np.savez(path, keypoints=array)}[ending]
    save(tmp_path / f"a.{ending}", values)
    read = read_detections(tmp_path / f"a.{ending}")
    assert (read.convention, read.span) == ("coco17", (0, 2))
    assert read.person.tolist() == [*range(people)] * 2
    np.testing.assert_allclose(read.keypoints[0], convert(found[None], COCO, score[None] > 0).points[0], atol=1e-3)


def test_arrays_that_tell_their_joints_and_that_are_none(tmp_path):
    table = CONVENTIONS["human36m_17"]
    found, _ = points(table)
    np.savez(tmp_path / "a.npz", reconstruction=np.stack([found] * 4)[None])
    assert read_detections(tmp_path / "a.npz").convention == "human36m_17"
    np.savez(tmp_path / "b.npz", one=np.zeros((3, 17, 2)), two=np.zeros((3, 17, 2)))
    with pytest.raises(InputError, match=r"b\.npz: has arrays .*expected one \(frames, joints, 2 or 3\)"):
        read_detections(tmp_path / "b.npz")
