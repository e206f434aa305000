"""Predictions as lifting gives them: people of the kinematic model, with errors drawn for the hypotheses."""

import dataclasses

import numpy as np
import pytest

from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.lifting.result import LiftedPoses, Predictions
from tf_wsgen.skeleton import HUMAN16

ABOUT = {"model": "lifter.npz", "select": "mode", "seed": 7, "num_hypotheses": 5, "source": "synthetic people"}

BETWEEN_PEOPLE = np.array([1100.0, -150.0, 700.0])  # mm


@pytest.fixture(scope="package")
def make_predictions():
    """A function of frames, people and hypotheses; a person is the same one, moved to the right in the image."""

    def make(frames=4, people=1, hypotheses=5, about=None, names=None, seed=0, radius=False, placed=False):
        group = synthetic_people(seed=0, train_sequences=1, test_sequences=1, frames=frames).train
        one_camera = group.labels["camera"] == np.unique(group.labels["camera"])[1]
        pose_3d = np.repeat(group.pose_3d[one_camera], people, axis=0)
        pose_2d = np.repeat(group.pose_2d[one_camera], people, axis=0)
        person = np.tile(np.arange(people), frames)
        pose_2d = pose_2d + 260.0 * person[:, None, None] * [1.0, 0.0]
        root = HUMAN16.root_index
        rooted = pose_3d - pose_3d[:, root, None]
        rng = np.random.default_rng(seed)
        # Depth is what a picture doesn't tell.
        errors = rng.normal(size=(len(rooted), hypotheses, *rooted.shape[1:])) * [15.0, 15.0, 60.0]
        errors[:, :, root] = 0.0
        drawn = rooted[:, None] + errors
        scale = np.ptp(pose_2d[..., 1], axis=1) / np.ptp(rooted[..., 1], axis=1)

        def project(poses):
            return poses[..., :2] * scale.reshape(-1, *[1] * (poses.ndim - 1)) + pose_2d[:, root].reshape(
                -1, *[1] * (poses.ndim - 2), 2
            )

        visible = np.ones(pose_2d.shape[:2])
        visible[-1, HUMAN16.index("left_wrist")] = 0.0
        poses = LiftedPoses(
            keypoints=np.where(visible[..., None] > 0, pose_2d, 0.0),
            visible=visible,
            pose_3d=drawn.mean(axis=1),
            reprojection=project(drawn.mean(axis=1)),
            log_likelihood=rng.normal(-40.0, 2.0, len(rooted)),
            hypotheses=drawn,
            hypotheses_reprojection=project(drawn),
            hypotheses_log_likelihood=rng.normal(-45.0, 2.0, drawn.shape[:2]),
        )
        if radius:  # None of the root, which is where it is.
            half = rng.uniform(20.0, 90.0, visible.shape) * (np.arange(visible.shape[1]) != root)
            poses = dataclasses.replace(poses, radius=np.stack([half, 2.5 * half], axis=-1))
        if placed:
            places = [0.0, 100.0, 4000.0] + person[:, None] * BETWEEN_PEOPLE
            poses = dataclasses.replace(poses, root_position=places)
        frame = np.repeat(np.arange(frames) if names is None else names, people)
        return Predictions(poses, frame, person, HUMAN16, ABOUT if about is None else about)

    return make
