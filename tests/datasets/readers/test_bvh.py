"""BVH: positions by hand and against SciPy's rotations, units and names of joints; what is broken names its line."""

import logging
import re

import numpy as np
import pytest
from refusals import reading, refuses, table
from scipy.spatial.transform import Rotation
from standing import BODY, STANDING_POSE

from tf_wsgen.datasets.readers import motion as motion_module
from tf_wsgen.datasets.readers.bvh import bvh_clips, bvh_poses, read_bvh
from tf_wsgen.datasets.readers.motion import Motion
from tf_wsgen.datasets.views import ViewOptions
from tf_wsgen.skeleton import HUMAN16

BVH = """HIERARCHY
ROOT Hips
{
	OFFSET 0.5 0 0
	CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
	JOINT Upper Leg
	{
		OFFSET 0 -4 0
		CHANNELS 3 Zrotation Xrotation Yrotation
		End Site
		{
			OFFSET 0 -3 0
		}
	}
}
MOTION
Frames: 2
Frame Time: .0083333
1 2 3 0 0 0 0 0 0
1 2 3 0 90 0 90 0 0
"""


@pytest.fixture
def file(tmp_path):
    """Writes a file and gives its path."""

    def write(text, name="walk.bvh"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def replaced(text, old, new):
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_positions_by_hand(file):
    """The root's position is that of the channels alone; x by 90° turns the file's down to -z, z by 90° to x."""
    motion = read_bvh(file(BVH), unit="cm")
    assert motion.joints == ("Hips", "Upper Leg", "Upper Leg_end")
    assert motion.parents == (-1, 0, 1)
    assert motion.frame_rate == pytest.approx(120.0, abs=1e-3)
    first = [[1, -3, 2], [1, -3, -2], [1, -3, -5]]
    second = [[1, -3, 2], [1, 1, 2], [4, 1, 2]]
    np.testing.assert_allclose(motion.positions / 10.0, [first, second], atol=1e-12)


MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "cmu": 25.4 / 0.45, "inch": 25.4}


def test_units(file):
    expected = read_bvh(file(BVH), unit="cm").positions / 10.0
    for unit, millimetres in (*MILLIMETRES.items(), ("25.4", 25.4), (304.8, 304.8)):
        np.testing.assert_allclose(read_bvh(file(BVH), unit=unit).positions, millimetres * expected, rtol=1e-12)


UP = {
    "y": [[1, -3, 2], [1, -3, -2], [1, -3, -5]],
    "z": [[1, 2, 3], [1, -2, 3], [1, -5, 3]],
    "x": [[2, 3, 1], [-2, 3, 1], [-5, 3, 1]],
    "-y": [[1, 3, -2], [1, 3, 2], [1, 3, 5]],
    "-z": [[1, -2, -3], [1, 2, -3], [1, 5, -3]],
    "-x": [[2, -3, -1], [-2, -3, -1], [-5, -3, -1]],
}


@pytest.mark.parametrize("up", UP)
def test_any_axis_may_be_up(file, up):
    np.testing.assert_allclose(read_bvh(file(BVH), unit="mm", up=up).positions[0], UP[up], atol=1e-12)


def random_tree(rng, joints=9):
    """Random parents, offsets and channels: none, one or three turns, positions anywhere in between."""
    tree = []
    for index in range(joints):
        turns = [f"{axis}rotation" for axis in rng.permutation(list("XYZ"))[: rng.choice([0, 1, 3, 3])]]
        count = 3 if index == 0 else rng.choice([0, 0, 2])
        moves = [f"{axis}position" for axis in rng.permutation(list("XYZ"))[:count]]
        channels = [str(name) for name in rng.permutation([*turns, *moves])] if turns or moves else []
        tree.append((f"joint{index}", int(rng.integers(0, index)) if index else -1, rng.normal(size=3), channels))
    return tree


