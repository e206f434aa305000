"""Who is who over the frames: the numbers of people that a file gives, and people followed where it gives none."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tf_wsgen.datasets.readers.json_values import Person
from tf_wsgen.datasets.tracking import NOBODY, follow

TRACKING = ("auto", "file", "off")


def numbers_in_file(people: Sequence[Person]) -> np.ndarray:
    """(N,) people's numbers as the file has them; `NOBODY` for who has none, or another's in the same frame."""
    in_frame = Counter(person.frame for person in people)
    given = [NOBODY if person.person is None else person.person for person in people]
    # Without tracking, some programs write the same number for everybody.
    if max(in_frame.values()) > 1 and len(set(given)) == 1:
        return np.full(len(people), NOBODY)
    taken: set[tuple[int | str, int]] = set()
    for row, person in enumerate(people):
        if (person.frame, given[row]) in taken:
            given[row] = NOBODY
        taken.add((person.frame, given[row]))
    return np.array(given, np.int64)


def identities(
    people: Sequence[Person], frame: np.ndarray, points: np.ndarray, visible: np.ndarray, track: bool
) -> tuple[np.ndarray, list[str]]:
    """Everybody's number, unique in each frame, and what is to be said about it.

    Numbers in the file stay as they are. Who has none is followed over the frames, or else gets a number that nobody
    has; where the file numbers nobody, and nobody can be followed, it is the place in the frame.

    Args:
        people: N, as the file has them.
        frame: (N,) as they are sorted.
        points: (N, J, 2) pixels.
        visible: (N, J) bool.
        track: Whether to follow people.
    """
    given = numbers_in_file(people)
    unnumbered = given == NOBODY
    crowd = Counter(frame.tolist()).most_common(1)[0][1]
    if not unnumbered.any():
        return given, []
    rows = np.flatnonzero(visible.any(axis=1))
    if track and crowd > 1 and len(set(frame.tolist())) > 1 and len(rows):
        found = given.copy()
        found[rows] = follow(frame[rows], points[rows], visible[rows], given[rows])
        new = sorted({*found[unnumbered & visible.any(axis=1)].tolist()} - {*given.tolist()})
        # Of unrelated images nobody can be followed.
        if len(new) <= len(rows) / 2:
            who = f"{len(new)} people get the numbers {_listed(new)}" if new else "all are people with numbers"
            return found, [f"{unnumbered.sum():,} of {len(people):,} rows have no number: followed over frames, {who}"]
    if unnumbered.all():
        notes = ["the file does not identify people over frames: person is the place in the frame"]
        return np.array(places_in(frame.tolist())), notes if crowd > 1 else []
    found = given.copy()
    found[unnumbered] = given.max() + 1 + np.arange(unnumbered.sum())
    numbers = _listed(found[unnumbered].tolist())
    return found, [
        f"{unnumbered.sum():,} of {len(people):,} rows have no person's number of their own: they get {numbers}"
    ]


def places_in(names: Sequence[int | str]) -> list[int]:
    """For each of the rows of named frames, from 0, which of its frame's it is."""
    counts, places = Counter(), []
    for name in names:
        places.append(counts[name])
        counts[name] += 1
    return places


def _listed(numbers: list[int]) -> str:
    return f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
