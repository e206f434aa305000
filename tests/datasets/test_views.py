"""Views of motion: cameras, the capture volume, errors and hidden joints, all a function of seed and names."""

import itertools

import numpy as np
import pytest
from standing import STANDING_POSE

from tf_wsgen.data.human36m_cameras import EXTRINSICS, human36m_cameras
from tf_wsgen.datasets.clip import check_clip
from tf_wsgen.datasets.views import (
    DISTANCE,
    FOCAL_LENGTH,
    HEIGHT,
    HUMAN36M_SUBJECT,
    WIDEST_PATH,
    ViewOptions,
    place_in_room,
    view_clips,
)
from tf_wsgen.errors import InputError
from tf_wsgen.simulation.detector import MEASURED
from tf_wsgen.skeleton import HUMAN16

ROOT = HUMAN16.root_index
LIMBS = [HUMAN16.index(joint) for joint in HUMAN16.limbs]


def walking(frames=30, start=(0.0, 0.0), step=(20.0, 10.0)):
    """(T, 16, 3) a body that slides along a line."""
    path = np.array(start) + np.arange(frames)[:, None] * np.array(step)
    return STANDING_POSE + np.pad(path, ((0, 0), (0, 1)))[:, None]


def views(poses=None, sequence="walk", where="a.bvh", **options):
    poses = walking() if poses is None else poses
    labels = {"subject": "anna", "sequence": sequence}
    return list(view_clips(poses, ViewOptions(**options), where=where, group="train", labels=labels))


def test_clips_are_sound_and_labelled():
    clips = views()
    for clip in clips:
        check_clip(clip)
        assert (clip.group, clip.pose_2d.dtype, clip.pose_3d.dtype) == ("train", np.float32, np.float32)
        assert clip.labels["subject"] == "anna"
        assert clip.labels["sequence"] == "walk"
        assert "visible" not in clip.labels
    names = ["54138969", "55011271", "58860488", "60457274"]
    assert [clip.labels["camera"] for clip in clips] == names
    assert [clip.where for clip in clips] == [f"a.bvh, camera {name}" for name in names]
    assert [clip.image_size for clip in clips] == [(1000, 1002), (1000, 1000), (1000, 1000), (1000, 1002)]


def test_the_views_are_those_of_the_calibrated_cameras():
    poses = walking(step=(0.0, 0.0))
    for clip, camera in zip(views(poses), human36m_cameras(HUMAN36M_SUBJECT), strict=True):
        expected = (poses - camera.position) @ camera.rotation.T
        np.testing.assert_allclose(clip.pose_3d, expected, atol=0.01)
        np.testing.assert_allclose(clip.pose_2d, camera.project(expected), atol=0.01)
        # Up in the room is up in the image, where y points down.
        assert (clip.pose_2d[:, HUMAN16.index("head"), 1] < clip.pose_2d[:, ROOT, 1] - 100.0).all()


def box(side, height=1800.0):
    half = side / 2.0
    return np.array(list(itertools.product((-half, half), (-half, half), (0.0, height))))


def margin(subject, points):
    """Pixels from the points' images to the nearest edge, of the worst of four cameras."""
    margins = []
    for camera in human36m_cameras(subject):
        pixels = camera.project(camera.to_camera_frame(points))
        margins += [pixels.min(), (np.array(camera.image_size) - pixels).min()]
    return min(margins)


def test_the_chosen_cameras_see_the_room_best():
    assert margin(HUMAN36M_SUBJECT, box(1000.0)) > 100.0
    assert margin(HUMAN36M_SUBJECT, box(2000.0)) > 50.0
    margins = {subject: margin(subject, box(WIDEST_PATH)) for subject in EXTRINSICS}
    assert max(margins, key=margins.get) == HUMAN36M_SUBJECT
    assert -13.0 < margins[HUMAN36M_SUBJECT] < -11.0
    assert -84.0 < min(margins.values()) < -82.0


