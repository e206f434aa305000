"""What is no file of detections, and what is wrong in one, is refused or left out by name and place."""

import json
import pickle
import re

import detector_files as files
import h5py
import numpy as np
import pytest
from detector_files import SIZE, alphapose, coco_results, mediapipe, mmpose, truth, ultralytics, write
from refusals import refuses, table

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.detections import FORMATS, read_detections

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
    "text": ("Once upon a time, nobody was seen", "is none of the known formats of detections.*mmpose"),
    "no people": ("[]", "no people found"),
    "people of whom nothing is seen": (edited(coco_results, lambda c: [p.update(keypoints=[0] * 51) for p in c]),
        "no people found"),
    "another JSON": ('{"name": "a list of songs"}', "is none of the known formats"),
    "MMPose's tests without the images": ('[{"preds": [[[1, 2, 3]]]}]', r"\[0\] has no 'image_paths'"),
    "MMPose's tests of fewer images": ('[{"preds": [[[1, 2, 3]]], "image_paths": []}]', "has 1 preds of 0 images"),
    "PoseNet without places": ('[{"keypoints": [{"position": 7, "part": "nose"}]}]', "is none of the known formats"),
    "a crowd in one frame of thousands, which would fill the memory": (
        "[" + "[]," * 3000 + "[" + ",".join(["[[1,2]]"] * 2000) + "]]", "rows of different lengths"),
    "two formats at once": ('{"people": [], "annotations": []}', r"any of \['openpose', 'coco_annotations'\]"),
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
    "CSV of 17 joints by number": (HEADER + "".join(f"1,0,{joint},7,2\n" for joint in range(17)),
        r"17 joints can be any of \['coco17', 'posetrack18'.*convention to be named"),
    "CSV with unknown columns of joints": ("frame,person,tail_x,tail_y\n1,0,2,3\n", "joint 'tail' is unknown"),
    "CSV with a text for a number": (HEADER + "1,0,nose,left,2\n",
        "line 2: x, y, confidence are .*'left'.*expected numbers"),
    "CSV with half a joint": (HEADER + "1,0,nose,1,\n", "line 2: .*expected numbers"),
    "CSV with a person's name": (HEADER + "1,0,nose,1,2\n1,Ada,nose,1,2\n", "line 3: person is 'Ada', and others are"),
    "CSV with a short line": (HEADER + "1,0,nose\n", "line 2 has 3 cells; expected 5"),
    "CSV with a joint twice": (HEADER + COCO_ROWS + "1,0,nose,1,2\n",
        "line 19: nose of person 0 in frame '1' is there already"),
    "DeepLabCut without joints": ("scorer,x,x\nbodyparts,a,a\n", "expected lines 'bodyparts' and 'coords'"),
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


@table("content message", BROKEN)
def test_a_broken_file_is_refused_by_name_and_place(tmp_path, content, message):
    path = tmp_path / "people.x"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refuses(r"people\.x: .*" + message, read_detections, path)


@table("content message", WRONG_ENTRIES)
def test_a_wrong_entry_is_left_out_counted_and_named(tmp_path, content, message):
    (tmp_path / "people.x").write_text(content)
    found = read_detections(tmp_path / "people.x", image_size=SIZE)
    assert len(found) == 4
    assert re.search("1 of 5 entries are left out; the first: .*" + message, "\n".join(found.notes))


# The one file of a folder, and its content.
BROKEN_FOLDERS = {
    "no frames": ("notes.md", "x", r"the folder has no files \*\.json"),
    "no JSON": ("0_keypoints.json", "{", "0_keypoints.json: cannot be read"),
    "nobody's joints": ("0_keypoints.json", '{"people": [7]}', r"0_keypoints.json: people\[0\] is 7; expected an"),
    "labels of words": ("1.txt", "0 0.5 0.5 x", "expected numbers"),
    "labels of no joints": ("1.txt", "0 0.5 0.5 0.1 0.1 0.3", "has 6 numbers; expected class"),
}


