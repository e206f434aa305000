"""Who is who over the frames: the numbers of people that a file gives, and fresh ones for the rest."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from tf_wsgen.datasets.readers.detector_formats import Person


def identities(people: Sequence[Person]) -> tuple[np.ndarray, list[str]]:
    """Everybody's identity, unique in each frame, and what is to be said about it.

    Identities in the file stay as they are. Who has none, or the same as another in the frame, gets a fresh one that
    nobody else has. Where the file identifies nobody, it is the place in the frame.

    Args:
        people: N, as the file has them.

    Returns:
        (N,) integers, and sentences.
    """
    by_frame = defaultdict(list)
    for row, person in enumerate(people):
        by_frame[person.frame].append(row)
    given = [person.person for person in people]
    crowded = any(len(rows) > 1 for rows in by_frame.values())
    # Without tracking, some programs write the same number for everybody.
    if set(given) == {None} or (crowded and len(set(given)) == 1):
        places = np.empty(len(people), np.int64)
        for rows in by_frame.values():
            places[rows] = range(len(rows))
        note = "the file does not identify people over frames: person is the place in the frame"
        return places, [note] if crowded and len(by_frame) > 1 else []

    found = np.empty(len(people), np.int64)
    first = fresh = max(identity for identity in given if identity is not None) + 1
    taken: Counter[tuple[int | str, int]] = Counter()
    for row, (person, identity) in enumerate(zip(people, given, strict=True)):
        if identity is None or taken[person.frame, identity]:
            identity, fresh = fresh, fresh + 1
        taken[person.frame, identity] += 1
        found[row] = identity
    if fresh == first:
        return found, []
    numbers = f"{first}" if fresh == first + 1 else f"{first} to {fresh - 1}"
    return found, [
        f"{fresh - first:,} of {len(people):,} rows have no person's number of their own: they get {numbers}"
    ]
