"""Clips to a prepared file: what comes back, and what is refused."""

import dataclasses

import numpy as np
import pytest
from refusals import changed, refuses, table

from tf_wsgen.data.prepared import read_prepared
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.clip_writer import ROWS_A_CHUNK, write_clips


@pytest.fixture(scope="module")
def person():
    """Two hundred rows of synthetic people."""
    train = synthetic_people(seed=3, train_sequences=2, test_sequences=1, frames=25).train
    return train.pose_2d, train.pose_3d


def clip(person, rows=slice(None), **changes):
    labels = {"subject": "S1", "action": "walking", "sequence": "S1 walking", "camera": "north"}
    given = Clip("FILE: S1/walking", "train", person[0][rows], person[1][rows], labels, (1000, 1000))
    return dataclasses.replace(given, **changes)


def test_clips_come_back_in_order(person, tmp_path):
    sequences = {"a": slice(0, 70), "b": slice(70, 200)}
    clips = [clip(person, rows, labels={"sequence": name, "action": "é"}) for name, rows in sequences.items()]
    seen = []
    write_clips(tmp_path / "f.h5", clips, "people", progress=seen.append)
    data = read_prepared(tmp_path / "f.h5")
    assert seen == [70, 130]
    assert data.source == "people"
    assert data.test is None
    np.testing.assert_array_equal(data.train.pose_2d, person[0])
    np.testing.assert_array_equal(data.train.pose_3d, person[1])
    assert data.train.labels["sequence"].tolist() == ["a"] * 70 + ["b"] * 130
    assert set(data.train.labels["action"]) == {"é"}
    assert data.train.paired


def test_many_rows_pass_in_chunks(person, tmp_path):
    repeats = 2 * ROWS_A_CHUNK // 200 + 3
    write_clips(
        tmp_path / "f.h5", [clip(person, labels={"sequence": str(index)}) for index in range(repeats)], "people"
    )
    found = read_prepared(tmp_path / "f.h5").train.pose_3d
    np.testing.assert_array_equal(found, np.tile(person[1], (repeats, 1, 1)))


def test_unpaired_rows_keep_their_own_labels(person, tmp_path):
    solid = {"sequence": "solid", "subject": "S7"}
    flat_alone = clip(person, pose_3d=None, labels={"sequence": "flat"})
    solid_alone = clip(person, slice(0, 50), pose_2d=None, labels=solid)
    write_clips(tmp_path / "f.h5", [flat_alone, solid_alone], "people")
    train = read_prepared(tmp_path / "f.h5").train
    assert (len(train.pose_2d), len(train.pose_3d), train.paired) == (200, 50, False)
    assert set(train.labels["sequence"]) == {"flat"}
    assert [set(train.labels_3d[name]) for name in ("sequence", "subject")] == [{"solid"}, {"S7"}]
    write_clips(tmp_path / "h.h5", [flat_alone, clip(person, pose_2d=None, labels=solid)], "people")
    assert not read_prepared(tmp_path / "h.h5").train.paired  # As many rows, of other people.
    # 3D alone needs no prefix.
    write_clips(tmp_path / "g.h5", [solid_alone], "people")
    train = read_prepared(tmp_path / "g.h5").train
    assert train.pose_2d is None
    assert set(train.labels["subject"]) == {"S7"}


def test_what_a_clip_does_not_say_is_seen_and_valid(person, tmp_path):
    visible = np.ones((100, 16))
    visible[:, 2] = 0.0
    clips = [
        clip(person, slice(0, 100), labels={"visible": visible, "valid": np.zeros(100)}),
        clip(person, slice(100, 200), labels={"scene": "studio"}),
    ]
    write_clips(tmp_path / "f.h5", clips, "people")
    labels = read_prepared(tmp_path / "f.h5").train.labels
    np.testing.assert_array_equal(labels["visible"][:, 2], [0.0] * 100 + [1.0] * 100)
    np.testing.assert_array_equal(labels["valid"], [0.0] * 100 + [1.0] * 100)
    assert labels["scene"].tolist() == [""] * 100 + ["studio"] * 100