def test_random_cameras_are_in_their_intervals_and_look_at_the_middle():
    clips = views(walking(step=(0, 0)), cameras="random", num_random=40)
    assert [clip.labels["camera"] for clip in clips] == [f"random_{index}" for index in range(40)]
    placed = place_in_room(walking(step=(0, 0)))[0]
    distances, heights, azimuths = [], [], []
    for clip in clips:
        check_clip(clip)
        assert clip.image_size == (1000, 1000)
        assert clip.pose_2d.min() >= 0.0
        assert clip.pose_2d.max() <= 1000.0
        # The camera from its view: a rigid motion takes the room's points to its frame.
        seen = clip.pose_3d[0].astype(float)
        left, _, right = np.linalg.svd((placed - placed.mean(axis=0)).T @ (seen - seen.mean(axis=0)))
        rotation = (left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right).T
        np.testing.assert_allclose((placed - placed.mean(axis=0)) @ rotation.T, seen - seen.mean(axis=0), atol=0.01)
        position = placed.mean(axis=0) - seen.mean(axis=0) @ rotation
        distances.append(np.hypot(position[0], position[1]))
        heights.append(position[2])
        azimuths.append(np.arctan2(position[1], position[0]))
        middle = rotation @ (np.array([0.0, 0.0, 900.0]) - position)
        np.testing.assert_allclose(middle[:2], 0.0, atol=1.0)
        focal_length = (clip.pose_2d[0] - 500.0) * seen[:, 2:] / seen[:, :2]
        assert np.ptp(focal_length[np.abs(seen[:, :2]) > 50.0]) < 1.0
        assert FOCAL_LENGTH[0] < np.median(focal_length) < FOCAL_LENGTH[1]
    for values, (low, high) in ((distances, DISTANCE), (heights, HEIGHT)):
        assert low - 1.0 < min(values) < low + 0.3 * (high - low)
        assert high - 0.3 * (high - low) < max(values) < high + 1.0
    assert len({(a > 0, abs(a) > np.pi / 2) for a in azimuths}) == 4


def test_random_cameras_keep_a_person_who_walks_about_in_the_image():
    there_and_back = np.concatenate([walking(60, step=(40, 20)), walking(60, step=(-10, 40))])
    for index in range(10):
        for clip in views(there_and_back, sequence=f"walk {index}", cameras="random"):
            assert clip.pose_2d.min() >= 0.0
            assert clip.pose_2d.max() <= 1000.0


@pytest.mark.parametrize(
    ("frames", "start", "step", "first"),
    [(31, (5000.0, -900.0), (20.0, 10.0), (-300.0, -150.0)), (61, (0.0, 0.0), (50.0, -100.0), (-600.0, 1200.0))],
    ids=["centred", "squeezed"],  # 3 m by 6 m become 1.2 m by 2.4 m.
)
def test_the_path_is_centred_and_squeezed_where_too_wide_and_the_body_kept(frames, start, step, first):
    poses = walking(frames, start, step)
    untouched = poses.copy()
    placed = place_in_room(poses)
    np.testing.assert_array_equal(poses, untouched)
    np.testing.assert_allclose(placed[0, ROOT], [*first, 820.0])
    np.testing.assert_allclose(placed[-1, ROOT], [-first[0], -first[1], 820.0])
    body = STANDING_POSE - STANDING_POSE[ROOT]
    np.testing.assert_allclose(placed - placed[:, ROOT, None], np.tile(body, (frames, 1, 1)))


def test_motion_is_seen_where_it_is_placed():
    poses = walking(start=(500.0, 300.0))
    camera = human36m_cameras(HUMAN36M_SUBJECT)[0]
    np.testing.assert_allclose(views(poses)[0].pose_3d, camera.to_camera_frame(place_in_room(poses)), atol=0.01)


def test_the_stride_keeps_every_so_many_frames():
    # The last frame is among them, so that the path has the same middle.
    all_frames, some = (views(walking(29), frame_stride=stride) for stride in (1, 7))
    for whole, thinned in zip(all_frames, some, strict=True):
        assert len(thinned) == 5
        np.testing.assert_array_equal(thinned.pose_3d, whole.pose_3d[::7])
        np.testing.assert_array_equal(thinned.pose_2d, whole.pose_2d[::7])


def assert_equal_views(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.pose_2d, b.pose_2d)
        np.testing.assert_array_equal(a.pose_3d, b.pose_3d)
        np.testing.assert_array_equal(a.labels.get("visible"), b.labels.get("visible"))


OPTIONS = {"cameras": "random", "noise": 1.0, "dropped_joints": 2}


def test_everything_random_is_a_function_of_seed_sequence_and_camera():
    first = views(**OPTIONS)
    assert_equal_views(first, views(**OPTIONS, where="elsewhere"))
    # More cameras don't change those that there are.
    assert_equal_views(first, views(**OPTIONS, num_random=6)[:4])
    for other in (views(**OPTIONS, seed=1), views(**OPTIONS, sequence="run")):
        for a, b in zip(first, other, strict=True):
            assert not np.array_equal(a.pose_3d, b.pose_3d)
            assert not np.array_equal(a.labels["visible"], b.labels["visible"])
    for a, b in itertools.combinations(first, 2):
        assert not np.array_equal(a.pose_3d, b.pose_3d)
        assert not np.array_equal(a.labels["visible"], b.labels["visible"])


