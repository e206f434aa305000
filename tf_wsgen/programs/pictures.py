"""Pictures of frames for the viewer: files that people have, or what may be kept of a video."""

import pathlib
import re

import numpy as np

from tf_wsgen.errors import InputError

# What browsers show.
SHOWN_SUFFIXES = (".jpg", ".jpeg", ".png")


def images_by_frame(path: str | None, frames: list) -> dict:
    """Image files by frame: one file for the one frame, or the files of a folder.

    A file in a folder is of the frame that has its name, with or without the ending, or else, where frames are
    numbers, of the frame whose number its name ends with.

    Raises:
        InputError: Nothing is there, one file for several frames, or a folder with none of the frames.
    """
    if path is None:
        return {}
    place = pathlib.Path(path)
    if not place.exists():
        raise InputError(f"{path}: there is no such image or folder of images.")
    frames = list(dict.fromkeys(frames))
    if not place.is_dir():
        if len(frames) > 1:
            raise InputError(f"{path}: is one image for {len(frames)} frames; expected a folder of images.")
        return {frames[0]: place}
    files = [file for file in sorted(place.iterdir()) if file.suffix.lower() in SHOWN_SUFFIXES]
    by_name = {name: file for file in files for name in (file.stem, file.name)}
    by_number = {int(match[0]): file for file in files if (match := re.search(r"\d+$", file.stem))}
    found = {frame: by_name.get(str(frame), by_number.get(frame)) for frame in frames}
    found = {frame: file for frame, file in found.items() if file is not None}
    if not found:
        raise InputError(f"{path}: none of its {len(files)} images is of a frame; frames are {frames[0]} and so on.")
    return found


def most_bytes(length: int, num_hypotheses: int) -> int:
    """What a video's pictures may take in the page, together.

    Args:
        length: Frames of the video, 0 where it isn't known.
        num_hypotheses: Of each person.

    Raises:
        InputError: One person in every frame would be too many; it is told before anybody is looked for.
    """
    from tf_wsgen.viewer.html import MOST_IMAGE_BYTES, check_page

    check_page(np.arange(length), np.zeros(length), num_hypotheses, {})
    return MOST_IMAGE_BYTES
