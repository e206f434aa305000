"""The lifter with a tiny network: every output against NumPy, and which inputs matter or are refused."""

import numpy as np
import pytest
import tensorflow as tf
from tiny_lifter import J, Z, made_up_rows, tiny_lifter

from tf_wsgen.hypotheses.mean_shift import mean_shift
from tf_wsgen.skeleton import HUMAN16

ROWS, H = 5, 3
RATIO, LAPLACE_SCALE = 1.25, 0.5
PELVIS, WRIST = HUMAN16.root_index, HUMAN16.index("left_wrist")
RIGHT_HIP, LEFT_HIP = HUMAN16.hip_indices
OUTPUTS = ("pose_3d", "pose_3d_template", "camera", "reprojection", "log_likelihood")


@pytest.fixture(scope="module")
def lifter():
    return tiny_lifter(RATIO, LAPLACE_SCALE)


def people():
    """Keypoints and visibility: whole people, one without a wrist, one without a pelvis."""
    rows = made_up_rows(ROWS, [(1, "left_wrist"), (2, "pelvis")])
    return rows.keypoints, rows.visible


def codes(rows=ROWS):
    return tf.constant(np.random.default_rng(1).normal(size=(rows, H, Z)), tf.float32)


def normalised(keypoints, visible):
    """One row by hand: normalised coordinates of the visible joints, the root's pixels, the deviation."""
    seen = visible > 0
    root = keypoints[PELVIS] if seen[PELVIS] else (keypoints[RIGHT_HIP] + keypoints[LEFT_HIP]) / 2
    centred = (keypoints - root) * [1.0, -1.0]
    deviation = centred[seen].std()
    return np.where(seen[:, None], centred / deviation, 0.0), root, deviation


METHODS = {
    "decode": lambda lifter, *pose: lifter.decode(*pose, codes(len(pose[0]))),
    "zero_code": lambda lifter, *pose: lifter.zero_code(*pose),
    "sample": lambda lifter, *pose: lifter.sample(*pose, H, seed=3),
    "mean_shift": lambda lifter, *pose: lifter.mean_shift(*pose, 4, seed=3),
}


def test_reprojection_is_the_projected_pose_in_pixels(lifter):
    found = lifter.decode(*people(), codes())
    for row, (keypoints, visible) in enumerate(zip(*people(), strict=True)):
        _, root, deviation = normalised(keypoints, visible)
        projected = found["pose_3d_template"][row].numpy() @ np.swapaxes(found["camera"][row].numpy(), -2, -1)
        expected = projected * [1.0, -1.0] * deviation + root
        np.testing.assert_allclose(found["reprojection"][row], expected, atol=0.05)  # pixels


def test_the_networks_see_the_normalised_pose(lifter):
    found = lifter.decode(*people(), codes())
    pose_2d = np.stack([normalised(*row)[0] for row in zip(*people(), strict=True)])
    features = lifter.trunk(tf.constant(pose_2d, tf.float32))
    np.testing.assert_allclose(found["pose_3d_template"], lifter.generator([features, codes()]), atol=1e-5)
    camera = np.repeat(lifter.camera(features)[:, None], H, axis=1)
    np.testing.assert_allclose(found["camera"], camera, atol=1e-5)


def test_log_likelihood_by_hand(lifter):
    found = lifter.decode(*people(), codes())
    for row, (keypoints, visible) in enumerate(zip(*people(), strict=True)):
        pose_2d, _, _ = normalised(keypoints, visible)
        projected = found["pose_3d_template"][row].numpy() @ np.swapaxes(found["camera"][row].numpy(), -2, -1)
        laplace = -np.log(2.0 * LAPLACE_SCALE) - np.abs(pose_2d - projected) / LAPLACE_SCALE
        # Weights of the specification: the root is the origin, and detectors disagree about neck and head.
        weights = np.array([{"pelvis": 0.0, "neck": 0.1, "head": 0.1}.get(name, 1.0) for name in HUMAN16.joints])
        expected = (weights * visible * laplace.sum(axis=-1)).sum(axis=-1)
        np.testing.assert_allclose(found["log_likelihood"][row], expected, rtol=1e-4)


