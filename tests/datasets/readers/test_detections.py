"""Detectors' files in their official structures, read back; and files that are broken in every way."""

import functools
import json
import re

import h5py
import numpy as np
import pytest
from detector_files import (
    FRAMES,
    JSON,
    PERSONS,
    ROWS,
    SIZE,
    alphapose,
    by_frame,
    coco_results,
    flat,
    landmarks,
    long_csv,
    mediapipe,
    mmpose,
    mmpose_people,
    openpose_frames,
    ultralytics,
    wide_csv,
    write,
)

from tf_wsgen.datasets.clip import check_clip
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, convert
from tf_wsgen.datasets.readers import detections
from tf_wsgen.datasets.readers.detections import FORMATS, detection_clips
from tf_wsgen.errors import InputError
from tf_wsgen.skeleton import HUMAN16

# People are followed in tests of their own: here places are drawn at random.
read_detections = functools.partial(detections.read_detections, track="file")


def truth(convention):
    """(5, K, 2) pixels and (5, K) confidences with two decimals: exact in every format. The first ear is missing."""
    rng, count = np.random.default_rng(7), len(CONVENTIONS[convention].joints)
    points, confidence = rng.integers(1000, 40000, (ROWS, count, 2)) / 100, rng.integers(30, 99, (ROWS, count)) / 100
    points[0, 3], confidence[0, 3] = 0, 0
    return points, confidence


def expected(convention, points, confidence, lowest=0.0):
    visible = (confidence >= lowest) & (points != 0).any(axis=-1)
    return convert(points, convention, visible, confidence)


def check(found, convention, points, confidence, rows=slice(None)):
    wanted = expected(convention, points[rows], confidence[rows])
    np.testing.assert_allclose(found.keypoints, wanted.points, rtol=1e-6)
    np.testing.assert_array_equal(found.visible, wanted.visible)
    np.testing.assert_allclose(found.confidence, wanted.confidence, rtol=1e-6)
    assert found.keypoints.dtype == found.confidence.dtype == np.float32
    assert found.visible.dtype == bool
    assert found.convention == convention


SCORES = {"mmpose": [0.5, 0.6, 0.7, 0.8, 0.9], "alphapose": 2.5, "ultralytics": 0.91, "coco_results": 0.75}
JSON_CASES = [(name, build, convention) for name, (build, conventions) in JSON.items() for convention in conventions]


@pytest.mark.parametrize(("name", "build", "convention"), JSON_CASES)
def test_json_formats(tmp_path, name, build, convention):
    points, confidence = truth(convention)
    path = write(tmp_path / "clip.json", build(points, confidence))
    found = read_detections(path, image_size=SIZE)
    check(found, convention, points, confidence)
    assert found.source_format == name
    assert found.frame.dtype.kind == "i"
    assert found.frame.tolist() == FRAMES
    assert found.person.tolist() == PERSONS
    assert found.image_size == SIZE
    if name in SCORES:
        np.testing.assert_allclose(found.score, SCORES[name], rtol=1e-6)


def test_without_a_score_it_is_the_mean_confidence(tmp_path):
    points, confidence = np.full((5, 17, 2), 9.0), np.full((5, 17), 0.2)
    confidence[1, :9], points[1, 16] = 0.4, 0  # Row 1: nine of 0.4, seven of 0.2, one missing.
    people = mmpose_people(points, confidence)[:2]
    for person in people:
        del person["bbox_score"]
    found = read_detections(write(tmp_path / "a.json", people))
    np.testing.assert_allclose(found.score, [0.2, (9 * 0.4 + 7 * 0.2) / 16], rtol=1e-6)


@pytest.mark.parametrize("convention", ["body25", "coco18"])
def test_openpose_folder(tmp_path, convention):
    points, confidence = truth(convention)
    folder = tmp_path / "output"
    folder.mkdir()
    for frame, content in enumerate(openpose_frames(points, confidence)):
        write(folder / f"walk_{frame:012d}_keypoints.json", content)
    write(folder / "notes.json", {"by": "somebody else"})
    found = read_detections(folder)
    check(found, convention, points, confidence)
    assert found.source_format == "openpose"
    assert (found.frame.tolist(), found.person.tolist()) == (FRAMES, PERSONS)
    assert found.image_size is None


