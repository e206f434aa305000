"""Frames come the way up that they are shown, in square pixels, and damage is told."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from video_files import write_video

from tf_wsgen.errors import InputError
from tf_wsgen.video.frames import open_video

CORNERS = ((4, 4), (4, -4), (-4, 4), (-4, -4))


def colours(picture):
    """The corners' colours by name: upper left, upper right, lower left, lower right."""
    pixels = np.asarray(picture).astype(int)
    names = {(255, 0, 0): "red", (0, 255, 0): "green", (0, 0, 255): "blue", (0, 0, 0): "black"}
    return [min(names, key=lambda name: np.abs(pixels[corner] - name).sum()) for corner in CORNERS], names


# Counter-clockwise degrees, and which quarters of the stored picture the shown one has.
SHOWN = {
    None: "red green blue black",
    90: "green black red blue",
    -90: "blue red black green",
    180: "black blue green red",
}


@pytest.mark.parametrize(("rotation", "expected"), SHOWN.items())
def test_rotation(tmp_path, rotation, expected):
    video = open_video(write_video(tmp_path / "clip.mp4", rotation=rotation))
    size = (48, 64) if rotation in (90, -90) else (64, 48)
    assert (video.size, video.length, video.frame_rate) == (size, 4, 30.0)
    frames = list(video.frames())
    assert [number for number, _ in frames] == [0, 1, 2, 3]
    for _, picture in frames:
        found, names = colours(picture)
        assert picture.size == size
        assert [names[colour] for colour in found] == expected.split()


def test_pixels_that_are_not_square_and_a_part(tmp_path):
    video = open_video(write_video(tmp_path / "clip.mp4", shape=Fraction(4, 3)))
    assert video.size == (85, 48)
    assert [(number, picture.size) for number, picture in video.frames(1, 3)] == [(1, (85, 48)), (2, (85, 48))]


def test_damage_is_told_and_left_out(tmp_path):
    path = write_video(tmp_path / "clip.mp4", frames=60)
    whole = path.read_bytes()
    # The frames' data are before what tells where they are.
    middle = whole.index(b"mdat") + 4 + (whole.index(b"moov") - whole.index(b"mdat")) // 2
    path.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
    video = open_video(path)
    numbers = [number for number, _ in video.frames()]
    assert 50 < len(numbers) < 60
    assert numbers[-1] == 59
    assert "the video is damaged" in video.damage[0]
    path.write_bytes(whole[:300])
    with pytest.raises(InputError, match=r"clip\.mp4: cannot be read as a video"):
        open_video(path)


def test_images(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6  # To be shown turned by a quarter, clockwise.
    for number in (2, 10, 1):
        Image.new("RGB", (60, 40), (number, 0, 0)).save(tmp_path / f"walk_{number}.png", exif=turned)
    (tmp_path / "notes.txt").write_text("no image")
    video = open_video(tmp_path)
    assert (video.size, video.length, video.frame_rate, video.numbered) == ((40, 60), 3, None, True)
    assert [(name, picture.getpixel((0, 0))[0]) for name, picture in video.frames(2)] == [(2, 2), (10, 10)]
    one = open_video(tmp_path / "walk_2.png")
    assert [(name, picture.size) for name, picture in one.frames()] == [(2, (40, 60))]
    Image.new("L", (60, 40)).save(tmp_path / "walk_3.png")
    with pytest.raises(InputError, match=r"has images of 40x60 \(walk_1.png\) and 60x40 \(walk_3.png\); expected one"):
        open_video(tmp_path)


def test_images_that_are_none(tmp_path, monkeypatch):
    Image.new("L", (60, 40)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    (tmp_path / "text.jpg").write_text("text")
    for name, message in (("large.png", "exceeds limit"), ("text.jpg", "cannot be read as an image")):
        with pytest.raises(InputError, match=rf"{name}: .*{message}"):
            open_video(tmp_path / name)
