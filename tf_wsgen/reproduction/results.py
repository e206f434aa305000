"""Measurements by name, as the tables look at them: a number, or why there is none; and what was measured, in words."""

from collections.abc import Mapping

from tf_wsgen.reproduction.cells import NOT_FINITE, NOT_GIVEN, Cell

CHOICES = {"zero_code": "ZC", "mean_shift": "MS", "best_hypothesis": "BH"}
PROTOCOLS = {
    "p1": "Protocol 1 (MPJPE, mm): hypotheses turned into the camera frame by the estimated camera, scaled by the "
    "stored ratio, root-aligned.",
    "p2": "Protocol 2 (PA-MPJPE, mm): after the similarity transform, without reflection, that fits best to the "
    "ground truth.",
}
WAYS = (
    "ZC: the pose of the zero code. MS: the mode of {num_hypotheses} hypotheses by mean-shift. BH: the best of "
    "{num_hypotheses} hypotheses, chosen with the ground truth (an oracle), for each protocol on its own."
)


class Results:
    """What a table is made of.

    Args:
        by_name: By the names of `plan.measurements`: what `evaluate_run` or `pck_report` measured, with the rows'
            `source`; or instead `failed`, the reason. Each with its `run`: `name`, `words`, `updates`, `seed`,
            `source`, `train_2d`, `train_3d` (rows), `validation_fraction`, `evaluation` (that section's fields).
    """

    def __init__(self, by_name: Mapping[str, dict]):
        self.by_name = dict(by_name)

    def only(self, *names: str) -> "Results":
        """Some of them."""
        return Results({name: self.by_name[name] for name in names})

    def cell(self, name: str, *path: str) -> Cell:
        """A measured number; or that its data was not given, or its run failed; or None where there is none."""
        if name not in self.by_name:
            return NOT_GIVEN
        found = self.by_name[name]
        if "failed" in found:
            return NOT_FINITE
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        return None if isinstance(found, dict) else found

    def number(self, name: str, *path: str) -> float | int | None:
        """A measured number, or None."""
        found = self.cell(name, *path)
        return None if isinstance(found, str) else found

    def all_of(self, dataset: str) -> bool:
        """Whether all is of this data set, by what its prepared files call their source."""
        return all(result["source"].startswith(dataset) for result in self.by_name.values())

    def paper(self, dataset: str) -> str:
        """What to call the paper's figures: their data set is named where ours is another."""
        return "paper" if self.all_of(dataset) else f"paper ({dataset})"

    def notes(self, dataset: str, *protocol: str) -> list[str]:
        """Data, rows, runs, seeds, the protocol in words, and whose figures the paper's are.

        Args:
            dataset: The paper's.
            protocol: Sentences; fields of the evaluation stand in braces.
        """
        notes, runs, failed = [], {}, {}
        for result in self.by_name.values():
            run = result["run"]
            if "failed" in result:
                failed[run["name"]] = result["failed"]
                continue
            runs[run["name"]] = (
                f"{run['name']} ({run['words']}), {run['updates']:,} updates, {result['checkpoint']} checkpoint of "
                f"update {result['updates']:,}"
            )
            note = (
                f"Measured on {result['num_rows']:,} test rows of “{result['source']}”. Trained on {run['train_2d']:,} "
                f"2D and {run['train_3d']:,} 3D rows of “{run['source']}”, never paired, "
                f"{100 * run['validation_fraction']:g} % of their sequences held out to choose the checkpoint. Seeds: "
                f"{run['seed']} (training), {result['seed']} (evaluation)."
            )
            notes += [] if note in notes else [note]
        notes += [f"Runs: {'; '.join(runs.values())}."] if runs else []
        notes += [f"Run {name} stopped and is not measured. {reason}" for name, reason in failed.items()]
        evaluation = next(iter(self.by_name.values()))["run"]["evaluation"]
        notes += [sentence.format(**evaluation) for sentence in protocol]
        if not self.all_of(dataset):
            notes.append(f"The paper's figures are of {dataset}, not of these data.")
        return notes
