"""Detectors' files in their official structures, and as people have them, come back joint by joint."""

import functools
import gzip
import io
import json
import pickle
import re
import sys

import detector_files as files
import h5py
import numpy as np
import pytest
from detector_files import FRAMES, JSON, PERSONS, ROWS, SIZE, flat, truth, write
from refusals import refuses, table

from tf_wsgen.datasets.clip import check_clip
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, convert
from tf_wsgen.datasets.readers import detections
from tf_wsgen.datasets.readers.detections import detection_clips
from tf_wsgen.skeleton import HUMAN16

# People are followed in tests of their own: here places are drawn at random.
read_detections = functools.partial(detections.read_detections, track="file")
COCO = CONVENTIONS["coco17"].joints


def check(found, convention, points, confidence, rows=slice(None)):
    points, confidence = points[rows], confidence[rows]
    wanted = convert(points, convention, (confidence > 0) & (points != 0).any(axis=-1), confidence)
    np.testing.assert_allclose(found.keypoints, wanted.points, rtol=1e-6)
    np.testing.assert_array_equal(found.visible, wanted.visible)
    np.testing.assert_allclose(found.confidence, wanted.confidence, rtol=1e-6)
    assert found.keypoints.dtype == found.confidence.dtype == np.float32
    assert (found.visible.dtype, found.convention) == (bool, convention)


def who(found):
    return found.frame.tolist(), found.person.tolist()


def places(found, joint):
    return found.keypoints[:, HUMAN16.index(joint)].tolist()


SCORES = {"mmpose": [0.5, 0.6, 0.7, 0.8, 0.9], "alphapose": 2.5, "ultralytics": 0.91, "coco_results": 0.75}
FORMS = {name: (name, *form) for name, form in JSON.items()} | {
    "mmpose, frames without meta_info": ("mmpose", files.mmpose_frames, ("coco17",)),
    "mmpose, the inferencer's lists": ("mmpose", files.mmpose_lists, ("coco17", "wholebody133", "halpe136")),
    "mmpose before 1.0": ("mmpose", files.mmpose_before_1, ("coco17", "wholebody133")),
    "mmpose's tests before 1.0": ("mmpose", files.mmpose_tested, ("coco17", "mpii16")),
    "vitpose": ("mmpose", files.vitpose, ("coco17",)),
    "dwpose": ("dwpose", files.dwpose, ("coco18",)),
    "alphapose, open": ("alphapose_images", files.alphapose_open, ("coco18",)),
    "alphapose, cmu": ("alphapose_images", files.alphapose_cmu, ("coco18",)),
    "tfjs, frames": ("tfjs", files.tfjs, ("coco17",)),
    "ml5": ("tfjs", files.ml5, ("coco17",)),
    "posenet": ("tfjs", files.posenet, ("coco17",)),
    "ml5 before 1.0": ("tfjs", files.ml5_before_1, ("coco17",)),
    "mediapipe in browsers": ("mediapipe", files.mediapipe_in_browsers, ("mediapipe33",)),
}


@pytest.mark.parametrize(("form", "convention"), [(form, name) for form in FORMS for name in FORMS[form][2]])
def test_json_formats(tmp_path, form, convention):
    name, build, _ = FORMS[form]
    points, confidence = truth(convention)
    found = read_detections(write(tmp_path / "clip.json", build(points, confidence)), image_size=SIZE)
    check(found, convention, points, confidence)
    assert found.frame.dtype.kind == "i"
    assert (found.source_format, who(found), found.image_size) == (name, (FRAMES, PERSONS), SIZE)
    if form in SCORES:
        np.testing.assert_allclose(found.score, SCORES[form], rtol=1e-6)


@pytest.mark.parametrize("name", files.CONTAINERS)
def test_containers(tmp_path, name):
    save, format, numbers = files.CONTAINERS[name]
    points, confidence = truth("coco17")
    save(tmp_path / name, points, confidence)
    found = read_detections(tmp_path / name)
    check(found, "coco17", points, confidence)
    assert (found.source_format, who(found)) == (format, ([numbers[frame] for frame in FRAMES], PERSONS))


