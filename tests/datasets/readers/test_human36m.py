"""VideoPose3D's files, built as its scripts build them, against coordinates by SciPy and by OpenCV's formula."""

import numpy as np
import pytest
from refusals import changed, reading, refuses, table
from scipy.spatial.transform import Rotation

from tf_wsgen.data.human36m_cameras import CAMERA_NAMES, EXTRINSICS, INTRINSICS
from tf_wsgen.datasets.keypoint_conventions import convert
from tf_wsgen.datasets.readers.human36m import ACTIONS, action_of, read_videopose3d, reconcile

# Of 32 joints and of those 17 that move, as VideoPose3D and 3d-pose-baseline list them.
MOVING = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
FROM_32 = [1, 2, 3, 6, 7, 8, 0, 13, 14, 15, 17, 18, 19, 25, 26, 27]
FROM_17 = [1, 2, 3, 4, 5, 6, 0, 8, 9, 10, 11, 12, 13, 14, 15, 16]
FROM_MPII = [2, 1, 0, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 12, 11, 10]
H36M_SIDES = [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]
COCO_SIDES = [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]]
MPII_SIDES = [[3, 4, 5, 13, 14, 15], [0, 1, 2, 10, 11, 12]]
SIDES_32 = [[6, 7, 8, 9, 10, 16, 17, 18, 19, 20, 21, 22, 23], [1, 2, 3, 4, 5, 24, 25, 26, 27, 28, 29, 30, 31]]


def world(frames=3, seed=0, joints=32):
    """(T, 32, 3) float32 metres, a person's size, in the middle of the hall."""
    return np.random.default_rng(seed).normal([0.2, -0.3, 0.9], 0.3, (frames, joints, 3)).astype(np.float32)


def pixels(frames=3, seed=0, joints=17, columns=2):
    return np.random.default_rng(seed).uniform(300.0, 700.0, (frames, joints, columns)).astype(np.float32)


def save_3d(path, content):
    """As prepare_data_h36m.py saves it."""
    np.savez_compressed(path, positions_3d=content)
    return path


def save_2d(path, content, metadata=None, **others):
    """As prepare_data_h36m.py and data_utils.py save it."""
    if metadata is None:
        metadata = {"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": H36M_SIDES}
    np.savez_compressed(path, positions_2d=content, metadata=metadata, **others)
    return path


read = reading(read_videopose3d)


def seen_by(camera, subject, points):
    """The oracle: metres in the world to millimetres in the camera's frame and to pixels, in float64."""
    index = CAMERA_NAMES.index(camera)
    quaternion, position = EXTRINSICS[subject][index]
    rotation = Rotation.from_quat(quaternion, scalar_first=True)
    flat = rotation.inv().apply(1000.0 * points.reshape(-1, 3).astype(np.float64) - position)
    (fx, fy), (cx, cy), (k1, k2, k3), (p1, p2), _ = INTRINSICS[camera]
    x, y = flat[:, 0] / flat[:, 2], flat[:, 1] / flat[:, 2]
    r2 = x**2 + y**2
    factor = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    u = fx * (x * factor + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)) + cx
    v = fy * (y * factor + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y) + cy
    return flat.reshape(points.shape), np.stack([u, v], axis=-1).reshape(*points.shape[:-1], 2)


@pytest.fixture
def small(tmp_path):
    """A training and a test recording."""
    content = {"S1": {"Walking": world(5, 1)}, "S9": {"SittingDown 1": world(130, 2)}}
    return save_3d(tmp_path / "data_3d_h36m.npz", content)


def test_rows_are_where_the_cameras_see_them(small):
    clips = read(small)
    assert [(clip.group, clip.labels["camera"]) for clip in clips] == [
        (group, camera) for group in ("train", "test") for camera in CAMERA_NAMES
    ]
    for clip in clips:
        train, camera = clip.group == "train", clip.labels["camera"]
        action, name, subject = ("Walking", "Walking", "S1") if train else ("SittingDown", "SittingDown 1", "S9")
        points = (world(5, 1) if train else world(130, 2)[[0, 64, 128]])[:, FROM_32]
        pose_3d, pose_2d = seen_by(camera, subject, points)
        np.testing.assert_allclose(clip.pose_3d, pose_3d, atol=0.01)
        np.testing.assert_allclose(clip.pose_2d, pose_2d, atol=0.01)
        assert clip.pose_2d.dtype == clip.pose_3d.dtype == np.float32
        assert clip.labels == {"action": action, "subject": subject, "sequence": f"{subject} {name}", "camera": camera}
        assert clip.image_size == INTRINSICS[camera][4]
        assert clip.where == f"{small}: {subject}/{name}, camera {camera}"


