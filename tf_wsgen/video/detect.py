"""A whole video to detections: a detector looks at every frame, and what it finds goes the way of detectors' files."""

import os
import pathlib
import tempfile
from collections.abc import Callable

import numpy as np
from PIL import Image
from tqdm import tqdm

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.detections import VIDEO, Detections, check_reading, detections_of
from tf_wsgen.datasets.readers.detector_files import FileContent, naming
from tf_wsgen.datasets.readers.json_values import EmptyFrame, Entry, Person
from tf_wsgen.errors import InputError
from tf_wsgen.video.frames import open_video
from tf_wsgen.video.mediapipe import MediaPipe
from tf_wsgen.video.rtm import RTMPose

# A detector has the `convention` of its joints, and is a function of a frame (RGB) that gives P people's K joints:
# (P, K, 2) pixels and (P, K) confidences. It may remember the frames before.
DETECTORS: dict[str, Callable] = {"mediapipe": MediaPipe, "rtmlib": RTMPose}
# Pictures for the viewer: pixels across at most, JPEG's quality, and how often one is made smaller to fit.
WIDEST, QUALITY, TRIES = 960, 75, 6


class FilmedPeople:
    """A video and the detector that is to look at it; a context, in which the pictures for the viewer stay.

    Args:
        path: A video, an image or a folder of images.
        detector: One of `DETECTORS`.
        model: What it is made with: a file of models, or which of its own.

    Attributes:
        video: What is known of the video.
        pictures: JPEG files by frame, of frames with people, once detected and if wanted.

    Raises:
        InputError: Nothing is there, or no video or image; an unknown detector.
    """

    def __init__(self, path: str | os.PathLike, detector: str, model: str | None = None):
        if detector not in DETECTORS:
            raise InputError(f"detector is {detector!r}; expected one of {list(DETECTORS)}.")
        self.video = open_video(path)
        self.pictures: dict[int | str, pathlib.Path] = {}
        self._name, self._model = detector, model
        self._detector = None

    def __enter__(self) -> "FilmedPeople":
        self._folder = tempfile.TemporaryDirectory()
        return self

    def __exit__(self, *exception) -> None:
        self._folder.cleanup()

    def __fspath__(self) -> str:
        return str(self.video.path)

    __str__ = __fspath__

    def load(self) -> None:
        """Makes the detector, if it isn't yet: what can be refused of it is, before anything is decoded.

        Raises:
            InputError: Its models are not there, or what it needs is not installed.
        """
        self._detector = self._detector or DETECTORS[self._name](self._model)

    def detect(
        self,
        frames: tuple[int, int] | None = None,
        picture_bytes: int = 0,
        image_size: tuple[int, int] | None = None,
        lowest_confidence: float = 0.0,
        track: str = "auto",
    ) -> Detections:
        """Everybody in the video, with a progress bar.

        Args:
            frames: The first frame and the one after the last; all if not given.
            picture_bytes: What the pictures of frames with people may take together; 0 for none.
            image_size: The video's own, if given.
            lowest_confidence: As of `read_detections`.
            track: As of `read_detections`.

        Raises:
            InputError: Options or models that cannot be used, before anything is decoded; nobody in the video.
        """
        video = self.video
        check_reading(image_size, lowest_confidence, track)
        if image_size not in (None, video.size):
            told = "x".join(map(str, video.size))
            raise InputError(f"{self}: has frames of {told} pixels; expected this image_size, or none given.")
        if frames is not None and not video.numbered:
            raise InputError(f"{self}: frames have names, not numbers; expected a video to choose frames of.")
        first, end = frames or (0, None)
        self.load()
        # It remembers people: another time begins anew.
        detector, self._detector = self._detector, None
        length = self.num_frames(frames)
        entries: list[Entry] = []
        with tqdm(total=length, unit="frame", dynamic_ncols=True, desc="Detecting") as bar:
            for frame, picture in video.frames(first, end):
                points, confidence = detector(picture)
                found = zip(np.asarray(points, np.float64), np.asarray(confidence, np.float64), strict=True)
                people = [Person(f"frame {frame}[{i}]", frame, None, *person, None) for i, person in enumerate(found)]
                entries += people or [EmptyFrame(frame)]
                if people and picture_bytes:
                    file = pathlib.Path(self._folder.name) / f"{bar.n}.jpg"
                    # A hundredth at most: where the length is not known, something is left for the last.
                    size = _save(picture, file, picture_bytes // max((length or 0) - bar.n, 100))
                    self.pictures.update({frame: file} if size else {})
                    picture_bytes -= size
                bar.update()
        about = f"{bar.n:,} frames of {video.size[0]}x{video.size[1]} pixels seen by {self._name}"
        notes = (about, *video.damage)
        content = FileContent(f"{VIDEO} {self._name}", entries, CONVENTIONS[detector.convention], video.size, notes)
        with naming(video.path):
            return detections_of(content, None, video.size, lowest_confidence, track)

    def num_frames(self, frames: tuple[int, int] | None = None) -> int | None:
        """How many frames of these there are, as the file says; None where it doesn't."""
        length = self.video.length
        return length if length is None or frames is None else max(min(frames[1], length) - frames[0], 0)


def _save(picture: Image.Image, file: pathlib.Path, most: int) -> int:
    """The bytes of a JPEG of at most so many; 0, and no file, where it cannot be made as small."""
    width = min(WIDEST, picture.width)
    for _ in range(TRIES):
        small = picture.resize((width, max(round(picture.height * width / picture.width), 1)), reducing_gap=2.0)
        small.save(file, quality=QUALITY)
        if file.stat().st_size <= most:
            return file.stat().st_size
        width = max(width // 2, 1)
    file.unlink()
    return 0