@table("name content message", BROKEN_FOLDERS)
def test_a_broken_folder_is_refused_by_name(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    refuses(f"{tmp_path.name}.*{message}", read_detections, tmp_path, image_size=SIZE)
    refuses(r"is a folder; expected .* \(pose_hg\)", read_detections, tmp_path, "pose_hg")


def test_a_folder_of_several_cameras_is_refused_with_their_names(tmp_path):
    for camera in ("cam01_json", "cam02_json"):
        (tmp_path / camera).mkdir()
        write(tmp_path / camera / "0.json", files.openpose_frames(*truth("body25"))[0])
    refuses(
        r"the folder has 2 folders of files \*\.json, cam01_json, cam02_json; expected one", read_detections, tmp_path
    )


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_of_another_format_than_named_is_refused_by_name(tmp_path, format):
    content = files.openpose_frames(*truth("body25"))[0] if format == "mmpose" else mmpose(*truth("coco17"))
    path = write(tmp_path / "a.x", content)
    refuses(r"a\.x: ", read_detections, path, format, image_size=SIZE)


def sleap_of_one_node(file):
    file["tracks"], file["node_names"] = np.ones((2, 2, 17, 3)), np.array(["nose"], "S")


def deeplabcut_of_commands(file):
    file.create_group("df").attrs["pandas_type"] = np.bytes_(b"frame_table")
    file["df/table"] = np.zeros(3, [("index", "<i8"), ("values_block_0", "<f8", (3,))])
    file["df/table"].attrs["values_block_0_kind"] = np.bytes_(b"cos\nsystem\n(S'true'\ntR.")


HDF5 = {
    "no poses": (lambda file: None, "has no dataset 'part'"),
    "15 joints": (lambda file: file.update(preds=np.ones((5, 15, 2))), r"15 joints fit none of \['mpii16'\]"),
    "texts": (lambda file: file.update(part=[[[b"1", b"2"]] * 16]), "part is not an array of numbers"),
    "NaN": (lambda file: file.update(preds=np.full((5, 16, 2), np.nan)), r"preds\[0\] .*right_ankle is at \(nan"),
    "an infinite index": (lambda file: file.update(part=np.ones((1, 16, 2)), index=[np.inf]),
        "index holds values that"),
    "a size that is not there": (lambda file: file.create_dataset("preds", (10**9, 16, 2), chunks=(1024, 16, 2)),
        "announces"),
    "SLEAP of other nodes": (sleap_of_one_node, r"tracks has shape .*expected \(tracks, 2, 1 nodes, frames\)"),
    "DeepLabCut of commands": (deeplabcut_of_commands, r"/df holds a pickled 'os\.system'; expected NumPy arrays"),
}  # fmt: skip


@table("change message", HDF5)
def test_a_broken_hdf5_file_is_refused_by_name_and_place(tmp_path, change, message):
    with h5py.File(tmp_path / "people.h5", "w") as file:
        change(file)
    refuses(r"people\.h5: .*" + message, read_detections, tmp_path / "people.h5")


def test_two_videos_in_a_pickle_are_refused(tmp_path):
    annotation = {"keypoint": files.array_of_people(*truth("coco17"))}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([annotation, annotation]))
    refuses(r"a\.pkl: has annotations of 2 videos; expected one video a file", read_detections, tmp_path / "a.pkl")


def test_3d_in_metres_is_no_share_of_an_image(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", np.dstack([rng.normal(0, 0.4, (9, 17, 2)), rng.uniform(0, 1.8, (9, 17))]))
    for size in (None, SIZE):
        refuses(r"from -1 to 1, as of 3D in metres; expected 2D", read_detections, tmp_path / "a.npy", image_size=size)


@pytest.mark.parametrize("name", ["a.mp4", "a.JPG"])
def test_a_video_or_an_image_is_refused_with_the_option_for_it(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xff\xd8\xff\xe0 frame,")
    refuses("is a video or an image; expected .*--video", read_detections, tmp_path / name)


ARGUMENTS = {
    "format": ({"format": "detectron"}, "format is 'detectron'; expected 'auto' or one of"),
    "convention": ({"convention": "coco16"}, "convention is 'coco16'; did you mean 'coco1"),
    "convention of another number of joints": ({"convention": "mpii16"},
        r"instances\[0\] has 17 joints; 'mpii16' has 16"),
    "a confidence that is no number": ({"lowest_confidence": float("nan")}, "lowest_confidence is nan"),
    "no width": ({"image_size": (0, 480)}, r"image_size is \(0, 480\)"),
    "nothing sure enough": ({"lowest_confidence": 2.0}, "no people found: no joint is there with enough confidence"),
}  # fmt: skip


@table("arguments message", ARGUMENTS)
def test_refused_arguments(tmp_path, arguments, message):
    refuses(message, read_detections, write(tmp_path / "a.json", mmpose(*truth("coco17"))), **arguments)


def test_pixels_are_no_mediapipe_landmarks(tmp_path):
    path = write(tmp_path / "a.json", [[{"x": 300.0, "y": 200.0, "z": 0.0, "visibility": 1.0}] * 33])
    refuses(r"a\.json: .*expected shares of the image, not pixels", read_detections, path, image_size=SIZE)
