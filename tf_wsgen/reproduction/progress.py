"""A bar over runs and measurements, with the time that is left."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from tqdm import tqdm


class Step(NamedTuple):
    """A piece of work: "train" or "measure", and of what."""

    kind: str
    name: str


class Remaining:
    """What is left, and how long it takes, from how long work of the same kind took so far.

    Args:
        amounts: How much each step is: updates, or rows.
    """

    def __init__(self, amounts: Mapping[Step, float]):
        self.amounts, self._done = dict(amounts), {}

    def finish(self, step: Step, seconds: float | None = None) -> None:
        """A step is done, in so many seconds; None for one that fell away."""
        amount = self.amounts.pop(step, 0.0)
        if seconds is not None and amount:
            before = self._done.get(step.kind, (0.0, 0.0))
            self._done[step.kind] = (before[0] + amount, before[1] + seconds)

    def seconds(self) -> float | None:
        """Seconds left; None until a step of each kind that is left was done."""
        if any(step.kind not in self._done for step in self.amounts):
            return None
        rates = {kind: seconds / amount for kind, (amount, seconds) in self._done.items()}
        return sum(amount * rates[step.kind] for step, amount in self.amounts.items())

    def words(self) -> str:
        """What is left, in words."""
        if not self.amounts:
            return "nothing left to train or measure"
        counts = [sum(step.kind == kind for step in self.amounts) for kind in ("train", "measure")]
        seconds = self.seconds()
        about = "time not known yet" if seconds is None else f"about {tqdm.format_interval(seconds)}"
        names = [
            f"{count} {name}{'s' * (count != 1)}" for count, name in zip(counts, ("run", "measurement"), strict=True)
        ]
        return f"{' and '.join(names)} left, {about}"


class StepProgress:
    """The bar; within its context, lines that are said don't break it.

    Args:
        amounts: As for `Remaining`.
    """

    def __init__(self, amounts: Mapping[Step, float]):
        self.remaining, self._began = Remaining(amounts), {}
        form = "{desc}: {n_fmt}/{total_fmt} |{bar}| {elapsed}{postfix}"
        self.bar = tqdm(total=len(amounts), dynamic_ncols=True, bar_format=form, desc="Reproduction")
        self.bar.set_postfix_str(self.remaining.words())

    def begin(self, step: Step, words: str) -> None:
        """A step begins."""
        self._began[step] = time.monotonic()
        self.say(f"{words} ({self.remaining.words()})")

    def finish(self, step: Step) -> None:
        """A step is done, or fell away without having begun."""
        if step in self.remaining.amounts:
            began = self._began.get(step)
            self.remaining.finish(step, None if began is None else time.monotonic() - began)
            self.bar.set_postfix_str(self.remaining.words(), refresh=False)
            self.bar.update()

    def say(self, line: str) -> None:
        """Prints a line above the bar."""
        self.bar.write(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bar.close()