def as_text(tree, values):
    """The file of a tree; the channels' columns come in the order in which the file names the joints."""
    columns = []

    def node(index, indent):
        name, _, offset, channels = tree[index]
        start = sum(len(tree[i][3]) for i in range(index))
        columns.extend(range(start, start + len(channels)))
        lines = [f"{'JOINT' if index else 'ROOT'} {name} {{", "OFFSET {!r} {!r} {!r}".format(*map(float, offset))]
        lines += [f"CHANNELS {len(channels)} {' '.join(channels)}"] if channels else []
        for child in range(len(tree)):
            if tree[child][1] == index:
                lines += node(child, indent + "  ")
        return [*(indent + line for line in lines), indent + "}"]

    body = node(0, "")
    rows = [" ".join(map(repr, map(float, row[columns]))) for row in values]
    return "\n".join(["HIERARCHY", *body, "MOTION", f"Frames: {len(values)}", "Frame Time: 0.05", *rows])


def oracle(tree, row):
    """Positions (y up, the file's unit) with SciPy; capitals are turns about axes that move along."""
    points, turns, column = [], [], 0
    for _, parent, offset, channels in tree:
        local, axes, angles = np.array(offset), "", []
        for channel in channels:
            if channel.endswith("position"):
                local["XYZ".index(channel[0])] = row[column]
            else:
                axes, angles = axes + channel[0], [*angles, row[column]]
            column += 1
        own = Rotation.from_euler(axes, angles, degrees=True) if axes else Rotation.identity()
        points.append(local if parent < 0 else points[parent] + turns[parent].apply(local))
        turns.append(own if parent < 0 else turns[parent] * own)
    return np.array(points)


@pytest.mark.parametrize("seed", range(3))
def test_any_channels_against_scipy(file, seed):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng)
    values = rng.uniform(-180.0, 180.0, (3, sum(len(joint[3]) for joint in tree)))
    motion = read_bvh(file(as_text(tree, values)), unit="mm", up="z")
    assert motion.frame_rate == pytest.approx(20.0)
    order = [int(name.removeprefix("joint")) for name in motion.joints]
    np.testing.assert_allclose(motion.positions, [oracle(tree, row)[order] for row in values], atol=1e-9)
    assert [order[p] if p >= 0 else -1 for p in motion.parents] == [tree[index][1] for index in order]


WRITTEN = {
    "windows": lambda text: text.replace("\n", "\r\n"),
    "braces": lambda text: text.replace("\t", "   ").replace("\n{", " {"),
    "header": lambda text: text.replace("Frames:", "FRAMES :\t").replace("Frame Time:", "frame  time:"),
    "blanks": lambda text: text.replace("MOTION", "\n\nMotion\n").replace("1 2 3", "  1\t2  3") + "\n \n",
    "capitals": lambda text: text.replace("End Site", "End site").replace("rotation", "ROTATION"),
    "a joint that is not moved": lambda text: (
        replaced(text, "CHANNELS 3", "CHANNELS 6 Xposition Yposition Zposition")
        .replace("0 0 0\n1 2 3", "0 0 0 0 0 0\n1 2 3")
        .replace("90 0 90 0 0", "90 0 0 0 0 90 0 0")
    ),
    "a frame less is announced": lambda text: replaced(text, "Frames: 2", "Frames: 1"),
    "a frame more is announced": lambda text: replaced(text, "Frames: 2", "Frames: 3"),
}


@table("change", WRITTEN)
def test_ways_of_writing(file, change, caplog):
    expected, found = read_bvh(file(BVH), unit="cm"), read_bvh(file(change(BVH), "a.bvh"), unit="cm")
    assert found.joints == expected.joints
    np.testing.assert_array_equal(found.positions, expected.positions)
    told = re.findall(r"a.bvh: announces (\d) frames and has 2, which are taken.", caplog.text)
    assert told == re.findall(r"Frames: ([13])", change(BVH))


