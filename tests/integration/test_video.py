"""A video to 3D: a stand-in detector sees people in frames that PyAV made, and MediaPipe's models in real ones."""

import base64
import io
import json
import re
import signal
import sys
import tempfile

import numpy as np
import pytest
from PIL import Image
from trc import TRCData
from video_files import write_sound, write_video

from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.errors import InputError
from tf_wsgen.lifting.api import PoseLifter
from tf_wsgen.programs.command_line import run
from tf_wsgen.programs.predict import Options, main
from tf_wsgen.skeleton import HUMAN16
from tf_wsgen.video import detect

pytestmark = pytest.mark.usefixtures("loaded_once")
SIZE = (48, 64)  # Of a video of 64x48 pixels that is to be shown turned.


class StandIn:
    """Sees one person move, in every frame but the second, a second one in the third; in pixels of `SIZE`."""

    convention = "mpii16"
    interrupts = False

    def __init__(self, model):
        poses = synthetic_people(seed=2, train_sequences=1, test_sequences=1, frames=4, noise=0.0).train.pose_2d[:4]
        poses = 4.0 + (poses - poses.min(axis=(0, 1))) / np.ptp(poses[..., 1]) * 50.0
        names = CONVENTIONS[self.convention].joints
        ours = CONVENTIONS[self.convention].human16
        self.points = np.zeros((4, len(names), 2))
        for joint, parts in ours.items():
            self.points[:, names.index(next(iter(parts)))] = poses[:, HUMAN16.index(joint)]
        self.frame = -1

    def __call__(self, picture):
        self.frame += 1
        assert picture.size == SIZE
        # Blue is in the upper left corner of what is shown.
        assert np.argmax(np.asarray(picture)[4, 4]) == 2
        if self.interrupts and self.frame == 2:
            raise KeyboardInterrupt
        people = self.points[[[self.frame], [], [self.frame, 3], [self.frame]][self.frame]]
        return people + np.array([0.0, 20.0])[: len(people), None, None], np.full(people.shape[:2], 0.9)


@pytest.fixture(autouse=True)
def the_process_as_it_was(monkeypatch):
    """A program may do as it likes with its process; this one has other tests."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.fixture
def film(tmp_path, monkeypatch):
    monkeypatch.setitem(detect.DETECTORS, "mediapipe", StandIn)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return write_video(tmp_path / "clip.mp4", rotation=-90)


def lift(film, output="poses.json", **options):
    files = {name: str(film.parent / options.pop(name)) for name in ("html", "png") if name in options}
    main(Options(**{"video": str(film), "output": str(film.parent / output), "num_hypotheses": 2, **files, **options}))


def test_people_times_and_pictures(film, capsys):
    lift(film, html="view.html")
    printed = capsys.readouterr().out
    assert "4 frames of 48x64 pixels seen by mediapipe" in printed
    assert "joints: mpii16, as the detector has them" in printed
    record = json.loads((film.parent / "poses.json").read_text())
    assert record["about"]["image_size"] == list(SIZE)
    assert record["about"]["source"] == str(film)
    assert record["about"]["format"] == "video by mediapipe"
    assert [(person["frame"], person["person"]) for person in record["people"]] == [(0, 0), (2, 0), (2, 1), (3, 0)]
    page = (film.parent / "view.html").read_text()
    pictures = re.findall(r'"image":"data:image/jpeg;base64,([^"]+)"', page)
    assert [Image.open(io.BytesIO(base64.b64decode(picture))).size for picture in pictures] == [SIZE] * 3
    assert list((film.parent / "temporary").iterdir()) == []


def test_motion_is_at_the_videos_rate(film):
    lift(film, "motion.trc", person="0")
    file = TRCData()
    file.load(str(film.parent / "motion.trc"))
    assert (file["NumFrames"], file["DataRate"]) == (4, 30.0)


def test_a_part_of_it(film, capsys):
    with pytest.raises(InputError, match=r"clip\.mp4: no people found"):
        lift(film, lowest_confidence=0.95)
    capsys.readouterr()
    lift(film, "part.csv", frames="0:2")
    assert "2 frames of 48x64" in capsys.readouterr().out


def test_ctrl_c_leaves_nothing(film, monkeypatch, capsys):
    monkeypatch.setattr(StandIn, "interrupts", True)
    before = sorted(film.parent.rglob("*"))
    with pytest.raises(SystemExit) as stop:
        run("predict", ["predict", f"--video={film}", f"--output={film.parent}/a.npz", f"--html={film.parent}/a.html"])
    assert stop.value.code == 130
    assert "interrupted" in capsys.readouterr().err
    assert sorted(film.parent.rglob("*")) == before


# Options, and what is refused of them before a frame is looked at.
REFUSED = {
    "no file": ({"video": "none.mp4"}, "none.mp4: there is no such file; expected a video"),
    "no video": ({"video": __file__}, r"test_video\.py: cannot be read as a video"),
    "sound": ({"video": "sound.wav"}, r"sound\.wav: has no pictures"),
    "empty folder": ({"video": "temporary"}, "the folder has no images"),
    "both": ({"input": "a.json"}, "expected one of --input and --video"),
    "neither": ({"video": None}, "expected one of --input and --video"),
    "format": ({"format": "coco"}, "format is given with a video"),
    "detector": ({"detector": "yolo"}, "detector is 'yolo'; expected one of"),
    "size": ({"image_size": (64, 48)}, "has frames of 48x64 pixels"),
    "frames": ({"frames": "7"}, "frames is '7'"),
    "lifter": ({"model": "no_model.npz"}, "no_model.npz"),
    "output": ({"output": "clip.mp4"}, "ends with '.mp4'"),
    "there": ({"output": "there.npz"}, r"there\.npz: exists already"),
    "somebody's": ({"output": "there.bvh"}, r"there_person3\.bvh: exists already"),
    "too many": ({"html": "a.html", "num_hypotheses": 50_000}, "too many for one page"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_before_anything_is_looked_at(film, monkeypatch, options, message):
    monkeypatch.chdir(film.parent)
    monkeypatch.setattr(StandIn, "__call__", None)
    monkeypatch.setattr(PoseLifter, "__call__", None)
    write_sound(film.parent / "sound.wav")
    for name in ("there.npz", "there_person3.bvh"):
        (film.parent / name).write_bytes(b"no")
    before = sorted(film.parent.rglob("*"))
    with pytest.raises(InputError, match=message):
        lift(film, **options)
    assert sorted(film.parent.rglob("*")) == before


def test_what_is_not_installed_is_said(film, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"videos need PyAV, which is not installed: pip install 'tf_wsgen\[video\]'"):
        lift(film)


def test_a_real_video_of_one_person(video_folder, tmp_path, capsys):
    options = {"frames": "0:12", "detector_model": str(video_folder), "png": str(tmp_path / "a.png")}
    main(Options(video=str(video_folder / "cam03.mp4"), output=str(tmp_path / "a.npz"), **options))
    with np.load(tmp_path / "a.npz") as file:
        assert file["frame"].tolist() == list(range(12))
        assert set(file["person"].tolist()) == {0}
        assert file["reliable"].all()
        error = np.linalg.norm(file["reprojection"] - file["keypoints"], axis=-1)[file["visible"] > 0]
        height = np.ptp(file["keypoints"][..., 1], axis=1).mean()
    assert error.mean() < 0.05 * height
    assert "12 people in 12 frames" in capsys.readouterr().out
