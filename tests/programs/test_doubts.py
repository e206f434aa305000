"""Files that are wrong as a whole are noticed by how their people fit, and told what they probably are."""

import dataclasses

import numpy as np
import pytest

from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, convert
from tf_wsgen.datasets.readers.detections import Detections
from tf_wsgen.programs.doubts import doubt
from tf_wsgen.skeleton import HUMAN16

ROWS = 30


def named(keypoints, true, taken_for):
    """People whose joints, in the order of one convention, are taken for another's."""
    points = np.zeros_like(keypoints)
    for joint, parts in CONVENTIONS[true].human16.items():
        (part,) = parts
        points[:, CONVENTIONS[true].joints.index(part)] = keypoints[:, HUMAN16.index(joint)]
    return detections(convert(points, CONVENTIONS[taken_for]).points, taken_for)


def detections(keypoints, convention):
    seen = np.ones(keypoints.shape[:2], bool)
    numbers = np.arange(len(keypoints))
    return Detections(
        np.float32(keypoints), seen, np.float32(seen), numbers, 0 * numbers, np.ones(len(keypoints)), "csv", convention
    )


@pytest.fixture(scope="module")
def people():
    test = synthetic_people(seed=2).test
    return test.pose_2d[:: len(test.pose_2d) // ROWS]


def test_people_who_fit_are_not_doubted(pretrained, people):
    assert doubt(detections(people, "human16"), pretrained, None) is None


def test_people_on_their_heads(pretrained, people):
    turned = detections(people * [1.0, -1.0] + [0.0, 1000.0], "human16")
    assert "upside down; does y point up" in doubt(turned, pretrained, None)


def test_joints_of_another_convention(pretrained, people):
    wrong = named(people, "mpii16", "human16")
    told = doubt(wrong, pretrained, lambda name: named(people, "mpii16", name))
    assert "with --convention mpii16; are these its joints?" in told
    nothing_better = doubt(wrong, pretrained, lambda name: dataclasses.replace(wrong, convention=name))
    assert "are the joints those of human16?" in nothing_better