DEEP = "HIERARCHY\nROOT a\n{\n" + "".join(f"JOINT j{i}\n{{\n" for i in range(100_000))
BROKEN = {
    "another format": (":version 1.10\n", "line 1: is ':version 1.10'; expected HIERARCHY"),
    "hierarchy alone": (BVH[: BVH.index("MOTION")], "walk.bvh: ends before MOTION"),
    "no frame time": (BVH[: BVH.index("Frame Time")], "ends after MOTION; expected 'Frame Time:'"),
    "truncated motion": (replaced(BVH[: BVH.rindex("1 2 3")], "Frames: 2", "Frames: 3"),
        "announces '3' frames and has 1"),
    "truncated row": (BVH[: BVH.rindex(" 0 0")], "line 20: has 7 values, .*; expected 9"),
    "more frames than announced": (BVH + 2 * "1 2 3 0 0 0 0 0 0\n", "announces '2' frames and has 4"),
    "frames of many digits": (replaced(BVH, "Frames: 2", "Frames: " + "9" * 6000), "announces '9{60}…' frames"),
    "frames not whole": (replaced(BVH, "Frames: 2", "Frames: 2.5"), "line 17: is 'Frames: 2.5'; expected 'Frames:'"),
    "frame time zero": (replaced(BVH, ".0083333", "0"), "Frame Time is '0'; expected seconds"),
    "frame time NaN": (replaced(BVH, ".0083333", "nan"), "Frame Time: has 'nan'"),
    "not a number": (replaced(BVH, "90 0 90", "90 x 90"), "line 20: has '1 2 3 0 90 x 90 0 0'; expected finite"),
    "huge": (replaced(BVH, "90 0 90", "90 1e300 90"), "line 20: has"),
    "offset of two": (replaced(BVH, "OFFSET 0 -4 0", "OFFSET 0 -4"), "line 8: has 2 values"),
    "offset NaN": (replaced(BVH, "OFFSET 0 -4 0", "OFFSET 0 nan 0"), "line 8: has '0 nan 0'"),
    "no offset": (replaced(BVH, "\t\tOFFSET 0 -4 0\n", ""), "line 13: the joint 'Upper Leg' ends without an OFFSET"),
    "channels counted wrong": (replaced(BVH, "CHANNELS 3", "CHANNELS 4"), "line 9: CHANNELS '4 Zrotation"),
    "channel twice": (replaced(BVH, "3 Zrotation Xrot", "3 Zrotation Zrot"), "line 9: CHANNELS '3 Zrotation Zrot"),
    "channels twice": (replaced(BVH, "\t\tOFFSET 0 -4 0\n", "OFFSET 0 0 0\n CHANNELS 1 Xrotation\n"), "line 10: .*sec"),
    "name twice": (replaced(BVH, "JOINT Upper Leg", "JOINT Hips"), "line 6: the joint's name is 'Hips'"),
    "two roots": (replaced(BVH, "MOTION", "ROOT b\n{\nOFFSET 0 0 0\n}\nMOTION"), "line 16: is 'ROOT b'; expected one"),
    "joint for root": (replaced(BVH, "ROOT Hips", "JOINT Hips"), "line 2: is 'JOINT Hips'; expected one ROOT"),
    "no brace": (replaced(BVH, "ROOT Hips\n{", "ROOT Hips\n"), "line 4: is 'OFFSET 0.5 0 0'; expected a brace here"),
    "brace too many": (replaced(BVH, "MOTION", "}\nMOTION"), "line 16: is '}' outside of a joint"),
    "brace too few": (replaced(BVH, "\n}\nMOTION", "\nMOTION"), "line 15: MOTION comes before the end"),
    "unknown word": (replaced(BVH, "\t\tOFFSET 0 -4 0", "\t\tSCALE 1"), "line 8: is 'SCALE 1'; expected JOINT"),
    "100,000 joints deep": (DEEP, "line 2002: has more than 1000 joints"),
    "a long line": (replaced(BVH, "1 2 3 0 90", "1 2 3 0 " + "9" * 10**6), "line 20: has '1 2 3 0 9{52}…'"),
}  # fmt: skip


