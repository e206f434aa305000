"""ASF and AMC: positions by hand, against SciPy's rotations and against CMU's own; what is broken names its line."""

import shutil

import h5py
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from standing import STANDING_POSE

from tf_wsgen.datasets.clip import check_clip
from tf_wsgen.datasets.readers import motion as motion_module
from tf_wsgen.datasets.readers.asf_amc import cmu_clips, cmu_poses, read_amc, read_asf
from tf_wsgen.datasets.views import ViewOptions
from tf_wsgen.errors import InputError
from tf_wsgen.skeleton import HUMAN16

# A leg of two bones and a bone that does not move. The comments, commas and blanks are those that the format allows.
ASF = """# made by hand
:version 1.10
:name TEST
:units
  mass 1.0
  length 1.0
  angle deg
:documentation
   any text, name bone length
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name hip
     direction 1 0 0
     length 4
     axis 0 0 0  XYZ
  end
  begin
     id 2
     name femur
     direction 0 -2 0
     length 16
     axis 0 0 20  XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-inf inf)
  end
  begin
     id 3
     name tibia
     direction 0.6, 0, 0.8
     length 15
     axis 10 -20 30  ZYX
    dof rz rx
    limits (-10.0 170.0)
           (-10.0 170.0)
  end
:hierarchy
  begin
    root hip
    hip femur
    femur tibia   # the last one
  end
"""
AMC = """#!OML:ASF test.asf
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 10 20 30
femur 5 -6 7
tibia 40 50
2
root 1.5 2 -3e0 -10 25 130
tibia -1.62e-014 90
femur 15 26 -27
"""


@pytest.fixture
def files(tmp_path):
    """Writes the two files, changed or not, and reads them."""

    def read(asf=ASF, amc=AMC):
        (tmp_path / "a.asf").write_text(asf)
        (tmp_path / "a_1.amc").write_text(amc)
        return read_amc(read_asf(tmp_path / "a.asf"), tmp_path / "a_1.amc")

    return read


def replaced(text, old, new):
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_positions_by_hand(files):
    """Inches; the femur (down) turned about x by 90° points to -z of the file, which is +y of the world."""
    asf = ASF.replace("axis 0 0 20  XYZ", "axis 0 0 0  XYZ").replace("axis 10 -20 30  ZYX", "axis 0 0 0  XYZ")
    motion = files(asf, "1\nroot 1 2 3 0 0 0\nfemur 90 0 0\ntibia 0 0\n")
    assert motion.joints == ("root", "hip", "femur", "tibia")
    assert motion.parents == (-1, 0, 1, 2)
    assert motion.frame_rate == 120.0
    # The tibia (0.6, 0, 0.8) turns with the femur: to (0.6, -0.8, 0) in the file.
    expected = [[1, -3, 2], [5, -3, 2], [5, 13, 2], [14, 13, -10]]
    np.testing.assert_allclose(motion.positions[0] / 25.4, expected, atol=1e-12)


def oracle(frame, unit=25.4):
    """The same skeleton with SciPy; small letters are turns about fixed axes, the first one first."""
    rotate = {}
    x, y, z, *angles = frame["root"]
    points = {"root": np.array([x, y, z])}
    rotate["root"] = Rotation.from_euler("xyz", angles, degrees=True)
    points["hip"] = points["root"] + rotate["root"].apply([4, 0, 0])
    axes = Rotation.from_euler("z", 20, degrees=True)
    turn = Rotation.from_euler("xyz", frame["femur"], degrees=True)
    rotate["femur"] = rotate["root"] * axes * turn * axes.inv()
    points["femur"] = points["hip"] + rotate["femur"].apply([0, -16, 0])
    axes = Rotation.from_euler("zyx", [30, -20, 10], degrees=True)
    turn = Rotation.from_euler("zx", frame["tibia"], degrees=True)
    rotate["tibia"] = rotate["femur"] * axes * turn * axes.inv()
    points["tibia"] = points["femur"] + rotate["tibia"].apply([9, 0, 12])
    positions = np.array([points[name] for name in ("root", "hip", "femur", "tibia")])
    return unit * np.stack([positions[:, 0], -positions[:, 2], positions[:, 1]], axis=-1)


FRAMES = [
    {"root": [1, 2, 3, 10, 20, 30], "femur": [5, -6, 7], "tibia": [40, 50]},
    {"root": [1.5, 2, -3, -10, 25, 130], "femur": [15, 26, -27], "tibia": [0, 90]},
]


def test_positions_against_scipy(files):
    np.testing.assert_allclose(files().positions, [oracle(frame) for frame in FRAMES], atol=1e-9)