POSES = [files.landmarks(*pose) for pose in zip(*truth("mediapipe33"), strict=True)]
PEOPLE = truth("coco17")
INSTANCES, NAMED = files.mmpose_people(*PEOPLE), files.tfjs(*PEOPLE)
OLD = {"landmark": POSES[2]}
# What is in the file: the rows that come back, and their frames.
PARTS = {
    "mmpose, one image": ("mmpose", INSTANCES, range(5), [0] * 5),
    "mmpose, one image with meta_info": ("mmpose", {"meta_info": {}, "instance_info": INSTANCES}, range(5), [0] * 5),
    "openpifpaf, one image": ("openpifpaf", files.openpifpaf(*PEOPLE), range(5), [0] * 5),
    "tfjs, a pose": ("tfjs", NAMED[0][0], [0], [0]),
    "tfjs, poses": ("tfjs", NAMED[0], [0, 1], [0, 0]),
    "posenet, a pose": ("tfjs", files.posenet(*PEOPLE)[0][0], [0], [0]),
    "tfjs, a frame without": ("tfjs", [[], NAMED[0]], [0, 1], [1, 1]),
    "mediapipe, landmarks": ("mediapipe", {"landmarks": POSES[0]}, [0], [0]),
    "mediapipe, several poses": ("mediapipe", {"pose_landmarks": POSES[:2]}, [0, 1], [0, 0]),
    "mediapipe, the old interface": ("mediapipe", {"pose_landmarks": OLD}, [2], [0]),
    "mediapipe, frames of landmarks": ("mediapipe", [{"landmarks": POSES[i]} for i in (0, 3)], [0, 3], [0, 1]),
    "mediapipe, frames of poses": ("mediapipe", [POSES[:2], POSES[2:3]], [0, 1, 2], [0, 0, 1]),
    "mediapipe, frames without a pose": ("mediapipe", [{"pose_landmarks": p} for p in ([], None, POSES[:1])], [0], [2]),
}


@table("format content rows frames", PARTS)
def test_forms_of_a_format(tmp_path, format, content, rows, frames):
    convention = "mediapipe33" if format == "mediapipe" else "coco17"
    found = read_detections(write(tmp_path / "a.json", content), image_size=SIZE)
    check(found, convention, *truth(convention), list(rows))
    assert (found.source_format, found.frame.tolist()) == (format, frames)


def test_without_a_score_it_is_the_mean_confidence(tmp_path):
    points, confidence = np.full((5, 17, 2), 9.0), np.full((5, 17), 0.2)
    confidence[1, :9], points[1, 16] = 0.4, 0  # Row 1: nine of 0.4, seven of 0.2, one missing.
    people = files.mmpose_people(points, confidence)[:2]
    del people[0]["bbox_score"], people[1]["bbox_score"]
    found = read_detections(write(tmp_path / "a.json", people))
    np.testing.assert_allclose(found.score, [0.2, (9 * 0.4 + 7 * 0.2) / 16], rtol=1e-6)


@pytest.mark.parametrize("convention", ["body25", "coco18", "coco17", "halpe26", "wholebody133"])
def test_openpose_folder(tmp_path, convention):
    folder = tmp_path / "output"
    folder.mkdir()
    for frame, content in enumerate(files.openpose_frames(*truth(convention))):
        write(folder / f"walk_{frame:012d}_keypoints.json", content)
    write(folder / "notes.json", {"by": "somebody else"})
    found = read_detections(folder)
    check(found, convention, *truth(convention))
    assert (found.source_format, who(found), found.image_size) == ("openpose", (FRAMES, PERSONS), None)


def test_openpose_of_2017(tmp_path):
    for frame, content in enumerate(files.openpose_of_2017(*truth("coco18"))):
        write(tmp_path / f"walk_{frame:012d}_keypoints.json", content)
    found = read_detections(tmp_path)
    check(found, "coco18", *truth("coco18"))
    assert who(found) == (FRAMES, PERSONS)


ONE_FRAME = {"walk_000000000012_keypoints.json": 12, "7.json": 7, "portrait_keypoints.json": "portrait"}


@pytest.mark.parametrize(("name", "frame"), ONE_FRAME.items())
def test_openpose_file_of_one_frame(tmp_path, name, frame):
    path = write(tmp_path / name, files.openpose_frames(*truth("body25"))[0])
    for format in ("auto", "openpose"):
        found = read_detections(path, format)
        check(found, "body25", *truth("body25"), slice(2))
        assert found.frame.tolist() == [frame] * 2


# The names of the files of a folder, each with the people of a frame, and the frames that they are.
FOLDERS = {
    "numbers": (("10", "9", "2"), [2, 2, 9, 10, 10]),
    "one series": (("a_010", "a_009", "a_002"), [2, 2, 9, 10, 10]),
    "several series": (("a_001", "b_001", "b_002"), ["a_001", "a_001", "b_001", "b_002", "b_002"]),
}


@table("names frames", FOLDERS)
def test_files_of_frames_are_sorted_by_number(tmp_path, names, frames):
    people = {
        "{}_keypoints.json": files.openpose_frames(*truth("body25")),
        "{}.json": files.mmpose_lists(*PEOPLE),
        "{}.predictions.json": files.by_frame(files.openpifpaf(*PEOPLE)),
    }
    for kind, (pattern, contents) in enumerate(people.items()):
        (tmp_path / str(kind)).mkdir()
        for name, content in zip(names, contents, strict=True):
            write(tmp_path / str(kind) / pattern.format(name), content)
        assert read_detections(tmp_path / str(kind)).frame.tolist() == frames


@pytest.mark.parametrize("name", ["mmpose", "alphapose"])
def test_the_only_file_of_a_folder_may_be_a_videos(tmp_path, name):
    (tmp_path / "predictions").mkdir()
    write(tmp_path / "predictions/clip.json", JSON[name][0](*PEOPLE))
    found = read_detections(tmp_path)
    check(found, "coco17", *PEOPLE)
    assert who(found) == (FRAMES, PERSONS)
    write(tmp_path / "predictions/clip2.json", JSON[name][0](*PEOPLE))
    refuses("holds several frames; expected a file a frame", read_detections, tmp_path)