@table("text message", BROKEN)
def test_a_broken_file_is_refused_by_line(file, text, message):
    error = refuses(message, read_bvh, file(text), unit="cm")
    assert "walk.bvh" in error
    assert len(error) < 400


def test_options_are_checked(file):
    path = file(BVH)
    message = r"unit is 'feet'; expected one of \['mm', .*'inch', 'auto'\], or .* a number above 0"
    refuses(message, read_bvh, path, unit="feet")
    for unit in ("0", "nan", "", None):
        refuses(f"unit is {unit!r}", read_bvh, path, unit=unit)
    refuses(r"up is 'w'; expected one of \['y', 'z', 'x', '-y', '-z', '-x'\]", read_bvh, path, unit="cm", up="w")


def test_sizes_have_limits(file, monkeypatch):
    monkeypatch.setattr(motion_module, "LARGEST_ARRAY", 5 * motion_module.BYTES_A_JOINT)
    refuses(r"walk\.bvh: has 2 frames of 3 joints; expected at most 1 frames", read_bvh, file(BVH), unit="cm")
    monkeypatch.setattr(motion_module, "LARGEST_TEXT", 100)
    refuses(r"walk\.bvh: has \d+ bytes; expected .* at most 100", read_bvh, file(BVH), unit="cm")


# The standing body's place by joint, of its extra ends too.
STANDING = dict(BODY)
EXPECTED = STANDING_POSE
LEFT = np.array([1.0, 0.0, 0.0])
# The ends of CMU's bones "radius" and "wrist", which has the wrist two thirds along it.
STANDING |= {
    "left_radius": (170, 0, 750), "left_hand": (170, 0, 660),
    "right_radius": (-170, 0, 750), "right_hand": (-170, 0, 660),
}  # fmt: skip
JOINTS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")


def limbs(names, hip_parent, shoulder_parent, arm=JOINTS[3:]):
    """(joint, parent, place) of four limbs; `names` gives the file's name of ours."""
    for side in ("left", "right"):
        for limb, parent in ((JOINTS[:3], hip_parent), (arm, shoulder_parent)):
            for joint in limb:
                yield names(side, joint), parent, STANDING[f"{side}_{joint}"]
                parent = names(side, joint)


def mixamo_names(prefix):
    table = dict(zip(JOINTS, ("UpLeg", "Leg", "Foot", "Arm", "ForeArm", "Hand"), strict=True)) | {"radius": "Hand"}
    return lambda side, joint: f"{prefix}{side.capitalize()}{table[joint]}"


def bones_names(side, joint):
    bones = ("femur", "tibia", "foot", "humerus", "radius", "wrist", "hand")
    return side[0] + dict(zip((*JOINTS[:5], "radius", "hand"), bones, strict=True))[joint]