def test_options_leave_each_other_alone():
    """Errors change neither the cameras nor what is hidden, and what is hidden no error."""
    plain = views(cameras="random")
    noisy = views(cameras="random", noise=1.0)
    hidden = views(cameras="random", dropped_joints=2)
    both = views(**OPTIONS)
    for a, b, c, d in zip(plain, noisy, hidden, both, strict=True):
        for other in (b, c, d):
            np.testing.assert_array_equal(a.pose_3d, other.pose_3d)
        np.testing.assert_array_equal(c.labels["visible"], d.labels["visible"])
        seen = d.labels["visible"] == 1.0
        np.testing.assert_array_equal(d.pose_2d[seen], b.pose_2d[seen])


def test_noise_is_the_simulated_detectors_and_scores_tell_of_it():
    poses = np.tile(STANDING_POSE, (4000, 1, 1))
    exact, noisy = views(poses)[0].pose_2d.astype(float), views(poses, noise=1.0)[0]
    height = np.sqrt(((exact[0] - exact[0].mean(axis=0)) ** 2).mean()) / 0.155
    error = np.linalg.norm(noisy.pose_2d - exact, axis=-1) / height
    for joint in ("left_wrist", "right_hip", "head"):
        # The median of the distance of two normal numbers is 1.18 σ; some joints are outliers.
        expected = 1.1774 * MEASURED[joint.rsplit("_", 1)[-1]].inlier
        assert expected < np.median(error[:, HUMAN16.index(joint)]) < 1.6 * expected
    score = noisy.labels["confidence"]
    assert 0.0 < score.min() < score.max() <= 1.0
    assert score[error < 0.01].mean() > score[error > 0.05].mean() + 0.3
    half = np.linalg.norm(views(poses, noise=0.5)[0].pose_2d - exact, axis=-1) / height
    assert np.median(half) < 0.6 * np.median(error)


@pytest.mark.parametrize("count", [2, 8])
def test_hidden_joints_are_limbs_and_as_many_in_every_row(count):
    for clip in views(walking(400, step=(1.0, 1.0)), dropped_joints=count):
        check_clip(clip)
        visible = clip.labels["visible"]
        assert visible.shape == (400, 16)
        assert (visible.sum(axis=1) == 16 - count).all()
        others = np.setdiff1d(np.arange(16), LIMBS)
        assert (visible[:, others] == 1.0).all()
        assert (clip.pose_2d[visible == 0.0] == 0.0).all()
        assert (clip.pose_2d[visible == 1.0] != 0.0).all()
        assert (clip.pose_3d[..., 2] > 0.0).all()
        # Every limb has its turn.
        np.testing.assert_allclose((visible[:, LIMBS] == 0.0).mean(axis=0), count / 8.0, atol=0.1)


@pytest.mark.parametrize(
    ("poses", "message"),
    [
        (walking() + np.array([0.0, 0.0, 9000.0]), r"a\.bvh, camera 54138969: right_hip of frame 0 is \d+ mm in front"),
        (np.zeros((3, 17, 3)), r"a\.bvh: poses have shape \(3, 17, 3\)"),
        (np.full((3, 16, 3), np.nan), r"a\.bvh: poses .* expected finite numbers"),
        (walking() / 1000.0, r"a\.bvh: joints are typically .* expected millimetres"),
    ],
    ids=["above", "17 joints", "NaN", "metres"],
)
def test_what_cameras_cannot_see_is_refused(poses, message):
    with pytest.raises(InputError, match=message):
        views(poses)


def test_a_frame_that_is_refused_is_counted_as_in_the_file():
    poses = walking(10, step=(0.0, 0.0))
    poses[8] += [0.0, 0.0, 9000.0]
    with pytest.raises(InputError, match="right_hip of frame 8 is"):
        views(poses, frame_stride=4)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("cameras", "kinect"),
        ("num_random", 0),
        ("seed", -1),
        ("noise", -0.5),
        ("noise", float("nan")),
        ("dropped_joints", 9),
        ("frame_stride", "6"),
    ],
)
def test_options_are_checked(option, value):
    with pytest.raises(InputError, match=f"{option} is "):
        ViewOptions(**{option: value})


def test_views_tell_where_up_is():
    for clip in view_clips(walking(), ViewOptions(), where="here", group="train", labels={"sequence": "walk"}):
        pelvis_to_thorax = clip.pose_3d[0, HUMAN16.index("thorax")] - clip.pose_3d[0, ROOT]
        np.testing.assert_allclose(clip.up, pelvis_to_thorax / np.linalg.norm(pelvis_to_thorax), atol=1e-3)
