"""Motion files as other programs read them: everybody where they stand, on one time line, whatever the format."""

import re

import bvhio
import c3d
import ezc3d
import numpy as np
import pygltflib
import pytest
from scipy.spatial.transform import Rotation
from trc import TRCData

from tf_wsgen.errors import InputError
from tf_wsgen.lifting.result import LiftedPoses, Predictions
from tf_wsgen.programs.motion_files import LONGEST_VIDEO, check_motion_files, motion_files, write_motion_files
from tf_wsgen.skeleton import HUMAN16, Skeleton
from tf_wsgen.writers.c3d_file import write_c3d
from tf_wsgen.writers.csv_file import write_csv
from tf_wsgen.writers.motion import marker_names, skeleton_parents

RATE, NUM_FRAMES = 29.97, 9
# Places in the video: one person with a gap of two frames, one who comes later; the last frame shows nobody.
SEEN = {3: [0, 1, 2, 5, 6, 7], 8: [2, 3, 4]}
MARKERS = dict(zip(
    HUMAN16.joints,
    ("RHip RKnee RAnkle LHip LKnee LAnkle Hip Neck UpperNeck Head LShoulder LElbow LWrist RShoulder RElbow "
     "RWrist").split(),
    strict=True,
))  # fmt: skip


def read_bvh(path):
    root = bvhio.readAsHierarchy(str(path))
    frames = []
    for frame in range(NUM_FRAMES):
        root.loadPose(frame)
        frames.append({joint.Name: np.array(joint.PositionWorld) for joint, _, _ in root.layout()})
    # Centimetres.
    return {joint: 10.0 * np.array([frame[joint] for frame in frames]) for joint in HUMAN16.joints}


def read_trc(path):
    file = TRCData()
    file.load(str(path))
    assert (file["Units"], file["DataRate"], file["NumFrames"], file["NumMarkers"]) == ("m", RATE, NUM_FRAMES, 16)
    assert file["Frame#"] == list(range(1, NUM_FRAMES + 1))
    np.testing.assert_allclose(file["Time"], np.arange(NUM_FRAMES) / RATE, atol=1e-6)
    # As OpenSim wants it: the same columns in every row, nothing empty; and Pose2Sim: names end with tabs.
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    assert (lines[3][2::3][:-1], lines[4][-1], lines[5]) == (list(MARKERS.values()), "", [""])
    rows = lines[6:]
    assert {(len(row), "" in row) for row in rows} == {(2 + 3 * 16, False)}
    return {joint: 1000.0 * np.array(file[marker]) for joint, marker in MARKERS.items()}


def read_c3d(path):
    file = ezc3d.c3d(str(path))
    point = {name: entry["value"] for name, entry in file["parameters"]["POINT"].items() if name != "__METADATA__"}
    assert (point["UNITS"], point["X_SCREEN"], point["Y_SCREEN"]) == (["mm"], ["+X"], ["+Y"])
    assert point["RATE"][0] == pytest.approx(RATE)
    points = file["data"]["points"][:3].transpose(1, 2, 0)
    with path.open("rb") as handle:
        with pytest.warns(UserWarning, match="No analog data"):
            reader = c3d.Reader(handle)
        others = np.array([frame for _, frame, _ in reader.read_frames()])
    labels = [label.strip() for label in reader.point_labels]
    assert labels == point["LABELS"]
    # Residuals from 0: all points are valid.
    np.testing.assert_array_equal(others[..., 3], 0.0)
    np.testing.assert_allclose(others[..., :3].transpose(1, 0, 2), points)
    return {joint: points[labels.index(marker)] for joint, marker in MARKERS.items()}


