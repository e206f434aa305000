"""The BVH writer: what is written comes back through the reader and through SciPy, and what is lost is told."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tf_wsgen.datasets.readers.asf_amc import cmu_poses, read_amc, read_asf
from tf_wsgen.datasets.readers.bvh import bvh_poses, read_bvh
from tf_wsgen.errors import InputError
from tf_wsgen.skeleton import HUMAN16
from tf_wsgen.writers.bvh_file import write_bvh
from tf_wsgen.writers.motion import skeleton_parents

PARENTS = skeleton_parents(HUMAN16)
# A body in the order of HUMAN16: mm, z up, looking towards -y, the arms away from the body.
STANDING = np.array([
    (-100, 0, 820), (-100, -20, 420), (-100, 0, 10), (100, 0, 820), (100, -20, 420), (100, 0, 10), (0, 0, 820),
    (0, 30, 1290), (0, 0, 1380), (0, 0, 1480), (170, 30, 1250), (300, 30, 1000), (310, -100, 800),
    (-170, 30, 1250), (-300, 30, 1000), (-310, -100, 800),
], float)  # fmt: skip


def rigid_motion(parents, rest, frames=20, seed=0, angle=150.0):
    """Bones of constant length that turn anyhow, each on its own: (T, K, 3)."""
    rng = np.random.default_rng(seed)
    positions = np.zeros((frames, *rest.shape))
    order = [list(parents).index(-1)]
    for joint in order:
        order += [child for child, parent in enumerate(parents) if parent == joint]
    for joint in order:
        parent = parents[joint]
        if parent < 0:
            positions[:, joint] = rest[joint] + np.cumsum(rng.normal(0.0, 30.0, (frames, 3)), axis=0)
            continue
        axis = rng.normal(size=3)
        turns = np.linspace(0.0, rng.uniform(-angle, angle), frames)[:, None] * axis / np.linalg.norm(axis)
        bones = Rotation.from_rotvec(turns, degrees=True).apply(rest[joint] - rest[parent])
        positions[:, joint] = positions[:, parent] + bones
    return positions


def read_back(path, joints, up="y"):
    """(T, K, 3) mm of the named joints."""
    motion = read_bvh(path, unit="cm", up=up)
    return motion.positions[:, [motion.joints.index(joint) for joint in joints]]


def test_a_file_by_hand(tmp_path):
    """One bone of 10 cm that points up, then to the world's -y, which is z of the file; x then is turned by 90°."""
    positions = np.array([[[0, 0, 0], [0, 0, 100]], [[10, 20, 30], [10, -80, 30]]], float)
    lost = write_bvh(tmp_path / "a.bvh", positions, ["base", "top"], [-1, 0], 25.0)
    assert (tmp_path / "a.bvh").read_text() == (
        "HIERARCHY\nROOT base\n{\n\tOFFSET 0.000000 0.000000 0.000000\n"
        "\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"
        "\tJOINT top\n\t{\n\t\tOFFSET 0.000000 10.000000 0.000000\n\t\tCHANNELS 3 Zrotation Xrotation Yrotation\n"
        "\t\tEnd Site\n\t\t{\n\t\t\tOFFSET 0.000000 0.000000 0.000000\n\t\t}\n\t}\n}\n"
        "MOTION\nFrames: 2\nFrame Time: 0.04\n"
        "0.000000 0.000000 0.000000 0.000000 0.000000 0.000000 0.000000 0.000000 0.000000\n"
        "1.000000 3.000000 -2.000000 0.000000 90.000000 0.000000 0.000000 0.000000 0.000000\n"
    )
    assert lost < 1e-5


@pytest.mark.parametrize("seed", range(2))
def test_a_motion_of_rigid_bones_comes_back(tmp_path, seed):
    positions = rigid_motion(PARENTS, STANDING, seed=seed, angle=175.0)
    lost = write_bvh(tmp_path / "a.bvh", positions, HUMAN16.joints, PARENTS, 50.0)
    assert lost < 1e-3
    np.testing.assert_allclose(read_back(tmp_path / "a.bvh", HUMAN16.joints), positions, atol=1e-3)
    assert read_bvh(tmp_path / "a.bvh", unit="cm").frame_rate == pytest.approx(50.0)


def test_scipy_reads_the_same(tmp_path):
    """The file's rotations, multiplied with SciPy along the chain of one leg."""
    positions = rigid_motion(PARENTS, STANDING, seed=7)
    write_bvh(tmp_path / "a.bvh", positions, HUMAN16.joints, PARENTS, 50.0)
    lines = [line.split() for line in (tmp_path / "a.bvh").read_text().splitlines()]
    joints = [index for index, words in enumerate(lines) if words[0] in ("ROOT", "JOINT")]
    # Name, brace, offset.
    offset = {lines[index][1]: np.array(lines[index + 2][1:], float) for index in joints}
    row = np.array(lines[-1], float)
    point, turn = row[:3], Rotation.identity()
    for name in ("pelvis", "left_hip_pivot", "left_hip", "left_knee", "left_ankle"):
        column = 3 + 3 * list(offset).index(name)
        point = point + (turn.apply(offset[name]) if name != "pelvis" else 0.0)
        turn = turn * Rotation.from_euler("ZXY", row[column : column + 3], degrees=True)
    expected = positions[-1, HUMAN16.index("left_ankle")]
    np.testing.assert_allclose(10.0 * np.array([point[0], -point[2], point[1]]), expected, atol=1e-3)


