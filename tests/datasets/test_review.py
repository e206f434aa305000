"""The review of clips: counts by hand, and what it warns of."""

import numpy as np
import pytest
from refusals import table

from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.review import Review
from tf_wsgen.skeleton import HUMAN16

SIDES = [HUMAN16.index(joint.replace("left", "?").replace("right", "left").replace("?", "right"))
         for joint in HUMAN16.joints]  # fmt: skip


@pytest.fixture(scope="module")
def person():
    train = synthetic_people(seed=5, train_sequences=16, test_sequences=1, frames=10, noise=0.0).train
    return train.pose_2d, train.pose_3d


def review(*clips):
    result = Review()
    for clip in clips:
        result.add(clip)
    return result


def make(person, pose_2d=None, pose_3d=None, labels=None, image_size=None):
    return Clip("FILE: x", "train", pose_2d, pose_3d, labels or {}, image_size)


def test_ordinary_people_raise_no_warning(person):
    assert review(make(person, *person)).warnings() == []


SUSPICIOUS = {
    "giants": (lambda flat, solid: (flat, 2.0 * solid), "taller than 2.4 m"),
    "dwarfs": (lambda flat, solid: (flat, 0.3 * solid), "shorter than 0.8 m"),
    "y up": (lambda flat, solid: (1000.0 - flat, solid), "upside down in 2D"),
    "y up in 3D": (lambda flat, solid: (flat, solid * [-1.0, -1.0, 1.0]), "upside down in 3D"),
    "x turned": (lambda flat, solid: (flat, solid * [-1.0, 1.0, 1.0]), "mirrored"),
    "sides exchanged": (lambda flat, solid: (flat, solid[:, SIDES]), "mirrored"),
    "elsewhere": (lambda flat, solid: (flat + 900.0, solid), "outside of the image"),
}


@table("change message", SUSPICIOUS)
def test_suspicious_rows_are_counted(person, change, message):
    pose_2d, pose_3d = change(*person)
    (warning,) = review(make(person, pose_2d, pose_3d, image_size=(1000, 1000))).warnings()
    assert message in warning
    assert f"of {len(pose_2d):,} rows" in warning


def test_a_world_with_z_up_is_told_from_a_few_who_lie(person):
    pose_3d = person[1]
    lying = make(person, None, pose_3d[..., [0, 2, 1]] * [1.0, 1.0, -1.0])
    assert any("rows have the trunk along z" in warning for warning in review(lying).warnings())
    standing = make(person, None, pose_3d)
    assert not any("along z" in warning for warning in review(standing, standing, lying).warnings())


def test_the_table_counts(person):
    visible = np.ones((640, 16))
    visible[:, 0] = 0.0
    first = make(person, *person, {"subject": "S1", "action": "walking", "visible": visible})
    actions = np.array(["sitting"] * 600 + ["lying"] * 40)
    table = review(first, make(person, None, person[1], {"subject": "S2", "action": actions})).table()
    lines = [line.split() for line in table.splitlines()]
    assert ["train", "S1", "walking", "640"] in lines
    assert ["train", "S2", "sitting", "600"] in lines
    assert ["train", "S2", "lying", "40"] in lines
    assert "train: 640 2D poses, 1,280 3D poses" in table
    assert "missing joints: 6.25 %" in table


def test_bone_lengths_by_hand():
    pose = np.zeros((2, 16, 3))
    pose[:, HUMAN16.index("right_knee"), 1] = [400.0, 420.0]
    pose[:, HUMAN16.index("left_knee"), 1] = [405.0, 405.0]
    lines = review(make(None, None, pose)).table().splitlines()
    assert next(line for line in lines if line.startswith("right_hip - right_knee")).split()[-2:] == ["410.0", "10.0"]
    assert next(line for line in lines if line.startswith("left_hip - left_knee")).split()[-2:] == ["405.0", "0.0"]


def test_every_row_may_be_drawn(person):
    drawn = review(*(make(person, person[0][i : i + 80], person[1][i : i + 80]) for i in range(0, 640, 80))).samples
    assert len(drawn) == 12
    assert all(len(clip) == 1 for clip in drawn)
    origins = [int(np.flatnonzero((person[0] == clip.pose_2d).all(axis=(1, 2)))[0]) for clip in drawn]
    assert len(set(origins)) == 12
    assert max(origins) - min(origins) > 300