# Skeletons as programs write them, with the joints that matter here: (joint, parent, place).
SKELETONS = {
    "CMU by cgspeed": [
        ("Hips", None, (0, 0, 920)), ("LHipJoint", "Hips", (0, 0, 920)), ("RHipJoint", "Hips", (0, 0, 920)),
        ("LowerBack", "Hips", (0, 0, 920)), ("Spine", "LowerBack", (0, 0, 1040)), ("Spine1", "Spine", (0, 0, 1210)),
        ("Neck", "Spine1", (0, 0, 1210)), ("Neck1", "Neck", (0, 0, 1290)), ("Head", "Neck1", (0, 0, 1380)),
        ("Head_end", "Head", (0, 0, 1480)), *limbs(mixamo_names(""), "Hips", "Spine1", ("shoulder", "elbow", "radius")),
    ],
    "MotionBuilder, Mixamo, Vicon, LAFAN1": [
        ("mixamorig:Hips", None, (0, 0, 920)), ("mixamorig:Spine", "mixamorig:Hips", (0, 0, 1040)),
        ("mixamorig:Neck", "mixamorig:Spine", (0, 0, 1290)), ("mixamorig:Head", "mixamorig:Neck", (0, 0, 1380)),
        ("mixamorig:HeadTop_End", "mixamorig:Head", (0, 0, 1480)),
        ("mixamorig:HeadTop_End_end", "mixamorig:HeadTop_End", (0, 0, 1490)),
        *limbs(mixamo_names("mixamorig:"), "mixamorig:Hips", "mixamorig:Spine"),
    ],
    "Biovision, Xsens": [
        ("Hips", None, (0, 0, 920)), ("Chest", "Hips", (0, 0, 1040)), ("Neck", "Chest", (0, 0, 1290)),
        ("Head", "Neck", (0, 0, 1380)), ("Head_end", "Head", (0, 0, 1480)),
        *limbs(lambda side, joint: side.capitalize() + joint.capitalize(), "Hips", "Chest"),
    ],
    "CMU's bones by their ends": [
        ("root", None, (0, 0, 920)), ("lowerneck", "root", (0, 0, 1290)), ("upperneck", "lowerneck", (0, 0, 1380)),
        ("head", "upperneck", (0, 0, 1480)), ("head_end", "head", (0, 0, 1480)),
        *[
            (side[0] + bone, parent if parent == "root" else side[0] + parent, STANDING[f"{side}_{joint}"])
            for side in ("left", "right")
            for bone, parent, joint in (
                ("hipjoint", "root", "hip"), ("femur", "hipjoint", "knee"), ("tibia", "femur", "ankle"),
                ("clavicle", "root", "shoulder"), ("humerus", "clavicle", "elbow"), ("radius", "humerus", "radius"),
                ("wrist", "radius", "hand"),
            )
        ],
    ],
    "CMU's bones": [
        ("root", None, (0, 0, 920)), ("lhipjoint", "root", (0, 0, 920)), ("rhipjoint", "root", (0, 0, 920)),
        ("lowerneck", "root", (0, 0, 1210)), ("upperneck", "lowerneck", (0, 0, 1290)),
        ("head", "upperneck", (0, 0, 1380)), ("head_end", "head", (0, 0, 1480)),
        ("lclavicle", "root", (0, 0, 1210)), ("rclavicle", "root", (0, 0, 1210)),
        *limbs(bones_names, "root", "root", ("shoulder", "elbow", "radius", "hand")),
    ],
    "human16": [
        ("pelvis", None, STANDING["pelvis"]),
        *[(f"{side}_{joint}", "pelvis", STANDING[f"{side}_{joint}"])
          for side in ("left", "right") for joint in JOINTS],
        *[(joint, "pelvis", STANDING[joint]) for joint in ("thorax", "neck", "head")],
        *[(f"{joint}_end", joint, STANDING[joint]) for joint in ("left_ankle", "head")],
    ],
}  # fmt: skip


MIXAMO = SKELETONS["MotionBuilder, Mixamo, Vicon, LAFAN1"]


def skeleton_text(skeleton, unit=10.0, frames=3, step=100.0):
    """A standing body as BVH, `step` mm to the left a frame; a name that ends in _end is an End Site."""
    place = {name: np.array(at) / unit for name, _, at in skeleton}

    def node(name, parent):
        offset = place[name] - (place[parent] if parent else 0.0)
        numbers = f"OFFSET {float(offset[0])!r} {float(offset[2])!r} {float(-offset[1])!r}"
        if parent and name == f"{parent}_end":
            return ["End Site", "{", numbers, "}"]
        channels = "CHANNELS 3 Zrotation Xrotation Yrotation" if parent else "CHANNELS 1 Xposition"
        children = [line for child, above, _ in skeleton if above == name for line in node(child, name)]
        return [f"{'JOINT' if parent else 'ROOT'} {name}", "{", numbers, channels, *children, "}"]

    still = " 0" * (3 * sum(bool(parent) and name != f"{parent}_end" for name, parent, _ in skeleton))
    root = skeleton[0][0]
    rows = [f"{float(place[root][0] + frame * step / unit)!r}{still}" for frame in range(frames)]
    lines = ["HIERARCHY", *node(root, None), "MOTION", f"Frames: {frames}", "Frame Time: 0.05", *rows]
    return "\n".join(lines)