def test_only_lengths_are_lost(tmp_path):
    """Bones that grow keep their directions, and their mean lengths."""
    rng = np.random.default_rng(3)
    positions = rigid_motion(PARENTS, STANDING, seed=3) + rng.normal(0.0, 20.0, (20, 16, 3))
    lost = write_bvh(tmp_path / "a.bvh", positions, HUMAN16.joints, PARENTS, 50.0)
    found = read_back(tmp_path / "a.bvh", HUMAN16.joints)
    assert lost == pytest.approx(np.linalg.norm(found - positions, axis=-1).max(), abs=1e-3)
    assert lost > 20.0
    first, second = np.array(HUMAN16.bone_indices).T
    before, after = (poses[:, first] - poses[:, second] for poses in (positions, found))
    lengths = np.linalg.norm(before, axis=-1)
    mean = lengths.mean(axis=0)
    np.testing.assert_allclose(after, before / lengths[..., None] * mean[:, None], atol=1e-3)
    root = HUMAN16.root_index
    np.testing.assert_allclose(found[:, root], positions[:, root], atol=1e-4)


def test_twist_follows_the_parent_and_angles_go_on_beyond_half_a_turn(tmp_path):
    """A body that turns as a whole turns at its root alone: all other rotations are none."""
    degrees = np.arange(0.0, 1000.0, 20.0)[:, None]
    turns = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    write_bvh(tmp_path / "a.bvh", STANDING @ np.swapaxes(turns, -1, -2), HUMAN16.joints, PARENTS, 50.0)
    values = np.loadtxt((tmp_path / "a.bvh").read_text().partition("Frame Time: 0.02\n")[2].splitlines())
    np.testing.assert_allclose(values[:, 6:], 0.0, atol=1e-4)
    # Up is y of the file; the third angle of the root is the one about it.
    np.testing.assert_allclose(values[:, 3:6], degrees * [0, 0, 1], atol=1e-4)


def chain(vectors):
    """A chain of bones: (1, K, 3) frames stacked of (bones, 3) vectors."""
    vectors = np.array(vectors, float)
    return np.concatenate([np.zeros((len(vectors), 1, 3)), np.cumsum(vectors, axis=1)], axis=1)


UP, DOWN, LEFT, NONE = (0, 0, 300), (0, 0, -300), (300, 0, 0), (0, 0, 0)
DEGENERATE = {
    "a bone turns round": [[UP, UP], [DOWN, UP], [UP, DOWN]],
    "nearly round": [[UP, UP], [(1e-7, 0, -300), UP], [UP, (0, 1e-4, -300)]],
    "a bone without length": [[UP, NONE], [LEFT, NONE], [DOWN, NONE]],
    "no bone has a length": [[NONE, NONE], [NONE, NONE]],
    "a tiny bone": [[UP, (1e-9, 0, 0)], [LEFT, (0, 1e-9, 0)]],
    "one frame": [[UP, LEFT]],
    "straight to the sides": [[(0, -300, 0), UP], [(0, 300, 0), LEFT], [(0, -300, 0), DOWN]],
}


@pytest.mark.parametrize("vectors", DEGENERATE.values(), ids=DEGENERATE)
def test_degenerate_bones(tmp_path, vectors):
    positions = chain(vectors)
    lost = write_bvh(tmp_path / "a.bvh", positions, ["a", "b", "c"], [-1, 0, 1], 30.0)
    assert lost < 1e-3
    np.testing.assert_allclose(read_back(tmp_path / "a.bvh", ["a", "b", "c"]), positions, atol=1e-3)


def test_a_bone_that_has_a_length_later_takes_its_direction_then(tmp_path):
    positions = chain([[UP, NONE], [UP, LEFT], [LEFT, LEFT]])
    lost = write_bvh(tmp_path / "a.bvh", positions, ["a", "b", "c"], [-1, 0, 1], 30.0)
    # Its mean length is 200 mm: shown where there is none, 100 mm too short elsewhere.
    assert lost == pytest.approx(200.0, abs=1e-3)
    found = read_back(tmp_path / "a.bvh", ["a", "b", "c"])
    np.testing.assert_allclose(found[1:, 2] - found[1:, 1], [[200, 0, 0], [200, 0, 0]], atol=1e-3)


