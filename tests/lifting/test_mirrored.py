"""A mirrored lifter: a mirrored person has the mirrored hypotheses, and the zero code's is the mean of both sides."""

import keras
import numpy as np
import pytest

from tf_wsgen.lifting.model import Lifter
from tf_wsgen.lifting.model_file import load_lifter, save_lifter
from tf_wsgen.networks import Camera, Generator, Trunk
from tf_wsgen.skeleton import HUMAN16

J, Z, WIDTH = HUMAN16.num_joints, 4, 16
SIDES = list(HUMAN16.opposite_joints)


@pytest.fixture(scope="module", params=["a camera each", "a camera for all"])
def lifter(request):
    keras.utils.set_random_seed(0)
    each = request.param == "a camera each"
    networks = (
        Trunk(J, WIDTH, sees_visible=True),
        Generator(J, WIDTH, Z, gives_features=each),
        Camera(WIDTH, camera_gain=0.1, per_hypothesis=each),
    )
    return Lifter(HUMAN16, *networks, [[0.0] * 3] * 4, 1.0, mirrored=True)


def people():
    """Normalised poses and `visible`."""
    rng = np.random.default_rng(0)
    visible = np.float32(rng.random((5, J)) < 0.9)
    return rng.normal(size=(5, J, 2)).astype(np.float32) * visible[..., None], visible


def mirrored_people():
    pose_2d, visible = people()
    return pose_2d[:, SIDES] * np.float32([-1.0, 1.0]), visible[:, SIDES]


def poses(lifter, people, codes):
    return lifter.to_camera_frame(*lifter.generate(*people, codes)).numpy()


def mirrored_back(poses):
    return (poses * np.float32([-1.0, 1.0, 1.0]))[:, :, SIDES]


def test_opposite_joints():
    names = [HUMAN16.joints[joint] for joint in SIDES]
    assert names[:3] == ["left_hip", "left_knee", "left_ankle"]
    assert names[HUMAN16.root_index] == "pelvis"


def test_the_mirrored_person_has_the_mirrored_pose(lifter):
    zero = np.zeros((1, 1, Z), np.float32)
    pose, other = poses(lifter, people(), zero), poses(lifter, mirrored_people(), zero)
    np.testing.assert_allclose(pose, mirrored_back(other), atol=1e-4 * np.abs(pose).max())


def test_codes_take_a_side_each_and_zero_takes_both(lifter):
    codes = np.random.default_rng(1).normal(size=(1, 6, Z)).astype(np.float32)
    even = np.sign(codes[0]).prod(axis=-1) > 0
    assert 0 < even.sum() < 6
    plain = Lifter(HUMAN16, lifter.trunk, lifter.generator, lifter.camera, [[0.0] * 3] * 4, 1.0)
    seen, across = poses(plain, people(), codes), mirrored_back(poses(plain, mirrored_people(), codes))
    assert np.abs(seen - across).max() > 1.0
    expected = np.where(even[:, None, None], seen, across)
    np.testing.assert_allclose(poses(lifter, people(), codes), expected, atol=1e-4 * np.abs(expected).max())
    nearly_zero = np.stack([[1e-6] * Z, [-1e-6] + [1e-6] * (Z - 1), [0.0] * Z])[None].astype(np.float32)
    for values in lifter.generate(*people(), nearly_zero):
        np.testing.assert_allclose(values[:, 2], (values[:, 0] + values[:, 1]) / 2, atol=1e-4)


def test_the_file_keeps_it(lifter, tmp_path):
    save_lifter(lifter, tmp_path / "lifter.npz", {})
    loaded, _ = load_lifter(tmp_path / "lifter.npz")
    for name, value in lifter.sample(*people(), 3, 0).items():
        np.testing.assert_array_equal(loaded.sample(*people(), 3, 0)[name], value)