def test_17_joints_give_the_same(tmp_path, small):
    content = {"S1": {"Walking": world(5, 1)[:, MOVING]}, "S9": {"SittingDown 1": world(130, 2)[:, MOVING]}}
    for clip, other in zip(read(small), read(save_3d(tmp_path / "17.npz", content)), strict=True):
        np.testing.assert_array_equal(clip.pose_3d, other.pose_3d)
        np.testing.assert_array_equal(clip.pose_2d, other.pose_2d)


def test_subjects_and_strides(tmp_path, small):
    subjects = {"S1": "train", "S5": "train", "S6": "train", "S7": "train", "S8": "train", "S9": "test", "S11": "test"}
    # In another order, and with a subject that nobody asks for.
    content = {name: {"Eating": world(129, 3)} for name in [*reversed(subjects), "S2"]}
    clips = read(save_3d(tmp_path / "a.npz", content))
    assert [(c.labels["subject"], c.group) for c in clips[::4]] == list(subjects.items())
    assert [len(clip) for clip in clips] == [129] * 20 + [3] * 8
    clips = read(small, train_subjects=("S9",), test_subjects=(), train_stride=50)
    assert [(c.group, c.labels["subject"]) for c in clips] == [("train", "S9")] * 4
    np.testing.assert_allclose(clips[3].pose_3d, seen_by("60457274", "S9", world(130, 2)[::50, FROM_32])[0], atol=0.01)


# As spelt in one of the archives: as VideoPose3D spells it, and the action.
SPELLINGS = {
    "Directions 2": ("Directions 2", "Directions"), "TakingPhoto": ("Photo", "Photo"),
    "TakingPhoto 1": ("Photo 1", "Photo"), "WalkingDog_1": ("WalkDog 1", "WalkDog"),
    "WalkingTogether": ("WalkTogether", "WalkTogether"), "SittingDown_1": ("SittingDown 1", "SittingDown"),
    "Jumping 12": ("Jumping 12", "Jumping"), "Box 2 Box": ("Box 2 Box", "Box 2 Box"), "": ("", ""),
}  # fmt: skip


def test_names_of_recordings_and_actions():
    assert len(set(ACTIONS)) == 15
    assert {action: (reconcile(action), action_of(action)) for action in ACTIONS} == {a: (a, a) for a in ACTIONS}
    assert {name: (reconcile(name), action_of(reconcile(name))) for name in SPELLINGS} == SPELLINGS


# 2D poses of a file.

LAYOUTS = {
    "cpn or detectron": ({"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": H36M_SIDES}, FROM_17),
    "hourglass, no name": ({"num_joints": 16, "keypoints_symmetry": MPII_SIDES}, FROM_MPII),
    "32 joints": ({"layout_name": "h36m", "num_joints": 32, "keypoints_symmetry": SIDES_32}, FROM_32),
    "no sides": ({"layout_name": "mpii", "num_joints": 16}, FROM_MPII),
    "tuples and arrays": ({"num_joints": 17, "keypoints_symmetry": tuple(map(np.array, H36M_SIDES))}, FROM_17),
}  # fmt: skip
LENGTHS = {"S1": 5, "S9": 130}


@table("metadata indices", LAYOUTS)
def test_2d_poses_of_every_layout(tmp_path, small, metadata, indices):
    seen = {name: [pixels(n, camera, metadata["num_joints"]) for camera in range(4)] for name, n in LENGTHS.items()}
    content = {"S9": {"SittingDown 1": seen["S9"]}, "S1": {"Walking": tuple(seen["S1"])}}
    for clip, projected in zip(read(small, save_2d(tmp_path / "2d.npz", content, metadata)), read(small), strict=True):
        expected = seen[clip.labels["subject"]][CAMERA_NAMES.index(clip.labels["camera"])]
        np.testing.assert_array_equal(clip.pose_2d, (expected if len(expected) == 5 else expected[::64])[:, indices])
        np.testing.assert_array_equal(clip.pose_3d, projected.pose_3d)
        assert clip.labels == projected.labels


