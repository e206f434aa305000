"""VideoPose3D's files, built as its scripts build them, against coordinates by SciPy and by OpenCV's formula."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tf_wsgen.data.human36m_cameras import CAMERA_NAMES, EXTRINSICS, INTRINSICS
from tf_wsgen.datasets.clip import check_clip
from tf_wsgen.datasets.keypoint_conventions import convert
from tf_wsgen.datasets.readers.human36m import ACTIONS, action_of, read_videopose3d, reconcile
from tf_wsgen.errors import InputError

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


def read(*arguments, **options):
    clips = []
    for clip in read_videopose3d(*arguments, **options):
        check_clip(clip)
        clips.append(clip)
    return clips


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
        train = clip.group == "train"
        points = (world(5, 1) if train else world(130, 2)[[0, 64, 128]])[:, FROM_32]
        subject, camera = clip.labels["subject"], clip.labels["camera"]
        pose_3d, pose_2d = seen_by(camera, subject, points)
        np.testing.assert_allclose(clip.pose_3d, pose_3d, atol=0.01)
        np.testing.assert_allclose(clip.pose_2d, pose_2d, atol=0.01)
        assert clip.pose_2d.dtype == clip.pose_3d.dtype == np.float32
        name = "Walking" if train else "SittingDown 1"
        assert clip.labels == {
            "action": "Walking" if train else "SittingDown",
            "subject": "S1" if train else "S9",
            "sequence": f"{subject} {name}",
            "camera": camera,
        }
        assert clip.image_size == INTRINSICS[camera][4]
        assert clip.where == f"{small}: {subject}/{name}, camera {camera}"


def test_32_and_17_joints_give_the_same(tmp_path, small):
    content = {"S1": {"Walking": world(5, 1)[:, MOVING]}, "S9": {"SittingDown 1": world(130, 2)[:, MOVING]}}
    of_17 = read(save_3d(tmp_path / "17.npz", content))
    for clip, other in zip(read(small), of_17, strict=True):
        np.testing.assert_array_equal(clip.pose_3d, other.pose_3d)
        np.testing.assert_array_equal(clip.pose_2d, other.pose_2d)
        assert clip.labels == other.labels


def test_the_usual_subjects_and_strides(tmp_path):
    subjects = {"S1": "train", "S5": "train", "S6": "train", "S7": "train", "S8": "train", "S9": "test", "S11": "test"}
    # In another order, and with a subject that nobody asks for.
    content = {name: {"Eating": world(129, 3)} for name in [*reversed(subjects), "S2"]}
    clips = read(save_3d(tmp_path / "a.npz", content))
    assert [clip.labels["subject"] for clip in clips[::4]] == list(subjects)
    for clip in clips:
        assert clip.group == subjects[clip.labels["subject"]]
        assert len(clip) == (129 if clip.group == "train" else 3)


def test_other_subjects_and_strides(small):
    clips = read(small, train_subjects=("S9",), test_subjects=(), train_stride=50)
    assert {(clip.group, clip.labels["subject"], len(clip)) for clip in clips} == {("train", "S9", 3)}
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


@pytest.mark.parametrize(("metadata", "indices"), LAYOUTS.values(), ids=LAYOUTS)
def test_2d_poses_of_every_layout(tmp_path, small, metadata, indices):
    joints = metadata["num_joints"]
    content = {
        "S9": {"SittingDown 1": [pixels(130, camera, joints) for camera in range(4)]},
        "S1": {"Walking": [pixels(5, 10 + camera, joints) for camera in range(4)]},
    }
    clips = read(small, save_2d(tmp_path / "2d.npz", content, metadata))
    for clip, projected in zip(clips, read(small), strict=True):
        camera = CAMERA_NAMES.index(clip.labels["camera"])
        train = clip.group == "train"
        expected = pixels(5, 10 + camera, joints) if train else pixels(130, camera, joints)[[0, 64, 128]]
        np.testing.assert_array_equal(clip.pose_2d, expected[:, indices])
        np.testing.assert_array_equal(clip.pose_3d, projected.pose_3d)
        assert clip.labels == projected.labels


@pytest.mark.parametrize("name", [{"layout_name": "coco"}, {}], ids=["named", "by its sides"])
def test_coco_joints_are_taken_and_derived(tmp_path, small, name):
    seen, metadata = pixels(5, 0), {"num_joints": 17, "keypoints_symmetry": COCO_SIDES} | name
    clip = read(small, save_2d(tmp_path / "2d.npz", {"S1": {"Walking": [seen] * 4}}, metadata), test_subjects=())[0]
    np.testing.assert_array_equal(clip.pose_2d, convert(seen, "coco17").points)


def test_a_named_convention_wins_over_the_metadata(tmp_path, small):
    seen = pixels(5, 0, 16)
    path = save_2d(tmp_path / "2d.npz", {"S1": {"Walking": [seen] * 4}}, {"layout_name": "unheard of"})
    clip = read(small, path, keypoints_2d_convention="human16", test_subjects=())[0]
    np.testing.assert_array_equal(clip.pose_2d, seen)


def test_a_third_column_is_the_confidence(tmp_path, small):
    seen = pixels(135, 0, 17, 3)
    path = save_2d(tmp_path / "2d.npz", {"S9": {"SittingDown 1": [seen] * 4}})
    clip = read(small, path, train_subjects=())[0]
    np.testing.assert_array_equal(clip.pose_2d, seen[[0, 64, 128]][:, FROM_17, :2])
    np.testing.assert_array_equal(clip.labels["confidence"], seen[[0, 64, 128]][:, FROM_17, 2])


def test_2d_frames_after_the_motion_capture_are_cut(tmp_path, small):
    seen = pixels(9, 0)
    path = save_2d(tmp_path / "2d.npz", {"S1": {"Walking": [seen, seen[:5], seen, seen[:5]]}})
    for clip in read(small, path, test_subjects=()):
        np.testing.assert_array_equal(clip.pose_2d, seen[:5, FROM_17])
        assert len(clip.pose_3d) == 5


def test_the_two_files_may_spell_differently(tmp_path):
    path_3d = save_3d(tmp_path / "3d.npz", {"S1": {"TakingPhoto 1": world(5)}})
    path_2d = save_2d(tmp_path / "2d.npz", {"S1": {"Photo 1": [pixels(5)] * 4, "Never captured": [pixels(5)] * 4}})
    clips = read(path_3d, path_2d)
    assert len(clips) == 4
    assert clips[0].labels["sequence"] == "S1 Photo 1"


@pytest.mark.parametrize("container", [tuple, np.array])
def test_cameras_may_be_a_tuple_or_an_array(tmp_path, small, container):
    cameras = container([pixels(5, camera) for camera in range(4)])
    path = save_2d(tmp_path / "2d.npz", {"S1": {"Walking": cameras}})
    for camera, clip in enumerate(read(small, path, test_subjects=())):
        np.testing.assert_array_equal(clip.pose_2d, pixels(5, camera)[:, FROM_17])


# What is missing or left out.


def test_missing_subjects_are_told(small):
    told = []
    read(small, notice=told.append)
    assert told == [f"{small}: has no subject {s}; its rows are missing." for s in ("S5", "S6", "S7", "S8", "S11")]


@pytest.fixture
def corrupt(tmp_path):
    content = {"S11": {"Directions": world(5), "Directions 1": world(5)}, "S9": {"Directions": world(5)}}
    return save_3d(tmp_path / "3d.npz", content)


def test_the_recording_with_the_damaged_video_is_left_out_and_told(corrupt):
    told = []
    clips = read(corrupt, train_subjects=(), notice=told.append)
    assert [clip.labels["sequence"] for clip in clips[::4]] == ["S9 Directions", "S11 Directions 1"]
    assert told == [f"{corrupt}: S11/Directions: left out, as the video of camera 54138969 is damaged."]


def test_the_recording_with_the_damaged_video_can_be_kept(corrupt, tmp_path):
    told = []
    clips = read(corrupt, train_subjects=(), skip_corrupt=False, notice=told.append)
    assert [clip.labels["sequence"] for clip in clips[4::4]] == ["S11 Directions", "S11 Directions 1"]
    assert told == []
    sound = [pixels(5)] * 4
    content = {"S11": {"Directions": [None, *sound[1:]], "Directions 1": sound}, "S9": {"Directions": sound}}
    clips = read(
        corrupt, save_2d(tmp_path / "2d.npz", content), train_subjects=(), skip_corrupt=False, notice=told.append
    )
    of_it = [clip.labels["camera"] for clip in clips if clip.labels["sequence"] == "S11 Directions"]
    assert of_it == list(CAMERA_NAMES[1:])
    assert len(clips) == 11
    assert told == [
        f"{corrupt}: S11/Directions, camera 54138969: left out, as the video is damaged and has no detections."
    ]


def test_without_detections_of_the_damaged_video_nothing_else_is_missed(corrupt, tmp_path):
    content = {"S11": {"Directions 1": [pixels(5)] * 4}, "S9": {"Directions": [pixels(5)] * 4}}
    assert len(read(corrupt, save_2d(tmp_path / "2d.npz", content), train_subjects=())) == 8


def test_recordings_come_one_by_one(tmp_path):
    content = {"S1": {"Walking": world(5), "Walking 1": np.full((5, 32, 3), np.nan, np.float32)}}
    clips = read_videopose3d(save_3d(tmp_path / "3d.npz", content))
    assert [next(clips).labels["sequence"] for _ in range(4)] == ["S1 Walking"] * 4
    with pytest.raises(InputError, match=r"S1/Walking 1: 3D frame 0 is not finite \(5 such frames\)"):
        next(clips)


# Broken files.


def changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


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


@pytest.mark.parametrize(("recording", "message"), BAD_RECORDINGS.values(), ids=BAD_RECORDINGS)
def test_a_broken_recording_is_refused_by_place(tmp_path, recording, message):
    path = save_3d(tmp_path / "3d.npz", {"S5": {"Posing": world(), "Waiting 1": recording}})
    with pytest.raises(InputError, match=r"3d\.npz: S5/Waiting 1.*" + message):
        read(path)


def test_one_frame_that_is_too_large_for_its_type_is_refused(tmp_path):
    recording = changed(world(9).astype(np.float64), (4, 2, 1), -1e305)
    path = save_3d(tmp_path / "3d.npz", {"S5": {"Posing": recording}})
    with pytest.raises(InputError, match="3D frame 4 is not finite"):
        read(path)


BAD_FILES = {
    "the 2D file": ({"positions_2d": {"S1": {}}, "metadata": {}},
        r"has no 'positions_3d'; it has \['metadata', 'positions_2d'\]"),
    "an array for a dict": ({"positions_3d": world()}, r"positions_3d is float32 of shape \(3, 32, 3\)"),
    "numbers for subjects": ({"positions_3d": {1: {"Walking": world()}}},
        "positions_3d of 1 has the key 1; expected a"),
    "lines for names": ({"positions_3d": {"S1": {"A\n": world()}}}, r"positions_3d of 'S1' has the key 'A\\n'"),
    "half a character": ({"positions_3d": {"S1": {"\ud800": world()}}}, r"positions_3d of 'S1' has the key '\\ud800'"),
    "none of the subjects": ({"positions_3d": {"S2": {"A": world()}}},
        r"has none of the subjects .*'S11'\]; it has \['S2'\]"),
    "two spellings of one": ({"positions_3d": {"S1": {"Photo": world(), "TakingPhoto": world()}}},
        "S1/TakingPhoto: is 'Photo' again, after 'Photo'; expected each recording once"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_of_another_structure_is_refused(tmp_path, content, message):
    np.savez(tmp_path / "3d.npz", **content)
    with pytest.raises(InputError, match=r"3d\.npz: " + message):
        read(tmp_path / "3d.npz")


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
    with pytest.raises(InputError, match=r"S1/Walking, camera 54138969: 2D frame 3 is not finite \(1 such frames\)"):
        read(small, path, test_subjects=())


@pytest.mark.parametrize(("content", "metadata", "message"), BAD_2D.values(), ids=BAD_2D)
def test_broken_2d_poses_are_refused_by_place(tmp_path, small, content, metadata, message):
    path = save_2d(tmp_path / "2d.npz", content, metadata)
    with pytest.raises(InputError, match=r"\.npz: .*" + message):
        read(small, path, test_subjects=())


BAD_OPTIONS = {
    "an unknown subject": ({"train_subjects": ("S1", "S2")}, "subject is 'S2'; expected one of"),
    "one subject in both": ({"test_subjects": ("S1",)}, "subject 'S1' is listed twice"),
    "no subject": ({"train_subjects": (), "test_subjects": ()}, r"none of the subjects \[\]"),
    "stride 0": ({"test_stride": 0}, "test_stride is 0; expected a whole number from 1"),
    "a stride of True": ({"test_stride": True}, "test_stride is True"),
    "a convention without 2D": ({"keypoints_2d_convention": "coco17"}, "given without positions_2d"),
    "an unknown convention": ({"keypoints_2d_convention": "coco19"}, "convention is 'coco19'; did you mean"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_options_are_checked(small, options, message):
    with pytest.raises(InputError, match=message):
        read(small, **options)
