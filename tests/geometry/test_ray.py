"""The virtual camera at the root: exact for the same person anywhere in the image."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tf_wsgen.geometry.perspective_camera import USUAL_FOCAL_LENGTH
from tf_wsgen.geometry.ray import ray_through

SIZE, FOCAL = (1000, 800), 900.0


def pixels(points):
    return points[..., :2] / points[..., 2:] * FOCAL + np.array(SIZE) / 2.0


@pytest.mark.parametrize("seed", range(2))
def test_the_same_person_anywhere_looks_the_same_to_the_virtual_camera_and_is_turned_back(seed):
    rng = np.random.default_rng(seed)
    pose, distance = rng.normal(0.0, 0.4, (16, 3)), 5.0
    pose -= pose[:1]
    on_axis = pixels(pose + np.array([0.0, 0.0, distance]))
    direction = np.array([*rng.uniform(-0.45, 0.45, 2), 1.0])
    direction /= np.linalg.norm(direction)
    root = direction * distance
    ray = ray_through(pixels(root), np.array(SIZE, float), np.array(FOCAL))
    np.testing.assert_allclose(ray.rotation.numpy() @ direction, [0.0, 0.0, 1.0], atol=1e-12)
    turned = ray.to_camera_frame(pose).numpy()
    np.testing.assert_allclose(ray.to_ray_frame(turned), pose, atol=1e-12)
    keypoints = pixels(turned + root)
    np.testing.assert_allclose(ray.to_virtual(keypoints), on_axis, atol=1e-8)
    np.testing.assert_allclose(ray.to_image(on_axis), keypoints, atol=1e-8)
    angle = Rotation.from_matrix(ray.rotation.numpy()).magnitude()
    np.testing.assert_allclose(np.cos(angle), direction[2], atol=1e-12)


def test_many_people_and_hypotheses():
    roots = np.array([[500.0, 400.0], [900.0, 100.0]])
    ray = ray_through(roots, np.array(SIZE, float), np.zeros(2))
    np.testing.assert_allclose(ray.focal_length, np.full((2, 1, 1), USUAL_FOCAL_LENGTH * 1000))
    poses = np.random.default_rng(0).normal(size=(2, 3, 16, 3))
    turned = ray.over_hypotheses().to_camera_frame(poses)
    np.testing.assert_allclose(turned[0], poses[0], atol=1e-12)
    np.testing.assert_allclose(turned[1, 2], poses[1, 2] @ ray.rotation[1].numpy(), atol=1e-12)
