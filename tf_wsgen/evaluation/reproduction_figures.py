"""Plots of the reproduced tables, and hypotheses of people without ground truth (the paper's Figure 4)."""

import os
from collections.abc import Mapping, Sequence

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from tf_wsgen.data.preprocess import normalise_keypoints
from tf_wsgen.errors import InputError
from tf_wsgen.evaluation.figures import HYPOTHESIS_COLOURS, _draw_flat, _draw_solid, _save
from tf_wsgen.hypotheses.farthest_points import farthest_points
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.sections import EvaluationConfig


def draw_chart(
    title: str,
    positions: Sequence[str | float],
    panels: Mapping[str, Mapping[str, Sequence[float | None]]],
    xlabel: str,
    output: str | os.PathLike,
) -> None:
    """Writes a PNG of panels side by side: lines over numbers, or bars over names.

    A series that is called "paper…" is dashed, or hatched.

    Args:
        title: Over all panels.
        positions: Numbers, or names.
        panels: By the vertical axis' label: values at the positions by series; None is left out.
        xlabel: Label of the horizontal axis.
        output: The PNG file.
    """
    named = isinstance(positions[0], str)
    width = max(4.8, 0.42 * len(positions) * max(map(len, panels.values())) / 2 if named else 0)
    figure, all_axes = plt.subplots(
        1, len(panels), figsize=(width * len(panels), 4.0), layout="constrained", squeeze=False
    )
    for axes, (ylabel, series) in zip(all_axes[0], panels.items(), strict=True):
        places = np.arange(len(positions)) if named else np.array(positions, float)
        colours = {name: f"C{index}" for index, name in enumerate(n for n in series if not n.startswith("paper"))}
        share = 0.8 / len(series)
        for index, (label, values) in enumerate(series.items()):
            heights, paper = np.array([np.nan if v is None else v for v in values]), label.startswith("paper")
            # The paper's figures have the colour of ours of the same name.
            colour = next((colours[name] for name in colours if label.endswith(name)), "#888888")
            if named:
                style = {"facecolor": "none", "edgecolor": colour, "hatch": "////"} if paper else {"color": colour}
                shifted, known = places + (index - (len(series) - 1) / 2) * share, np.isfinite(heights)
                axes.bar(shifted[known], heights[known], share, label=label, **style)
            else:
                style = {"linestyle": "--", "marker": "x"} if paper else {"marker": "o"}
                axes.plot(places, heights, markersize=4, label=label, color=colour, **style)
        turned = named and sum(map(len, positions)) > 40
        axes.set_xticks(places, [str(position) for position in positions], rotation=60 if turned else 0, fontsize=8)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    figure.suptitle(title, fontsize=10)
    _save(figure, output)


def draw_without_truth(
    lifter: Lifter,
    keypoints: np.ndarray,
    visible: np.ndarray,
    config: EvaluationConfig,
    output: str | os.PathLike,
    source: str,
    count: int = 6,
) -> None:
    """Writes a PNG: a line a person with input, five hypotheses by farthest points, and their reprojections.

    Args:
        lifter: The trained networks.
        keypoints: (N, J, 2) pixels, y down.
        visible: (N, J).
        config: Pool of hypotheses and seed; the seed also draws the people, one from each of as many equal parts.
        output: The PNG file.
        source: Where the people are from, in words; it is written under the picture.
        count: People to draw, at most.

    Raises:
        InputError: Nobody can be lifted.
    """
    usable = np.flatnonzero(normalise_keypoints(keypoints, visible, lifter.skeleton).usable.numpy())
    if not len(usable):
        raise InputError(f"{source}: nobody can be lifted; expected a visible {lifter.skeleton.root} or both hips.")
    rng = np.random.default_rng(config.seed)
    rows = np.array([rng.choice(part) for part in np.array_split(usable, min(count, len(usable)))])
    keypoints, visible = keypoints[rows], visible[rows]
    described = lifter.sample(keypoints, visible, config.diversity_pool, config.seed)
    chosen = farthest_points(described["pose_3d"], len(HYPOTHESIS_COLOURS))
    hypotheses = tf.gather(described["pose_3d"], chosen, batch_dims=1).numpy()
    reprojections = tf.gather(described["reprojection"], chosen, batch_dims=1).numpy()
    columns, radius = len(HYPOTHESIS_COLOURS) + 2, 1.05 * np.abs(hypotheses).max()
    figure = plt.figure(figsize=(2.1 * columns, 2.3 * len(rows) + 0.4), layout="constrained")
    for row in range(len(rows)):
        titles = ["input", *(f"hypothesis {index + 1}" for index in range(columns - 2)), "reprojections"]
        for column, title in enumerate(titles):
            solid = 0 < column < columns - 1
            place = (len(rows), columns, row * columns + column + 1)
            axes = figure.add_subplot(*place, projection="3d" if solid else None)
            if row == 0:
                axes.set_title(title, fontsize=9)
            if solid:
                _draw_solid(axes, hypotheses[row, column - 1], lifter.skeleton, HYPOTHESIS_COLOURS[column - 1], radius)
            else:
                _draw_flat(axes, keypoints[row], visible[row], lifter.skeleton, reprojections[row] if column else [])
    figure.supxlabel(f"{source}; left side orange, right side blue; seed {config.seed}", fontsize=8)
    _save(figure, output)
