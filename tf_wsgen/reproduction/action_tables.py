"""Tables with a row an action: 1, 2, and 3 as the paper prints it."""

from collections.abc import Mapping
from typing import NamedTuple

from tf_wsgen.reproduction import paper
from tf_wsgen.reproduction.cells import Cell, Chart, Table
from tf_wsgen.reproduction.results import CHOICES, PROTOCOLS, WAYS, Results

KINDS = ("detected", "ground truth")


class Column(NamedTuple):
    """A column of errors: a choice of a result, or the paper's figures for it by action."""

    heading: str
    result: str
    choice: str
    printed: Mapping[str, float] | None = None


def action_table(name: str, results: Results) -> Table:
    """Table 1 (P2) or 2 (P1): errors by action, of detected and ground-truth 2D."""
    protocol, printed = ("p2", paper.P2_BY_ACTION) if name == "table_1" else ("p1", paper.P1_BY_ACTION)
    beside, columns = results.paper(paper.HUMAN36M), []
    for kind in KINDS:
        for choice, short in CHOICES.items():
            columns.append(Column(f"{kind} {short}", kind, choice))
            if (kind, choice) in printed:
                columns.append(Column(f"{kind} {short}, {beside}", kind, choice, printed[kind, choice]))
    return Table(
        name,
        f"Table {name[-1]}: errors by action, Protocol {protocol[-1]}",
        ["action", "rows", *(column.heading for column in columns)],
        _rows(results, columns, protocol),
        results.notes(paper.HUMAN36M, PROTOCOLS[protocol], WAYS, f"{paper.ALL}: the mean over all rows."),
        _choice_findings(results, protocol),
        _chart(results, columns, protocol),
    )


def missing_by_action_table(results: Results) -> Table:
    """Table 3 as the paper prints it: P2 of the best hypothesis by action, one or two joints missing."""
    results, columns = results.only("special 1", "special 2"), []
    for count, word in ((1, "one"), (2, "two")):
        heading, result = f"{word} missing BH", f"special {count}"
        columns.append(Column(heading, result, "best_hypothesis"))
        heading = f"{heading}, {results.paper(paper.HUMAN36M)}"
        columns.append(Column(heading, result, "best_hypothesis", paper.P2_MISSING[count]))
    return Table(
        "table_3_actions",
        "Table 3: missing joints by action, ground-truth 2D",
        ["action", "rows", *(column.heading for column in columns)],
        _rows(results, columns, "p2"),
        results.notes(paper.HUMAN36M, PROTOCOLS["p2"], WAYS, f"{paper.ALL}: the mean over all rows."),
        chart=_chart(results, columns, "p2"),
    )


def _own_actions(results: Results) -> list[str]:
    """Actions of the measured rows, in the paper's order as far as it has them."""
    found = {action for result in results.by_name.values() for action in result.get("per_action", {})}
    return sorted(found, key=lambda action: (_place(action), action))


def _place(action: str) -> int:
    return paper.ACTIONS.index(action) if action in paper.ACTIONS else len(paper.ACTIONS)


def _rows(results: Results, columns: list[Column], protocol: str) -> list[list[Cell]]:
    own, is_paper_data = _own_actions(results), results.all_of(paper.HUMAN36M)

    def row(label, path, measure, figure):
        counts = [results.number(name, *path, "num_rows") for name in reversed(results.by_name)]
        count = next((count for count in counts if count is not None), None)
        cells = [
            results.cell(column.result, *path, column.choice, measure)
            if column.printed is None
            else column.printed.get(figure)
            for column in columns
        ]
        return [label, None if measure != protocol else count, *cells]

    # An action in other data is not the paper's, whatever its name: the paper's rows then follow ours.
    rows = [row(action, ("per_action", action), protocol, action if is_paper_data else None) for action in own]
    others = [action for action in paper.ACTIONS if not is_paper_data or action not in own]
    suffix = "" if is_paper_data else f" ({paper.HUMAN36M})"
    rows += [row(f"{action}{suffix}", ("per_action", None), protocol, action) for action in others]
    rows.append(row(paper.ALL, (), protocol, paper.ALL))
    return [*rows, row("mean of actions", (), f"{protocol}_action_mean", None)]


def _chart(results: Results, columns: list[Column], protocol: str) -> Chart | None:
    own, is_paper_data = _own_actions(results), results.all_of(paper.HUMAN36M)
    series = {}
    for column in columns:
        if column.printed is None:
            values = [results.number(column.result, "per_action", a, column.choice, protocol) for a in own]
            series[column.heading] = [*values, results.number(column.result, column.choice, protocol)]
        elif results.number(column.result, column.choice, protocol) is not None:
            values = [column.printed.get(action) if is_paper_data else None for action in own]
            heading, _, label = column.heading.partition(", ")
            series[f"{label}, {heading}"] = [*values, column.printed[paper.ALL]]
    return Chart([*own, paper.ALL], {f"{protocol.upper()} (mm)": series}).drawable()


def _choice_findings(results: Results, protocol: str) -> list[str]:
    findings = []
    for kind in results.by_name:
        zero, mode, best = (results.number(kind, choice, protocol) for choice in CHOICES)
        if zero is not None:
            findings.append(
                f"{kind.capitalize()} 2D: MS is {mode - zero:+.1f} mm against ZC; BH is {best - zero:+.1f} mm against "
                f"ZC and {best - mode:+.1f} mm against MS."
            )
    return findings