@pytest.mark.parametrize(
    ("name", "frame"),
    [("walk_000000000012_keypoints.json", 12), ("7.json", 7), ("portrait_keypoints.json", "portrait")],
)
def test_openpose_file_of_one_frame(tmp_path, name, frame):
    points, confidence = truth("body25")
    path = write(tmp_path / name, openpose_frames(points, confidence)[0])
    for format in ("auto", "openpose"):
        found = read_detections(path, format)
        check(found, "body25", points, confidence, slice(2))
        assert found.frame.tolist() == [frame] * 2


def test_openpose_images_of_several_series_keep_their_names(tmp_path):
    frames = openpose_frames(*truth("body25"))
    for name, content in zip(("a_001", "b_001", "b_002"), frames, strict=True):
        write(tmp_path / f"{name}_keypoints.json", content)
    assert read_detections(tmp_path).frame.tolist() == ["a_001", "a_001", "b_001", "b_002", "b_002"]


def test_openpose_empty_frames_and_tracked_people(tmp_path):
    frames = openpose_frames(*truth("body25"))
    frames[1]["people"] = []
    frames[2]["people"][0]["person_id"], frames[2]["people"][1]["person_id"] = [5], [3]
    for frame, content in enumerate(frames):
        write(tmp_path / f"{frame}_keypoints.json", content)
    found = read_detections(tmp_path)
    assert (found.frame.tolist(), found.person.tolist()) == ([0, 0, 2, 2], [6, 7, 5, 3])


MMPOSE_FORMS = {
    "frames without meta_info": (lambda points, scores: mmpose(points, scores)["instance_info"], FRAMES),
    "the inferencer's lists": (lambda points, scores: by_frame(mmpose_people(points, scores)), FRAMES),
    "one image": (mmpose_people, [0] * 5),
    "one image with meta_info": (lambda p, c: {"meta_info": {}, "instance_info": mmpose_people(p, c)}, [0] * 5),
}  # fmt: skip


@pytest.mark.parametrize(("build", "frames"), MMPOSE_FORMS.values(), ids=MMPOSE_FORMS)
def test_mmpose_forms(tmp_path, build, frames):
    points, confidence = truth("coco17")
    found = read_detections(write(tmp_path / "a.json", build(points, confidence)))
    check(found, "coco17", points, confidence)
    assert found.source_format == "mmpose"
    assert found.frame.tolist() == frames


def test_ultralytics_of_one_image_and_without_confidences(tmp_path):
    points, confidence = truth("coco17")
    people = ultralytics(points, confidence)[0]
    for person in people:
        del person["keypoints"]["visible"]
    found = read_detections(write(tmp_path / "a.json", people))
    check(found, "coco17", points, (points != 0).any(axis=-1).astype(float), slice(2))


POSES = [landmarks(p, c) for p, c in zip(*truth("mediapipe33"), strict=True)]
MEDIAPIPE_FORMS = {
    "landmarks": ({"landmarks": POSES[0]}, [0], [0]),
    "several poses": ({"pose_landmarks": POSES[:2]}, [0, 1], [0, 0]),
    "the old interface": ({"pose_landmarks": {"landmark": POSES[2]}}, [2], [0]),
    "frames of landmarks": ([{"landmarks": POSES[0]}, {"landmarks": POSES[3]}], [0, 3], [0, 1]),
    "frames of poses": ([POSES[:2], POSES[2:3]], [0, 1, 2], [0, 0, 1]),
    "frames without a pose": ([{"pose_landmarks": []}, {"pose_landmarks": None}, {"pose_landmarks": POSES[:1]}], [0],
        [2]),
}  # fmt: skip


@pytest.mark.parametrize(("content", "rows", "frames"), MEDIAPIPE_FORMS.values(), ids=MEDIAPIPE_FORMS)
def test_mediapipe_forms(tmp_path, content, rows, frames):
    found = read_detections(write(tmp_path / "a.json", content), image_size=SIZE)
    check(found, "mediapipe33", *truth("mediapipe33"), rows)
    assert found.source_format == "mediapipe"
    assert found.frame.tolist() == frames


