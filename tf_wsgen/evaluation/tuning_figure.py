"""The picture of a search: one line a trial, through its weights λ to its score."""

import os
from collections.abc import Mapping

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from tf_wsgen.evaluation.figures import _save


def draw_trials(
    weights: Mapping[str, np.ndarray], scores: np.ndarray, title: str, output: str | os.PathLike, first: int = 0
) -> None:
    """Writes a PNG of parallel coordinates: an axis a weight, on a log scale, and one for the score.

    Trials without a score are dashed lines that end before the score's axis; the best is thick, the first dotted.

    Args:
        weights: The T values of each weight by name, at least 0; an axis of one value has it in the middle.
        scores: (T,) the smaller the better; NaN for a trial without a score.
        title: What the score is, with its unit.
        output: The PNG file.
        first: Which trial had the weights that the search began with.
    """
    axes_values = {**weights, title: scores}
    places = [_places(values, log=name in weights) for name, values in axes_values.items()]
    heights = np.stack(places, axis=-1)
    colours = plt.get_cmap("viridis")(0.9 * heights[:, -1])
    best = int(np.nanargmin(scores)) if np.isfinite(scores).any() else None

    figure, axes = plt.subplots(figsize=(1.6 * len(places) + 0.4, 4.2), layout="constrained")
    # The best is drawn last, over the others.
    for trial in sorted(range(len(scores)), key=lambda trial: (trial == best, -heights[trial, -1])):
        scored = np.isfinite(scores[trial])
        style = {"color": colours[trial] if scored else "#999999", "linewidth": 3.0 if trial == best else 1.2}
        style["linestyle"] = ":" if trial == first else "-" if scored else "--"
        names = [name for name, which in {"first": first, "best": best}.items() if which == trial]
        # NaN ends a line without a score at the last weight.
        axes.plot(heights[trial], label=" and ".join(names) or None, **style)
    for column, values in enumerate(axes_values.values()):
        axes.axvline(column, color="#444444", linewidth=0.8, zorder=0)
        ends = np.unique(values[np.isfinite(values)])[[0, -1]] if np.isfinite(values).any() else []
        for value, height in zip(dict.fromkeys(ends), (-0.05, 1.05), strict=False):
            axes.text(column, height, f"{value:.4g}", ha="center", va="center", fontsize=8)
    axes.set_xticks(range(len(axes_values)), [name.replace(" (", "\n(") for name in axes_values], fontsize=8)
    axes.set_yticks([])
    axes.set_ylim(-0.1, 1.1)
    axes.spines[:].set_visible(False)
    axes.legend(fontsize=8)
    _save(figure, output)


def _places(values: np.ndarray, log: bool) -> np.ndarray:
    """Heights from 0 to 1 of the values on an axis; 0.5 where all are one."""
    values = np.asarray(values, np.float64)
    finite = np.isfinite(values)
    if len(np.unique(values[finite])) < 2:
        return np.where(finite, 0.5, np.nan)
    values = np.log(values) if log else values
    return (values - values[finite].min()) / np.ptp(values[finite])
