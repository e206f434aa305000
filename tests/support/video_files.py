"""Small videos made by PyAV."""

import numpy as np
import pytest

av = pytest.importorskip("av", reason="PyAV is not installed: pip install 'tf_wsgen[video]'")

RED, GREEN, BLUE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)


def write_video(path, frames=4, rotation=None, shape=None, codec="mpeg4"):
    """A video of 64x48 pixels, 30 frames a second: red, green, blue and black quarters."""
    picture = np.array([[RED, GREEN], [BLUE, BLACK]], np.uint8).repeat(24, axis=0).repeat(32, axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if rotation is not None:
            stream.set_display_rotation(rotation)
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_sound(path):
    """A file of sound alone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    return path