def test_children_in_a_line_and_in_one_place(tmp_path):
    """Children of one joint: two on a line, one at the joint itself, which gets no pivot."""
    rest = np.array([[0, 0, 0], [100, 0, 0], [-200, 0, 0], [0, 0, 0], [0, 50, 0]], float)
    parents, joints = [-1, 0, 0, 0, 3], list("abcde")
    positions = rigid_motion(parents, rest, seed=2)
    write_bvh(tmp_path / "a.bvh", positions, joints, parents, 30.0)
    motion = read_bvh(tmp_path / "a.bvh", unit="cm")
    assert [name for name in motion.joints if name.endswith("_pivot")] == ["b_pivot", "c_pivot"]
    np.testing.assert_allclose(read_back(tmp_path / "a.bvh", joints), positions, atol=1e-3)


@pytest.mark.parametrize(("unit", "millimetres"), [("mm", 1.0), ("m", 1000.0)])
def test_units_and_up(tmp_path, unit, millimetres):
    positions = rigid_motion(PARENTS, STANDING)
    write_bvh(tmp_path / "a.bvh", positions, HUMAN16.joints, PARENTS, 30.0, up="y", unit=unit)
    found = read_back(tmp_path / "a.bvh", HUMAN16.joints, up="z")
    np.testing.assert_allclose(found * millimetres / 10.0, positions, atol=2e-6 * millimetres + 1e-4)


ARGUMENTS = {"positions": np.zeros((2, 3, 3)), "joints": ["a", "b", "c"], "parents": [-1, 0, 0], "frame_rate": 30.0}
NAN = np.zeros((2, 3, 3))
NAN[1, 2, 0] = np.nan
BROKEN = {
    "a joint less": ({"joints": ["a", "b"]}, r"positions have shape \(2, 3, 3\); expected \(frames, 2, 3\)"),
    "no frames": ({"positions": np.zeros((0, 3, 3))}, r"positions have shape \(0, 3, 3\)"),
    "NaN": ({"positions": NAN}, "positions of frame 1 are not finite"),
    "frames of others": ({"frames": [0, 1, 2]}, "frames are not 2 growing numbers from 0 and below 3"),
    "frames backwards": ({"frames": [1, 0]}, "frames are not 2 growing numbers"),
    "frames beyond the end": ({"frames": [0, 5], "num_frames": 5}, "growing numbers from 0 and below 5"),
    "no frame rate": ({"frame_rate": 0.0}, "frame_rate is 0.0"),
    "frame rate NaN": ({"frame_rate": float("nan")}, "frame_rate is nan"),
    "x up": ({"up": "x"}, "up is 'x'"),
    "feet": ({"unit": "feet"}, "unit 'feet'"),
    "a name twice": ({"joints": ["a", "b", "b"]}, "expected different names"),
    "a name of two words": ({"joints": ["a", "b", "c d"]}, "expected different names without blanks"),
    "an empty name": ({"joints": ["a", "b", ""]}, "expected different names"),
    "no root": ({"parents": [1, 2, 0]}, "expected a tree with one root"),
    "a circle": ({"parents": [-1, 2, 1]}, "expected a tree with one root"),
    "a parent that is not there": ({"parents": [-1, 0, 3]}, "expected a tree with one root"),
    "a parent less": ({"parents": [-1, 0]}, "expected a tree with one root"),
    "a name of a pivot": ({"joints": ["a", "b", "b_pivot"], "positions": np.arange(18.0).reshape(2, 3, 3)},
        r"joints have \['b_pivot'\], names that this writer gives itself"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_written_is_refused_and_leaves_the_old_file(tmp_path, change, message):
    (tmp_path / "a.bvh").write_text("old")
    with pytest.raises(InputError, match=message):
        write_bvh(tmp_path / "a.bvh", **(ARGUMENTS | change))
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.bvh", "old")]


def test_cmu_motion_comes_back(data_folder, tmp_path):
    """Within 0.1 mm: the bones of CMU turn on their own where they meet, and keep their lengths."""
    raw = data_folder / "cmu_raw"
    motion = read_amc(read_asf(raw / "02.asf"), raw / "02_01.amc")
    lost = write_bvh(tmp_path / "a.bvh", motion.positions, motion.joints, motion.parents, motion.frame_rate)
    assert lost < 1e-3
    back = read_bvh(tmp_path / "a.bvh")
    assert back.frame_rate == pytest.approx(120.0)
    found = back.positions[:, [back.joints.index(joint) for joint in motion.joints]]
    np.testing.assert_allclose(found, motion.positions, atol=0.01)
    np.testing.assert_allclose(bvh_poses(back, "here"), cmu_poses(motion, "here"), atol=0.01)
    with np.load(raw / "expected_positions.npz") as expected:
        np.testing.assert_allclose(found[::10], expected["02_01"], atol=0.1)
