"""3d-pose-baseline's folders, built as its archive is, and the same data set in VideoPose3D's files."""

import shutil

import h5py
import numpy as np
import pytest

from tf_wsgen.data.human36m_cameras import CAMERA_NAMES, human36m_cameras
from tf_wsgen.datasets.clip import check_clip
from tf_wsgen.datasets.readers.human36m import read_videopose3d
from tf_wsgen.datasets.readers.human36m_baseline import read_3d_pose_baseline
from tf_wsgen.errors import InputError

FROM_32 = [1, 2, 3, 6, 7, 8, 0, 13, 14, 15, 17, 18, 19, 25, 26, 27]
FROM_MPII = [2, 1, 0, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 12, 11, 10]
MPII_METADATA = {"num_joints": 16, "keypoints_symmetry": [[3, 4, 5, 13, 14, 15], [0, 1, 2, 10, 11, 12]]}
# (subject, recording): frames. Names and spellings as in the archive.
RECORDINGS = {
    ("S1", "Walking"): 5,
    ("S1", "Walking 1"): 4,
    ("S1", "WalkDog 1"): 3,
    ("S1", "SittingDown 2"): 3,
    ("S9", "Photo"): 70,
    ("S11", "Directions"): 3,
    ("S11", "Directions 1"): 130,
}


def world(subject, name):
    """(T, 32, 3) millimetres."""
    seed = [*subject.encode(), *name.encode()]
    return np.random.default_rng(seed).normal([200.0, -300.0, 900.0], 300.0, (RECORDINGS[subject, name], 32, 3))


def detections(subject, name, camera, extra=0):
    seed = [*subject.encode(), *name.encode(), int(camera)]
    rows = RECORDINGS[subject, name] + extra
    return np.random.default_rng(seed).uniform(300.0, 700.0, (rows, 16, 2)).astype(np.float32)


def positions_file(folder, subject, name):
    return folder / subject / "MyPoses/3D_positions" / f"{name}.h5"


def detections_file(folder, subject, name, camera, kind="StackedHourglass"):
    return folder / subject / kind / f"{name.replace(' ', '_')}.{camera}.h5"


