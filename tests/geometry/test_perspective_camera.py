"""The perspective camera: by hand, against OpenCV's formula written out, and against rows projected elsewhere."""

import h5py
import numpy as np
import pytest

from tf_wsgen.data.human36m_cameras import CAMERA_NAMES, human36m_cameras
from tf_wsgen.geometry.perspective_camera import PerspectiveCamera, rotation_looking_at


def camera(rotation=None, position=(0.0, 0.0, 0.0), radial=(0.0, 0.0, 0.0), tangential=(0.0, 0.0)):
    return PerspectiveCamera(
        "by hand",
        np.eye(3) if rotation is None else np.array(rotation),
        np.array(position),
        np.array([1000.0, 500.0]),
        np.array([500.0, 400.0]),
        np.array(radial),
        np.array(tangential),
    )


DISTORTED = camera(radial=(0.1, 0.2, 0.3), tangential=(0.01, 0.02))


def opencv_pixels(points, focal_length, centre, radial, tangential):
    """The formula of OpenCV's page on camera calibration, x and y apart, in float64."""
    x, y = points[..., 0] / points[..., 2], points[..., 1] / points[..., 2]
    k1, k2, k3 = radial
    p1, p2 = tangential
    r2 = x**2 + y**2
    factor = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    x2 = x * factor + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)
    y2 = y * factor + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y
    return np.stack([focal_length[0] * x2 + centre[0], focal_length[1] * y2 + centre[1]], axis=-1)


@pytest.mark.parametrize(
    ("point", "pixel"),
    [
        ([0.0, 0.0, 7.0], [500.0, 400.0]),
        ([1.0, 0.0, 2.0], [1000.0, 400.0]),
        ([0.0, 1.0, 4.0], [500.0, 525.0]),
        ([-3.0, 2.0, 10.0], [200.0, 500.0]),
    ],
)
def test_a_pinhole_by_hand(point, pixel):
    np.testing.assert_allclose(camera().project(np.array(point)), pixel, rtol=1e-14)


def test_distortion_by_hand():
    # u = (1/2, 0), r² = 1/4: 1 + 0.1/4 + 0.2/16 + 0.3/64 = 1.0421875; x'' = 0.5 · 1.0421875 + 0.02 (1/4 + 1/2) =
    # 0.53609375, y'' = 0.01 / 4 = 0.0025.
    np.testing.assert_allclose(DISTORTED.project(np.array([1.0, 0.0, 2.0])), [1036.09375, 401.25], rtol=1e-14)
    # u = (0, −1/2): x'' = 0.02 / 4 = 0.005, y'' = −0.52109375 + 0.01 (1/4 + 1/2) = −0.51359375.
    np.testing.assert_allclose(DISTORTED.project(np.array([0.0, -2.0, 4.0])), [505.0, 143.203125], rtol=1e-14)


@pytest.mark.parametrize("index", range(4))
def test_distortion_is_opencvs(index):
    calibrated = human36m_cameras("S7")[index]
    rng = np.random.default_rng(index)
    points = rng.uniform([-900, -900, 1000], [900, 900, 6000], (500, 3))
    expected = opencv_pixels(
        points, calibrated.focal_length, calibrated.centre, calibrated.radial, calibrated.tangential
    )
    np.testing.assert_allclose(calibrated.project(points), expected, rtol=1e-12)


def test_points_far_beside_the_axis_stay_where_the_calibration_ends():
    inside = DISTORTED.project(np.array([[1.0, 0.5, 1.0], [-1.0, -1.0, 1.0]]))
    np.testing.assert_array_equal(DISTORTED.project(np.array([[9.0, 0.5, 1.0], [-2.0, -50.0, 1.0]])), inside)


def test_projection_knows_no_unit_and_keeps_leading_axes():
    points = np.random.default_rng(0).uniform([-1, -1, 3], [1, 1, 5], (2, 3, 4, 3))
    pixels = DISTORTED.project(points)
    assert pixels.shape == (2, 3, 4, 2)
    np.testing.assert_allclose(DISTORTED.project(1000.0 * points), pixels, rtol=1e-12)
    np.testing.assert_array_equal(DISTORTED.project(points[1, 2, 3]), pixels[1, 2, 3])


def test_world_to_camera_by_hand():
    # A level camera 5 m north of the origin that looks south: right is west, down is −z.
    looking_south = camera([[-1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, -1.0, 0.0]], (0.0, 5000.0, 1000.0))
    world = np.array([[0.0, 0.0, 1000.0], [200.0, 1000.0, 1500.0]])
    np.testing.assert_array_equal(looking_south.to_camera_frame(world), [[0, 0, 5000], [-200, -500, 4000]])


def test_cameras_that_look_at_a_point_are_level_and_see_it_in_the_middle():
    rng = np.random.default_rng(0)
    position, target = rng.uniform(-5000, 5000, (2, 40, 3))
    rotation = rotation_looking_at(position, target)
    np.testing.assert_allclose(
        rotation @ np.swapaxes(rotation, 1, 2), np.broadcast_to(np.eye(3), (40, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(rotation), 1.0, atol=1e-12)
    seen = np.einsum("nij,nj->ni", rotation, target - position)
    np.testing.assert_allclose(seen, [[0, 0, d] for d in np.linalg.norm(target - position, axis=1)], atol=1e-9)
    up = rotation[:, :, 2]
    np.testing.assert_allclose(up[:, 0], 0.0, atol=1e-12)
    assert (up[:, 1] < 0).all()


@pytest.mark.parametrize("name", CAMERA_NAMES)
def test_rows_projected_by_another_program(data_folder, name):
    calibrated = human36m_cameras("S1")[CAMERA_NAMES.index(name)]
    with h5py.File(data_folder / "cmu16_cameras.h5", "r") as file:
        test = file["test"]
        rows = test["camera"][:] == name.encode()
        pose_3d, pose_2d = test["pose_3d"][:][rows], test["pose_2d"][:][rows]
    assert len(pose_3d) > 4000
    np.testing.assert_allclose(calibrated.project(pose_3d), pose_2d, atol=0.05)