# How the first camera's 2D poses of S1/Walking are stored, and what of them comes back.
SEEN, SURE = pixels(5), pixels(5, columns=3)
SIXTEEN = pixels(5, joints=16)
STORED = {
    "coco": ([SEEN] * 4, {"num_joints": 17, "layout_name": "coco"}, convert(SEEN, "coco17").points),
    "coco by its sides": (
        [SEEN] * 4,
        {"num_joints": 17, "keypoints_symmetry": COCO_SIDES},
        convert(SEEN, "coco17").points,
    ),
    "a frame more": ([pixels(9), SEEN, pixels(9), SEEN], None, pixels(9)[:5, FROM_17]),
    "a confidence": ([SURE] * 4, None, SURE[:, FROM_17, :2]),
    "an array of cameras": (np.array([SEEN] * 4), None, SEEN[:, FROM_17]),
}


@table("cameras metadata expected", STORED)
def test_2d_poses_however_they_are_stored(tmp_path, small, cameras, metadata, expected):
    path = save_2d(tmp_path / "2d.npz", {"S1": {"Walking": cameras}}, metadata)
    clip = read(small, path, test_subjects=())[0]
    np.testing.assert_array_equal(clip.pose_2d, expected)
    if cameras[0].shape[-1] == 3:
        np.testing.assert_array_equal(clip.labels["confidence"], SURE[:, FROM_17, 2])
    assert len(clip.pose_3d) == 5


def test_a_named_convention_wins_over_the_metadata(tmp_path, small):
    path = save_2d(tmp_path / "2d.npz", {"S1": {"Walking": [SIXTEEN] * 4}}, {"layout_name": "unheard of"})
    clip = read(small, path, keypoints_2d_convention="human16", test_subjects=())[0]
    np.testing.assert_array_equal(clip.pose_2d, SIXTEEN)


def test_the_two_files_may_spell_differently(tmp_path):
    path_3d = save_3d(tmp_path / "3d.npz", {"S1": {"TakingPhoto 1": world(5)}})
    path_2d = save_2d(tmp_path / "2d.npz", {"S1": {"Photo 1": [pixels(5)] * 4, "Never captured": [pixels(5)] * 4}})
    assert [clip.labels["sequence"] for clip in read(path_3d, path_2d)] == ["S1 Photo 1"] * 4


# What is missing or left out.


def test_missing_subjects_are_told(small):
    told = []
    read(small, notice=told.append)
    assert told == [f"{small}: has no subject {s}; its rows are missing." for s in ("S5", "S6", "S7", "S8", "S11")]


@pytest.fixture
def corrupt(tmp_path):
    content = {"S11": {"Directions": world(5), "Directions 1": world(5)}, "S9": {"Directions": world(5)}}
    return save_3d(tmp_path / "3d.npz", content)


def test_the_recording_with_the_damaged_video_is_left_out_or_kept_and_told(corrupt, tmp_path):
    told = []
    clips = read(corrupt, train_subjects=(), notice=told.append)
    assert [clip.labels["sequence"] for clip in clips[::4]] == ["S9 Directions", "S11 Directions 1"]
    assert told.pop() == f"{corrupt}: S11/Directions: left out, as the video of camera 54138969 is damaged."
    options = {"train_subjects": (), "skip_corrupt": False, "notice": told.append}
    assert [clip.labels["sequence"] for clip in read(corrupt, **options)[4::4]] == [
        "S11 Directions",
        "S11 Directions 1",
    ]
    assert told == []
    sound = [pixels(5)] * 4
    content = {"S11": {"Directions": [None, *sound[1:]], "Directions 1": sound}, "S9": {"Directions": sound}}
    clips = read(corrupt, save_2d(tmp_path / "2d.npz", content), **options)
    of_it = [clip.labels["camera"] for clip in clips if clip.labels["sequence"] == "S11 Directions"]
    assert (of_it, len(clips)) == (list(CAMERA_NAMES[1:]), 11)
    place = f"{corrupt}: S11/Directions, camera 54138969"
    assert told == [f"{place}: left out, as the video is damaged and has no detections."]


