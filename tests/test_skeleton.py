"""The skeleton table against the published order, and what is derived from a table."""

import dataclasses

import numpy as np
import pytest

from tf_wsgen.errors import InputError
from tf_wsgen.skeleton import HUMAN16, SKELETONS, Skeleton, skeleton_by_name

TRIANGLE = Skeleton(
    name="triangle",
    joints=("tail", "right", "left", "top_left", "top_right"),
    bones=(("top_left", "left"), ("right", "tail")),
    root="tail",
    hips=("right", "left"),
    shoulders=("top_right", "top_left"),
    limbs=("top_left",),
    reprojection_weights={"left": 0.25},
)


def test_human16_bones_are_the_published_pairs_in_order_and_direction():
    # Files and published weights speak of joints by number; direction decides the signs of Ψ.
    published = "0-1 1-2 3-4 4-5 6-7 7-8 8-9 7-10 10-11 11-12 7-13 13-14 14-15 3-6 0-6"
    assert " ".join(f"{first}-{second}" for first, second in HUMAN16.bone_indices) == published


def test_human16_bones_connect_every_joint_once():
    reached = {HUMAN16.root}
    for _ in HUMAN16.bones:
        reached.update(joint for bone in HUMAN16.bones if reached & set(bone) for joint in bone)
    assert reached == set(HUMAN16.joints)
    assert len(HUMAN16.bones) == HUMAN16.num_joints - 1  # with connectedness: a tree


def test_human16_symmetric_bones_mirror_each_other():
    mirrored = {"left": "right", "right": "left"}

    def mirror(joint):
        side, _, rest = joint.partition("_")
        return f"{mirrored[side]}_{rest}" if side in mirrored else joint

    for left, right in HUMAN16.symmetric_bones:
        assert HUMAN16.bones[right] == tuple(mirror(joint) for joint in HUMAN16.bones[left])
    in_pairs = {index for pair in HUMAN16.symmetric_bones for index in pair}
    on_the_axis = {index for index, bone in enumerate(HUMAN16.bones) if all(mirror(joint) == joint for joint in bone)}
    assert in_pairs | on_the_axis == set(range(len(HUMAN16.bones)))


def test_human16_joint_weights():
    expected = np.ones(16, np.float32)
    expected[6], expected[8], expected[9] = 0.0, 0.1, 0.1
    assert HUMAN16.joint_weights.dtype == np.float32
    np.testing.assert_array_equal(HUMAN16.joint_weights, expected)


def test_another_skeleton_is_a_table_and_nothing_else():
    assert TRIANGLE.num_joints == 5
    assert TRIANGLE.root_index == 0
    assert TRIANGLE.bone_indices == ((3, 2), (1, 0))
    assert TRIANGLE.hip_indices == (1, 2)
    assert TRIANGLE.template_indices == (1, 2, 4, 3)
    np.testing.assert_array_equal(TRIANGLE.joint_weights, np.array([1, 1, 0.25, 1, 1], np.float32))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("root", "nose"),
        ("hips", ("nose", "left")),
        ("shoulders", ("right", "nose")),
        ("limbs", ("nose",)),
        ("bones", (("tail", "nose"),)),
        ("reprojection_weights", {"nose": 0.5}),
    ],
)
def test_a_joint_that_is_not_listed_is_refused(field, value):
    with pytest.raises(InputError, match=r"'triangle' uses \['nose'\]"):
        dataclasses.replace(TRIANGLE, **{field: value})


def test_a_joint_listed_twice_is_refused():
    with pytest.raises(InputError, match="'triangle' lists a joint twice"):
        dataclasses.replace(TRIANGLE, joints=(*TRIANGLE.joints, "tail"))


def test_skeleton_by_name():
    assert skeleton_by_name("human16") is HUMAN16
    assert all(name == skeleton.name for name, skeleton in SKELETONS.items())
    with pytest.raises(InputError, match=r"data\.skeleton is 'human17'; expected one of \['human16'\]"):
        skeleton_by_name("human17")
