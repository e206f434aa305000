"""From a configuration to tables and figures: trains what is missing, measures what is not yet, writes."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping

import numpy as np

from tf_wsgen.config import Config
from tf_wsgen.data.training_data import Source
from tf_wsgen.errors import InputError, signal_of
from tf_wsgen.evaluation.reproduction_figures import draw_chart, draw_without_truth
from tf_wsgen.reproduction.cells import Table
from tf_wsgen.reproduction.data_files import open_data
from tf_wsgen.reproduction.paper_tables import make_tables
from tf_wsgen.reproduction.plan import BASE, measurements, runs
from tf_wsgen.reproduction.progress import StepProgress
from tf_wsgen.reproduction.results import Results
from tf_wsgen.reproduction.session import CHECKPOINT, Session, clear
from tf_wsgen.sections import DataConfig
from tf_wsgen.training.workdir import alone_in, write_text
from tf_wsgen.training.workflow import picture_run


@dataclasses.dataclass(frozen=True)
class Reproduced:
    """How a reproduction ended.

    Attributes:
        written: Files.
        failed: Why runs stopped, by name.
        interrupted: The number of the signal that stopped it, or 0.
    """

    written: list[pathlib.Path]
    failed: dict[str, str]
    interrupted: int = 0


def reproduce(
    config: Config, workdir: str | os.PathLike, targets: list[str], paths: Mapping[str, str] | None = None
) -> Reproduced:
    """Makes tables and figures; what was trained and measured before is not repeated.

    In the folder are `runs/` (a work directory each), `results/` (a `RunRecord` each) and `tables/`.

    Args:
        config: The configuration that all runs share; its data have the ground-truth 2D poses.
        workdir: The folder.
        targets: Of `plan.targets`.
        paths: Further prepared files, by "detections", "mpii", "mpi_inf_3dhp".

    Raises:
        InputError: Data or a configuration that cannot be used, or runs of others in the folder.
    """
    given = {name: dataclasses.replace(config.data, path=path) for name, path in (paths or {}).items()}
    mpii = _people(given.pop("mpii")) if "mpii" in given else None
    files = {"data": open_data(config.data, trained_on=True)}
    files |= {name: open_data(data, trained_on=name == "detections") for name, data in given.items()}
    folder = pathlib.Path(workdir)
    with alone_in(folder):
        session = Session(config, folder, files)
        plan = {target: measurements(target, config, files) for target in targets}
        needed = dict.fromkeys(run for target in targets for run in runs(target, config, files))
        written, interrupted = [], 0
        with StepProgress(session.steps(needed, plan)) as session.progress:
            try:
                for target in targets:
                    if target.startswith("table"):
                        results = Results({name: session.measure(what) for name, what in plan[target].items()})
                        new = _write_tables(make_tables(target, results), folder / "tables", session.progress)
                    else:
                        new = _write_figure(target, session, folder / "tables", mpii)
                    session.progress.say(f"Written: {', '.join(str(file) for file in new)}")
                    written += new
            except KeyboardInterrupt as stop:
                interrupted = signal_of(stop)
    return Reproduced(written, session.failed, interrupted)


def _people(config: DataConfig) -> tuple[np.ndarray, np.ndarray, str]:
    """2D poses of a file's test group, or else of its training group, their visibility, and the source."""
    data = Source(config).data
    for group in (data.test, data.train):
        if group is not None and group.pose_2d is not None:
            visible = group.labels.get("visible", np.ones(group.pose_2d.shape[:2], np.float32))
            return group.pose_2d, visible, data.source
    raise InputError(f"{config.path}: has no 2D poses; expected test/pose_2d.")


def _write_tables(tables: list[Table], folder: pathlib.Path, progress: StepProgress) -> list[pathlib.Path]:
    """Markdown, CSV, JSON, and a plot where there is one, of each table; says what was found."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for table in tables:
        for ending, text in (("md", table.markdown()), ("csv", table.csv()), ("json", table.json())):
            written.append(folder / f"{table.name}.{ending}")
            write_text(written[-1], text)
        picture = folder / f"{table.name}.png"
        picture.unlink(missing_ok=True)
        if table.chart:
            written.append(picture)
            draw_chart(table.title, table.chart.positions, table.chart.panels, table.chart.xlabel, picture)
        progress.say("\n".join([table.title, *(f"  {finding}" for finding in table.findings)]))
    return written


def _write_figure(target: str, session: Session, folder: pathlib.Path, mpii: tuple | None) -> list[pathlib.Path]:
    """The picture, and a page with what it shows, as Markdown and JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    trained, config, workdir = session.trained(BASE), session.config(BASE), session.workdir(BASE)
    source = session.files["data"].data.source if target == "figure_3" else mpii[2]
    truth = "ground truth, " if target == "figure_3" else ""
    about = {
        "name": target,
        "title": f"Figure {target[-1]}: input, {truth}five hypotheses by farthest points, and their reprojections",
        "source": source,
        "trained_on": session.files["data"].data.source,
        "updates": trained["updates"],
        "seed": config.evaluation.seed,
        "hypotheses": f"5 of {config.evaluation.diversity_pool}",
    }
    picture = folder / f"{target}.png"
    picture.unlink(missing_ok=True)
    if "failed" in trained:
        about["failed"] = trained["failed"]
        shown = f"Not drawn: the run {BASE.name} stopped. {trained['failed']}"
    else:
        if target == "figure_3":
            picture_run(workdir, config, picture, source=session.files["data"])
        else:
            draw_without_truth(workdir.load_lifter(CHECKPOINT)[0], *mpii[:2], config.evaluation, picture, mpii[2])
        clear()
        shown = f"![{about['title']}]({picture.name})"
    lines = [f"- {name.replace('_', ' ')}: {value}" for name, value in about.items() if name not in ("name", "title")]
    pages = {"md": "\n".join([f"# {about['title']}", "", shown, "", *lines, ""]), "json": json.dumps(about, indent=1)}
    for ending, text in pages.items():
        write_text(folder / f"{target}.{ending}", text)
    return [*(folder / f"{target}.{ending}" for ending in pages), *([] if "failed" in trained else [picture])]
