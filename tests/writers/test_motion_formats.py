"""Motion files as other programs read them: joints are where they were, on the video's time."""

import warnings

import c3d
import ezc3d
import numpy as np
import pygltflib
import pytest
import trc
from scipy.spatial.transform import Rotation

from tf_wsgen.skeleton import HUMAN16
from tf_wsgen.writers.c3d_file import write_c3d
from tf_wsgen.writers.glb_file import write_glb
from tf_wsgen.writers.joint_track import JointTrack, skeleton_parents
from tf_wsgen.writers.trc_file import MARKERS, write_trc

FRAMES, NUM_FRAMES, RATE = [2, 3, 4, 7], 10, 30.0


@pytest.fixture(scope="module")
def track():
    """A person whose bones turn and keep their lengths, seen in some frames of a video."""
    rng, parents = np.random.default_rng(0), skeleton_parents(HUMAN16)
    positions = np.zeros((len(FRAMES), HUMAN16.num_joints, 3))
    positions[:, HUMAN16.root_index] = rng.normal([200.0, 900.0, -4000.0], 100.0, (len(FRAMES), 3))
    done = [HUMAN16.root_index]
    for joint in done:
        for child in np.flatnonzero(np.array(parents) == joint):
            turns = Rotation.from_rotvec(np.linspace(0.0, 1.5, len(FRAMES))[:, None] * rng.normal(size=3))
            positions[:, child] = positions[:, joint] + turns.apply(rng.normal(0.0, 200.0, 3))
            done.append(child)
    return JointTrack(positions, HUMAN16.joints, parents, RATE, np.array(FRAMES), NUM_FRAMES)


def read_trc(path):
    data = trc.TRCData()
    data.load(str(path))
    assert (data["Units"], data["DataRate"], data["NumFrames"]) == ("m", RATE, NUM_FRAMES)
    assert data["Time"][3] == pytest.approx(3 / RATE, abs=1e-5)
    return 1000.0 * np.array([data[MARKERS.get(joint, joint)] for joint in HUMAN16.joints]).transpose(1, 0, 2)


def read_ezc3d(path):
    file = ezc3d.c3d(str(path))
    assert file["parameters"]["POINT"]["LABELS"]["value"] == list(HUMAN16.joints)
    assert file["parameters"]["POINT"]["RATE"]["value"] == [RATE]
    return file["data"]["points"][:3].transpose(2, 1, 0)


def read_c3d(path):
    with open(path, "rb") as file, warnings.catch_warnings():
        # That there are no analog data, and that ezc3d fills up the last block.
        warnings.simplefilter("ignore")
        reader = c3d.Reader(file)
        assert [label.strip() for label in reader.point_labels] == list(HUMAN16.joints)
        return np.array([points[:, :3] for _, points, _ in reader.read_frames()])


def read_glb(path):
    """Joints' places in each frame: the nodes' transforms multiplied from the root."""
    file = pygltflib.GLTF2().load_binary(str(path))
    blob = file.binary_blob()

    def values(index):
        accessor = file.accessors[index]
        view, width = file.bufferViews[accessor.bufferView], {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
        start, count = view.byteOffset, accessor.count * width[accessor.type]
        return np.frombuffer(blob, np.float32, count, start).reshape(accessor.count, -1)

    (animation,) = file.animations
    moved = {}
    for channel in animation.channels:
        sampler = animation.samplers[channel.sampler]
        np.testing.assert_allclose(values(sampler.input)[:, 0], np.arange(NUM_FRAMES) / RATE, atol=1e-6)
        moved[channel.target.node, channel.target.path] = values(sampler.output)
    places = {}

    def walk(index, above, turned):
        node = file.nodes[index]
        offset = moved.get((index, "translation"), np.tile(node.translation, (NUM_FRAMES, 1)))
        places[node.name] = above + turned.apply(offset)
        for child in node.children:
            walk(child, places[node.name], turned * Rotation.from_quat(moved[index, "rotation"]))

    walk(file.scenes[0].nodes[0], np.zeros((NUM_FRAMES, 3)), Rotation.identity(NUM_FRAMES))
    # At rest, the mesh is where the joints are: each bone's tip is its child's inverse bind matrix away.
    unbind = values(file.skins[0].inverseBindMatrices).reshape(-1, 4, 4)[:, 3, :3]
    corners = values(file.meshes[0].primitives[0].attributes.POSITION)
    tips = np.linalg.norm(corners[:, None] + unbind[None], axis=-1).min(axis=0)
    assert tips.max() < 1e-5
    return 1000.0 * np.stack([places[joint] for joint in HUMAN16.joints], axis=1)


@pytest.mark.parametrize(
    ("write", "read"),
    [(write_trc, read_trc), (write_c3d, read_ezc3d), (write_c3d, read_c3d), (write_glb, read_glb)],
    ids=["trc", "c3d by ezc3d", "c3d by c3d", "glb"],
)
def test_others_read_what_was_written(track, tmp_path, write, read):
    path = tmp_path / "motion.any"
    write(path, track)
    found = read(path)
    assert found.shape == (NUM_FRAMES, 16, 3)
    np.testing.assert_allclose(found[FRAMES], track.positions, atol=0.1)
    # Held before the first and after the last; in between on the way.
    np.testing.assert_allclose(found[[0, 1, 8, 9]], track.positions[[0, 0, 3, 3]], atol=0.1)
    root = HUMAN16.root_index
    between = track.positions[2, root] + (track.positions[3, root] - track.positions[2, root]) / 3.0
    np.testing.assert_allclose(found[5, root], between, atol=0.1)
