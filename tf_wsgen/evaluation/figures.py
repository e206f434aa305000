"""Pictures of hypotheses: what a person looks at first (the paper's Figure 3)."""

import os
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.datasets.clip import Clip
from tf_wsgen.files import whole_file
from tf_wsgen.hypotheses.farthest_points import farthest_points
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.lifting.result import Predictions
from tf_wsgen.sections import EvaluationConfig
from tf_wsgen.skeleton import HUMAN16, Skeleton

# Okabe and Ito's colours, told apart by colour-blind readers too.
HYPOTHESIS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
LEFT_COLOUR, RIGHT_COLOUR, MIDDLE_COLOUR = "#D55E00", "#0072B2", "#444444"


def draw_hypotheses(
    lifter: Lifter, rows: PairedRows, config: EvaluationConfig, output: str | os.PathLike, source: str
) -> None:
    """Writes a PNG: a line a row with input, ground truth, five hypotheses, and their reprojections.

    The hypotheses are chosen by farthest points from `config.diversity_pool`; each is drawn in one
    colour in 3D and as a reprojection over the input. All 3D poses are seen from one point to the
    side of the camera, where depth shows.

    Args:
        lifter: The trained networks.
        rows: The rows to draw.
        config: Pool of hypotheses and seed.
        output: The PNG file.
        source: Where the rows are from, in words; it is written under the picture.
    """
    described = lifter.sample(rows.keypoints, rows.visible, config.diversity_pool, config.seed)
    chosen = farthest_points(described["pose_3d"], len(HYPOTHESIS_COLOURS))
    hypotheses = tf.gather(described["pose_3d"], chosen, batch_dims=1).numpy()
    reprojections = tf.gather(described["reprojection"], chosen, batch_dims=1).numpy()
    skeleton, columns = lifter.skeleton, len(HYPOTHESIS_COLOURS) + 3
    truth = rows.pose_3d - rows.pose_3d[:, skeleton.root_index][:, None]
    radius = 1.05 * max(np.abs(truth).max(), np.abs(hypotheses).max())

    figure = plt.figure(figsize=(2.1 * columns, 2.3 * len(rows) + 0.4), layout="constrained")
    for row in range(len(rows)):

        def axes(column, title, flat, row=row):
            projection = None if flat else "3d"
            made = figure.add_subplot(len(rows), columns, row * columns + column + 1, projection=projection)
            if row == 0:
                made.set_title(title, fontsize=9)
            return made

        _draw_flat(axes(0, "input", True), rows.keypoints[row], rows.visible[row], skeleton, [])
        _draw_solid(axes(1, "ground truth", False), truth[row], skeleton, None, radius)
        for index, colour in enumerate(HYPOTHESIS_COLOURS):
            pose_axes = axes(2 + index, f"hypothesis {index + 1}", False)
            _draw_solid(pose_axes, hypotheses[row, index], skeleton, colour, radius)
        reprojection_axes = axes(columns - 1, "reprojections", True)
        _draw_flat(reprojection_axes, rows.keypoints[row], rows.visible[row], skeleton, reprojections[row])
    figure.supxlabel(f"{source}; left side orange, right side blue; seed {config.seed}", fontsize=8)
    _save(figure, output)


