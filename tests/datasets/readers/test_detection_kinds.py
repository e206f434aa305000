"""Detectors' files as people have them: names, folders, spreadsheets, shares of the image, identities, a time line."""

import functools
import gzip
import io
import json
import sys

import numpy as np
import pytest

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers import detections
from tf_wsgen.errors import InputError
from tf_wsgen.skeleton import HUMAN16

# People are followed in tests of their own: here places are drawn at random.
read_detections = functools.partial(detections.read_detections, track="file")

COCO = CONVENTIONS["coco17"].joints
SIZE = (800, 600)
PARTS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist", "eye", "ear")


def person(joints, shift=0.0):
    """(K, 2) pixels of a standing person seen from the front, by the joints' names."""
    heights = dict(zip(PARTS, (300, 400, 500, 150, 220, 290, 95, 100), strict=True))
    widths = dict(zip(PARTS, (30, 32, 34, 50, 70, 75, 8, 15), strict=True))
    points = []
    for name in joints:
        side, _, kind = name.rpartition("_")
        sign = {"left": 1.0, "right": -1.0}.get(side, 0.0)
        points.append((400.0 + shift + sign * widths.get(kind, 0), heights.get(kind, 100)))
    return np.array(points, float)


def flat(points):
    return np.concatenate([points, np.full((len(points), 1), 2.0)], axis=1).ravel().tolist()