def test_openpose_empty_frames_and_tracked_people(tmp_path):
    frames = files.openpose_frames(*truth("body25"))
    frames[1]["people"] = []
    frames[2]["people"][0]["person_id"], frames[2]["people"][1]["person_id"] = [5], [3]
    for frame, content in enumerate(frames):
        write(tmp_path / f"{frame}_keypoints.json", content)
    assert who(read_detections(tmp_path)) == ([0, 0, 2, 2], [6, 7, 5, 3])


def test_the_time_line_has_the_frames_without_anybody(tmp_path):
    content = files.mmpose_frames(*PEOPLE)
    content[0]["frame_id"], content[1]["frame_id"], content[2] = 2, 9, {"frame_id": 10, "instances": []}
    found = read_detections(write(tmp_path / "a.json", content))
    place, length = found.time_line
    assert (found.frame.tolist(), place.tolist(), length) == ([2, 2, 9], [0, 0, 7], 9)


def test_ultralytics_of_one_image_and_without_confidences(tmp_path):
    points, confidence = PEOPLE
    people = files.ultralytics(points, confidence)[0]
    for person in people:
        del person["keypoints"]["visible"]
    found = read_detections(write(tmp_path / "a.json", people))
    check(found, "coco17", points, (points != 0).any(axis=-1).astype(float), slice(2))


def coco_annotations(points, flags, names=COCO, images=(9, 8)):
    annotations = [
        {"image_id": image, "category_id": 1, "num_keypoints": 12, "keypoints": flat(p, f)}
        for image, p, f in zip(images, points, flags, strict=True)
    ]
    return {
        "images": [{"id": id, "width": SIZE[0], "height": SIZE[1]} for id in images],
        "categories": [{"id": 1, "name": "person", "keypoints": list(names), "skeleton": []}],
        "annotations": annotations,
    }


def test_coco_annotations(tmp_path):
    flags = np.resize([2, 1, 0], (2, 17))
    points = np.where(flags[..., None] > 0, PEOPLE[0][1:3], 0)
    content = coco_annotations(points, flags)
    crowd = {"num_keypoints": 0, "keypoints": [0] * 51, "iscrowd": 1}
    box = {"image_id": 8, "category_id": 1, "bbox": [0, 0, 10, 10]}
    content["annotations"] += [content["annotations"][0] | crowd, box]
    found = read_detections(write(tmp_path / "person_keypoints.json", content))
    # Hidden joints (1) are annotated; who has no joint is left out; images are in the order of their numbers.
    check(found, "coco17", points, (flags > 0).astype(float), [1, 0])
    assert (found.frame.tolist(), found.image_size, found.source_format) == ([8, 9], SIZE, "coco_annotations")
    assert any("entries are left out; the first: annotations[3]" in note for note in found.notes)
    # Images of different sizes have no common size.
    content["images"][0]["width"] = 480
    assert read_detections(write(tmp_path / "b.json", content)).image_size is None


SPELLINGS = {
    "left_hip": lambda name: name,
    "l_hip": lambda name: name.replace("left_", "l_").replace("right_", "r_"),
    "Lhip": lambda name: name.replace("left_", "L").replace("right_", "R"),
    "hip_left": lambda name: "_".join(reversed(name.split("_"))),
}


@table("spell", SPELLINGS)
def test_names_in_the_file_decide_whatever_their_order(tmp_path, spell):
    points, flags = PEOPLE[0][1:3], np.full((2, 17), 2)
    content = coco_annotations(points[:, ::-1], flags, map(spell, COCO[::-1]))
    found = read_detections(write(tmp_path / "a.json", content))
    np.testing.assert_allclose(found.keypoints, convert(points, "coco17").points[::-1], rtol=1e-6)
    assert any("as the file says" in note for note in found.notes)


NO_NAMES = {
    "another number": (COCO[1:], r"\[0\] has 17 joints; the file names 16"),
    "no names of joints": ([f"point_{index}" for index in range(17)], "point_0"),
}


@table("names message", NO_NAMES)
def test_names_that_cannot_be_are_refused(tmp_path, names, message):
    content = coco_annotations(PEOPLE[0][:2], np.full((2, 17), 2), names)
    refuses(message, read_detections, write(tmp_path / "a.json", content))


def test_hips_and_shoulders_crossed_are_warned_of(tmp_path):
    points = PEOPLE[0][1:3].copy()
    # Shoulders and hips, left and right, of somebody seen from the front.
    points[:, [5, 6, 11, 12]] = [[450, 150], [350, 150], [430, 300], [370, 300]]
    crossed = [{"left_hip": "right_hip", "right_hip": "left_hip"}.get(name, name) for name in COCO]
    for names, warned in ((COCO, False), (crossed, True)):
        content = coco_annotations(points, np.full((2, 17), 2), names)
        notes = read_detections(write(tmp_path / "a.json", content)).notes
        assert any("other way round" in note for note in notes) is warned


