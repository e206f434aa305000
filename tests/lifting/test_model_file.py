"""A lifter goes through its file unchanged; damaged files are refused."""

import keras
import numpy as np
import pytest

from tf_wsgen.errors import InputError
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.lifting.model_file import load_lifter, save_lifter
from tf_wsgen.networks import Camera, Generator, Trunk
from tf_wsgen.skeleton import HUMAN16


@pytest.fixture(scope="module")
def lifter():
    keras.utils.set_random_seed(4)
    networks = Trunk(16, 20, 0.1), Generator(16, 20, 6, 0.1, pose_gain=0.2), Camera(20, 0.1)
    return Lifter(HUMAN16, *networks, [[0.1, 0.0, 0.2]] * 4, 1.5, 0.7, 1.7, [[[2.0]]])


@pytest.fixture
def file(lifter, tmp_path):
    save_lifter(lifter, tmp_path / "lifter.npz", {"updates": 7, "source": "é"})
    return tmp_path / "lifter.npz"


def test_the_way_through_a_file(lifter, file):
    loaded, about = load_lifter(file)
    assert about == {"updates": 7, "source": "é"}
    assert loaded.skeleton == lifter.skeleton
    assert (loaded.template, loaded.scale_ratio, loaded.laplace_scale) == ([[0.1, 0.0, 0.2]] * 4, 1.5, 0.7)
    assert (loaded.body_height, loaded.radius_factors) == (1.7, [[[2.0]]])
    keypoints = np.random.default_rng(0).normal(500.0, 100.0, (3, 16, 2)).astype(np.float32)
    expected, found = (model.sample(keypoints, np.ones((3, 16), np.float32), 2, 5) for model in (lifter, loaded))
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    assert [path.name for path in file.parent.iterdir()] == ["lifter.npz"]


def rewrite(file, **changes):
    with np.load(file) as arrays:
        content = dict(arrays)
    for name, value in changes.items():
        name = name.replace("__", "/")
        if value is None:
            del content[name]
        else:
            content[name] = value
    np.savez(file, **content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.unlink(), "there is no such file"),
        (lambda f: f.write_bytes(b""), "is empty"),
        (lambda f: f.write_bytes(f.read_bytes()[:-900]), "cannot be read"),
        (lambda f: rewrite(f, config=None), "has no 'config'"),
        (lambda f: rewrite(f, config=np.array("{")), "cannot be read"),
        (lambda f: rewrite(f, config=np.array('{"networks": {}}')), "cannot be read"),
        (lambda f: rewrite(f, trunk__input__kernel=None), "weight trunk/input/kernel is missing"),
        (lambda f: rewrite(f, camera__camera__bias=np.zeros(5, np.float32)), r"camera/camera/bias .*shape \(6,\)"),
        (lambda f: rewrite(f, generator__pose__bias=np.full(48, np.nan)), "generator/pose/bias .*not finite"),
    ],
)
def test_a_damaged_file_is_refused(file, change, message):
    change(file)
    with pytest.raises(InputError, match=message) as error:
        load_lifter(file)
    assert "lifter.npz" in str(error.value)