@table("skeleton", SKELETONS)
def test_the_sixteen_joints_of_known_skeletons(file, skeleton):
    poses = bvh_poses(read_bvh(file(skeleton_text(skeleton)), unit="cm"), "here")
    np.testing.assert_allclose(poses[[0, 2]], [EXPECTED, EXPECTED + 200.0 * LEFT], atol=1e-9)


# Inches of a body of 2.1 m could be centimetres of a child.
# Inches of a body of 2.1 m could be centimetres of a child.
SIZES = [("mm", 1.0), ("cm", 0.62), ("cm", 1.4), ("m", 1.0), ("cmu", 0.62), ("cmu", 1.4), ("inch", 1.2)]


@pytest.mark.parametrize(("unit", "height"), SIZES)
def test_the_unit_by_the_persons_size(file, caplog, unit, height):
    """Bodies of 0.9 to 2.1 m: in whatever unit, the poses are the same, and it is said."""
    skeleton = [(name, parent, np.multiply(at, height)) for name, parent, at in MIXAMO]
    with caplog.at_level(logging.WARNING):
        poses = bvh_poses(read_bvh(file(skeleton_text(skeleton, unit=MILLIMETRES[unit]))), "here")
    np.testing.assert_allclose(poses[0], height * EXPECTED, atol=1e-9)
    assert f"walk.bvh: taken as in {unit}" in caplog.text


def test_sizes_that_no_person_has_are_refused(file):
    for scale in (3.0, 0.25):
        path = file(skeleton_text(MIXAMO, unit=1000.0 / scale))
        refuses(r"walk\.bvh: the skeleton is .* long .* `unit` can also be a number", read_bvh, path)
    for unit, message in ((25.4, "the person is 618.* mm .* as by the `unit` inch"), (304.8, r"is 51.* a number")):
        path = file(skeleton_text(MIXAMO, unit=unit))
        refuses(message, list, bvh_clips(path, unit="cm"))
        assert np.ptp(next(bvh_clips(path, unit=unit)).pose_3d[0, :, 1]) > 1000.0


def renamed(name):
    """Names that no table has."""
    return name and name.replace("mixamorig:", "x ").replace("Leg", "Limb").replace("Hips", "Pelvis")


RENAMED = [(renamed(name), renamed(parent), at) for name, parent, at in MIXAMO]
SIDES = [(side, joint) for side in ("left", "right") for joint in JOINTS]
GIVEN = {f"{side}_{joint}": renamed(mixamo_names("mixamorig:")(side, joint)) for side, joint in SIDES}
GIVEN |= {"thorax": "x Neck", "neck": "x Head", "head": "x HeadTop_End"}


def test_names_can_be_given(file):
    path = file(skeleton_text(RENAMED))
    unknown = read_bvh(path, unit="cm")
    np.testing.assert_allclose(bvh_poses(unknown, "here", GIVEN)[0], EXPECTED, atol=1e-9)
    with_pelvis = bvh_poses(unknown, "here", GIVEN | {"pelvis": "x Pelvis"})
    np.testing.assert_allclose(with_pelvis[0, HUMAN16.root_index], [0.0, 0.0, 920.0], atol=1e-9)
    clips = bvh_clips(path, unit="cm", joint_names=GIVEN)
    assert [clip.labels["sequence"] for clip in clips] == ["walk"] * 4


def with_head_at(at):
    """A body whose head's End Site is there (mm, z up), or that has none."""
    joints = [joint for joint in SKELETONS["Biovision, Xsens"] if joint[0] != "Head_end"]
    return joints if at is None else [*joints, ("Head_end", "Head", at)]