@pytest.mark.parametrize(("size", "told"), [(SIZE, False), (SIZE[::-1], True)])
def test_an_image_that_is_too_small_is_told(tmp_path, size, told):
    points, confidence = PEOPLE
    path = write(tmp_path / "a.json", files.mmpose(points * np.divide(SIZE, 400), confidence))
    notes = read_detections(path, image_size=size).notes
    assert any("of the joints are outside of an image" in note for note in notes) is told
    path = write(tmp_path / "b.json", files.mmpose(points / 200, confidence))
    assert not any("outside" in note for note in read_detections(path, image_size=size).notes)


def test_y_before_x_and_y_upwards_are_told(tmp_path):
    points = PEOPLE[0][1:3].copy()
    points[:, [5, 6, 11, 12]] = [[450, 150], [350, 150], [430, 300], [370, 300]]
    for values, told in ((points, []), (points[..., ::-1], ["y before x"]), (SIZE - points, ["y upwards"])):
        np.save(tmp_path / "a.npy", values)
        notes = " ".join(read_detections(tmp_path / "a.npy").notes)
        assert [one for one in ("y before x", "y upwards") if one in notes] == told


@pytest.mark.parametrize("key", ["preds", "part"])
def test_pose_hg(tmp_path, key):
    points, _ = truth("mpii16")
    with h5py.File(tmp_path / "valid.h5", "w") as file:
        file[key] = points
        if key == "part":
            file["visible"] = np.zeros((ROWS, 16))  # Hidden is not missing.
            file["index"], file["person"] = [4.0, 4.0, 6.0, 9.0, 9.0], [1.0, 0.0, 0.0, 2.0, 3.0]
            file["normalize"] = np.ones(ROWS)
    found = read_detections(tmp_path / "valid.h5")
    check(found, "mpii16", points, (points != 0).any(axis=-1).astype(float))
    assert not found.visible[0].all()
    assert found.source_format == "pose_hg"
    assert who(found) == (([0, 1, 2, 3, 4], [0] * 5) if key == "preds" else ([4, 4, 6, 9, 9], [1, 0, 0, 2, 3]))


def test_real_pose_hg_files(data_folder):
    annotations = read_detections(data_folder / "mpii_valid_annotations.h5")
    detections = read_detections(data_folder / "mpii_valid_stacked_hourglass.h5")
    assert len(annotations) == len(detections) == 2958
    assert int((~annotations.visible).sum()) == 3088  # (0, 0) in the file.
    assert detections.visible.all()


@pytest.mark.parametrize(("build", "convention"), [(files.long_csv, "coco17"), (files.wide_csv, "cmu")])
def test_csv(tmp_path, build, convention):
    path = build(tmp_path / "a.csv", convention, *truth(convention))
    for format in ("auto", "csv"):
        found = read_detections(path, format)
        check(found, convention, *truth(convention))
        assert (found.source_format, who(found)) == ("csv", (FRAMES, PERSONS))


VISION = {
    "nose": "head_joint", "neck": "neck_1_joint", "shoulder": "shoulder_1", "elbow": "forearm", "wrist": "hand",
    "hip": "upLeg", "knee": "leg", "ankle": "foot",
}  # fmt: skip


def test_csv_of_apples_names(tmp_path):
    def spell(joint):
        side, _, part = joint.partition("_")
        return f"{side}_{VISION.get(part, part)}_joint" if part else VISION[joint]

    path = files.wide_csv(tmp_path / "a.csv", "coco18", *truth("coco18"), spell=spell)
    check(read_detections(path), "coco18", *truth("coco18"))


LANDMARKS = {
    "ours": lambda joint: joint,
    "MediaPipe's enumeration": str.upper,
    "camels": lambda joint: joint.title().replace("_", "")[:1].lower() + joint.title().replace("_", "")[1:],
}


@table("spell", LANDMARKS)
def test_csv_of_a_known_list_in_any_spelling(tmp_path, spell):
    path = files.wide_csv(tmp_path / "a.csv", "mediapipe33", *truth("mediapipe33"), spell=spell)
    check(read_detections(path), "mediapipe33", *truth("mediapipe33"))


@pytest.mark.parametrize(("name", "named"), [("mediapipe33", None), ("halpe26", None), ("coco17", "coco17")])
def test_csv_of_joints_by_number(tmp_path, name, named):
    points, confidence = truth(name)
    lines = [["frame", "person", "landmark_id", "x", "y", "visibility"]]
    lines += [
        [FRAMES[row], PERSONS[row], joint, *points[row, joint], confidence[row, joint]]
        for row, joint in np.ndindex(confidence.shape)
    ]
    (tmp_path / "a.csv").write_text(files.table_text(lines))
    check(read_detections(tmp_path / "a.csv", convention=named), name, points, confidence)


def test_csv_without_confidences(tmp_path):
    points, confidence = PEOPLE
    found = read_detections(files.wide_csv(tmp_path / "a.csv", "coco17", points, confidence, ("x", "y")))
    check(found, "coco17", points, (confidence > 0).astype(float))


