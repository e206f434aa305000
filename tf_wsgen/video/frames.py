"""Frames of a video, a folder of images or a single one, the way up that they are shown, in square pixels."""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterator

from PIL import Image, ImageOps

from tf_wsgen.datasets.readers.detector_files import frames_of_names
from tf_wsgen.errors import InputError
from tf_wsgen.files import existing_file, one_sentence

KIND = "a video, an image or a folder of images"
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
# A playlist may name other files, but no addresses.
SAFE = {"protocol_whitelist": "file"}
WIDEST = 32_768  # Pixels.
TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}


@dataclasses.dataclass(frozen=True)
class Video:
    """What is known of a video before it is decoded.

    Attributes:
        path: The file or folder.
        size: Width and height of all its frames in pixels, as they are shown.
        length: Number of frames as the file says, None where it doesn't.
        frame_rate: Frames a second on average; None of images.
        images: The images' files by frame (a number, or a name); None of a video.
        damage: Sentences about what could not be decoded, once all has been.
    """

    path: pathlib.Path
    size: tuple[int, int]
    length: int | None
    frame_rate: float | None = None
    images: dict[int | str, pathlib.Path] | None = None
    damage: list[str] = dataclasses.field(default_factory=list)

    @property
    def numbered(self) -> bool:
        """Whether frames have numbers, from 0 in a video."""
        return self.images is None or all(isinstance(frame, int) for frame in self.images)

    def frames(self, first: int = 0, end: int | None = None) -> Iterator[tuple[int | str, Image.Image]]:
        """Number or name of each frame, and its picture, RGB; of numbered ones from `first` on and before `end`.

        Raises:
            InputError: An image cannot be read.
        """
        for frame, picture in self._pictures(first) if self.images is None else self._images():
            if isinstance(frame, int) and end is not None and frame >= end:
                return
            if isinstance(frame, str) or frame >= first:
                yield frame, picture if picture.size == self.size else picture.resize(self.size)

    def _images(self) -> Iterator[tuple[int | str, Image.Image]]:
        for frame, file in (self.images or {}).items():
            with _image(file) as image:
                picture = ImageOps.exif_transpose(image).convert("RGB")
            yield frame, picture

    def _pictures(self, first: int) -> Iterator[tuple[int, Image.Image]]:
        import av
        from av.error import FFmpegError

        number, damaged = 0, 0
        with av.open(str(self.path), options=SAFE) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            packets = container.demux(stream)
            while True:
                try:
                    packet = next(packets, None)
                    decoded = [] if packet is None else packet.decode()
                except FFmpegError:
                    # A frame less: those after it keep their places.
                    damaged, number = damaged + 1, number + 1
                    continue
                if packet is None:
                    break
                for frame in decoded:
                    if number >= first:
                        yield number, _upright(frame, stream)
                    number += 1
        if damaged:
            self.damage.append(f"WARNING: the video is damaged: {damaged:,} of its frames cannot be decoded")
        if number < (self.length or 0):
            self.damage.append(f"WARNING: the video ends after {number:,} frames; it says that it has {self.length:,}")


def open_video(path: str | os.PathLike) -> Video:
    """Looks at the first frame of a video, or at the sizes of images.

    Raises:
        InputError: Nothing is there, or no video or image; images of several sizes; PyAV is not installed.
    """
    path = pathlib.Path(path)
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
        return _open_images(path)
    existing_file(path, KIND)
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        raise InputError("videos need PyAV, which is not installed: pip install 'tf_wsgen[video]'") from None
    try:
        with av.open(str(path), options=SAFE) as container:
            stream = next(iter(container.streams.video), None)
            frame = None if stream is None else next(container.decode(stream), None)
            if stream is None or frame is None:
                raise InputError(f"{path}: has no pictures; expected {KIND}.")
            rate = stream.average_rate or stream.guessed_rate
            seconds = container.duration and container.duration / av.time_base
            length = stream.frames or (round(float(seconds * rate)) if seconds and rate else None)
            return Video(path, _upright(frame, stream).size, length, float(rate) if rate else None)
    except FFmpegError as error:
        raise InputError(f"{path}: cannot be read as {KIND} ({error.strerror}).") from None


def _open_images(path: pathlib.Path) -> Video:
    files = [existing_file(path, KIND)] if not path.is_dir() else sorted(path.iterdir())
    files = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    if not files:
        raise InputError(f"{path}: the folder has no images {list(IMAGE_SUFFIXES)}; expected {KIND}.")
    images = dict(zip(frames_of_names([file.name for file in files]), files, strict=True))
    if all(isinstance(frame, int) for frame in images):
        images = dict(sorted(images.items()))
    sizes = {}
    for file in images.values():
        with _image(file) as image:
            # Orientations from 5 on are turned by a quarter.
            size = image.size if image.getexif().get(0x0112, 1) < 5 else image.size[::-1]
        sizes.setdefault(size, file)
    if len(sizes) > 1:
        told = " and ".join(f"{width}x{height} ({file.name})" for (width, height), file in list(sizes.items())[:2])
        raise InputError(f"{path}: has images of {told}; expected one size, as of one camera.")
    return Video(path, next(iter(sizes)), len(images), images=images)


@contextlib.contextmanager
def _image(file: pathlib.Path) -> Iterator[Image.Image]:
    try:
        with one_sentence(file, "an image"), Image.open(file) as image:
            yield image
    except Image.DecompressionBombError as error:
        raise InputError(f"{file}: {error}") from None


def _upright(frame, stream) -> Image.Image:
    """The picture of PyAV's frame, turned as it is to be shown, in square pixels."""
    width = round(frame.width * float(stream.sample_aspect_ratio or 1))
    if not 0 < width <= WIDEST:
        raise InputError(f"{stream.container.name}: has frames of {width}x{frame.height} pixels; expected fewer.")
    picture = frame.to_image(width=width, height=frame.height)
    turn = round(frame.rotation / 90.0) * 90 % 360
    return picture.transpose(TURNS[turn]) if turn else picture