def read_glb(path):
    """Positions from walking down the nodes at every key; the skin, moved with them, is checked on the way."""
    file = pygltflib.GLTF2().load(str(path))
    blob = file.binary_blob()

    def values(accessor):
        about = file.accessors[accessor]
        dtype = {pygltflib.FLOAT: "<f4", pygltflib.UNSIGNED_SHORT: "<u2"}[about.componentType]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[about.type]
        start = file.bufferViews[about.bufferView].byteOffset
        found = np.frombuffer(blob, dtype, about.count * width, start).reshape(about.count, width)
        np.testing.assert_array_equal((about.min, about.max), (found.min(axis=0), found.max(axis=0)))
        return found.astype(float)

    animation = file.animations[0]
    keys = {}
    for channel in animation.channels:
        sampler = animation.samplers[channel.sampler]
        np.testing.assert_allclose(values(sampler.input)[:, 0], np.arange(NUM_FRAMES) / RATE, atol=1e-6)
        keys[channel.target.node, channel.target.path] = values(sampler.output)
    world = {}

    def walk(index, above):
        node, local = file.nodes[index], np.tile(np.eye(4), (NUM_FRAMES, 1, 1))
        # The rest pose is the first frame.
        np.testing.assert_allclose(node.translation, keys[index, "translation"][0], atol=1e-6)
        local[:, :3, 3] = keys[index, "translation"]
        if node.children:
            assert (
                np.einsum("ti,ti->t", *(keys[index, "rotation"][part] for part in (slice(1, None), slice(-1)))) > 0
            ).all()
            local[:, :3, :3] = Rotation.from_quat(keys[index, "rotation"]).as_matrix()
        world[index] = above @ local
        for child in node.children:
            walk(child, world[index])

    root = file.skins[0].skeleton
    walk(root, np.eye(4))
    joints = {file.nodes[index].name: index for index in world}
    assert set(joints) == set(HUMAN16.joints)
    attributes = file.meshes[0].primitives[0].attributes
    inverse = values(file.skins[0].inverseBindMatrices).reshape(-1, 4, 4).swapaxes(1, 2)
    owners = values(attributes.JOINTS_0)[:, 0].astype(int)
    points = np.concatenate([values(attributes.POSITION), np.ones((len(owners), 1))], axis=1)
    transforms = [world[file.skins[0].joints[owner]] @ inverse[owner] for owner in owners]
    moved = np.stack([turn @ point for turn, point in zip(transforms, points, strict=True)], axis=1)
    # Each bone's mesh begins and ends at its joints, in every frame.
    parents = skeleton_parents(HUMAN16)
    bones = [(parent, joint) for joint, parent in enumerate(parents) if parent >= 0]
    for number, ends in enumerate(bones):
        for vertex, joint in zip((0, 5), ends, strict=True):
            np.testing.assert_allclose(
                moved[:, 6 * number + vertex, :3], world[joints[HUMAN16.joints[joint]]][:, :3, 3], atol=1e-5
            )
    return {joint: 1000.0 * world[index][:, :3, 3] for joint, index in joints.items()}


READERS = {".bvh": read_bvh, ".trc": read_trc, ".c3d": read_c3d, ".glb": read_glb}


def bending(frame, person):
    """(R, 16, 3) mm, camera frame: bones that each turn on their own and keep their lengths, as BVH has them."""
    parents, rng = skeleton_parents(HUMAN16), np.random.default_rng(0)
    poses, reached = np.zeros((len(frame), 16, 3)), [HUMAN16.root_index]
    for joint in reached:
        reached += [child for child, parent in enumerate(parents) if parent == joint]
        if parents[joint] >= 0:
            bone, axis = rng.normal(0.0, 150.0, 3), rng.normal(0.0, 0.15, 3)
            turns = Rotation.from_rotvec((frame + 30.0 * person)[:, None] * axis)
            poses[:, joint] = poses[:, parents[joint]] + turns.apply(bone)
    return np.float32(poses)


@pytest.fixture(params=[True, False], ids=["where they stand", "at the origin"])
def predictions(request):
    """Two people who bend and walk, and two hypotheses of each."""
    rng = np.random.default_rng(1)
    rows = sorted((frame, person) for person, frames in SEEN.items() for frame in frames)
    frame, person = (np.array(column) for column in zip(*rows, strict=True))
    poses = bending(frame, person)
    roots = np.float32(np.stack([500.0 * person - 2000.0, 30.0 * frame, 4000.0 + 100.0 * frame], axis=1))
    shape = len(rows), 16
    lifted = LiftedPoses(
        *(rng.normal(size=(*shape, 2)), np.ones(shape), poses, rng.normal(size=(*shape, 2)), np.zeros(len(rows))),
        *(np.stack([poses, 1.1 * poses], axis=1), rng.normal(size=(len(rows), 2, 16, 2)), np.zeros((len(rows), 2))),
        radius=np.float32(rng.uniform(20.0, 90.0, (*shape, 2))),
        root_position=roots if request.param else None,
    )
    return Predictions(lifted, frame + 100, person, HUMAN16, {})


def expected(predictions, person, pose_3d):
    """(frames, 16, 3) of the seen frames, y up."""
    poses, rows = predictions.poses, predictions.person == person
    roots = 0.0 if poses.root_position is None else poses.root_position[rows, None]
    return (pose_3d[rows] + roots) * [1.0, -1.0, -1.0]