def test_coco_annotations(tmp_path):
    points, _ = truth("coco17")
    flags = np.resize([2, 1, 0], (2, 17))
    points = np.where(flags[..., None] > 0, points[1:3], 0)
    content = {
        "images": [{"id": id, "width": 640, "height": 480} for id in (9, 8)],
        "categories": [{"id": 1, "name": "person", "keypoints": list(CONVENTIONS["coco17"].joints), "skeleton": []}],
        "annotations": [
            {"image_id": 9 - i, "category_id": 1, "num_keypoints": 12, "keypoints": flat(points[i], flags[i])}
            for i in range(2)
        ],
    }
    crowd = {"num_keypoints": 0, "keypoints": [0] * 51, "iscrowd": 1}
    content["annotations"].append(content["annotations"][0] | crowd)
    found = read_detections(write(tmp_path / "person_keypoints.json", content))
    # Hidden joints (1) are annotated; who has no joint is left out; images are in the order of their numbers.
    check(found, "coco17", points, (flags > 0).astype(float), [1, 0])
    assert found.frame.tolist() == [8, 9]
    assert found.image_size == (640, 480)
    assert found.source_format == "coco_annotations"
    # Images of different sizes have no common size.
    content["images"][0]["width"] = 480
    assert read_detections(write(tmp_path / "b.json", content)).image_size is None


@pytest.mark.parametrize("key", ["preds", "part"])
def test_pose_hg(tmp_path, key):
    points, _ = truth("mpii16")
    path = tmp_path / "valid.h5"
    with h5py.File(path, "w") as file:
        file[key] = points
        if key == "part":
            file["visible"] = np.zeros((ROWS, 16))  # Hidden is not missing.
            file["index"], file["person"] = [4.0, 4.0, 6.0, 9.0, 9.0], [1.0, 0.0, 0.0, 2.0, 3.0]
            file["normalize"] = np.ones(ROWS)
    found = read_detections(path)
    check(found, "mpii16", points, (points != 0).any(axis=-1).astype(float))
    assert not found.visible[0].all()
    assert found.source_format == "pose_hg"
    frames, persons = ([0, 1, 2, 3, 4], [0] * 5) if key == "preds" else ([4, 4, 6, 9, 9], [1, 0, 0, 2, 3])
    assert (found.frame.tolist(), found.person.tolist()) == (frames, persons)


def test_real_pose_hg_files(data_folder):
    annotations = read_detections(data_folder / "mpii_valid_annotations.h5")
    detections = read_detections(data_folder / "mpii_valid_stacked_hourglass.h5")
    assert len(annotations) == len(detections) == 2958
    assert int((~annotations.visible).sum()) == 3088  # (0, 0) in the file.
    assert detections.visible.all()


@pytest.mark.parametrize(("build", "convention"), [(long_csv, "coco17"), (wide_csv, "coco17"), (wide_csv, "cmu")])
def test_csv(tmp_path, build, convention):
    points, confidence = truth(convention)
    for format in ("auto", "csv"):
        found = read_detections(build(tmp_path / "a.csv", convention, points, confidence), format)
        check(found, convention, points, confidence)
        assert (found.frame.tolist(), found.person.tolist()) == (FRAMES, PERSONS)
        assert found.source_format == "csv"


def test_csv_without_confidences(tmp_path):
    points, confidence = truth("coco17")
    found = read_detections(wide_csv(tmp_path / "a.csv", "coco17", points, confidence, ("x", "y")))
    check(found, "coco17", points, (confidence > 0).astype(float))


