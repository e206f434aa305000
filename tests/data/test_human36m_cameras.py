"""The calibration of Human3.6M: what it must be like, and the hall that it describes."""

import numpy as np
import pytest
from refusals import refuses
from scipy.spatial.transform import Rotation

from tf_wsgen.data.human36m_cameras import CAMERA_NAMES, EXTRINSICS, INTRINSICS, human36m_cameras

SUBJECTS = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_cameras_are_proper_and_stand_around_the_hall(subject):
    cameras = human36m_cameras(subject)
    assert tuple(camera.name for camera in cameras) == CAMERA_NAMES
    for camera, (quaternion, position) in zip(cameras, EXTRINSICS[subject], strict=True):
        assert np.linalg.norm(quaternion) == pytest.approx(1.0, abs=1e-6)
        world_to_camera = Rotation.from_quat(quaternion, scalar_first=True).inv().as_matrix()
        np.testing.assert_allclose(camera.rotation, world_to_camera, atol=1e-12)
        assert np.linalg.det(camera.rotation) == pytest.approx(1.0)
        np.testing.assert_array_equal(camera.position, position)
        assert 4000.0 < np.linalg.norm(camera.position[:2]) < 6000.0
        assert 1400.0 < camera.position[2] < 1700.0
    # One in each corner.
    corners = {tuple(np.sign(camera.position[:2])) for camera in cameras}
    assert corners == {(1, 1), (1, -1), (-1, 1), (-1, -1)}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_cameras_look_at_the_middle_of_the_hall_with_people_upright(subject):
    for camera in human36m_cameras(subject):
        middle, above = camera.to_camera_frame(np.array([[0.0, 0.0, 900.0], [0.0, 0.0, 1700.0]]))
        assert 3500.0 < middle[2] < 6500.0
        pixel, pixel_above = camera.project(np.array([middle, above]))
        assert np.linalg.norm(pixel - 500.0) < 250.0
        # Up in the world is up in the image, 100 to 300 pixels away, and hardly tilted.
        assert 100.0 < pixel[1] - pixel_above[1] < 300.0
        assert abs(pixel[0] - pixel_above[0]) < 40.0


def test_the_four_cameras_stood_about_the_same_for_all_subjects():
    assert tuple(EXTRINSICS) == SUBJECTS
    assert CAMERA_NAMES == ("54138969", "55011271", "58860488", "60457274")
    positions = np.array([[camera.position for camera in human36m_cameras(subject)] for subject in SUBJECTS])
    assert (np.ptp(positions, axis=0) < 800.0).all()


def test_what_a_lens_was_does_not_depend_on_the_subject():
    for index, (name, (focal_length, centre, radial, tangential, size)) in enumerate(INTRINSICS.items()):
        for subject in SUBJECTS:
            camera = human36m_cameras(subject)[index]
            assert (camera.name, camera.image_size) == (name, size)
            found = (camera.focal_length, camera.centre, camera.radial, camera.tangential)
            for values, expected in zip(found, (focal_length, centre, radial, tangential), strict=True):
                np.testing.assert_array_equal(values, expected)
        # Square pixels of a lens of 1145 pixels, its axis near the middle of the image.
        assert all(1140.0 < f < 1155.0 for f in focal_length)
        assert all(abs(c - 510.0) < 15.0 for c in centre)


def test_subjects_without_published_cameras_are_refused():
    refuses("subject is 'S2'; expected one of", human36m_cameras, "S2")