def test_the_unit_of_length_divides(files):
    motion = files(replaced(ASF, "length 1.0", "length 0.45"))
    np.testing.assert_allclose(motion.positions, [oracle(frame, 25.4 / 0.45) for frame in FRAMES], atol=1e-9)


def test_radians(files):
    """The motion's own word counts for its angles, the skeleton's for its axes and where the motion has none."""
    lines = []
    for number, frame in enumerate(FRAMES, 1):
        root = [*frame["root"][:3], *np.radians(frame["root"][3:])]
        values = {"root": root, "femur": np.radians(frame["femur"]), "tibia": np.radians(frame["tibia"])}
        lines += [str(number), *(f"{name} {' '.join(map(str, numbers))}" for name, numbers in values.items())]
    asf = replaced(ASF, "angle deg", "angle rad")
    for axis in ("0 0 20", "10 -20 30"):
        asf = replaced(asf, f"axis {axis}", f"axis {' '.join(map(str, np.radians(np.array(axis.split(), float))))}")
    for motion in (files(ASF, "\n".join([":RADIANS", *lines])), files(asf, "\n".join(lines))):
        np.testing.assert_allclose(motion.positions, [oracle(frame) for frame in FRAMES], atol=1e-9)


def test_the_roots_order_names_values_and_turns(files):
    asf = replaced(ASF, "order TX TY TZ RX RY RZ", "order rz ty rx tx ry tz")
    motion = files(asf, "7\nroot 30 2 10 1 20 3\nfemur 0 0 0\ntibia 0 0\n")
    hip = Rotation.from_euler("zxy", [30, 10, 20], degrees=True).apply([4, 0, 0])
    expected = 25.4 * np.array([1 + hip[0], -3 - hip[2], 2 + hip[1]])
    np.testing.assert_allclose(motion.positions[0, 1], expected, atol=1e-9)


def test_bones_may_come_before_their_parents(files):
    first, second = ASF.index("  begin\n     id 1"), ASF.index("  begin\n     id 2")
    third = ASF.index(":hierarchy")
    shuffled = ASF[:first] + ASF[second:third] + ASF[first:second] + ASF[third:]
    motion = files(shuffled)
    assert motion.joints == ("root", "femur", "tibia", "hip")
    assert motion.parents == (-1, 3, 1, 0)
    np.testing.assert_allclose(motion.positions[:, [0, 3, 1, 2]], [oracle(frame) for frame in FRAMES], atol=1e-9)


def test_line_ends_of_windows_and_a_byte_order_mark(tmp_path, files):
    expected = files().positions
    (tmp_path / "w.asf").write_bytes(b"\xef\xbb\xbf" + ASF.replace("\n", "\r\n").encode())
    (tmp_path / "w.amc").write_bytes(AMC.replace("\n", "\r\n").encode())
    np.testing.assert_array_equal(read_amc(read_asf(tmp_path / "w.asf"), tmp_path / "w.amc").positions, expected)