# The neck goes from 1290 to 1380 mm, straight up.
# The neck goes from 1290 to 1380 mm, straight up: where the head's end is, the head, and what is told.
HEADS = {
    "straight": ((0, 0, 1480), (0, 0, 1480), None),
    "42°": ((0, -90, 1480), (0, -90, 1480), None),
    "48°": ((0, -110, 1480), (0, -110, 1480), "the head's end is not along the neck but typically 48° off"),
    "180°": ((0, 0, 1280), (0, 0, 1280), "the head's end is not along the neck but typically 180° off"),
    "in the head": ((0, 0, 1380), (0, 0, 1470), "Head has no end; the head is taken as far beyond it as it is from"),
    "no end": (None, (0, 0, 1470), "Head has no end; the head is taken as far beyond it as it is from Neck"),
}


@table("end head told", HEADS)
def test_a_head_that_cannot_be_is_told(file, caplog, end, head, told):
    poses = bvh_poses(read_bvh(file(skeleton_text(with_head_at(end))), unit="cm"), "here")
    np.testing.assert_allclose(poses[0, HUMAN16.index("head")], head, atol=1e-9)
    assert [f"here: {told}" in message for message in caplog.messages] == ([True] if told else [])


@pytest.mark.parametrize(
    ("up", "sign", "told"),
    [("y", 1, []), ("z", 1, ["y; unless they lie, the option `up` is y and not z."]),
     ("-y", 1, ["y; unless they lie, the option `up` is y and not -y."]),
     ("y", -1, ["-y; unless they lie, the option `up` is -y and not y."])],
)  # fmt: skip
def test_bodies_along_another_axis_are_told(file, caplog, up, sign, told):
    skeleton = [(name, parent, (at[0], at[1], sign * at[2])) for name, parent, at in MIXAMO]
    list(bvh_clips(file(skeleton_text(skeleton)), unit="cm", up=up))
    assert [message.partition("bodies point along ")[2] for message in caplog.messages] == told


NO_NAMES = {
    "no names": (None, r"here: its joints are no known .* `joint_names` .*: x Pelvis, x Spine, x Neck"),
    "a joint more": (GIVEN | {"tail": "x Spine"}, r"differ in \['tail'\]"),
    "a joint less": ({joint: name for joint, name in GIVEN.items() if joint != "neck"}, r"differ in \['neck'\]"),
    "not in the file": (GIVEN | {"neck": "Neck"},
        r"joint_names has \['Neck'\], which the file does not; its joints are x Pelvis"),
}  # fmt: skip


@table("given message", NO_NAMES)
def test_given_names_are_checked(file, given, message):
    refuses(message, bvh_poses, read_bvh(file(skeleton_text(RENAMED)), unit="cm"), "here", given)


def test_bones_that_begin_and_end_at_the_root_are_told_apart():
    joints = [name for name, _, _ in SKELETONS["CMU's bones"]]
    places = np.array([[at for _, _, at in SKELETONS["CMU's bones"]]], float)
    motion = Motion(tuple(joints[:-1]), (0,) * (len(joints) - 1), places[:, :-1], 1.0)
    refuses("no known skeleton", bvh_poses, motion, "here")


def test_clips_of_a_folder(file, tmp_path):
    refuses(r"has no \.bvh file", list, bvh_clips(tmp_path))
    for person in ("anna", "bela"):
        (tmp_path / person).mkdir()
        for name in ("walk_01", "jump-2"):
            file(skeleton_text(MIXAMO, frames=5), f"{person}/{name}.bvh")
    options = ViewOptions(frame_stride=2)
    clips = reading(bvh_clips)(tmp_path, options, unit="cm", test_subjects=["bela"])
    assert [len(clip) for clip in clips] == [3] * 16
    labels = [(clip.group, clip.labels["subject"], clip.labels["sequence"]) for clip in clips]
    assert labels[::4] == [
        ("train", "anna", "anna_jump-2"),
        ("train", "anna", "anna_walk_01"),
        ("test", "bela", "bela_jump-2"),
        ("test", "bela", "bela_walk_01"),
    ]
    assert clips[0].where == f"{tmp_path / 'anna/jump-2.bvh'}, camera 54138969"
