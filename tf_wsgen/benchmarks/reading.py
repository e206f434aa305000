"""How fast detectors' files are read, and people in them followed."""

import json
import pathlib
import tempfile
import time
from collections.abc import Iterator

import numpy as np

from tf_wsgen.benchmarks.rows import Row
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.detections import read_detections

FRAMES, PEOPLE = 10_000, 2
CONVENTION = "mpii16"


def detections_rows(frames: int = FRAMES) -> Iterator[Row]:
    """Files of two people who walk about, read with and without following.

    Args:
        frames: Frames of each file.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, path in _files(pathlib.Path(folder), _people(frames)).items():
            rates = {}
            for track in ("auto", "off"):
                start = time.perf_counter()
                found = read_detections(path, convention=CONVENTION, track=track)
                rates[track] = len(found) / (time.perf_counter() - start)
                assert np.bincount(found.person).tolist() == [frames] * PEOPLE
            yield Row(
                "reading",
                f"{name}, {frames:,} frames of {PEOPLE}, followed",
                rates["auto"],
                "people/s",
                rates["off"],
                "without following",
                rates["auto"] / rates["off"],
            )


def _people(frames: int) -> np.ndarray:
    """(F, 2, 16, 3) pixels and scores."""
    rng = np.random.default_rng(0)
    poses = synthetic_people(train_sequences=1, test_sequences=1).train.pose_2d
    poses = np.resize(poses, (frames, *poses.shape[1:]))
    steps = np.arange(frames)[:, None, None, None] / 60.0
    centre = np.array([[[500.0, 540.0]], [[1400.0, 540.0]]]) + np.sin(steps) * [200.0, 0.0]
    points = 200.0 * poses[:, None] + centre + rng.normal(0.0, 1.0, (frames, PEOPLE, 1, 1))
    return np.concatenate([points, rng.uniform(0.5, 1.0, (*points.shape[:-1], 1))], axis=-1).round(3)


def _files(folder: pathlib.Path, people: np.ndarray) -> dict[str, pathlib.Path]:
    """The same people in several formats."""
    paths = {
        "COCO results": folder / "results.json",
        "CSV with their numbers": folder / "people.csv",
        "npy with their numbers": folder / "people.npy",
    }
    results = [
        {"image_id": frame, "category_id": 1, "score": 1.0, "keypoints": person.ravel().tolist()}
        for frame, persons in enumerate(people)
        for person in persons
    ]
    paths["COCO results"].write_text(json.dumps(results))
    names = [f"{joint}_{value}" for joint in CONVENTIONS[CONVENTION].joints for value in ("x", "y", "confidence")]
    lines = [
        ",".join(map(str, [result["image_id"], row % PEOPLE, *result["keypoints"]]))
        for row, result in enumerate(results)
    ]
    paths["CSV with their numbers"].write_text("\n".join([",".join(["frame", "person", *names]), *lines]))
    np.save(paths["npy with their numbers"], people.swapaxes(0, 1))
    return paths
