"""Results as text."""

ROWS = {
    "zero_code": "zero code (ZC)",
    "mean_shift": "mean-shift (MS)",
    "mean_of_hypotheses": "mean of hypotheses",
    "best_hypothesis": "best of {num_hypotheses} (BH, oracle)",
    "mean_pose": "baseline: mean pose",
    "random_pose": "baseline: random real pose",
    "best_random_pose": "baseline: best of {num_hypotheses} random real poses (oracle)",
}
COLUMNS = {"p1": "P1", "p2": "P2", "p1_action_mean": "P1 by action", "p2_action_mean": "P2 by action"}


def metrics_table(metrics: dict) -> str:
    """The metrics of `Evaluator`, with `source` and perhaps `baselines`, as an aligned table, mm."""
    lines = [["mm", *COLUMNS.values()]]
    for name, title in ROWS.items():
        if name in metrics:
            values = [metrics[name].get(column) for column in COLUMNS]
            cells = ["" if value is None else f"{value:.1f}" for value in values]
            lines.append([title.format(**metrics[name]), *cells])
    heading = f"{metrics['num_rows']:,} rows of {metrics['source']}"
    if "hidden" in metrics:
        heading += "; hidden: {joints}{count} limb joints a row at random".format(
            joints=f"{metrics['hidden']['joints']} and " * bool(metrics["hidden"]["joints"]),
            count=metrics["hidden"]["count"],
        )
    if "detector" in metrics:
        heading += "; 2D as the simulated detector finds it"
    if metrics.get("exact_2d"):
        heading += "; 2D known to be exact"
    if "along_ray" in metrics:
        heading += "; along the rays" if metrics["along_ray"] else "; not along the rays, the cameras are not known"
    text = f"{heading}\n{align(lines)}"
    if metrics["per_action"]:
        lines = [["P2 by action", "rows", "ZC", "MS", "BH"]]
        for action, values in metrics["per_action"].items():
            errors = [f"{values[choice]['p2']:.1f}" for choice in ("zero_code", "mean_shift", "best_hypothesis")]
            lines.append([action, f"{values['num_rows']:,}", *errors])
        text += f"\n\n{align(lines)}"
    if "diversity" in metrics:
        text += "\n\nSTD {std:.1f} mm, STD-FPS {std_fps:.1f} mm".format(**metrics["diversity"])
    return text


def posterior_table(report: dict, title: str = "Posterior") -> str:
    """The posterior report as aligned tables."""
    best = report["min_mpjpe"]
    lines = [["best of N (oracle), mm", *best["p1"]]]
    lines += [[name.upper(), *(f"{value:.1f}" for value in best[name].values())] for name in ("p1", "p2")]
    values = {
        "energy score, joint / pose (mm)": "{energy_score[joint]:.1f} / {energy_score[pose]:.1f}",
        "CRPS of depth (mm)": "{crps_depth:.1f}",
        "calibration error": "{calibration_error:.3f}",
        "… right / down / away": " / ".join(f"{c['calibration_error']:.3f}" for c in report["coordinates"].values()),
        "largest deviation of a rank's share": "{largest_rank_deviation:.0%}",
        "correlation of spread and error": "{spread_error_correlation:.2f}",
        "reprojection (pixels / normalised)": "{reprojection[pixels]:.2f} / {reprojection[normalised]:.4f}",
        "bone lengths / symmetry (mm)": "{bone_length_error:.1f} / {symmetry_error:.1f}",
        "share of the spread in depth": "{depth_share:.2f}",
    }
    if "radius" in report:
        levels = " / ".join(f"{level} %" for level in report["radius"])
        shares = report["radius_coverage"].values()
        values[f"truths within the {levels} radius"] = " / ".join(f"{share:.0%}" for share in shares)
        values["… of mean (mm)"] = " / ".join(f"{radius:.0f}" for radius in report["radius"].values())
    others = [["posterior", ""], *([title, form.format(**report)] for title, form in values.items())]
    heading = f"{title}: {report['num_rows']:,} rows, {report['num_hypotheses']} hypotheses"
    return f"{heading}\n{align(lines)}\n\n{align(others)}"


def align(lines: list[list[str]]) -> str:
    """Columns padded to one width: the first to the left, the others to the right; a rule under the heading."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    texts = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join([texts[0], "-" * len(texts[0]), *texts[1:]])
