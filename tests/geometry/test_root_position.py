"""Where a person stands: exact where pose and keypoints are, robust where a detector is not, finite anywhere."""

import numpy as np
import pytest

from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.geometry.perspective_camera import PerspectiveCamera
from tf_wsgen.geometry.root_position import NEAREST, root_position
from tf_wsgen.skeleton import HUMAN16

FOCAL, CENTRE = 1500.0, np.array([960.0, 540.0])
CAMERA = PerspectiveCamera("ideal", np.eye(3), np.zeros(3), np.full(2, FOCAL), CENTRE)


@pytest.fixture(scope="module")
def people():
    """Poses (N, 16, 3), roots (N, 3) all over the image 2.5 to 9 m away, and pixels (N, 16, 2)."""
    rng = np.random.default_rng(0)
    poses = synthetic_people(seed=1, train_sequences=8, test_sequences=1, frames=10, noise=0.0).train.pose_3d
    poses = np.float64(poses - poses[:, [HUMAN16.root_index]])
    roots = rng.uniform([-0.5, -0.25, 1.0], [0.5, 0.25, 1.0], (len(poses), 3)) * rng.uniform(
        2500, 9000, (len(poses), 1)
    )
    return poses, roots, CAMERA.project(poses + roots[:, None])


def test_exact_keypoints_give_the_exact_place(people):
    poses, roots, pixels = people
    points, weight = (pixels - CENTRE) / FOCAL, np.ones(pixels.shape[:2])
    np.testing.assert_allclose(root_position(poses, points, weight), roots, rtol=1e-9)
    # Whatever stands where a joint is missing, and any leading axes.
    points[:, [2, 15]], weight[:, [2, 15]] = np.nan, 0.0
    split = root_position(*(values.reshape(2, -1, *values.shape[1:]) for values in (poses, points, weight)))
    np.testing.assert_allclose(split.reshape(-1, 3), roots, rtol=1e-9)
    np.testing.assert_allclose(root_position(poses[3], points[3], weight[3]), roots[3], rtol=1e-9)


def test_misplaced_joints_hardly_matter_and_weak_perspective_is_worse(people):
    poses, roots, pixels = people
    rng = np.random.default_rng(1)
    # 25 mm beside the joint, and for a tenth of the joints 150 mm.
    far = np.where(rng.random((*pixels.shape[:2], 1)) < 0.1, 150.0, 25.0)
    pixels = pixels + rng.normal(size=pixels.shape) * far * FOCAL / roots[:, None, 2:]
    found = root_position(poses, (pixels - CENTRE) / FOCAL, np.ones(pixels.shape[:2]))
    error = np.abs(found[:, 2] / roots[:, 2] - 1.0)
    assert error.mean() < 0.025
    assert np.quantile(error, 0.9) < 0.05
    spread = [
        np.linalg.norm(values - values.mean(axis=1, keepdims=True), axis=(1, 2)) for values in (poses[..., :2], pixels)
    ]
    weak = FOCAL * spread[0] / spread[1]
    assert error.mean() < 0.75 * np.abs(weak / roots[:, 2] - 1.0).mean()


def test_points_that_fit_no_place_leave_everybody_in_front_of_the_camera(people):
    poses = people[0]
    for points in (np.zeros((len(poses), 16, 2)), -poses[..., :2] / 5000.0):
        found = root_position(poses, points, np.ones(points.shape[:2]))
        nearest = (poses[..., 2] + found[:, None, 2]).min(axis=1)
        np.testing.assert_allclose(nearest, NEAREST)