def test_csv_of_some_joints_needs_the_convention(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("frame,person,joint,x,y\nb,0,left_hip,1,20\nb,0,right_hip,3,40\na,0,left_hip,5,60\n")
    with pytest.raises(InputError, match=r"fit any of \['human16', 'coco17'.*convention to be named"):
        read_detections(path)
    found = read_detections(path, convention="coco17")
    # Images are in the order of the file.
    assert found.frame.tolist() == ["b", "a"]
    seen = [[joint for joint, there in zip(HUMAN16.joints, row, strict=True) if there] for row in found.visible]
    assert seen == [["right_hip", "left_hip", "pelvis"], ["left_hip"]]
    np.testing.assert_array_equal(found.keypoints[0, HUMAN16.index("pelvis")], [2, 30])


def test_another_convention_can_be_named(tmp_path):
    points, confidence = truth("human36m_17")
    found = read_detections(write(tmp_path / "a.json", mmpose(points, confidence)), convention="human36m_17")
    check(found, "human36m_17", points, confidence)


TRACKED = {
    "mmpose": (mmpose, "track_id", lambda content: [p for f in content["instance_info"] for p in f["instances"]]),
    "alphapose": (alphapose, "idx", lambda content: content),
    "ultralytics": (ultralytics, "track_id", lambda content: [p for people in content for p in people]),
}


@pytest.mark.parametrize(("build", "key", "people_of"), TRACKED.values(), ids=TRACKED)
def test_tracked_people_keep_their_identity(tmp_path, build, key, people_of):
    content = build(*truth("coco17"))
    people = people_of(content)
    # A number that all share is no identity: AlphaPose without tracking says [0.0] of everybody.
    for identities, expected_persons in (([7, 4, 4, 4, 7], [7, 4, 4, 4, 7]), ([[0.0]] * 5, PERSONS)):
        for person, identity in zip(people, identities, strict=True):
            person[key] = identity
        assert read_detections(write(tmp_path / "a.json", content)).person.tolist() == expected_persons


def test_rows_are_sorted_by_frame_and_then_as_in_the_file(tmp_path):
    points, confidence = truth("coco17")
    content = coco_results(points, confidence)
    order = [4, 2, 0, 3, 1]
    found = read_detections(write(tmp_path / "a.json", [content[i] for i in order]))
    check(found, "coco17", points, confidence, [0, 1, 2, 4, 3])
    assert (found.frame.tolist(), found.person.tolist()) == (FRAMES, PERSONS)


def test_images_with_names_keep_the_files_order(tmp_path):
    content = alphapose(*truth("coco17"))
    for person, name in zip(content, ["run.png", "run.png", "jump.png", "hop.png", "hop.png"], strict=True):
        person["image_id"] = name
    found = read_detections(write(tmp_path / "a.json", content))
    assert found.frame.tolist() == ["run.png", "run.png", "jump.png", "hop.png", "hop.png"]


def test_what_a_detector_is_not_sure_of_is_missing(tmp_path):
    points, confidence = truth("coco17")
    confidence[1] = 0.1  # Nobody left in row 1.
    confidence[2, 5] = -0.01
    path = write(tmp_path / "a.json", mmpose(points, confidence))
    found = read_detections(path, lowest_confidence=0.5)
    wanted = expected("coco17", points, confidence, 0.5)
    np.testing.assert_array_equal(found.visible, wanted.visible[[0, 2, 3, 4]])
    assert (found.frame.tolist(), found.person.tolist()) == ([0, 1, 2, 2], [0, 0, 0, 1])
    assert (found.keypoints[~found.visible] == 0).all()
    assert (found.confidence[~found.visible] == 0).all()

    shoulder = HUMAN16.index("left_shoulder")
    assert not read_detections(path).visible[2, shoulder]


def test_people_without_hips_are_kept(tmp_path):
    points, confidence = truth("body25")
    hips = [8, 9, 12]
    points[:, hips], confidence[:, hips] = 0, 0
    found = read_detections(write(tmp_path / "0_keypoints.json", openpose_frames(points, confidence)[0]))
    assert len(found) == 2
    assert not found.visible[:, [HUMAN16.index(j) for j in ("pelvis", "left_hip", "right_hip")]].any()


def test_clips_of_a_video(tmp_path):
    points, confidence = truth("coco17")
    path = write(tmp_path / "walk.json", mmpose(points, confidence))
    found = read_detections(path, image_size=SIZE)
    clips = list(detection_clips(found, str(path), "train"))
    assert [clip.labels["subject"] for clip in clips] == ["0", "1"]
    for clip, rows in zip(clips, ([0, 2, 3], [1, 4]), strict=True):
        check_clip(clip)
        np.testing.assert_array_equal(clip.pose_2d, found.keypoints[rows])
        np.testing.assert_array_equal(clip.labels["visible"], found.visible[rows])
        np.testing.assert_array_equal(clip.labels["confidence"], found.confidence[rows])
        assert clip.pose_3d is None
        assert (clip.labels["sequence"], clip.group, clip.image_size) == ("walk", "train", SIZE)
        assert str(path) in clip.where


@pytest.mark.parametrize(
    ("name", "frames"), [("coco_results", ["0", "1", "2"]), ("alphapose", ["a.png", "b.png", "c.png"])]
)
def test_clips_of_single_images_have_a_sequence_an_image(tmp_path, name, frames):
    content = JSON[name][0](*truth("coco17"))
    if name == "alphapose":
        for person, frame in zip(content, FRAMES, strict=True):
            person["image_id"] = frames[frame]
    path = write(tmp_path / "a.json", content)
    first, second = detection_clips(read_detections(path), str(path), "test")
    for clip, sequences in ((first, frames), (second, [frames[0], frames[2]])):
        check_clip(clip)
        assert clip.labels["sequence"].tolist() == sequences


# Broken files: what is in them, and what the message says after the file's name.


def edited(build, edit, convention="coco17"):
    """The text of a sound file with one edit."""
    content = build(*truth(convention))
    edit(content)
    return json.dumps(content)


def put(value, *keys):
    def edit(content):
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return edit


def without(*keys):
    def edit(content):
        for key in keys[:-1]:
            content = content[key]
        del content[keys[-1]]

    return edit


INSTANCE = ("instance_info", 2, "instances", 1)
AT_INSTANCE = r"instance_info\[2\]\.instances\[1\]"
HEADER = "frame,person,joint,x,y\n"
COCO_ROWS = "".join(f"1,0,{joint},7,2\n" for joint in CONVENTIONS["coco17"].joints)
BROKEN = {
    "empty": ("", "is empty"),
    "text": ("Once upon a time, nobody was seen", "is none of the known formats of detections.*mmpose"),
    "truncated": (edited(mmpose, lambda _: None)[:-50], "cannot be read as a file of detections"),
    "nested deep": ("[" * 100_000, "nested too deep"),
    "nested, and nothing inside": ("[" * 90 + "]" * 90, "no people found"),
    "a number too long": ('[{"image_id":' + "9" * 5000 + ',"keypoints":[]}]', "cannot be read"),
    "no people": ("[]", "no people found"),
    "people of whom nothing is seen": (edited(coco_results, lambda c: [p.update(keypoints=[0] * 51) for p in c]),
        "no people found"),
    "OpenPose without people": ('{"version": 1.3, "people": []}', "no people found"),
    "another JSON": ('{"name": "a list of songs"}', "is none of the known formats"),
    "two formats at once": ('{"people": [], "annotations": []}', r"any of \['openpose', 'coco_annotations'\]"),
    "NaN": (edited(mmpose, put(float("nan"), *INSTANCE, "keypoints", 3, 0)), "holds NaN"),
    "an object for a list": (edited(mmpose, put({}, "instance_info", 1, "instances")),
        r"\[1\]\.instances is an object"),
    "a frame that is an object": (edited(mmpose, put({}, "instance_info", 1, "frame_id")), r"\.frame_id is an object"),
    "hands": (json.dumps([{"keypoints": [[1.0, 2.0]] * 21, "keypoint_scores": [1.0] * 21}]),
        r"21 joints fit none of \['coco17'"),
    "an unprintable image": (edited(alphapose, put("\ud800", 3, "image_id")), r"\[3\]: the frame is called '\\ud800'"),
    "shares of the image": (
        edited(ultralytics, lambda c: [p["keypoints"].update(x=[0.5] * 17, y=[0.5] * 17) for f in c for p in f]),
        "shares of the image, not pixels; expected .* --image_size WIDTHxHEIGHT"),
    "a visibility of COCO": (json.dumps({"annotations": [{"image_id": 1, "keypoints": [5, 5, 3] * 17}]}),
        r"annotations\[0\]\.keypoints has visibilities other than 0, 1 and 2"),
    "OpenPose's hands alone": (json.dumps({"people": [{"hand_left_keypoints_2d": [1, 2, 3]}]}),
        r"people\[0\] has no 'pose_keypoints_2d'"),
    "MediaPipe without the image's size": (edited(mediapipe, lambda _: None, "mediapipe33"),
        "expected .*--image_size WIDTHxHEIGHT"),
    "CSV of other columns": ("frame,person,joint,x,y,colour\n1,0,nose,1,2,red\n",
        "line 1 has an unknown column 'colour'"),
    "CSV of x alone": ("frame,person,nose_x\n1,0,2\n", "line 1 has no column 'nose_y'"),
    "CSV of frames alone": ("frame,person\n1,0\n", "line 1 has no columns of joints"),
    "CSV with a column twice": ("frame,person,joint,x,y,x\n1,0,nose,1,2,3\n", "line 1 has more than one column 'x'"),
    "CSV of an unknown joint": (HEADER + "1,0,nose,1,2\n1,0,left_sholder,3,4\n",
        "joint 'left_sholder' is unknown .* did you mean 'left_shoulder'"),
    "CSV with unknown columns of joints": ("frame,person,tail_x,tail_y\n1,0,2,3\n", "joint 'tail' is unknown"),
    "CSV with a text for a number": (HEADER + "1,0,nose,left,2\n",
        "line 2: x, y, confidence are .*'left'.*expected numbers"),
    "CSV with half a joint": (HEADER + "1,0,nose,1,\n", "line 2: .*expected numbers"),
    "CSV with a person's name": (HEADER + "1,Ada,nose,1,2\n", "line 2: person is 'Ada'"),
    "CSV with a short line": (HEADER + "1,0,nose\n", "line 2 has 3 cells; expected 5"),
    "CSV with a joint twice": (HEADER + COCO_ROWS + "1,0,nose,1,2\n",
        "line 19: nose of person 0 in frame '1' is there already"),
    "CSV without rows": (HEADER, "no people found"),
    "CSV with an open quote": (HEADER + '1,0,"nose,1,2\n', "cannot be read"),
    "CSV that is no text": (HEADER.encode() + b"1,0,\xff\xfe,1,2\n", "cannot be read"),
}  # fmt: skip
# One wrong entry of five.
WRONG_ENTRIES = {
    "infinity": (edited(mmpose, put(123456.0, *INSTANCE, "keypoints", 9, 1)).replace("123456.0", "1e999"),
        AT_INSTANCE + r" \(frame 2\): left_wrist is at \([0-9.]+, inf\)"),
    "beyond every image": (edited(alphapose, put(1e300, 0, "keypoints", 0)), r"\[0\] .*nose is at \(1e\+300"),
    "an infinite score": (edited(coco_results, put(123456.0, 2, "score")).replace("123456.0", "1e999"),
        r"\[2\]\.score is inf"),
    "texts for numbers": (edited(mmpose, put([["1", "2"]] * 17, *INSTANCE, "keypoints")),
        AT_INSTANCE + r"\.keypoints is a list with other"),
    "truth values": (edited(mmpose, put([True] * 17, *INSTANCE, "keypoint_scores")),
        AT_INSTANCE + r"\.keypoint_scores"),
    "rows of different lengths": (edited(mmpose, put([[1.0, 2.0], [3.0]], *INSTANCE, "keypoints")),
        AT_INSTANCE + r"\.keypoints has rows of"),
    "3D keypoints": (edited(mmpose, put([[1.0, 2.0, 3.0]] * 17, *INSTANCE, "keypoints")),
        "has 17 x 3 numbers; expected N x 2 numbers"),
    "fewer scores than joints": (edited(mmpose, put([0.5] * 16, *INSTANCE, "keypoint_scores")), "has 16 numbers"),
    "no keypoints": (edited(mmpose, without(*INSTANCE, "keypoints")), AT_INSTANCE + " has no 'keypoints'; it has"),
    "a score that is a text": (edited(mmpose, put("high", *INSTANCE, "bbox_score")), r"bbox_score is a text"),
    "one person of other joints": (
        edited(mmpose, put({"keypoints": [[1.0, 2.0]] * 26}, *INSTANCE)),
        AT_INSTANCE + " has 26 joints; 'coco17' has 17"),
    "a length not of threes": (edited(alphapose, lambda c: c[1]["keypoints"].pop()),
        r"\[1\]\.keypoints has 50 numbers"),
    "no image": (edited(coco_results, without(3, "image_id")), r"\[3\] has no 'image_id'"),
    "an image that is true": (edited(coco_results, put(True, 3, "image_id")), r"\[3\]\.image_id is True"),
    "x and y of different lengths": (edited(ultralytics, lambda c: c[2][1]["keypoints"]["y"].pop()),
        r"\[2\]\[1\]\.keypoints\.y has 16 numbers; .* 17"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_by_name_and_place(tmp_path, content, message):
    path = tmp_path / "people.x"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=r"people\.x: .*" + message):
        read_detections(path)


@pytest.mark.parametrize(("content", "message"), WRONG_ENTRIES.values(), ids=WRONG_ENTRIES)
def test_a_wrong_entry_is_left_out_counted_and_named(tmp_path, content, message):
    path = tmp_path / "people.x"
    path.write_text(content)
    found = read_detections(path, image_size=SIZE)
    assert len(found) == 4
    assert re.search("1 of 5 entries are left out; the first: .*" + message, "\n".join(found.notes))


@pytest.mark.parametrize(
    ("format", "message"),
    [("auto", r"the folder has no files \*\.json"), ("pose_hg", r"is a folder; expected .* \(pose_hg\)")],
)
def test_a_folder_without_frames_or_of_a_format_of_one_file_is_refused_by_name(tmp_path, format, message):
    with pytest.raises(InputError, match=f"{tmp_path.name}: {message}"):
        read_detections(tmp_path, format)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "0_keypoints.json: cannot be read"),
        ('{"people": [7]}', r"0_keypoints.json: people\[0\] is 7; expected an"),
    ],
)
def test_a_broken_file_in_a_folder_is_named(tmp_path, content, message):
    (tmp_path / "0_keypoints.json").write_text(content)
    with pytest.raises(InputError, match=message):
        read_detections(tmp_path)


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_of_another_format_than_named_is_refused_by_name(tmp_path, format):
    content = openpose_frames(*truth("body25"))[0] if format == "mmpose" else mmpose(*truth("coco17"))
    path = write(tmp_path / "a.x", content)
    with pytest.raises(InputError, match=r"a\.x: "):
        read_detections(path, format, image_size=SIZE)