@pytest.mark.parametrize("suffix", READERS)
def test_other_programs_find_everybody_where_they_are(tmp_path, capsys, predictions, suffix):
    files = motion_files(predictions.person, tmp_path / f"a{suffix}", 2)
    write_motion_files(predictions, files, predictions.frame - 100, NUM_FRAMES, RATE, ground=False)
    assert {file.name for file in tmp_path.iterdir()} == {
        f"a_person{person}{hypothesis}{suffix}"
        for person in SEEN
        for hypothesis in ("", "_hypothesis1", "_hypothesis2")
    }
    poses, read = predictions.poses, READERS[suffix]
    for person, seen in SEEN.items():
        for name, pose_3d in (("", poses.pose_3d), ("_hypothesis2", poses.hypotheses[:, 1])):
            found = read(tmp_path / f"a_person{person}{name}{suffix}")
            found = np.stack([found[joint] for joint in HUMAN16.joints], axis=1)
            truth = expected(predictions, person, pose_3d)
            assert found.shape == (NUM_FRAMES, 16, 3)
            np.testing.assert_allclose(found[seen], truth, atol=0.1)
            # Before the first and after the last frame they stand still; over gaps joints go straight, or turn in BVH.
            for frame in range(NUM_FRAMES):
                if not seen[0] <= frame <= seen[-1]:
                    np.testing.assert_allclose(found[frame], truth[0 if frame < seen[0] else -1], atol=0.1)
            if person == 3:
                joints = [HUMAN16.root_index] if suffix == ".bvh" else range(16)
                third = truth[2, joints] + (truth[3, joints] - truth[2, joints]) / 3.0
                np.testing.assert_allclose(found[3, joints], third, atol=0.1)
    printed = capsys.readouterr().out
    assert "9 frames from the file's first, 29.97 a second" in printed
    assert re.search(
        r"a_person3\.\w+: 6 frames seen, 2 interpolated, 1 held before the first or after the last", printed
    )


@pytest.mark.parametrize("suffix", READERS)
def test_on_the_ground(tmp_path, predictions, suffix):
    files = motion_files(predictions.person, tmp_path / f"a{suffix}", 0)
    write_motion_files(predictions, files, predictions.frame - 100, NUM_FRAMES, RATE, ground=True)
    for person, seen in SEEN.items():
        found = READERS[suffix](tmp_path / f"a_person{person}{suffix}")
        truth = expected(predictions, person, predictions.poses.pose_3d)
        truth[..., 1] -= truth[..., 1].min()
        np.testing.assert_allclose(np.stack([found[joint] for joint in HUMAN16.joints], axis=1)[seen], truth, atol=0.1)


def test_tables_have_a_line_for_each_joint_that_was_lifted(tmp_path, predictions):
    write_csv(predictions, tmp_path / "a.csv")
    table = np.genfromtxt(tmp_path / "a.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
    assert table.dtype.names == ("frame", "person", "joint", "x", "y", "z", "radius_50", "radius_90")
    assert len(table) == 9 * 16
    assert table["joint"].tolist() == list(HUMAN16.joints) * 9
    np.testing.assert_array_equal(table["frame"][::16], predictions.frame)
    for person in SEEN:
        rows = table[table["person"] == person]
        places = np.stack([rows[axis] for axis in "xyz"], axis=-1).reshape(-1, 16, 3) * [1.0, -1.0, -1.0]
        np.testing.assert_allclose(places, expected(predictions, person, predictions.poses.pose_3d), atol=0.006)
    np.testing.assert_allclose(table["radius_90"].reshape(9, 16), predictions.poses.radius[..., 1], atol=0.006)


def test_a_person_alone_has_the_file_as_it_was_named(tmp_path):
    assert motion_files(np.array([4, 4]), tmp_path / "a.trc", 0) == {tmp_path / "a.trc": (4, None)}


def test_joints_of_other_skeletons_keep_their_names():
    assert marker_names(HUMAN16) == list(MARKERS.values())
    legs = HUMAN16.joints[:7]
    other = Skeleton("legs", legs, (), "pelvis", ("right_hip", "left_hip"), ("right_knee", "left_knee"))
    assert marker_names(other) == list(legs)


def test_what_a_format_cannot_hold(tmp_path):
    for suffix, most in LONGEST_VIDEO.items():
        output = tmp_path / f"a{suffix}"
        check_motion_files("clip.json", output, [output], most, False)
        with pytest.raises(
            InputError, match=rf"clip\.json: has {most + 1:,} frames; expected at most {most:,} for \{suffix}"
        ):
            check_motion_files("clip.json", output, [output], most + 1, False)
    with pytest.raises(InputError, match="65,536 frames; expected at most 65,535"):
        write_c3d(tmp_path / "a.c3d", np.zeros((65_536, 1, 3)), ["a"], 25.0)
    assert not list(tmp_path.iterdir())