def test_to_camera_frame_by_hand(lifter):
    # M looks along −x of the template: image right is −z, image up is y. So R y = (−z, y, x), and the file's
    # frame is (−z, −y, −x), in millimetres times the ratio, from the root on.
    camera = tf.constant([[[0.0, 0.0, -2.0], [0.0, 2.0, 0.0]]])
    pose = np.zeros((1, 1, J, 3), np.float32)
    pose[..., PELVIS, :], pose[..., WRIST, :] = [0.1, 0.0, 0.0], [0.3, 0.5, 0.7]
    found = lifter.to_camera_frame(tf.constant(pose), camera).numpy()[0, 0]
    np.testing.assert_allclose(found[PELVIS], np.zeros(3), atol=1e-4)
    np.testing.assert_allclose(found[WRIST], 1000.0 * RATIO * np.array([-0.7, -0.5, -0.2]), rtol=1e-5)


def test_pose_3d_is_rotated_by_the_rotation_nearest_to_the_camera(lifter):
    found = lifter.decode(*people(), codes())
    for camera, template, pose in zip(*(found[k].numpy() for k in ("camera", *OUTPUTS[1::-1])), strict=True):
        u, _, vt = np.linalg.svd(camera[0].astype(float), full_matrices=False)
        first, second = u @ vt
        rotated = template @ np.stack([first, second, np.cross(first, second)]).T
        expected = 1000.0 * RATIO * rotated * [1.0, -1.0, -1.0]
        np.testing.assert_allclose(pose, expected - expected[:, [PELVIS]], atol=0.05)  # mm
        np.testing.assert_array_equal(pose[:, PELVIS], np.zeros((H, 3)))


def test_zero_code_decodes_zeros(lifter):
    found, expected = lifter.zero_code(*people()), lifter.decode(*people(), tf.zeros([1, 1, Z]))
    for name in OUTPUTS:
        np.testing.assert_array_equal(found[name], expected[name][:, 0])


@pytest.mark.parametrize("method", ["sample", "mean_shift"])
def test_a_pose_is_lifted_alike_in_any_batch(lifter, method):
    keypoints, visible = people()
    together = METHODS[method](lifter, keypoints, visible)
    for row in range(ROWS):
        alone = METHODS[method](lifter, keypoints[row : row + 1], visible[row : row + 1])
        for name in OUTPUTS:
            # Products of other sizes round differently; mean-shift's climbs end within 0.1 mm of each other.
            np.testing.assert_allclose(
                together[name][row], alone[name][0], rtol=1e-4, atol=0.2 if "3d" in name else 0.05
            )


@pytest.mark.parametrize("bandwidth", [None, 0.3])
def test_mean_shift_is_the_mode_of_the_samples(lifter, bandwidth):
    found = lifter.mean_shift(*people(), 6, seed=4, bandwidth=bandwidth)
    samples = lifter.sample(*people(), 6, seed=4)["pose_3d_template"]
    np.testing.assert_allclose(found["pose_3d_template"], mean_shift(samples, bandwidth).pose_3d, atol=2e-4)


@pytest.mark.parametrize("value", [-1e6, np.nan])
def test_pixels_of_missing_joints_do_not_matter(lifter, value):
    keypoints, visible = people()
    expected = lifter.decode(keypoints, visible, codes())
    keypoints[visible == 0] = value
    found = lifter.decode(keypoints, visible, codes())
    for name in OUTPUTS:
        np.testing.assert_array_equal(found[name], expected[name])


# What is wrong with the first row, in `keypoints` or `visible`.
FAULTS = {
    "no pelvis and one hip": ("visible", [PELVIS, LEFT_HIP], 0.0),
    "NaN": ("keypoints", (WRIST, 1), np.nan),
    "infinite": ("keypoints", (WRIST, 1), np.inf),
    "one place": ("keypoints", slice(None), 300.0),
    "nothing visible": ("visible", slice(None), 0.0),
}


@pytest.mark.parametrize(
    ("method", "fault"), [*(("zero_code", fault) for fault in FAULTS), *((method, "NaN") for method in METHODS)]
)
def test_one_unusable_row_is_refused(lifter, method, fault):
    pose = dict(zip(("keypoints", "visible"), people(), strict=True))
    name, place, value = FAULTS[fault]
    pose[name][0][place] = value
    with pytest.raises(tf.errors.InvalidArgumentError, match="keypoints: every row needs"):
        METHODS[method](lifter, *pose.values())


def test_a_graph_refuses_unusable_rows_too(lifter):
    # The SavedModel is traced from sound rows: the check must be in the graph, not in the tracing.
    keypoints, visible = people()
    traced = tf.function(lambda *pose: lifter.zero_code(*pose)["pose_3d"])
    assert np.isfinite(traced(keypoints, visible)).all()
    keypoints[0] = 300.0
    with pytest.raises(tf.errors.InvalidArgumentError):
        traced(keypoints, visible)
