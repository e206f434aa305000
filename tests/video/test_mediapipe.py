"""MediaPipe's models: what is around them by hand, and the whole against MediaPipe's own program."""

import itertools
import math
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from tf_wsgen.errors import InputError
from tf_wsgen.video import mediapipe
from tf_wsgen.video.frames import open_video
from tf_wsgen.video.mediapipe import MediaPipe, Square, refined

# MediaPipe 1.2.3's PoseLandmarker (one image, one person, the full model) on the first frame of `cam03.mp4`, pixels.
GOLDEN = """
586 536 586 519 585 519 584 519 592 518 596 516 600 514 597 524 622 518 594 551 599 549 584 632 745 628 559 802 787 764
521 940 728 838 509 977 714 861 507 979 702 851 514 965 705 846 600 909 690 907 546 1057 668 1090 542 1205 705 1273
548 1227 714 1310 494 1177 690 1277
"""
HEIGHT = 795  # Pixels from the highest to the lowest of them.


def test_a_square_stands_with_the_person():
    upright = Square.around(np.array([50.0, 80.0]), np.array([50.0, 40.0]))
    assert upright == pytest.approx((50.0, 80.0, 100.0, 0.0))
    # Who lies with the head to the right is turned clockwise: up in the square is right in the image.
    lying = Square.around(np.array([50.0, 80.0]), np.array([90.0, 80.0]))
    assert lying.angle == pytest.approx(math.pi / 2)
    np.testing.assert_allclose(lying.place(np.array([[0.5, 0.0], [1.0, 0.5]])), [[100.0, 80.0], [50.0, 130.0]])


@pytest.mark.parametrize("angle", [0.0, math.pi / 2, 2.0])
def test_what_is_cut_out_is_where_the_square_says(angle):
    y, x = np.mgrid[:200, :200]
    image = Image.fromarray(np.stack([x, y, x * 0], axis=-1).astype(np.uint8))
    square = Square(90.0, 110.0, 80.0, angle)
    cut = 255.0 * square.cut(image, 40)[..., :2]
    j, i = np.mgrid[:40, :40]
    np.testing.assert_allclose(cut, square.place(np.stack([i, j], axis=-1) / 40.0), atol=1.0)
    assert (Square(-100.0, 0.0, 80.0, angle).cut(image, 8) == 0.0).all()


def test_landmarks_are_refined_by_heat():
    heat = np.zeros((64, 64, 4))
    heat[20, 10, 0], heat[21, 12, 0] = 0.9, 0.3
    heat[20, 10, 1] = 0.4  # Not hot enough.
    heat[20, 14, 2] = 0.9  # Too far.
    heat[0, 0, 3] = 0.9  # The landmark is outside.
    points = np.array([[10.5, 20.5], [10.5, 20.5], [10.5, 20.5], [-0.5, 3.0]]) / 64.0
    expected = points.copy()
    expected[0] = np.array([(0.9 * 10 + 0.3 * 12) / 1.2, (0.9 * 20 + 0.3 * 21) / 1.2]) / 64.0
    np.testing.assert_allclose(refined(points, heat), expected)


def test_overlap():
    boxes = np.array([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 3.0], [5.0, 5.0, 6.0, 6.0]])
    np.testing.assert_allclose(mediapipe._overlap(boxes[0], boxes), [1.0, 1.0 / 7.0, 0.0])


def test_models_refused(tmp_path):
    (tmp_path / "text.task").write_text("text")
    with zipfile.ZipFile(tmp_path / "other.task", "w") as archive:
        archive.writestr("other.tflite", b"")
    with zipfile.ZipFile(tmp_path / "broken.task", "w") as archive:
        for name in mediapipe.TASK_MODELS:
            archive.writestr(name, b"no model")
    for model, message in (
        (None, "detector mediapipe needs --detector_model"),
        (tmp_path / "none.task", r"none\.task: there is no such file; expected MediaPipe's pose models"),
        (tmp_path, r"pose_landmark_full\.tflite: there is no such file"),
        (tmp_path / "text.task", r"pose_solution_packed_assets\.data: there is no such file"),
        (tmp_path / "other.task", r"other\.task: cannot be read as MediaPipe's pose models"),
        (tmp_path / "broken.task", r"broken\.task: cannot be read as MediaPipe's pose models"),
    ):
        with pytest.raises(InputError, match=message):
            MediaPipe(model)


def test_what_is_not_installed_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(InputError, match=r"needs LiteRT, which is not installed: pip install 'tf_wsgen\[video\]'"):
        MediaPipe("pose.task")


def test_agrees_with_mediapipes_own_program(video_folder):
    picture = next(open_video(video_folder / "cam03.mp4").frames())[1]
    points, visibility = MediaPipe(video_folder)(picture)
    golden = np.array(GOLDEN.split(), float).reshape(33, 2)
    assert points.shape == (1, 33, 2)
    error = np.linalg.norm(points[0] - golden, axis=-1) / HEIGHT
    assert np.median(error) < 0.005
    assert error.max() < 0.02
    assert visibility.min() > 0.0


def test_people_are_followed(video_folder):
    detector = MediaPipe(video_folder)
    frames = itertools.islice(open_video(video_folder / "demo.mp4").frames(40), 60)
    # One person is found now, one then; who was found is looked for where they were.
    counts = [len(detector(picture)[0]) for _, picture in frames]
    assert min(counts[-20:]) == 2
