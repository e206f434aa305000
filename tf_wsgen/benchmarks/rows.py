"""One line of the benchmark's table, and timing by turns."""

import dataclasses
import gc
import statistics
import time
from collections.abc import Callable, Mapping

# A timing is of as many calls as take so long, seconds; shorter ones measure the clock.
SHORTEST_TIMING = 0.05
LEAST_ROUNDS = 3


@dataclasses.dataclass(frozen=True)
class Row:
    """A figure, and what it is compared with.

    Args:
        part: What `--only` names.
        what: What was measured.
        value: The figure.
        unit: Of the figure and of the limit.
        limit: What the figure can be at best, or what it is compared with; None where there is nothing.
        limit_is: What that is.
        ratio: How near, or how many times better, as `limit_is` says.
    """

    part: str
    what: str
    value: float
    unit: str
    limit: float | None = None
    limit_is: str = ""
    ratio: float | None = None


@dataclasses.dataclass(frozen=True)
class Timing:
    """Seconds a call: the best and the median of many short timings."""

    best: float
    median: float


def by_turns(calls: Mapping[str, Callable[[], object]], seconds: float) -> dict[str, Timing]:
    """Times calls by turns, so that what else the machine does falls on all of them alike.

    Args:
        calls: What to call by name; each returns when its work is done.
        seconds: How long to go on, all together; each is timed `LEAST_ROUNDS` times at least.
    """
    repeats = {}
    for name, call in calls.items():
        call()  # Traces and compiles.
        start = time.perf_counter()
        call()
        repeats[name] = max(1, round(SHORTEST_TIMING / (time.perf_counter() - start)))
    timings = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    gc.collect()
    while time.perf_counter() < end or len(next(iter(timings.values()))) < LEAST_ROUNDS:
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            timings[name].append((time.perf_counter() - start) / repeats[name])
    return {name: Timing(min(values), statistics.median(values)) for name, values in timings.items()}