HDF5 = {
    "no poses": (lambda file: None, "has no dataset 'part'"),
    "15 joints": (lambda file: file.update(preds=np.ones((5, 15, 2))), r"15 joints fit none of \['mpii16'\]"),
    "texts": (lambda file: file.update(part=[[[b"1", b"2"]] * 16]), "part is not an array of numbers"),
    "NaN": (lambda file: file.update(preds=np.full((5, 16, 2), np.nan)), r"preds\[0\] .*right_ankle is at \(nan"),
    "an infinite index": (lambda file: file.update(part=np.ones((1, 16, 2)), index=[np.inf]),
        "index holds values that"),
    "a size that is not there": (lambda file: file.create_dataset("preds", (10**9, 16, 2), chunks=(1024, 16, 2)),
        "announces"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), HDF5.values(), ids=HDF5)
def test_a_broken_hdf5_file_is_refused_by_name_and_place(tmp_path, change, message):
    path = tmp_path / "people.h5"
    with h5py.File(path, "w") as file:
        change(file)
    with pytest.raises(InputError, match=r"people\.h5: .*" + message):
        read_detections(path)


ARGUMENTS = {
    "format": ({"format": "detectron"}, "format is 'detectron'; expected 'auto' or one of"),
    "convention": ({"convention": "coco16"}, "convention is 'coco16'; did you mean 'coco1"),
    "convention of another number of joints": ({"convention": "mpii16"},
        r"instances\[0\] has 17 joints; 'mpii16' has 16"),
    "a confidence that is no number": ({"lowest_confidence": float("nan")}, "lowest_confidence is nan"),
    "no width": ({"image_size": (0, 480)}, r"image_size is \(0, 480\)"),
    "nothing sure enough": ({"lowest_confidence": 2.0}, "no people found: no joint is there with enough confidence"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_refused_arguments(tmp_path, arguments, message):
    path = write(tmp_path / "a.json", mmpose(*truth("coco17")))
    with pytest.raises(InputError, match=message):
        read_detections(path, **arguments)


def test_pixels_are_no_mediapipe_landmarks(tmp_path):
    content = [[{"x": 300.0, "y": 200.0, "z": 0.0, "visibility": 1.0}] * 33]
    with pytest.raises(InputError, match=r"a\.json: .*expected shares of the image, not pixels"):
        read_detections(write(tmp_path / "a.json", content), image_size=SIZE)