def coco(names, points, extra=()):
    return {
        "images": [{"id": 1, "file_name": "a.jpg", "width": SIZE[0], "height": SIZE[1]}],
        "categories": [{"id": 1, "name": "person", "keypoints": list(names)}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": flat(points)}, *extra],
    }


def saved(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def joint(found, name, row=0):
    return found.keypoints[row, HUMAN16.index(name)].tolist()


@pytest.mark.parametrize(
    "spell",
    [
        lambda name: name,
        lambda name: name.replace("left_", "l_").replace("right_", "r_"),
        lambda name: name.replace("left_", "L").replace("right_", "R"),
        lambda name: "_".join(reversed(name.split("_"))),
    ],
    ids=["left_hip", "l_hip", "Lhip", "hip_left"],
)
def test_names_in_the_file_decide_whatever_their_order(tmp_path, spell):
    names = list(COCO[::-1])
    found = read_detections(saved(tmp_path / "a.json", coco(map(spell, names), person(names))))
    assert joint(found, "right_hip") == [370.0, 300.0]
    assert joint(found, "left_wrist") == [475.0, 290.0]
    assert any("as the file says" in note for note in found.notes)


@pytest.mark.parametrize(
    ("names", "message"),
    [(COCO[1:], r"\[0\] has 17 joints; the file names 16"), ([f"point_{index}" for index in range(17)], "point_0")],
    ids=["another number", "no names of joints"],
)
def test_names_that_cannot_be_are_refused(tmp_path, names, message):
    with pytest.raises(InputError, match=message):
        read_detections(saved(tmp_path / "a.json", coco(names, person(COCO))))


def test_hips_and_shoulders_crossed_are_warned_of(tmp_path):
    crossed = [{"left_hip": "right_hip", "right_hip": "left_hip"}.get(name, name) for name in COCO]
    notes = [read_detections(saved(tmp_path / "a.json", coco(names, person(COCO)))).notes for names in (COCO, crossed)]
    assert [any("other way round" in note for note in found) for found in notes] == [False, True]


def test_a_box_without_keypoints_is_left_out_and_counted(tmp_path):
    box = {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10]}
    found = read_detections(saved(tmp_path / "a.json", coco(COCO, person(COCO), [box])))
    assert len(found) == 1
    assert any(note.startswith("1 of 2 entries are left out; the first: annotations[1]") for note in found.notes)


def instances(points):
    return [{"keypoints": points.tolist(), "keypoint_scores": [0.9] * len(points)}]


@pytest.mark.parametrize(("count", "name"), [(133, "wholebody133"), (136, "halpe136")])
def test_whole_bodies_by_their_number(tmp_path, count, name):
    points = np.full((count, 2), 50.0)
    points[:17] = person(COCO)
    found = read_detections(saved(tmp_path / "a.json", [{"frame_id": 3, "instances": instances(points)}]))
    assert found.convention == name
    assert joint(found, "right_knee") == [368.0, 400.0]
    assert found.frame.tolist() == [3]


def test_a_folder_of_frames_is_sorted_by_number(tmp_path):
    for number in (10, 9, 2):
        saved(tmp_path / f"{number}.json", instances(person(COCO, shift=number)))
    found = read_detections(tmp_path)
    assert found.frame.tolist() == [2, 9, 10]
    assert [joint(found, "right_hip", row)[0] for row in range(3)] == [372.0, 379.0, 380.0]
    place, length = found.time_line
    assert (place.tolist(), length) == ([0, 7, 8], 9)


def wide(separator, *columns):
    names = [f"{name}_{axis}" for name in COCO for axis in "xy"]
    values = [[str(value) for value in person(COCO, shift).ravel()] for shift in (0.0, 5.0)]
    rows = [[*(column[1 + row] for column in columns), *values[row]] for row in range(2)]
    return "\n".join(separator.join(row) for row in [[*(column[0] for column in columns), *names], *rows])


FRAME = ("frame", "7", "8")
SPREADSHEETS = {
    "no person": (wide(",", FRAME), [7, 8]),
    "pandas' index": (wide(",", ("", "0", "1"), FRAME), [7, 8]),
    "semicolons": (wide(";", FRAME, ("person", "1", "1")), [7, 8]),
}


@pytest.mark.parametrize(("text", "frames"), SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_spreadsheets(tmp_path, text, frames):
    found = read_detections(saved(tmp_path / "a.csv", text))
    assert found.frame.tolist() == frames
    assert [joint(found, "left_ankle", row)[0] for row in range(2)] == [434.0, 439.0]


@pytest.mark.parametrize("missing", [("-1", "-1"), ("nan", "nan"), ("0", "0")], ids=str)
def test_marks_of_what_is_missing(tmp_path, missing):
    lines = wide(",", FRAME).splitlines()
    cells = lines[1].split(",")
    place = 1 + 2 * COCO.index("left_wrist")
    cells[place : place + 2] = missing
    found = read_detections(saved(tmp_path / "a.csv", "\n".join([lines[0], ",".join(cells), lines[2]])))
    assert found.visible[:, HUMAN16.index("left_wrist")].tolist() == [False, True]
    assert found.visible[0].sum() == found.visible[1].sum() - 1


def test_shares_of_the_image_need_its_size_in_every_format(tmp_path):
    shares = person(COCO) / SIZE
    file = saved(tmp_path / "a.json", instances(shares))
    with pytest.raises(InputError, match="expected the image's size, --image_size"):
        read_detections(file)
    found = read_detections(file, image_size=SIZE)
    np.testing.assert_allclose(joint(found, "right_hip"), [370.0, 300.0], rtol=1e-5)


def test_numbers_of_people_stay_and_nobody_gets_anothers(tmp_path):
    def seen(shift, track=None):
        x, y = person(COCO, shift).T.tolist()
        result = {"name": "person", "confidence": 0.9, "keypoints": {"x": x, "y": y, "visible": [1.0] * 17}}
        return result if track is None else {**result, "track_id": track}

    frames = [[seen(0.0, 1), seen(200.0, 2)], [seen(0.0), seen(200.0, 2)], [seen(0.0, 1), seen(200.0, 2)]]
    found = read_detections(saved(tmp_path / "a.json", frames))
    assert list(zip(found.frame.tolist(), found.person.tolist(), strict=True)) == [
        *((0, 1), (0, 2), (1, 3), (1, 2), (2, 1), (2, 2))
    ]
    assert any("have no person's number of their own: they get 3" in note for note in found.notes)


def test_videopose3d_files(tmp_path):
    points = np.stack([person(COCO, shift) for shift in (0.0, 3.0)]).astype(np.float32)
    metadata = {"layout_name": "coco", "num_joints": 17, "video_metadata": {"a.mp4": {"w": 800, "h": 600}}}
    np.savez(
        tmp_path / "data_2d_custom_mine.npz",
        positions_2d=np.array({"a.mp4": {"custom": [points]}}, object),
        metadata=np.array(metadata, object),
    )
    found = read_detections(tmp_path / "data_2d_custom_mine.npz")
    assert found.frame.tolist() == [0, 1]
    assert joint(found, "left_shoulder", 1) == [453.0, 150.0]
    assert found.image_size == SIZE


def test_gzip_and_the_standard_input(tmp_path, monkeypatch):
    frames = [{"frame_id": 0, "instances": [{"keypoints": person(COCO).tolist(), "keypoint_scores": [0.9] * 17}]}]
    text = json.dumps(frames).encode()
    (tmp_path / "a.json").write_bytes(text)
    expected = read_detections(tmp_path / "a.json")
    packed = gzip.compress(text)
    (tmp_path / "a.json.gz").write_bytes(packed)
    for piped in (text, packed):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(piped))))
        for path in (tmp_path / "a.json.gz", "-") if piped == text else ("-",):
            np.testing.assert_array_equal(read_detections(path).keypoints, expected.keypoints)
    monkeypatch.setattr("tf_wsgen.files.LARGEST_COMPRESSION", 100)
    for name, content, message in (
        ("cut.gz", packed[:-9], r"cut\.gz: cannot be read as"),
        ("wrong.json.gz", gzip.compress(b"{}"), r"wrong\.json\.gz: is none of the known formats"),
        ("bomb.gz", gzip.compress(bytes(10**8)), r"bomb\.gz: unpacks to more than"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=message):
            read_detections(tmp_path / name)


def test_some_frames_of_some_people(tmp_path):
    sizes = {3: 0.5, 8: 1.0}
    frames = [
        {
            "frame_id": frame,
            "instances": [
                {"keypoints": (person(COCO) * size).tolist(), "keypoint_scores": [0.9] * 17, "track_id": number}
                for number, size in sizes.items()
            ],
        }
        for frame in range(10)
    ]
    (tmp_path / "a.json").write_text(json.dumps(frames))
    found = read_detections(tmp_path / "a.json")
    some = found.in_frames(2, 5)
    assert (some.frame.tolist(), some.span) == ([2, 2, 3, 3, 4, 4], (2, 4))
    assert set(found.of_person("3").person) == {3}
    assert set(found.of_person("largest").person) == {8}
    for choose, message in (
        (lambda: found.of_person("4"), r"'4'; expected 'largest' or one of \[3, 8\]"),
        (lambda: found.in_frames(20, 30), "nobody is in the frames 20 to 29; the file has 0 to 9"),
    ):
        with pytest.raises(InputError, match=message):
            choose()