def draw_clips(clips: list[Clip], output: str | os.PathLike, source: str) -> None:
    """Writes a PNG of single rows, 2D beside 3D, to see whether a file was read as it was meant.

    Args:
        clips: Clips of one row each (the first of longer ones is drawn).
        output: The PNG file.
        source: Where the rows are from, in words; it is written under the picture.
    """
    pairs = min(3, len(clips))
    lines = -(-len(clips) // pairs)
    figure = plt.figure(figsize=(5.0 * pairs, 2.6 * lines + 0.4), layout="constrained")
    for index, clip in enumerate(clips):
        if clip.pose_2d is not None:
            axes = figure.add_subplot(lines, 2 * pairs, 2 * index + 1)
            visible = clip.labels.get("visible", np.ones(clip.pose_2d.shape[:2]))
            _draw_flat(axes, clip.pose_2d[0], visible[0], HUMAN16, [])
            axes.set_title(clip.where.split(": ", 1)[-1], fontsize=6, loc="left")
        if clip.pose_3d is not None:
            pose = clip.pose_3d[0] - clip.pose_3d[0, HUMAN16.root_index]
            axes = figure.add_subplot(lines, 2 * pairs, 2 * index + 2, projection="3d")
            _draw_solid(axes, pose, HUMAN16, None, 1.05 * np.abs(pose).max())
    figure.supxlabel(f"{source}; left side orange, right side blue", fontsize=8)
    _save(figure, output)


def draw_predictions(predictions: Predictions, output: str | os.PathLike, count: int = 12) -> None:
    """Writes a PNG of some people: the 2D pose under its reprojections, and all hypotheses in 3D.

    Rows are spread evenly, the first and the last among them. The chosen pose is strong and coloured by side, the
    hypotheses behind it are faint.

    Args:
        predictions: What was lifted.
        output: The PNG file.
        count: People to draw, at most.
    """
    poses, skeleton = predictions.poses, predictions.skeleton
    count = min(count, len(predictions.frame))
    rows = np.linspace(0, len(predictions.frame) - 1, count).round().astype(int)
    pairs = min(3, count)
    lines = -(-count // pairs)
    figure = plt.figure(figsize=(5.0 * pairs, 2.6 * lines + 0.4), layout="constrained")
    for place, row in enumerate(rows):
        axes = figure.add_subplot(lines, 2 * pairs, 2 * place + 1)
        reprojections = poses.hypotheses_reprojection[row, : len(HYPOTHESIS_COLOURS)]
        _draw_flat(axes, poses.keypoints[row], poses.visible[row], skeleton, reprojections)
        axes.set_title(f"{predictions.frame[row]}, person {predictions.person[row]}", fontsize=7, loc="left")
        axes = figure.add_subplot(lines, 2 * pairs, 2 * place + 2, projection="3d")
        radius = 1.05 * max(np.abs(poses.hypotheses[row]).max(), np.abs(poses.pose_3d[row]).max())
        for pose in poses.hypotheses[row]:
            _draw_solid(axes, pose, skeleton, "#BBBBBB", radius)
        _draw_solid(axes, poses.pose_3d[row], skeleton, None, radius)
    figure.supxlabel(f"model {predictions.about['model']}; left side orange, right side blue", fontsize=8)
    _save(figure, output)


def _side_colour(skeleton: Skeleton, bone: tuple[str, str]) -> str:
    if any(joint.startswith("left") for joint in bone):
        return LEFT_COLOUR
    return RIGHT_COLOUR if any(joint.startswith("right") for joint in bone) else MIDDLE_COLOUR


def _draw_flat(axes, keypoints, visible, skeleton: Skeleton, reprojections) -> None:
    for bone, (first, second) in zip(skeleton.bones, skeleton.bone_indices, strict=True):
        if visible[first] and visible[second]:
            colour = MIDDLE_COLOUR if len(reprojections) else _side_colour(skeleton, bone)
            axes.plot(*keypoints[[first, second]].T, color=colour, linewidth=2.5 if len(reprojections) else 1.6)
        for pose, colour in zip(reprojections, HYPOTHESIS_COLOURS, strict=False):
            axes.plot(*pose[[first, second]].T, color=colour, linewidth=0.9)
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.set_axis_off()


def _draw_solid(axes, pose_3d, skeleton: Skeleton, colour: str | None, radius: float) -> None:
    # Camera frame (x right, y down, z away) to Matplotlib's z up.
    x, y, z = pose_3d[:, 0], pose_3d[:, 2], -pose_3d[:, 1]
    for bone, (first, second) in zip(skeleton.bones, skeleton.bone_indices, strict=True):
        pair = [first, second]
        axes.plot(x[pair], y[pair], z[pair], color=colour or _side_colour(skeleton, bone), linewidth=1.6)
    axes.set(xlim=(-radius, radius), ylim=(-radius, radius), zlim=(-radius, radius))
    axes.set_box_aspect((1, 1, 1), zoom=1.4)
    axes.view_init(elev=12, azim=-50)
    axes.set_xticklabels([])
    axes.set_yticklabels([])
    axes.set_zticklabels([])


def draw_curve(log: list[dict], output: str | os.PathLike) -> None:
    """Writes a PNG: P2 of zero code and best hypothesis on the held-out rows over minutes of training.

    Args:
        log: Rows of a run's log.csv.
        output: The PNG file.
    """
    minutes = [float(row["minutes"]) for row in log]
    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for choice, title in (("zero_code", "zero code"), ("best_hypothesis", "best hypothesis (oracle)")):
        errors = [float(row[f"val_{choice}_p2"]) for row in log]
        axes.plot(minutes, errors, marker="o", markersize=3, label=title)
    axes.set(xlabel="minutes of training", ylabel="P2 on held-out rows (mm)")
    axes.legend()
    _save(figure, output)


def draw_posterior(report: dict, folder: str | os.PathLike) -> None:
    """Writes calibration.png, ranks.png, error_against_n.png, joints.png and p2_histogram.png.

    Args:
        report: What `posterior_report` gives.
        folder: Where to write; made if it is not there.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{report['num_rows']:,} rows, {report['num_hypotheses']} hypotheses"

    figure, axes = plt.subplots(figsize=(4.5, 4.2), layout="constrained")
    axes.plot([0, 1], [0, 1], color=MIDDLE_COLOUR, linewidth=0.8, linestyle="--", label="calibrated")
    error = report["calibration_error"]
    axes.plot(report["quantiles"], report["calibration_curve"], marker="o", markersize=3, label=f"ECE {error:.3f}")
    axes.set(xlabel="quantile q", ylabel="share of truths within it (median joint)", title=title)
    axes.legend()
    _save(figure, folder / "calibration.png")

    figure, all_axes = plt.subplots(1, 3, figsize=(9, 3.2), sharey=True, layout="constrained")
    for axes, (name, counts) in zip(all_axes, report["coordinates"].items(), strict=True):
        axes.stairs(counts["ranks"], np.linspace(0.0, 1.0, len(counts["ranks"]) + 1), fill=True)
        axes.axhline(1.0, color=MIDDLE_COLOUR, linewidth=0.8, linestyle="--")
        covered = ", ".join(f"{share:.0%} in {level} %" for level, share in counts["coverage"].items())
        axes.set(xlabel="rank of the truth among the hypotheses", title=f"{name}: {covered}")
        axes.title.set_fontsize(7)
    all_axes[0].set_ylabel("share of truths / uniform")
    _save(figure, folder / "ranks.png")

    figure, axes = plt.subplots(figsize=(5.5, 3.5), layout="constrained")
    for protocol, errors in report["min_mpjpe"].items():
        axes.plot([int(count) for count in errors], list(errors.values()), marker="o", label=protocol.upper())
    axes.set(xscale="log", xlabel="hypotheses N", ylabel="error of the best of N (mm, oracle)", title=title)
    axes.legend()
    _save(figure, folder / "error_against_n.png")

    figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
    positions = np.arange(len(report["joint_error"]))
    axes.bar(positions - 0.2, list(report["joint_error"].values()), 0.4, label="mean error of a hypothesis (P1)")
    axes.bar(positions + 0.2, list(report["joint_spread"].values()), 0.4, label="spread (standard deviation)")
    axes.set_xticks(positions, list(report["joint_error"]), rotation=60, ha="right", fontsize=7)
    axes.set(ylabel="mm", title=title)
    axes.legend()
    _save(figure, folder / "joints.png")

    figure, axes = plt.subplots(figsize=(5.5, 3.5), layout="constrained")
    axes.stairs(report["p2_histogram"]["rows"], report["p2_histogram"]["edges"], fill=True)
    axes.set(xlabel="P2 of one hypothesis (mm)", ylabel="rows", title=title)
    _save(figure, folder / "p2_histogram.png")


def _save(figure, output: str | os.PathLike) -> None:
    """Writes and closes a figure; an older file stays whole until the new one is."""
    try:
        with whole_file(output) as partial:
            figure.savefig(partial, dpi=110, format="png")
    finally:
        plt.close(figure)
