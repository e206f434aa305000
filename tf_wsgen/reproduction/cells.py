"""A table as plain data, and as Markdown, CSV and JSON."""

import csv
import dataclasses
import io
import json

# What stands in a cell instead of a number. An empty one: there is no such figure.
NOT_GIVEN, NOT_FINITE = "not given", "not finite"
Cell = float | int | str | None


@dataclasses.dataclass(frozen=True)
class Chart:
    """What `draw_chart` draws: positions (numbers or names), and series by panel.

    Attributes:
        positions: Numbers, or names.
        panels: {vertical label: {series: values, None where there is none}}.
        xlabel: Horizontal label.
    """

    positions: list[int] | list[float] | list[str]
    panels: dict[str, dict[str, list[float | None]]]
    xlabel: str = ""

    def drawable(self) -> "Chart | None":
        """The chart without empty series and panels; None where nothing is left."""
        panels = {
            label: {name: values for name, values in series.items() if any(value is not None for value in values)}
            for label, series in self.panels.items()
        }
        panels = {label: series for label, series in panels.items() if any(not n.startswith("paper") for n in series)}
        return dataclasses.replace(self, panels=panels) if panels else None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of the paper with our figures.

    Attributes:
        name: Of its files, such as "table_4a".
        title: Its heading.
        columns: Headings, all different; the first column names the row.
        rows: As many cells each: numbers, texts, or None for an empty one.
        notes: What was measured, on what, how.
        findings: What the figures say, in sentences.
        chart: The plot, if one makes sense.
    """

    name: str
    title: str
    columns: list[str]
    rows: list[list[Cell]]
    notes: list[str]
    findings: list[str] = dataclasses.field(default_factory=list)
    chart: Chart | None = None

    def markdown(self) -> str:
        """The whole page: heading, table, findings, notes, and the plot where there is one."""
        lines = [self.columns, ["---", *["---:"] * (len(self.columns) - 1)], *self.rows]
        text = [f"# {self.title}", "", *(f"| {' | '.join(map(_shown, line))} |" for line in lines), ""]
        text += [*(f"- {finding}" for finding in self.findings), ""] if self.findings else []
        text += [*(f"- {note}" for note in self.notes), ""]
        text += [f"![{self.title}]({self.name}.png)", ""] if self.chart else []
        return "\n".join(text)

    def csv(self) -> str:
        """Headings and rows; numbers with three decimals."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row] for row in self.rows)
        return text.getvalue()

    def json(self) -> str:
        """Everything but the plot."""
        content = {name: value for name, value in vars(self).items() if name != "chart"}
        return json.dumps(content, indent=1, ensure_ascii=False)


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.1f}"
    return f"{cell:,}" if isinstance(cell, int) else cell