FEMUR = ASF[ASF.index("  begin\n     id 2") : ASF.index("  begin\n     id 3")]
MANY = "".join(f"begin\nname b{i}\ndirection 1 0 0\nlength 1\naxis 0 0 0 XYZ\nend\n" for i in range(2000))
BROKEN_ASF = {
    "empty of words": ("\n# nothing\n", r"a\.asf: has no 'length' in :units"),
    "another format": ("HIERARCHY\nROOT Hips\n{\n}\n", r"line 1: is 'HIERARCHY'; expected .* ':' section"),
    "no unit of length": (replaced(ASF, "  length 1.0\n", ""), "has no 'length' in :units"),
    "zero unit of length": (replaced(ASF, "  length 1.0", "  length 0"), "line 6: the unit of length is '0'"),
    "angles in turns": (replaced(ASF, "angle deg", "angle turn"), "line 7: the unit of angle is 'turn'"),
    "root without order": (replaced(ASF, "   order TX TY TZ RX RY RZ\n", ""), "has no 'order' in :root"),
    "root that only turns": (replaced(ASF, "TX TY TZ RX RY RZ", "RX RY RZ"), "line 11: the root's order is 'RX RY RZ'"),
    "root that starts elsewhere": (replaced(ASF, "position 0 0 0", "position 0 1 0"), "line 13: the root's position"),
    "truncated bone": (ASF[: ASF.index("     axis 10")], "ends before its bones do"),
    "bone in a bone": (replaced(ASF, "  end\n  begin\n     id 2", "  begin\n     id 2"), "line 22: a bone begins"),
    "bone without begin": (replaced(ASF, "  begin\n     id 1\n", ""), "line 16: is 'name hip'; expected 'begin'"),
    "bone without length": (replaced(ASF, "     length 15\n", ""), "the bone has no 'length'"),
    "name twice": (replaced(ASF, "name tibia", "name femur"), "line 36: the bone's name is 'femur'"),
    "bone called root": (replaced(ASF, "name tibia", "name root"), "line 36: the bone's name is 'root'"),
    "direction of two numbers": (replaced(ASF, "0.6, 0, 0.8", "0.6 0"), "line 37: has 2 values, '0.6 0'; expected 3"),
    "direction NaN": (replaced(ASF, "0.6, 0, 0.8", "nan 0 1"), "line 37: has 'nan 0 1'; expected finite"),
    "direction zero": (replaced(ASF, "0.6, 0, 0.8", "0 0 0"), "line 38: a length of 15"),
    "length negative": (replaced(ASF, "length 15", "length -15"), "line 38: a length of -15"),
    "axis without order": (replaced(ASF, "10 -20 30  ZYX", "10 -20 30"), "line 39: the order of the axis is '30'"),
    "dof that moves": (replaced(ASF, "dof rz rx", "dof rz tx"), "line 40: dof is 'rz tx'"),
    "dof twice": (replaced(ASF, "dof rz rx", "dof rz rz"), "line 40: dof is 'rz rz'"),
    "unknown bone in the hierarchy": (replaced(ASF, "femur tibia ", "femur foot "), "line 48: has the bone 'foot'"),
    "bone with two parents": (replaced(ASF, "    hip femur\n", "    hip femur tibia\n"), "line 48: gives 'tibia' a"),
    "root as a child": (replaced(ASF, "    hip femur\n", "    hip femur root\n"), "line 47: gives 'root' a second par"),
    "circle": (replaced(ASF, "    root hip\n", "    tibia hip\n"), "does not join 'hip' to the root"),
    "2000 bones": (replaced(ASF, FEMUR, MANY), "has more than 999 bones"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BROKEN_ASF.values(), ids=BROKEN_ASF)
def test_a_broken_skeleton_is_refused_by_line(tmp_path, text, message):
    (tmp_path / "a.asf").write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_asf(tmp_path / "a.asf")
    assert "a.asf" in str(error.value)
    assert len(str(error.value)) < 400


BROKEN_AMC = {
    "header alone": (":FULLY-SPECIFIED\n:DEGREES\n", "a_1.amc: has no frames"),
    "no frame number": (replaced(AMC, "1\nroot 1 2", "root 1 2"), "line 4: is 'root 1 2 3 10 20 30'; expected the num"),
    "truncated line": (AMC[: AMC.rindex(" 26")], "line 11: has 1 values, '15'; expected 3"),
    "too many values": (replaced(AMC, "tibia 40 50", "tibia 40 50 60"), "line 7: has 3 values.*expected 2"),
    "values of a bone that does not move": (replaced(AMC, "1\nroot", "1\nhip 1\nroot"), "line 5: has 1 values.*ted 0"),
    "bone missing": (replaced(AMC, "femur 5 -6 7\n", ""), r"line 4: frame 1 lacks \['femur'\]"),
    "bone twice": (replaced(AMC, "femur 5 -6 7\n", "femur 5 -6 7\n" * 2), "line 7: gives 'femur' a second time in fr"),
    "bone unknown": (replaced(AMC, "femur 5 -6 7\n", "femur 5 -6 7\nfoot 1\n"), "line 7: has the bone 'foot', which"),
    "frame skipped": (replaced(AMC, "\n2\n", "\n3\n"), "line 8: frame '3' follows frame 1; expected 2"),
    "frame of 10¹² digits' kind": (replaced(AMC, "\n2\n", f"\n{'9' * 5000}\n"), "line 8: frame '9{60}…' follows"),
    "not a number": (replaced(AMC, "femur 5 -6 7", "femur 5 x 7"), "line 6: has '5 x 7'; expected finite"),
    "NaN": (replaced(AMC, "femur 5 -6 7", "femur 5 NaN 7"), "line 6: has '5 NaN 7'; expected finite"),
    "huge": (replaced(AMC, "femur 5 -6 7", "femur 5 -6 1e300"), "line 6: has '5 -6 1e300'"),
    "number in Python's fashion": (replaced(AMC, "femur 5 -6 7", "femur 5 -6 1_0"), "line 6: has '5 -6 1_0'"),
    "a long line": (replaced(AMC, "femur 5 -6 7", "femur " + "z" * 10**6), "line 6: has 1 values, 'z{60}…'"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BROKEN_AMC.values(), ids=BROKEN_AMC)
def test_a_broken_motion_is_refused_by_line(files, text, message):
    with pytest.raises(InputError, match=message) as error:
        files(amc=text)
    assert "a_1.amc" in str(error.value)
    assert len(str(error.value)) < 400


def test_sizes_have_limits(files, monkeypatch):
    monkeypatch.setattr(motion_module, "LARGEST_ARRAY", 4 * motion_module.BYTES_A_JOINT)
    with pytest.raises(InputError, match=r"a_1.amc: has 2 frames of 4 joints; expected at most 1 frames"):
        files()
    monkeypatch.setattr(motion_module, "LARGEST_TEXT", 100)
    with pytest.raises(InputError, match=r"a.asf: has 759 bytes; expected .* at most 100"):
        files()


# Bones of CMU's names with which a body can be drawn by hand: direction in the file (y up) and length in cm.
DOWN, UP, LEFT, RIGHT = (0, -1, 0), (0, 1, 0), (1, 0, 0), (-1, 0, 0)
BONES = {
    "lhipjoint": ("root", LEFT, 10), "lfemur": ("lhipjoint", DOWN, 40), "ltibia": ("lfemur", DOWN, 41),
    "rhipjoint": ("root", RIGHT, 10), "rfemur": ("rhipjoint", DOWN, 40), "rtibia": ("rfemur", DOWN, 41),
    "lowerback": ("root", UP, 12), "upperback": ("lowerback", UP, 13), "thorax": ("upperback", UP, 14),
    "lowerneck": ("thorax", UP, 8), "upperneck": ("lowerneck", UP, 9), "head": ("upperneck", UP, 10),
    "lclavicle": ("thorax", LEFT, 17), "lhumerus": ("lclavicle", DOWN, 28), "lradius": ("lhumerus", DOWN, 18),
    "lwrist": ("lradius", DOWN, 9),
    "rclavicle": ("thorax", RIGHT, 17), "rhumerus": ("rclavicle", DOWN, 28), "rradius": ("rhumerus", DOWN, 18),
    "rwrist": ("rradius", DOWN, 9),
}  # fmt: skip


def body_asf(bones=BONES):
    lines = [":units", "length 2.54", "angle deg", ":root", "order TX TY TZ RX RY RZ", ":bonedata"]
    for name, (_, direction, length) in bones.items():
        lines += ["begin", f"name {name}", "direction {} {} {}".format(*direction), f"length {length}"]
        lines += ["axis 0 0 0 XYZ", "end"]
    return "\n".join([*lines, ":hierarchy", "begin", *(f"{bone[0]} {name}" for name, bone in bones.items()), "end\n"])


def body_amc(frames=13, step=1.0):
    """The pelvis at 82 cm, `step` cm to the left a frame; the root's numbers are the only ones that there are."""
    return "".join(f"{frame + 1}\nroot {step * frame} 82 0 0 0 0\n" for frame in range(frames))


@pytest.fixture
def folder(tmp_path):
    """Two subjects as CMU has them, the second one's files in a folder of its own."""
    (tmp_path / "02").mkdir()
    (tmp_path / "01.asf").write_text(body_asf())
    (tmp_path / "02/02.asf").write_text(body_asf())
    for name in ("01_01", "01_02", "02/02_01"):
        (tmp_path / f"{name}.amc").write_text(body_amc())
    return tmp_path


def test_the_sixteen_joints_by_hand(folder):
    motion = read_amc(read_asf(folder / "01.asf"), folder / "01_01.amc")
    poses = cmu_poses(motion, "here")
    np.testing.assert_allclose(poses[0], STANDING_POSE, atol=1e-9)
    np.testing.assert_allclose(poses[12], STANDING_POSE + np.array([120.0, 0.0, 0.0]), atol=1e-9)


def test_clips_of_a_folder(folder):
    clips = list(cmu_clips(folder, test_subjects=["02"], test_sequences=["01_02"]))
    for clip in clips:
        check_clip(clip)
    # Every sixth of 13 frames, four cameras each.
    assert [len(clip) for clip in clips] == [3] * 12
    labels = [(clip.group, clip.labels["subject"], clip.labels["sequence"]) for clip in clips]
    assert labels[::4] == [("train", "01", "01_01"), ("test", "01", "01_02"), ("test", "02", "02_01")]
    assert labels == [label for label in labels[::4] for _ in range(4)]
    assert [clip.labels["camera"] for clip in clips[:4]] == ["54138969", "55011271", "58860488", "60457274"]
    assert "action" not in clips[0].labels
    assert clips[0].where == f"{folder / '01_01.amc'}, camera 54138969"


def test_clips_of_listed_files_find_their_skeleton(folder):
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    moved = (folder / "01_01.amc").rename(elsewhere / "01_01.amc")
    options = ViewOptions(cameras="random", num_random=1)
    clips = list(cmu_clips([folder / "01.asf", moved, str(folder / "02/02_01.amc")], options))
    assert [clip.labels["sequence"] for clip in clips] == ["01_01", "02_01"]
    assert [len(clip) for clip in clips] == [13, 13]


def test_a_file_given_twice_is_read_once(folder):
    clips = list(cmu_clips([folder / "02", folder / "02", folder / "02/02_01.amc"]))
    assert [clip.labels["sequence"] for clip in clips] == ["02_01"] * 4


def test_the_longest_name_is_the_skeletons(folder):
    (folder / "01_02.asf").write_text(body_asf({name: BONES[name] for name in list(BONES)[:3]}))
    with pytest.raises(InputError, match=r"01_02\.amc: the skeleton has no bones \['head', 'lclavicle'"):
        list(cmu_clips(folder))


BROKEN_CLIPS = {
    "no such folder": (lambda folder: cmu_clips(folder / "03"), "03: there is no such file"),
    "no motion": (lambda folder: cmu_clips(folder / "01.asf"), r"01\.asf: has no \.amc file"),
    "no path": (lambda folder: cmu_clips([]), r"no path: has no \.amc file"),
    "another kind": (lambda folder: cmu_clips([folder / "x.bvh"]), r"x\.bvh: has the ending '\.bvh'"),
    "no skeleton": (lambda folder: cmu_clips(folder / "lone"), r"05_01\.amc: has no skeleton; expected 05\.asf"),
    "unknown subject": (lambda folder: cmu_clips(folder / "02", test_subjects=["01"]), r"'01', .* \['02'\]"),
    "unknown sequence": (lambda folder: cmu_clips(folder / "02", test_sequences=["02_9"]), "test_sequences has '02_9'"),
    "sequence twice": (lambda folder: cmu_clips([folder / "02", folder / "copy"]), "is the sequence '02_02_01', as"),
}


@pytest.mark.parametrize(("clips", "message"), BROKEN_CLIPS.values(), ids=BROKEN_CLIPS)
def test_what_makes_no_clips_is_refused(folder, clips, message):
    (folder / "x.bvh").write_text("HIERARCHY\n")
    (folder / "lone").mkdir()
    (folder / "lone/05_01.amc").write_text(body_amc())
    shutil.copytree(folder / "02", folder / "copy")
    with pytest.raises(InputError, match=message):
        list(clips(folder))


def test_files_are_read_one_at_a_time(folder):
    clips = cmu_clips(folder)
    next(clips)
    (folder / "02/02_01.amc").write_text("1\nnonsense\n")
    for _ in range(7):
        next(clips)
    with pytest.raises(InputError, match=r"02_01\.amc: line 2"):
        next(clips)


@pytest.mark.parametrize(("group", "name"), [("train", "02_01"), ("test", "02_06")])
def test_the_sixteen_joints_are_those_of_cmu16(data_folder, group, name):
    """Which stands elsewhere on the floor."""
    raw = data_folder / "cmu_raw"
    poses = cmu_poses(read_amc(read_asf(raw / "02.asf"), raw / f"{name}.amc"), name)[::6]
    with h5py.File(data_folder / "cmu16.h5") as file:
        expected = file[group][name][()]
    root = [HUMAN16.root_index]
    np.testing.assert_allclose(poses - poses[:, root], expected - expected[:, root], atol=0.02)
    elbow, wrist = (poses[:, HUMAN16.index(joint)] for joint in ("left_elbow", "left_wrist"))
    np.testing.assert_allclose(np.linalg.norm(wrist - elbow, axis=-1), 252.5, atol=0.1)


@pytest.mark.parametrize("name", ["02_01", "02_06"])
def test_cmu_motion_is_where_cmu_says(data_folder, name):
    raw = data_folder / "cmu_raw"
    motion = read_amc(read_asf(raw / "02.asf"), raw / f"{name}.amc")
    with np.load(raw / "expected_positions.npz") as expected:
        assert motion.joints == tuple(expected["joint_names"])
        np.testing.assert_allclose(motion.positions[::10], expected[name], atol=0.001)


def test_cmu_clips_are_people(data_folder):
    clips = list(cmu_clips(data_folder / "cmu_raw", test_sequences=["02_06"]))
    assert [(clip.group, len(clip)) for clip in clips] == [("train", 58)] * 4 + [("test", 373)] * 4
    for clip in clips:
        check_clip(clip)
        assert clip.pose_2d.min() > 0.0
        assert clip.pose_2d.max() < 1000.0