def test_without_detections_of_the_damaged_video_nothing_else_is_missed(corrupt, tmp_path):
    content = {"S11": {"Directions 1": [pixels(5)] * 4}, "S9": {"Directions": [pixels(5)] * 4}}
    assert len(read(corrupt, save_2d(tmp_path / "2d.npz", content), train_subjects=())) == 8


def test_recordings_come_one_by_one(tmp_path):
    content = {"S1": {"Walking": world(5), "Walking 1": np.full((5, 32, 3), np.nan, np.float32)}}
    clips = read_videopose3d(save_3d(tmp_path / "3d.npz", content))
    assert [next(clips).labels["sequence"] for _ in range(4)] == ["S1 Walking"] * 4
    refuses(r"S1/Walking 1: 3D frame 0 is not finite \(5 such frames\)", next, clips)


# Broken files.


SIGNALLING = np.array([0x7FA00000], np.uint32).view(np.float32)
BAD_RECORDINGS = {
    "millimetres": (world() * 1000, "joints are typically .* expected metres"),
    "NaN": (changed(world(), (2, 3, 0), np.nan), r"3D frame 2 is not finite \(1 such frames\)"),
    "a NaN that signals": (changed(world(), (2, 3, slice(0, 1)), SIGNALLING), r"3D frame 2 is not finite"),
    "axes swapped": (world().transpose(0, 2, 1),
        r"is float32 of shape \(3, 3, 32\); expected .* \(frames, 32 or 17, 3\)"),
    "texts": (world().astype("U8"), r"is <U8 of shape \(3, 32, 3\); expected numbers"),
    "nothing": (None, "is a NoneType"),
    "a world elsewhere": (world() + np.float32(50),
        "a joint lies behind the camera; expected positions in the world's"),
}  # fmt: skip


@table("recording message", BAD_RECORDINGS)
def test_a_broken_recording_is_refused_by_place(tmp_path, recording, message):
    path = save_3d(tmp_path / "3d.npz", {"S5": {"Posing": world(), "Waiting 1": recording}})
    refuses(r"3d\.npz: S5/Waiting 1.*" + message, read, path)


def test_one_frame_that_is_too_large_for_its_type_is_refused(tmp_path):
    recording = changed(world(9).astype(np.float64), (4, 2, 1), -1e305)
    refuses("3D frame 4 is not finite", read, save_3d(tmp_path / "3d.npz", {"S5": {"Posing": recording}}))


BAD_FILES = {
    "the 2D file": ({"positions_2d": {"S1": {}}, "metadata": {}},
        r"has no 'positions_3d'; it has \['metadata', 'positions_2d'\]"),
    "an array for a dict": ({"positions_3d": world()}, r"positions_3d is float32 of shape \(3, 32, 3\)"),
    "lines for names": ({"positions_3d": {"S1": {"A\n": world()}}}, r"positions_3d of 'S1' has the key 'A\\n'"),
    "half a character": ({"positions_3d": {"S1": {"\ud800": world()}}}, r"positions_3d of 'S1' has the key '\\ud800'"),
    "none of the subjects": ({"positions_3d": {"S2": {"A": world()}}},
        r"has none of the subjects .*'S11'\]; it has \['S2'\]"),
    "two spellings of one": ({"positions_3d": {"S1": {"Photo": world(), "TakingPhoto": world()}}},
        "S1/TakingPhoto: is 'Photo' again, after 'Photo'; expected each recording once"),
}  # fmt: skip


@table("content message", BAD_FILES)
def test_a_file_of_another_structure_is_refused(tmp_path, content, message):
    np.savez(tmp_path / "3d.npz", **content)
    refuses(r"3d\.npz: " + message, read, tmp_path / "3d.npz")


def metadata_of(**changes):
    return {"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": H36M_SIDES} | changes