def write(path, name, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file[name] = values


@pytest.fixture
def folder(tmp_path):
    """The archive h36m.zip as unpacked: 3D, and detections that go on for a frame; none of the damaged video."""
    for subject, name in RECORDINGS:
        points = world(subject, name)
        write(positions_file(tmp_path / "h36m", subject, name), "3D_positions", points.reshape(len(points), 96).T)
        for camera in CAMERA_NAMES:
            if (subject, name, camera) != ("S11", "Directions", "54138969"):
                path = detections_file(tmp_path / "h36m", subject, name, camera)
                write(path, "poses", detections(subject, name, camera, extra=1))
    return tmp_path / "h36m"


def read(*arguments, **options):
    clips = []
    for clip in read_3d_pose_baseline(*arguments, **options):
        check_clip(clip)
        clips.append(clip)
    return clips


def test_rows_are_where_the_files_say(folder):
    clips = read(folder)
    names = ["S1 SittingDown 2", "S1 WalkDog 1", "S1 Walking", "S1 Walking 1", "S9 Photo", "S11 Directions 1"]
    assert [clip.labels["sequence"] for clip in clips[::4]] == names
    for index, clip in enumerate(clips):
        subject, _, name = clip.labels["sequence"].partition(" ")
        camera = human36m_cameras(subject)[index % 4]
        assert clip.labels == {
            "action": name.partition(" ")[0],
            "subject": subject,
            "sequence": f"{subject} {name}",
            "camera": camera.name,
        }
        assert clip.group == ("train" if subject == "S1" else "test")
        points = world(subject, name)[:, FROM_32][:: 1 if subject == "S1" else 64]
        pose_3d = (points - camera.position) @ camera.rotation.T
        np.testing.assert_allclose(clip.pose_3d, pose_3d, atol=0.01)
        np.testing.assert_allclose(clip.pose_2d, camera.project(pose_3d), atol=0.01)
        assert clip.image_size == camera.image_size
        assert clip.where == f"{positions_file(folder, subject, name)}, camera {camera.name}"


@pytest.mark.parametrize("kind", ["StackedHourglass", "StackedHourglassFineTuned240"])
def test_detections_are_read_and_cut(folder, kind):
    if kind != "StackedHourglass":
        for subject in ("S1", "S9", "S11"):
            (folder / subject / "StackedHourglass").rename(folder / subject / kind)
    clips = read(folder, kind)
    projected = read(folder)
    assert len(clips) == len(projected) == 24
    for clip, other in zip(clips, projected, strict=True):
        subject, _, name = clip.labels["sequence"].partition(" ")
        seen = detections(subject, name, clip.labels["camera"], extra=1)[: RECORDINGS[subject, name]]
        np.testing.assert_array_equal(clip.pose_2d, seen[:: 1 if subject == "S1" else 64, FROM_MPII])
        np.testing.assert_array_equal(clip.pose_3d, other.pose_3d)
        assert clip.labels == other.labels


@pytest.mark.parametrize("detected", [False, True])
@pytest.mark.parametrize("skip_corrupt", [False, True])
def test_both_ways_give_the_same_rows(tmp_path, folder, detected, skip_corrupt):
    # As VideoPose3D's scripts make their files of this archive.
    positions_3d, positions_2d = {}, {}
    for subject, name in RECORDINGS:
        positions_3d.setdefault(subject, {})[name] = (world(subject, name) / 1000).astype(np.float32)
        seen = [detections(subject, name, camera, extra=1) for camera in CAMERA_NAMES]
        positions_2d.setdefault(subject, {})[name] = seen
    positions_2d["S11"]["Directions"][0] = None
    np.savez_compressed(tmp_path / "3d.npz", positions_3d=positions_3d)
    np.savez_compressed(tmp_path / "2d.npz", positions_2d=positions_2d, metadata=MPII_METADATA)
    told = []
    options = {"skip_corrupt": skip_corrupt, "notice": told.append, "test_stride": 7}
    clips = read(folder, "StackedHourglass" if detected else None, **options)
    others = read_videopose3d(tmp_path / "3d.npz", tmp_path / "2d.npz" if detected else None, **options)
    for clip, other in zip(clips, others, strict=True):
        np.testing.assert_allclose(clip.pose_3d, other.pose_3d, atol=0.01)
        np.testing.assert_allclose(clip.pose_2d, other.pose_2d, atol=0.01)
        assert (clip.group, clip.labels, clip.image_size) == (other.group, other.labels, other.image_size)
    assert len(clips) == (24 if skip_corrupt else 28 - detected)
    # The same is told of both, but for the file's name.
    half = len(told) // 2
    assert [text.rpartition(": ")[2] for text in told[:half]] == [text.rpartition(": ")[2] for text in told[half:]]
    assert sum("damaged" in text for text in told) == 2 * (skip_corrupt or detected)


def test_other_spellings_of_3d_and_2d(folder):
    for camera in CAMERA_NAMES:
        path = detections_file(folder, "S9", "Photo", camera)
        path.rename(path.with_name(f"TakingPhoto.{camera}.h5"))
    clip = next(clip for clip in read(folder, "StackedHourglass") if clip.labels["subject"] == "S9")
    assert clip.labels["sequence"] == "S9 Photo"
    np.testing.assert_array_equal(clip.pose_2d, detections("S9", "Photo", "54138969", 1)[[0, 64]][:, FROM_MPII])


def test_what_an_apple_adds_to_archives_is_passed_by(folder):
    (folder / "S1/MyPoses/3D_positions/._Walking.h5").write_bytes(b"\0\5\26\7")
    (folder / "S1/StackedHourglass/._Walking.54138969.h5").write_bytes(b"\0\5\26\7")
    assert len(read(folder, "StackedHourglass")) == 24


def test_missing_subjects_are_told(folder):
    shutil.rmtree(folder / "S9")
    told = []
    assert {clip.labels["subject"] for clip in read(folder, notice=told.append)} == {"S1", "S11"}
    missing = [
        f"{folder}: has no subject {subject}; its rows are missing." for subject in ("S5", "S6", "S7", "S8", "S9")
    ]
    assert told[:-1] == missing


def positions(values, name="3D_positions"):
    """A change of one recording."""
    return lambda folder: write(positions_file(folder, "S1", "Walking 1"), name, values)


def poses(values, name="poses"):
    return lambda folder: write(detections_file(folder, "S1", "Walking 1", "55011271"), name, values)


def cut(find, fraction):
    def change(folder):
        path = find(folder)
        path.write_bytes(path.read_bytes()[: int(fraction * path.stat().st_size)])

    return change


def a_recording(folder):
    return positions_file(folder, "S1", "Walking 1")


def a_video(folder):
    return detections_file(folder, "S1", "Walking 1", "55011271")


def announce(folder):
    with h5py.File(a_recording(folder), "w") as file:
        file.create_dataset("3D_positions", (96, 10**12), "f4", chunks=(96, 1024))


FLAT = world("S1", "Walking 1").reshape(4, 96).T
SEEN = detections("S1", "Walking 1", "55011271")


def with_value(values, index, value):
    values = values.copy()
    values[index] = value
    return values


BROKEN = {
    "no folder": (shutil.rmtree, "h36m: there is no such folder; expected one with S1/MyPoses/3D_positions"),
    "a folder too high": (lambda folder: folder.rename(folder.parent / "x") and (folder / "h36m").mkdir(parents=True),
        "has no S"),
    "no recordings": (lambda folder: [path.unlink() for path in positions_file(folder, "S1", "x").parent.iterdir()],
        r"S1/MyPoses/3D_positions: has no \.h5 files"),
    "another dataset": (positions(FLAT, "3d"), r"Walking 1\.h5: has no dataset '3D_positions'; it has \['3d'\]"),
    "rows for columns": (positions(FLAT.T), r"3D_positions has shape \(4, 96\); expected \(96, N\)"),
    "no frames": (positions(FLAT[:, :0]), r"Walking 1\.h5: .*(no frames|stores 0)"),
    "metres": (positions(FLAT / 1000), r"Walking 1\.h5: joints are typically .* expected millimetres"),
    "NaN": (positions(with_value(FLAT, (5, 2), np.nan)), r"Walking 1\.h5: 3D frame 2 is not finite"),
    "10¹² frames": (announce, r"Walking 1\.h5: 3D_positions announces 384,000,000,000,000 bytes but stores 0"),
    "one recording twice": (
        lambda folder: shutil.copy(*(positions_file(folder, "S9", name) for name in ("Photo", "TakingPhoto"))),
        r"TakingPhoto\.h5: is 'Photo' again, after 'Photo'; expected each recording once"),
    "no detections": (lambda folder: shutil.rmtree(folder / "S9/StackedHourglass"),
        "S9/StackedHourglass: there is no such"),
    "no video": (lambda folder: a_video(folder).unlink(),
        r"camera 55011271: has no 2D poses in .*h36m; expected those of"),
    "one video twice": (lambda folder: shutil.copy(a_video(folder), a_video(folder).with_name("Walking 1.55011271.h5")),
        r"Walking_1\.55011271\.h5: is there again, after Walking 1\.55011271\.h5"),
    "a video cut": (cut(a_video, 0.7), r"Walking_1\.55011271\.h5: cannot be read as an HDF5 file with poses"),
    "other poses": (poses(SEEN, "preds"), r"has no dataset 'poses'; it has \['preds'\]"),
    "17 joints seen": (poses(np.ones((4, 17, 2))), r"float64 of shape \(4, 17, 2\); expected .* joints as mpii16"),
    "a frame too few": (poses(SEEN[:3]), "camera 55011271: has 3 frames in 2D and 4 in 3D"),
    "heatmap coordinates": (poses(SEEN / 100), "expected pixels"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_folders_are_refused_by_file(folder, change, message):
    change(folder)
    with pytest.raises(InputError, match=message):
        read(folder, "StackedHourglass")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detections": "Hourglass"}, "S1/Hourglass: there is no such folder; expected the 2D poses of S1"),
        ({"train_subjects": ("S3",)}, "subject is 'S3'"),
        (
            {"train_subjects": ("S5",), "test_subjects": ()},
            r"has none of the subjects \['S5'\]; it has \['S1', 'S11', 'S9'\]",
        ),
        ({"test_stride": 0}, "test_stride is 0"),
    ],
)
def test_options_are_checked(folder, options, message):
    with pytest.raises(InputError, match=message):
        read(folder, **options)
