"""From measurements to the paper's tables: pure functions of plain numbers."""

from tf_wsgen.evaluation.pck_report import ALIGNMENTS
from tf_wsgen.reproduction import paper
from tf_wsgen.reproduction.action_tables import action_table, missing_by_action_table
from tf_wsgen.reproduction.cells import NOT_FINITE, Chart, Table
from tf_wsgen.reproduction.results import CHOICES, PROTOCOLS, WAYS, Results

DEVIATION = (
    "STD: standard deviation of each root-relative coordinate (mm) over {num_hypotheses} hypotheses, averaged. "
    "STD-FPS: the same over {diversity_chosen} hypotheses, chosen from {diversity_pool} by farthest-point sampling."
)
HIDDEN = (
    "Missing joints: of wrists, elbows, knees and ankles, drawn at random for each row; their coordinates are 0. Runs "
    "that hide joints have λ_2D 20 and give hidden joints no weight in L_2D. P2, unless P1 is said."
)
# What Tables 4a and 4b measure, and where it stands in a result and in the paper's tables.
MEASURES = {
    "BH": ("best_hypothesis", "p2"),
    "ZC": ("zero_code", "p2"),
    "STD": ("diversity", "std"),
    "STD-FPS": ("diversity", "std_fps"),
}
PRINTED = {"BH": "best_hypothesis", "ZC": "zero_code", "STD": "std", "STD-FPS": "std_fps"}
P2, SPREAD = "P2 (mm)", "standard deviation (mm)"


def make_tables(target: str, results: Results) -> list[Table]:
    """The tables of a target such as "table_3", the main one first."""
    if target in ("table_1", "table_2"):
        return [action_table(target, results)]
    if target == "table_3":
        return [missing_table(results), missing_by_action_table(results)]
    return [{"table_4a": ablation_table, "table_4b": weight_table, "table_5": pck_table}[target](results)]


def missing_table(results: Results) -> Table:
    """Table 3: errors with none, one or two joints missing, of specialised runs and of one run for all."""
    beside, choices = results.paper(paper.HUMAN36M), ("zero_code", "best_hypothesis")
    special, for_all = ("none", "special 1", "special 2"), ("for all 0", "for all 1", "for all 2")
    words = ("trained with none missing", "trained with one missing", "trained with two missing")
    models = dict(zip((*special, *for_all), (*words, *["one for all: trained with 0 to 2 missing"] * 3), strict=True))
    rows, findings = [], []
    for count, name in [*enumerate(special), *enumerate(for_all)]:
        p2, p1 = ([results.cell(name, choice, protocol) for choice in choices] for protocol in ("p2", "p1"))
        printed = paper.P2_MISSING[count][paper.ALL] if name in special and count else None
        rows.append([models[name], count, *p2, printed, *p1])
    for count in range(3):
        pairs = [[results.number(name[count], c, "p2") for name in (for_all, special)] for c in choices]
        if not any(None in pair for pair in pairs):
            zero, best = (100.0 * (one / other - 1.0) for one, other in pairs)
            findings.append(
                f"{count} missing: one for all is {zero:+.1f} % (ZC) and {best:+.1f} % (BH) against the model "
                f"{words[count]}."
            )
    series = {
        f"{label} {CHOICES[choice]}": [results.number(name, choice, "p2") for name in names]
        for label, names in (("specialised", special), ("one for all", for_all))
        for choice in choices
    }
    series[f"{beside} BH"] = [None, *(figures[paper.ALL] for figures in paper.P2_MISSING.values())]
    return Table(
        "table_3",
        "Table 3: missing joints, ground-truth 2D",
        ["model", "missing joints", "ZC", "BH", f"BH, {beside}", "ZC, P1", "BH, P1"],
        rows,
        results.notes(paper.HUMAN36M, PROTOCOLS["p2"], PROTOCOLS["p1"], WAYS, HIDDEN),
        findings,
        Chart([0, 1, 2], {P2: series}, "missing joints").drawable(),
    )


def ablation_table(results: Results) -> Table:
    """Table 4a: with and without L_reg and L_rec."""
    beside, models = results.paper(paper.HUMAN36M), {"full": "full model", "without": "without L_reg and L_rec"}
    columns, rows, panels = ["model"], [[words] for words in models.values()], {P2: {}, SPREAD: {}}
    for name, path in MEASURES.items():
        columns += [name, f"{name}, {beside}"]
        panel = panels[P2 if path[1] == "p2" else SPREAD]
        panel[name] = [results.number(model, *path) for model in models]
        panel[f"{beside} {name}"] = [paper.ABLATION[model][PRINTED[name]] for model in models]
        for row, model, printed in zip(rows, models, panel[f"{beside} {name}"], strict=True):
            row += [results.cell(model, *path), printed]
    std, best = panels[SPREAD]["STD"], panels[P2]["BH"]
    findings = []
    if None not in std and std[1] > 0:
        findings.append(f"STD with L_reg and L_rec is {std[0] / std[1]:.1f} times that without.")
    if None not in best:
        findings.append(f"BH with them is {best[0] - best[1]:+.1f} mm against that without.")
    return Table(
        "table_4a",
        "Table 4a: with and without L_reg and L_rec, ground-truth 2D",
        columns,
        rows,
        results.notes(paper.HUMAN36M, PROTOCOLS["p2"], WAYS, DEVIATION),
        findings,
        Chart(list(models.values()), panels).drawable(),
    )


