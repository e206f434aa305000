"""The posterior report of a tiny lifter against NumPy over the same hypotheses."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from tiny_lifter import J, Z, made_up_rows, tiny_lifter

from tf_wsgen.evaluation.figures import draw_curve, draw_posterior
from tf_wsgen.evaluation.posterior_report import posterior_report
from tf_wsgen.evaluation.text_tables import posterior_table
from tf_wsgen.hypotheses.sampling import codes_for_rows
from tf_wsgen.metrics.posterior import QUANTILES
from tf_wsgen.sections import EvaluationConfig
from tf_wsgen.skeleton import HUMAN16

ROWS, COUNT = 70, 12
CONFIG = EvaluationConfig(posterior_hypotheses=COUNT, posterior_rows=0, seed=5)


@pytest.fixture(scope="module")
def case():
    """Rows (two batches of them), the lifter's hypotheses in the camera frame, and the report."""
    lifter = tiny_lifter(1.2, pose_gain=0.3)
    rows = made_up_rows(ROWS, [(slice(None, None, 7), "left_wrist")])
    truth = rows.pose_3d
    described = lifter.decode(rows.keypoints, rows.visible, codes_for_rows(tf.range(ROWS), COUNT, Z, CONFIG.seed))
    progress = []
    report = posterior_report(lifter, rows, CONFIG, progress.append)
    assert sum(progress) == ROWS
    centred = truth - truth[:, [HUMAN16.root_index]]
    return rows, {name: value.numpy().astype(float) for name, value in described.items()}, centred, report


def test_errors_and_scores(case):
    _, described, truth, report = case
    samples = described["pose_3d"]
    p1 = np.linalg.norm(samples - truth[:, None], axis=-1).mean(axis=-1)
    assert list(report["min_mpjpe"]["p1"]) == ["1", "5", "10"]
    for count in (1, 5, 10):
        np.testing.assert_allclose(report["min_mpjpe"]["p1"][str(count)], p1[:, :count].min(axis=1).mean(), rtol=1e-4)
    flat, target = samples.reshape(ROWS, COUNT, -1), truth.reshape(ROWS, -1)
    near = np.linalg.norm(flat - target[:, None], axis=-1).mean(axis=1)
    apart = np.linalg.norm(flat[:, :, None] - flat[:, None], axis=-1).sum(axis=(1, 2))
    expected = (near - apart / (2 * COUNT * (COUNT - 1))).mean()
    np.testing.assert_allclose(report["energy_score"]["pose"], expected, rtol=1e-4)
    depth = samples[..., 2]
    near = np.abs(depth - truth[:, None, :, 2]).mean(axis=1)
    apart = np.abs(depth[:, :, None] - depth[:, None]).sum(axis=(1, 2))
    others = [joint for joint in range(J) if joint != HUMAN16.root_index]
    crps = (near - apart / (2 * COUNT * (COUNT - 1)))[:, others].mean()
    np.testing.assert_allclose(report["crps_depth"], crps, rtol=1e-4)


def test_calibration(case):
    _, described, truth, report = case
    samples = described["pose_3d"]
    median = np.median(samples, axis=1)
    deviation = np.linalg.norm(samples - median[:, None], axis=-1)
    quantiles = np.quantile(deviation, QUANTILES, axis=1)
    within = (quantiles > np.linalg.norm(median - truth, axis=-1)).mean(axis=1)
    curve = np.median(np.delete(within, HUMAN16.root_index, axis=1), axis=1)
    # A row more or less inside, by rounding.
    np.testing.assert_allclose(report["calibration_curve"], curve, atol=1.5 / ROWS)
    np.testing.assert_allclose(report["calibration_error"], np.abs(curve - QUANTILES).mean(), atol=1.5 / ROWS)


def test_ranks_by_coordinate(case):
    _, described, truth, report = case
    below = (described["pose_3d"] < truth[:, None]).sum(axis=1)
    depth = np.delete(below, HUMAN16.root_index, axis=1)[..., 2]
    found = report["coordinates"]["away"]
    share = (depth + 0.5) / (COUNT + 1)
    np.testing.assert_allclose(found["coverage"]["50"], (np.abs(2 * share - 1) <= 0.5).mean())
    # 13 ranks in 20 parts: 7 hold none, and none is expected there.
    expected = np.histogram((np.arange(COUNT + 1) + 0.5) / (COUNT + 1), bins=20, range=(0, 1))[0] / (COUNT + 1)
    np.testing.assert_allclose(np.multiply(found["ranks"], expected), np.histogram(share, 20, (0, 1))[0] / share.size)
    error = np.linalg.norm(described["pose_3d"] - truth[:, None], axis=-1).mean(axis=1)
    spread = np.sqrt(described["pose_3d"].var(axis=1).sum(axis=-1))
    error, spread = (np.delete(values, HUMAN16.root_index, axis=1).reshape(-1) for values in (error, spread))
    np.testing.assert_allclose(report["spread_error_correlation"], np.corrcoef(spread, error)[0, 1], atol=1e-3)


def test_reprojection_counts_visible_joints(case):
    rows, described, _, report = case
    distance = np.linalg.norm(described["reprojection"] - rows.keypoints[:, None], axis=-1)
    weights = rows.visible / rows.visible.sum(axis=1, keepdims=True)
    expected = (distance * weights[:, None]).sum(axis=-1).mean()
    np.testing.assert_allclose(report["reprojection"]["pixels"], expected, rtol=1e-4)


def test_bones(case):
    _, described, truth, report = case
    first, second = np.array(HUMAN16.bone_indices).T

    def lengths(poses):
        return np.linalg.norm(poses[..., first, :] - poses[..., second, :], axis=-1)

    found, true = lengths(described["pose_3d"]), lengths(truth)
    np.testing.assert_allclose(report["bone_length_error"], np.abs(found - true[:, None]).mean(), rtol=1e-4)
    left, right = np.array(HUMAN16.symmetric_bones).T
    np.testing.assert_allclose(report["symmetry_error"], np.abs(found[..., left] - found[..., right]).mean(), rtol=1e-4)


def test_table_and_plots(case, tmp_path):
    report = case[-1]
    text = posterior_table(report)
    assert f"{ROWS} rows, {COUNT} hypotheses" in text
    assert f"{report['energy_score']['joint']:.1f} / {report['energy_score']['pose']:.1f}" in text
    draw_posterior(report, tmp_path / "plots")
    files = sorted(path.name for path in (tmp_path / "plots").iterdir())
    assert files == ["calibration.png", "error_against_n.png", "joints.png", "p2_histogram.png", "ranks.png"]
    for name in files:
        assert plt.imread(tmp_path / "plots" / name).std() > 0.05


def test_curve(tmp_path):
    log = [
        {"minutes": str(minute), "val_zero_code_p2": str(90 - minute), "val_best_hypothesis_p2": str(80 - minute)}
        for minute in range(5)
    ]
    draw_curve(log, tmp_path / "curve.png")
    assert plt.imread(tmp_path / "curve.png").std() > 0.05
