"""Pictures of hypotheses: what a person looks at first (the paper's Figure 3)."""

import os
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from tf_wsgen.config import EvaluationConfig
from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.hypotheses.farthest_points import farthest_points
from tf_wsgen.hypotheses.lifter import Lifter
from tf_wsgen.skeleton import Skeleton

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


def _save(figure, output: str | os.PathLike) -> None:
    """Writes and closes a figure; an older file stays whole until the new one is."""
    output = pathlib.Path(output)
    partial = output.with_name(output.name + ".partial")
    try:
        figure.savefig(partial, dpi=110, format="png")
        partial.replace(output)
    finally:
        plt.close(figure)
        partial.unlink(missing_ok=True)