def weight_table(results: Results) -> Table:
    """Table 4b: λ_reg against diversity and errors."""
    beside, weights = results.paper(paper.HUMAN36M), list(paper.DIVERSITY_WEIGHTS)
    columns, rows, panels = ["λ_reg"], [[str(weight)] for weight in weights], {SPREAD: {}, P2: {}}
    for name in ("STD", "BH", "ZC"):
        path, panel = MEASURES[name], panels[P2 if name != "STD" else SPREAD]
        panel[name] = [results.number(str(weight), *path) for weight in weights]
        columns.append(name)
        for row, weight in zip(rows, weights, strict=True):
            row.append(results.cell(str(weight), *path))
        if name != "ZC":
            columns.append(f"{name}, {beside}")
            printed = [figures.get(PRINTED[name]) for figures in paper.DIVERSITY_WEIGHTS.values()]
            panel[f"{beside} {name}"] = printed
            for row, figure in zip(rows, printed, strict=True):
                row.append(figure)
    return Table(
        "table_4b",
        "Table 4b: the weight λ_reg against diversity and error, ground-truth 2D",
        columns,
        rows,
        results.notes(
            paper.HUMAN36M, PROTOCOLS["p2"], WAYS, DEVIATION, "The paper names 12.0 but prints no figures for it."
        ),
        _weight_findings(weights, panels[SPREAD]["STD"], panels[P2]["BH"]),
        Chart(weights, panels, "λ_reg").drawable(),
    )


def _weight_findings(weights: list[float], std: list[float | None], best: list[float | None]) -> list[str]:
    findings, known = [], [(error, weight) for error, weight in zip(best, weights, strict=True) if error is not None]
    if None not in std:
        falls = [str(weight) for weight, before, now in zip(weights[1:], std, std[1:], strict=False) if now <= before]
        findings.append(
            f"STD does not rise to λ_reg {', '.join(falls)} from the one before."
            if falls
            else "STD rises with every step of λ_reg."
        )
    if known:
        lowest = min(known)[1]
        place = "at an end of" if lowest in (weights[0], weights[-1]) else "inside"
        findings.append(f"BH is lowest at λ_reg {lowest}, {place} the range.")
    return findings


def pck_table(results: Results) -> Table:
    """Table 5: 3DPCK and AUC by scene, for every alignment."""
    beside, found = results.paper(paper.MPI_INF_3DHP), results.by_name["pck"].get("scenes", {})
    printed_scenes = paper.PCK_BY_SCENE["zero_code"]
    known = [scene for scene in printed_scenes if scene in found and scene != paper.ALL]
    scenes = [*known, *sorted(set(found) - {*known, paper.ALL}), paper.ALL]
    names = {"root": "root-aligned", "scale": "scale-only-aligned", "pa": "PA"}
    columns, rows, panels = ["pose, alignment"], [], {"3DPCK (%)": {}, "AUC (%)": {}}
    for scene in scenes:
        columns += [f"{scene} 3DPCK", *[f"{scene} 3DPCK, {beside}"] * (scene in printed_scenes), f"{scene} AUC"]
    for alignment in ALIGNMENTS:
        for choice, printed in paper.PCK_BY_SCENE.items():
            rows.append([f"{CHOICES[choice]}, {names[alignment]}"])
            for panel, measure in zip(panels.values(), ("pck", "auc"), strict=True):
                shares = [results.number("pck", "scenes", scene, choice, alignment, measure) for scene in scenes]
                panel[rows[-1][0]] = [None if share is None else 100.0 * share for share in shares]
            for scene, *ours in zip(scenes, *(panel[rows[-1][0]] for panel in panels.values()), strict=True):
                pck, auc = (NOT_FINITE if share is None else share for share in ours)
                rows[-1] += [pck, *[printed.get(scene) if alignment == "root" else None] * (scene in printed), auc]
    for choice, printed in paper.PCK_BY_SCENE.items():
        panels["3DPCK (%)"][f"{beside} {CHOICES[choice]}"] = [printed.get(scene) for scene in scenes]
    return Table(
        "table_5",
        "Table 5: 3DPCK and AUC by scene",
        columns,
        rows,
        results.notes(paper.MPI_INF_3DHP, *_pck_notes(found)),
        chart=Chart(scenes, panels).drawable(),
    )


def _pck_notes(found: dict) -> list[str]:
    counts = ", ".join(f"{scene} {values['num_rows']:,}" for scene, values in found.items())
    unknown = "; the test rows have no label “scene”, so only the mean over all can be told" * (len(found) == 1)
    return [
        "3DPCK: share of joints nearer than 150 mm (strictly) to the ground truth, in per cent, of 14 joints: head, "
        "thorax, shoulders, elbows, wrists, hips, knees, ankles. AUC: its mean over the thresholds 0, 5, …, 150 mm. "
        "Camera frame, mm, valid rows only.",
        "Root-aligned: nothing is fitted (the protocol). Scale-only-aligned: the root-centred pose times the factor "
        "that fits best. PA: after the similarity transform, without reflection, that fits best. BH: of "
        "{num_hypotheses} hypotheses the one with the lowest mean error under that alignment (an oracle).",
        "The paper does not say how it aligned; its figures stand in the root-aligned rows.",
        *([f"Rows by scene: {counts}{unknown}."] if found else []),
    ]