def test_rows_that_are_not_valid_are_left_out(person, tmp_path):
    valid = np.arange(200) % 2
    flat = clip(person, pose_3d=None, labels={"valid": valid})
    solid = clip(person, slice(0, 50), pose_2d=None, labels={"valid": 1 - valid[:50]})
    paired = clip(person, labels={"sequence": "a", "valid": valid})
    for clips, pose_3d in (([paired], person[1][1::2]), ([flat, solid], person[1][:50:2])):
        write_clips(tmp_path / "f.h5", clips, "people", overwrite=True)
        kept = read_prepared(tmp_path / "f.h5").train.only_valid()
        np.testing.assert_array_equal(kept.pose_2d, person[0][1::2])
        np.testing.assert_array_equal(kept.pose_3d, pose_3d)
        assert len(kept.labels["valid"]) == 100


BAD = {
    "no poses": (lambda p: clip(p, pose_2d=None, pose_3d=None), "neither 2D nor 3D"),
    "joints": (lambda p: clip(p, pose_2d=p[0][:, :15]), r"\(200, 15, 2\); expected .*\(N, 16, 2\)"),
    "texts": (lambda p: clip(p, pose_2d=p[0].astype(str)), "expected numbers"),
    "nan": (lambda p: clip(p, pose_2d=changed(p[0], (7, 3), np.nan)), r"2D frame 7 is not finite \(1 such"),
    "metres": (lambda p: clip(p, pose_3d=p[1] / 1000.0), "expected millimetres"),
    "frames": (lambda p: clip(p, pose_3d=p[1][:-1]), "200 frames in 2D and 199 in 3D"),
    "empty": (lambda p: clip(p, slice(0, 0)), "has no frames"),
    "label": (lambda p: clip(p, labels={"mood": "good"}), "label 'mood'"),
    "label rows": (lambda p: clip(p, labels={"valid": np.ones(3)}), r"valid has shape \(3,\)"),
    "negative": (lambda p: clip(p, labels={"confidence": np.full((200, 16), -1.0)}), "negative or not finite"),
    "hidden": (lambda p: clip(p, labels={"visible": np.eye(200)[:, :16]}), "frame 16 has no visible joint"),
    "group": (lambda p: clip(p, group="validation"), "group is 'validation'"),
}  # fmt: skip


@table("make message", BAD)
def test_a_bad_clip_leaves_no_file(person, tmp_path, make, message):
    good = clip(person, labels={"sequence": "good"})
    error = refuses(message, write_clips, tmp_path / "f.h5", [good, make(person)], "people")
    assert "FILE: S1/walking" in error
    assert list(tmp_path.iterdir()) == []


def test_a_sequence_comes_once_and_test_rows_are_pairs(person, tmp_path):
    path, one = tmp_path / "f.h5", clip(person)
    refuses("sequence 'S1 walking' is in the group 'train' already", write_clips, path, [one, one], "people")
    halves = [clip(person, group="test", pose_3d=None), clip(person, slice(0, 9), group="test", pose_2d=None)]
    refuses("expected pairs", write_clips, path, halves, "people")
    other = clip(person, labels={**one.labels, "camera": "south"})
    write_clips(path, [one, other, clip(person, group="test")], "people")


def test_nothing_is_overwritten_unless_asked(person, tmp_path):
    file = tmp_path / "f.h5"
    file.write_text("precious")
    refuses("--overwrite", write_clips, file, [clip(person)], "people")
    refuses("nothing to write", write_clips, file, [], "people", overwrite=True)
    assert file.read_text() == "precious"
    write_clips(file, [clip(person)], "people", overwrite=True)
    assert len(read_prepared(file).train.pose_2d) == 200
    assert [path.name for path in tmp_path.iterdir()] == ["f.h5"]


def test_up_is_written_where_every_clip_tells_it(person, tmp_path):
    up = np.array([0.0, -0.8, 0.6])
    clips = [clip(person, slice(0, 70), up=up), clip(person, slice(70, 200), up=-up, labels={"sequence": "other"})]
    write_clips(tmp_path / "all.h5", clips, "people")
    found = read_prepared(tmp_path / "all.h5").train.pose_3d_up
    np.testing.assert_allclose(found, np.repeat([up, -up], [70, 130], axis=0), rtol=1e-6)
    write_clips(tmp_path / "some.h5", [clips[0], dataclasses.replace(clips[1], up=None)], "people")
    assert read_prepared(tmp_path / "some.h5").train.pose_3d_up is None