@pytest.mark.parametrize("name", ["score", "c", "prob", "v"])
def test_csv_of_confidences_by_other_names_and_of_z(tmp_path, name):
    points, confidence = PEOPLE
    path = files.wide_csv(tmp_path / "a.csv", "coco17", points, confidence)
    text = path.read_text(encoding="utf-8").replace("_confidence", f"_{name}")
    path.write_text(text, encoding="utf-8")
    found = read_detections(path)
    check(found, "coco17", points, confidence)
    assert not any("z are not read" in note for note in found.notes)
    path.write_text(text.replace(f"_{name}", "_z"), encoding="utf-8")
    found = read_detections(path)
    check(found, "coco17", points, (confidence > 0).astype(float))
    assert any("z are not read" in note for note in found.notes)


def test_csv_of_some_joints_needs_the_convention(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("frame,person,joint,x,y\nb,0,left_hip,1,20\nb,0,right_hip,3,40\na,0,left_hip,5,60\n")
    refuses(r"fit any of \['human16', 'coco17'.*convention to be named", read_detections, path)
    found = read_detections(path, convention="coco17")
    # Images are in the order of the file.
    assert found.frame.tolist() == ["b", "a"]
    seen = [[joint for joint, there in zip(HUMAN16.joints, row, strict=True) if there] for row in found.visible]
    assert seen == [["right_hip", "left_hip", "pelvis"], ["left_hip"]]
    assert places(found, "pelvis")[0] == [2, 30]


def test_people_of_a_csv_may_have_names_that_are_told(tmp_path):
    for build in (files.long_csv, files.wide_csv):
        path = build(tmp_path / "a.csv", "coco17", *PEOPLE)
        text = path.read_text(encoding="utf-8-sig")
        path.write_text(re.sub(r"^([0-9]+),([01]),", lambda m: f"{m[1]},person_{'ba'[int(m[2])]},", text, flags=re.M))
        found = read_detections(path)
        check(found, "coco17", *PEOPLE)
        assert (who(found), found.notes[0]) == ((FRAMES, PERSONS), "people: 0 is 'person_b', 1 is 'person_a'")


def test_what_a_csv_has_beside_the_joints_is_told(tmp_path):
    header = "class,label,bbox_x1,bbox_y,x2,y_max,Width"
    for build, more in ((files.wide_csv, ",score"), (files.long_csv, "")):
        path = build(tmp_path / "a.csv", "coco17", *PEOPLE)
        first, *lines = path.read_text(encoding="utf-8-sig").splitlines()
        values = "0,person,1,2,3,4,640" + ",0.9" * bool(more)
        path.write_text("\n".join([f"{header}{more},{first}", *(f"{values},{line}" for line in lines)]))
        found = read_detections(path)
        check(found, "coco17", *PEOPLE)
        assert found.notes[0] == f"columns that are no joints are not read: {(header + more).split(',')}"


def test_csv_of_a_row_a_person_without_numbers(tmp_path):
    # As SLEAP writes who it didn't follow.
    joints, rows = [f"{joint}.{axis}" for joint in COCO for axis in ("x", "y", "score")], files.triples(*PEOPLE)
    lines = [["track", "frame_idx", "instance.score", *joints]]
    lines += [["", frame, 0.9, *row] for frame, row in zip(FRAMES, rows, strict=True)]
    (tmp_path / "a.csv").write_text(files.table_text(lines))
    found = read_detections(tmp_path / "a.csv")
    check(found, "coco17", *PEOPLE)
    assert who(found) == (FRAMES, PERSONS)


# The columns before those of the joints, in the header and in two rows.
SPREADSHEETS = {
    "no person": (",", ["frame 7 8"]),
    "pandas' index": (",", [" 0 1", "frame 7 8"]),
    "semicolons": (";", ["frame 7 8", "person 1 1"]),
    "the frame's time": (",", ["Timestamp 0.28 0.32", "frame 7 8"]),
}


@table("separator columns", SPREADSHEETS)
@pytest.mark.parametrize("missing", [-1.0, np.nan, 0.0])
def test_spreadsheets_and_their_marks_of_what_is_missing(tmp_path, separator, columns, missing):
    points = PEOPLE[0][1:3].copy()
    points[0, COCO.index("left_wrist")] = missing
    rows = [[f"{name}_{axis}" for name in COCO for axis in "xy"], *points.reshape(2, -1).astype(str).tolist()]
    begins = zip(*(column.split(" ") for column in columns), strict=True)
    lines = [separator.join([*begin, *row]) for begin, row in zip(begins, rows, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    found = read_detections(tmp_path / "a.csv")
    assert found.frame.tolist() == [7, 8]
    points[0, COCO.index("left_wrist")] = 0
    check(found, "coco17", points, (points != 0).any(axis=-1).astype(float))


@pytest.mark.parametrize(("end", "person"), [("", 0), (" 0.91", 0), (" 0.91 4", 4)])
@pytest.mark.parametrize("folder", ["", "labels"])
def test_labels_of_yolo(tmp_path, folder, end, person):
    (tmp_path / folder).mkdir(exist_ok=True)
    points, confidence = PEOPLE
    for name, row in (("clip_3", 0), ("clip_4", 1)):
        joints = zip(points[row] / SIZE, confidence[row], strict=True)
        text = " ".join(f"{x:.8f} {y:.8f} {c:.3f}" for (x, y), c in joints)
        (tmp_path / folder / f"{name}.txt").write_text(f"0 0.5 0.5 0.4 0.8 {text}{end}\n")
    (tmp_path / folder / "clip_12.txt").write_text("")
    found = read_detections(tmp_path, image_size=SIZE)
    assert (*who(found), found.span) == ([3, 4], [person] * 2, (3, 12))
    check(found, "coco17", points, confidence, slice(2))


def test_videopose3d_files(tmp_path):
    points = PEOPLE[0][1:3].astype(np.float32)
    metadata = {"layout_name": "coco", "num_joints": 17, "video_metadata": {"a.mp4": {"w": SIZE[0], "h": SIZE[1]}}}
    positions = {"a.mp4": {"custom": [points]}}
    np.savez(tmp_path / "data_2d_custom_mine.npz", positions_2d=positions, metadata=metadata)
    found = read_detections(tmp_path / "data_2d_custom_mine.npz")
    check(found, "coco17", points, np.ones((2, 17)))
    assert (found.frame.tolist(), found.image_size) == ([0, 1], SIZE)
    assert "joints: coco17, as the file says" in found.notes


def test_what_videopose3d_finds_in_a_video(tmp_path):
    points = PEOPLE[0]
    # x, y, a logit, a density; Detectron's classes are the background and persons; nobody is in the last frame.
    found = [np.concatenate([one, np.zeros((17, 1)), np.full((17, 1), 0.05)], axis=-1).T for one in points]
    frames = [*map(np.float32, files.by_frame(found)), []]
    keypoints, boxes = np.empty((4, 2), object), np.empty((4, 2), object)
    for frame, people in enumerate(frames):
        keypoints[frame, 0], boxes[frame, 0] = [], []
        keypoints[frame, 1], boxes[frame, 1] = people, np.ones((len(people), 5), np.float32)
    metadata = {"w": SIZE[0], "h": SIZE[1]}
    np.savez(tmp_path / "a.mp4.npz", boxes=boxes, segments=[None] * 4, keypoints=keypoints, metadata=metadata)
    found = read_detections(tmp_path / "a.mp4.npz")
    check(found, "coco17", points, (points != 0).any(axis=-1).astype(float))
    assert (who(found), found.span, found.image_size) == ((FRAMES, PERSONS), (0, 3), SIZE)


def test_arrays_of_one_person_that_tell_their_joints_and_that_are_none(tmp_path):
    points, _ = truth("human36m_17")
    np.savez(tmp_path / "a.npz", reconstruction=points[None])
    found = read_detections(tmp_path / "a.npz")
    check(found, "human36m_17", points, (points != 0).any(axis=-1).astype(float))
    assert (found.span, found.person.tolist()) == ((0, 4), [0] * 5)
    np.savez(tmp_path / "b.npz", one=np.zeros((3, 17, 2)), two=np.zeros((3, 17, 2)))
    refuses(r"b\.npz: has arrays .*expected one \(frames, joints, 2 or 3\)", read_detections, tmp_path / "b.npz")


# Arrays of the rows of `truth`, and who they are: frames and persons.
ARRAYS = {
    "one pose": (lambda points, scores: {"": files.dense_rows(points, scores)[1]}, [1], [0], [0]),
    "one person": (lambda points, scores: {"": files.dense_rows(points, scores)}, range(5), range(5), [0] * 5),
    "frames of people": (lambda points, scores: {"": files.dense_rows(points, scores)[1:, None]},
        range(1, 5), range(4), [0] * 4),
    "MoveNet": (lambda points, scores: {"": files.dense_rows(points[..., ::-1], scores)[:, None, None]},
        range(5), range(5), [0] * 5),
    "frames of two": (lambda points, scores: {"": files.dense(points, scores)}, range(5), FRAMES, PERSONS),
    "scores beside": (lambda points, scores: {"keypoints": points, "scores": scores, "boxes": np.ones((5, 4))},
        range(5), range(5), [0] * 5),
    "scores beside frames of two": (
        lambda points, scores: {"keypoints": np.nan_to_num(files.dense(points, scores))[..., :2],
            "scores": np.nan_to_num(files.dense(points, scores))[..., 2]}, range(5), FRAMES, PERSONS),
}  # fmt: skip


@table("arrays rows frames persons", ARRAYS)
def test_arrays(tmp_path, arrays, rows, frames, persons):
    arrays = arrays(*PEOPLE)
    lists = {name: np.where(np.isnan(values), None, values).tolist() for name, values in arrays.items()}
    write(tmp_path / "a.json", lists.get("", lists))
    if "" in arrays:
        np.save(tmp_path / "a.npy", arrays[""])
    else:
        np.savez(tmp_path / "a.npz", **arrays)
    for path in tmp_path.iterdir():
        for format in ("auto", "array"):
            found = read_detections(path, format)
            check(found, "coco17", *PEOPLE, list(rows))
            assert who(found) == (list(frames), list(persons))


def test_arrays_of_frames_with_different_numbers_of_people(tmp_path):
    frames = [files.dense_rows(*PEOPLE)[:2], np.zeros((0, 17, 3)), files.dense_rows(*PEOPLE)[2:]]
    lists = [frame.tolist() for frame in frames]
    write(tmp_path / "a.json", lists)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(frames))
    objects = np.empty(3, object)
    objects[:] = frames
    np.save(tmp_path / "a.npy", objects)
    for path in tmp_path.iterdir():
        found = read_detections(path)
        check(found, "coco17", *PEOPLE)
        assert who(found) == ([0, 0, 2, 2, 2], [0, 1, 0, 1, 2])
    write(tmp_path / "b.json", [lists[0], [pose[:16] for pose in lists[2]]])
    refuses("rows of different lengths", read_detections, tmp_path / "b.json")


def test_an_array_of_mediapipes_x_y_z_and_visibility(tmp_path):
    points, confidence = truth("mediapipe33")
    values = np.concatenate([points / SIZE, np.full((5, 33, 1), -0.1), confidence[..., None]], axis=-1)
    np.save(tmp_path / "a.npy", values)
    check(read_detections(tmp_path / "a.npy", image_size=SIZE), "mediapipe33", points, confidence)


@pytest.mark.parametrize("missing", [float("nan"), None])
@pytest.mark.parametrize("form", ["mmpose", "alphapose", "ultralytics"])
def test_joints_of_json_that_are_not_a_number_are_missing(tmp_path, form, missing):
    points, confidence = truth("coco17")
    content = json.dumps(JSON[form][0](np.where(points == 0, 12345.0, points), confidence))
    text = content.replace("12345.0", json.dumps(missing))
    assert text != content
    (tmp_path / "a.json").write_text(text)
    check(read_detections(tmp_path / "a.json"), "coco17", points, confidence)


def test_a_frames_number_may_be_a_float_that_is_whole(tmp_path):
    content = files.coco_results(*PEOPLE)
    for person in content:
        person["image_id"] = float(person["image_id"])
    found = read_detections(write(tmp_path / "a.json", content))
    check(found, "coco17", *PEOPLE)
    assert (found.source_format, who(found)) == ("coco_results", (FRAMES, PERSONS))


DEPTHS = {"metres from the pelvis": 0.2, "millimetres from the camera": 4000.0}


@table("depth", DEPTHS)
def test_an_array_of_3d_is_refused(tmp_path, depth):
    signs = np.where(np.arange(17) % 2, -1.0, 1.0) if depth < 1 else np.ones(17)
    np.save(tmp_path / "a.npy", files.dense_rows(PEOPLE[0], np.tile(depth * signs, (5, 1))))
    refuses(r"a\.npy: the joints' third numbers are from .*expected poses in 2D", read_detections, tmp_path / "a.npy")


def test_another_convention_can_be_named(tmp_path):
    points, confidence = truth("human36m_17")
    path = write(tmp_path / "a.json", files.mmpose(points, confidence))
    check(read_detections(path, convention="human36m_17"), "human36m_17", points, confidence)


TRACKED = {
    "mmpose": ("track_id", lambda content: [p for f in content["instance_info"] for p in f["instances"]]),
    "alphapose": ("idx", lambda content: content),
    "ultralytics": ("track_id", lambda content: [p for people in content for p in people]),
    "coco_annotations": ("track_id", lambda content: content["annotations"]),
    "coco_annotations, CVAT's": ("track_id", lambda content: [one["attributes"] for one in content["annotations"]]),
}


@pytest.mark.parametrize("name", TRACKED)
def test_tracked_people_keep_their_identity(tmp_path, name):
    if name.startswith("coco_annotations"):
        content = coco_annotations(PEOPLE[0], np.full((5, 17), 2), images=FRAMES)
        for annotation in content["annotations"]:
            annotation["attributes"] = {"occluded": False}
    else:
        content = JSON[name][0](*PEOPLE)
    key, people_of = TRACKED[name]
    # A number that all share is no identity: AlphaPose without tracking says [0.0] of everybody.
    for identities, expected in (([7, 4, 4, 4, 7], [7, 4, 4, 4, 7]), ([[0.0]] * 5, PERSONS)):
        for person, identity in zip(people_of(content), identities, strict=True):
            person[key] = identity
        assert read_detections(write(tmp_path / "a.json", content)).person.tolist() == expected


def test_numbers_of_people_stay_and_nobody_gets_anothers(tmp_path):
    content = files.mmpose_frames(*(np.repeat(values[1:2], 5, axis=0) for values in PEOPLE))
    for frame, place, number in ((0, 0, 1), (0, 1, 2), (2, 0, 1), (2, 1, 2)):
        content[frame]["instances"][place]["track_id"] = number
    found = read_detections(write(tmp_path / "a.json", content))
    assert who(found) == (FRAMES, [1, 2, 3, 1, 2])
    assert any("have no person's number of their own: they get 3" in note for note in found.notes)


def test_rows_are_sorted_by_frame_and_then_as_in_the_file(tmp_path):
    content = files.coco_results(*PEOPLE)
    found = read_detections(write(tmp_path / "a.json", [content[i] for i in (4, 2, 0, 3, 1)]))
    check(found, "coco17", *PEOPLE, [0, 1, 2, 4, 3])
    assert who(found) == (FRAMES, PERSONS)


def test_what_a_detector_is_not_sure_of_is_missing(tmp_path):
    points, confidence = truth("coco17")
    confidence[1] = 0.1  # Nobody left in row 1.
    confidence[2, 5] = -0.01
    path = write(tmp_path / "a.json", files.mmpose(points, confidence))
    found = read_detections(path, lowest_confidence=0.5)
    wanted = convert(points, "coco17", (confidence >= 0.5) & (points != 0).any(axis=-1), confidence)
    np.testing.assert_array_equal(found.visible, wanted.visible[[0, 2, 3, 4]])
    assert who(found) == ([0, 1, 2, 2], [0, 0, 0, 1])
    assert (found.keypoints[~found.visible] == 0).all()
    assert (found.confidence[~found.visible] == 0).all()
    assert not read_detections(path).visible[2, HUMAN16.index("left_shoulder")]


def test_people_without_hips_are_kept(tmp_path):
    points, confidence = truth("body25")
    points[:, [8, 9, 12]], confidence[:, [8, 9, 12]] = 0, 0
    found = read_detections(write(tmp_path / "0_keypoints.json", files.openpose_frames(points, confidence)[0]))
    assert len(found) == 2
    assert not found.visible[:, [HUMAN16.index(j) for j in ("pelvis", "left_hip", "right_hip")]].any()


def test_clips_of_a_video(tmp_path):
    path = write(tmp_path / "walk.json", files.mmpose(*PEOPLE))
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


IMAGES = {"coco_results": ["0", "1", "2"], "alphapose": ["run.png", "jump.png", "hop.png"]}


@pytest.mark.parametrize("name", IMAGES)
def test_clips_of_single_images_have_a_sequence_an_image_in_the_files_order(tmp_path, name):
    content, frames = JSON[name][0](*PEOPLE), IMAGES[name]
    for person, frame in zip(content, FRAMES, strict=True):
        person["image_id"] = frames[frame] if name == "alphapose" else frame
    path = write(tmp_path / "a.json", content)
    found = read_detections(path)
    assert found.frame.astype(str).tolist() == [frames[frame] for frame in FRAMES]
    for clip, sequences in zip(detection_clips(found, str(path), "test"), (frames, frames[::2]), strict=True):
        check_clip(clip)
        assert clip.labels["sequence"].tolist() == sequences


def test_shares_of_the_image_in_any_format(tmp_path):
    points, confidence = PEOPLE
    path = write(tmp_path / "a.json", files.mmpose(points / SIZE, confidence))
    check(read_detections(path, image_size=SIZE), "coco17", points, confidence)


def test_gzip_and_the_standard_input(tmp_path, monkeypatch):
    text = json.dumps(INSTANCES).encode()
    packed = gzip.compress(text)
    (tmp_path / "a.json.gz").write_bytes(packed)
    for piped, path in ((text, tmp_path / "a.json.gz"), (text, "-"), (packed, "-")):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(piped))))
        check(read_detections(path), "coco17", *PEOPLE)
    monkeypatch.setattr("tf_wsgen.files.LARGEST_COMPRESSION", 100)
    for name, content, message in (
        ("cut.gz", packed[:-9], r"cut\.gz: cannot be read as"),
        ("wrong.json.gz", gzip.compress(b"{}"), r"wrong\.json\.gz: is none of the known formats"),
        ("bomb.gz", gzip.compress(bytes(10**8)), r"bomb\.gz: unpacks to more than"),
    ):
        (tmp_path / name).write_bytes(content)
        refuses(message, read_detections, tmp_path / name)


def test_some_frames_of_some_people(tmp_path):
    points, confidence = PEOPLE
    content = files.mmpose_frames(
        points * np.reshape([1 if person else 0.5 for person in PERSONS], (-1, 1, 1)), confidence
    )
    for frame in content:
        for person, number in zip(frame["instances"], (3, 8), strict=False):
            person["track_id"] = number
    found = read_detections(write(tmp_path / "a.json", content))
    some = found.in_frames(1, 5)
    assert (some.frame.tolist(), some.span) == ([1, 2, 2], (1, 2))
    assert set(found.of_person("3").person) == {3}
    assert set(found.of_person("largest").person) == {8}
    refuses(r"'4'; expected 'largest' or one of \[3, 8\]", found.of_person, "4")
    refuses("nobody is in the frames 20 to 29; the file has 0 to 2", found.in_frames, 20, 30)