SOUND = [pixels(5)] * 4
BAD_2D = {
    "no subject": ({"S5": {"Walking": SOUND}}, None, "has no 2D poses in .*2d.npz; expected those of every camera"),
    "three cameras": ({"S1": {"Walking": SOUND[:3]}}, None, "S1/Walking: is a list of 3; expected a list of 2D poses"),
    "a frame too few": ({"S1": {"Walking": [SOUND[0][:4]] * 4}}, None,
        "camera 54138969: has 4 frames in 2D and 5 in 3D; expected as many or a few more in 2D"),
    "no camera": ({"S1": {"Walking": [*SOUND[:3], None]}}, None, "S1/Walking, camera 60457274: has no 2D poses"),
    "another frame rate": ({"S1": {"Walking": [pixels(10)] * 4}}, None, "has 10 frames in 2D and 5 in 3D"),
    "no frames": ({"S1": {"Walking": [pixels(0)] * 4}}, None, "has no frames in 2D"),
    "16 joints": ({"S1": {"Walking": [pixels(5, joints=16)] * 4}}, None, r"float32 of shape \(5, 16, 2\); .*, 17, 2\)"),
    "texts": ({"S1": {"Walking": [SOUND[0].astype("U9")] * 4}}, None, "2D poses are <U9"),
    "normalised": ({"S1": {"Walking": [SOUND[0] / 500 - 1] * 4}}, None, "less than 10 across; expected pixels"),
    "NaN": ({"S1": {"Walking": [changed(SOUND[0], (3, 1), np.nan)] * 4}}, None, "2D frame 3 is not finite"),
    "two spellings": ({"S1": {"Walking": SOUND, "Walking ": SOUND}}, None,
        r"S1/Walking: is there as \['Walking', 'Walking '\]"),
    "no metadata": ({}, {}, "has no metadata with num_joints; .*keypoints_2d_convention"),
    "an unknown layout": ({}, metadata_of(layout_name="humaneva15"), "has layout 'humaneva15' of 17 joints"),
    "other sides": ({}, metadata_of(keypoints_symmetry=COCO_SIDES), "layout 'h36m', 17 joints .* which fit nothing"),
    "sides of texts": ({}, metadata_of(keypoints_symmetry=[["a"], ["b"]]), "keypoints_symmetry is no pair of lists"),
    "neither name nor sides": ({}, {"num_joints": 17}, r"which fit \['human36m_17', 'coco17'\]"),
    "numbers for subjects": ({1: {}}, None, "positions_2d of 1 has the key 1"),
}  # fmt: skip


@pytest.mark.parametrize("value", [np.inf, SIGNALLING], ids=["infinity", "signalling"])
def test_joints_derived_from_what_is_not_finite_are_refused(tmp_path, small, value):
    cameras = [changed(SOUND[0], (3, slice(3, 7)), value)] * 4
    path = save_2d(tmp_path / "2d.npz", {"S1": {"Walking": cameras}}, {"layout_name": "coco", "num_joints": 17})
    message = r"S1/Walking, camera 54138969: 2D frame 3 is not finite \(1 such frames\)"
    refuses(message, read, small, path, test_subjects=())


@table("content metadata message", BAD_2D)
def test_broken_2d_poses_are_refused_by_place(tmp_path, small, content, metadata, message):
    path = save_2d(tmp_path / "2d.npz", content, metadata)
    refuses(r"\.npz: .*" + message, read, small, path, test_subjects=())


BAD_OPTIONS = {
    "an unknown subject": ({"train_subjects": ("S1", "S2")}, "subject is 'S2'; expected one of"),
    "one subject in both": ({"test_subjects": ("S1",)}, "subject 'S1' is listed twice"),
    "no subject": ({"train_subjects": (), "test_subjects": ()}, r"none of the subjects \[\]"),
    "stride 0": ({"test_stride": 0}, "test_stride is 0; expected a whole number from 1"),
    "a stride of True": ({"test_stride": True}, "test_stride is True"),
    "a convention without 2D": ({"keypoints_2d_convention": "coco17"}, "given without positions_2d"),
    "an unknown convention": ({"keypoints_2d_convention": "coco19"}, "convention is 'coco19'; did you mean"),
}  # fmt: skip


@table("options message", BAD_OPTIONS)
def test_options_are_checked(small, options, message):
    refuses(message, read, small, **options)
