"""People followed over the frames of a video, where the file does not tell who is who.

Each person is a shape (the joints about a centre) that moves steadily. In every frame the people who are known are
expected where they should be by now; those who are found are assigned to those who are expected so that the distances,
in sizes of the person, are smallest together (the Hungarian method), and nobody to anybody too far off. Most frames
need none of that: everybody is next to where they were in the frame before, and far from everybody else. Such frames
are found for the whole video at once.
"""

import numpy as np

# Frames after which somebody who is not seen is given up.
LONGEST_GAP = 30
# Sizes of the person that somebody may be from where they are expected, and how much more for each frame of a gap.
REACH, REACH_A_FRAME, MOST_REACH = 0.35, 0.05, 1.0
# The share of the last step's error by which the speed changes.
ADAPTS = 0.4
# Sizes within which somebody is plainly who they were in the frame before, where everybody else is further than the
# second; what is expected is then within `REACH` and nearer than anybody else.
SAME, ELSEWHERE = 0.15, 0.5
# Frames from which speed and shape are known again: of the speed before, (1 - ADAPTS)^SETTLES is left.
SETTLES = 10
# Pairs of joints that are compared at a time.
COMPARED = 1_000_000
NOBODY = -1
# Stands for the distance of somebody out of reach.
FAR = 1e6


class _Tracks:
    """T people: number (negative while provisional), last frame, centre, speed a frame, joints about the centre."""

    def __init__(self, joints: int):
        self.number, self.frame, self.steps = (np.zeros(0, np.int64) for _ in range(3))
        self.centre, self.speed = np.zeros((0, 2)), np.zeros((0, 2))
        self.shape, self.seen, self.size = np.zeros((0, joints, 2)), np.zeros((0, joints), bool), np.zeros(0)

    def add(self, numbers: list[int], frame: int, points: np.ndarray, visible: np.ndarray) -> None:
        """New people, (R, J, 2) where they are."""
        count = len(numbers)
        centre = points.mean(axis=1, where=visible[..., None])
        new = {
            "number": numbers,
            "frame": np.full(count, frame),
            "steps": np.zeros(count, np.int64),
            "centre": centre,
            "speed": np.zeros((count, 2)),
            "shape": np.where(visible[..., None], points - centre[:, None], 0.0),
            "seen": visible,
            "size": _size(points, visible),
        }
        for name, values in new.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))

    def forget(self, frame: int) -> None:
        """Drops people without a number who have not been seen for long."""
        gone = (frame - self.frame > LONGEST_GAP) & (self.number < 0)
        if gone.any():
            for name, values in vars(self).items():
                setattr(self, name, values[~gone])

    def expected(self, which: np.ndarray, frame: int) -> np.ndarray:
        """(C, J, 2) where the joints should be."""
        gap = (frame - self.frame[which])[:, None]
        return (self.centre[which] + self.speed[which] * gap)[:, None] + self.shape[which]

    def distance(self, which: np.ndarray, frame: int, points: np.ndarray, visible: np.ndarray) -> np.ndarray:
        """(R, C) median distance of R people's joints from where they should be, in sizes; infinite out of reach."""
        off = _distance(points, visible, self.expected(which, frame), self.seen[which], self.size[which])
        reach = np.minimum(REACH + REACH_A_FRAME * (frame - self.frame[which]), MOST_REACH)
        return np.where(off <= reach, off, np.inf)

    def move(self, which: np.ndarray, frame: int, points: np.ndarray, visible: np.ndarray) -> None:
        """These C people are here now."""
        gap, shared = (frame - self.frame[which])[:, None], visible & self.seen[which]
        off = _median(np.swapaxes(points - self.expected(which, frame), 1, 2), shared[:, None])
        off = np.where(shared.any(axis=1, keepdims=True), off, 0.0)
        self.centre[which] += self.speed[which] * gap + off
        self.speed[which] += np.where(self.steps[which] > 0, ADAPTS, 1.0)[:, None] * off / np.maximum(gap, 1)
        self.frame[which] = frame
        self.steps[which] += 1
        about = points - self.centre[which][:, None]
        self.shape[which] = np.where(visible[..., None], about, self.shape[which])
        self.seen[which] |= visible
        self.size[which] = _size(self.shape[which], self.seen[which])


def _median(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(…) median along the last axis of what is there; infinite where nothing is."""
    count = np.broadcast_to(there, values.shape).sum(axis=-1)
    ranked = np.sort(np.where(there, values, np.inf), axis=-1).reshape(-1, values.shape[-1])
    row, last = np.arange(len(ranked)), np.maximum(count - 1, 0).ravel()
    return ((ranked[row, last // 2] + ranked[row, (last + 1) // 2]) / 2.0).reshape(count.shape)


def _distance(
    points: np.ndarray, visible: np.ndarray, others: np.ndarray, others_visible: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """(…, R, T) median distance of the joints of R people from those of T others, in sizes (…, T) of these."""
    off = points[..., :, None, :, :] - others[..., None, :, :, :]
    shared = visible[..., :, None, :] & others_visible[..., None, :, :]
    return _median(np.sqrt(np.einsum("...c,...c->...", off, off)), shared) / size[..., None, :]


def _size(points: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """(…) diagonal of the box about the joints that are there."""
    there = visible[..., None]
    low, high = np.where(there, points, np.inf).min(axis=-2), np.where(there, points, -np.inf).max(axis=-2)
    return np.maximum(np.linalg.norm(high - low, axis=-1), 1e-6)


def follow(frame: np.ndarray, points: np.ndarray, visible: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Numbers of people, the same for the same person in every frame.

    Args:
        frame: (N,) integers.
        points: (N, J, 2) pixels.
        visible: (N, J) bool, at least one joint of each.
        given: (N,) the file's numbers, which stay as they are; `NOBODY` where it has none.

    Returns:
        (N,) integers; who the file never numbers gets numbers after its last.
    """
    points, visible = np.asarray(points, np.float64), np.asarray(visible, bool)
    numbers, renamed, provisional = np.array(given, np.int64), {}, NOBODY
    tracks = _Tracks(points.shape[1])
    order = np.argsort(frame, kind="stable")
    starts = np.flatnonzero(np.diff(frame[order], prepend=frame[order][0] - 1))
    before = _before(starts, frame[order], points[order], visible[order], given[order])
    plain: list[tuple[np.ndarray, int, np.ndarray]] = []
    found = np.zeros(0, np.int64)
    for start, rows in zip(starts.tolist(), np.split(order, starts[1:]), strict=True):
        now = int(frame[rows[0]])
        if before[start] != NOBODY:
            found = found[before[start : start + len(rows)]]
            plain.append((found, now, rows))
            numbers[rows] = tracks.number[found]
            continue
        for moved, then, here in plain[-SETTLES:]:
            tracks.move(moved, then, points[here], visible[here])
        plain.clear()
        named = given[rows]
        tracks.forget(now)
        place = {number: index for index, number in enumerate(tracks.number.tolist()) if number >= 0}
        found = np.array([place.get(number, NOBODY) for number in named.tolist()])
        here = points[rows], visible[rows]
        # Numbers that are new may be of somebody who was followed without one.
        _assign(tracks, found, (named >= 0) & (found < 0), tracks.number < 0, now, *here)
        _assign(tracks, found, named < 0, now - tracks.frame <= LONGEST_GAP, now, *here)
        known, new = found >= 0, np.flatnonzero(found < 0)
        if known.any():
            told = known & (named >= 0) & (tracks.number[found] < 0)
            renamed.update(zip(tracks.number[found[told]].tolist(), named[told].tolist(), strict=True))
            tracks.number[found[told]] = named[told]
            tracks.move(found[known], now, here[0][known], here[1][known])
        if len(new):
            fresh = [number if number >= 0 else (provisional := provisional - 1) for number in named[new].tolist()]
            found[new] = len(tracks.number) + np.arange(len(new))
            tracks.add(fresh, now, here[0][new], here[1][new])
        numbers[rows] = tracks.number[found]
    fresh = int(max(given.max(initial=NOBODY), NOBODY)) + 1
    for row in order:
        if numbers[row] < 0:
            if numbers[row] not in renamed:
                renamed[numbers[row]], fresh = fresh, fresh + 1
            numbers[row] = renamed[numbers[row]]
    return numbers


def _before(
    starts: np.ndarray, frame: np.ndarray, points: np.ndarray, visible: np.ndarray, given: np.ndarray
) -> np.ndarray:
    """(N,) everybody's place in the frame before; `NOBODY` for all of a frame in which it is not plain for somebody.

    `starts` are the first rows of the F frames; the N rows are as of `follow`, in the order of `frame`.
    """
    before, counts = np.full(len(frame), NOBODY), np.diff(starts, append=len(frame))
    alike = np.flatnonzero((counts[1:] == counts[:-1]) & (np.diff(frame[starts]) <= LONGEST_GAP)) + 1
    for count in np.unique(counts[alike]).tolist():
        first = starts[alike[counts[alike] == count]]
        for some in np.array_split(first, 1 + len(first) * count**2 * points.shape[1] // COMPARED):
            rows = some[:, None] + np.arange(count)
            last = points[rows - count], visible[rows - count]
            distance = _distance(points[rows], visible[rows], *last, _size(*last))
            place = distance.argmin(axis=-1)
            close = distance < ELSEWHERE
            plain = (close.sum(axis=-1) == 1) & (close.sum(axis=-2) == 1) & (distance.min(axis=-1) <= SAME)
            plain &= given[rows] == given[some[:, None] - count + place]
            plain = plain.all(axis=-1)
            before[rows[plain]] = place[plain]
    return before


def _assign(
    tracks: _Tracks,
    found: np.ndarray,
    rows: np.ndarray,
    free: np.ndarray,
    now: int,
    points: np.ndarray,
    visible: np.ndarray,
) -> None:
    """Sets the tracks `found` of some of R rows to free ones within reach, the distances smallest together.

    Args:
        tracks: T of them.
        found: (R,) the track of each row, `NOBODY` for none; changed.
        rows: (R,) bool, the rows to assign.
        free: (T,) bool, the tracks to assign, but for those in `found`.
        now: The frame.
        points: (R, J, 2).
        visible: (R, J).
    """
    rows, which = np.flatnonzero(rows), np.setdiff1d(np.flatnonzero(free), found)
    if not len(rows) or not len(which):
        return
    distance = tracks.distance(which, now, points[rows], visible[rows])
    # SciPy's optimisers take a second to import, and no pose needs them where a file numbers its people.
    from scipy.optimize import linear_sum_assignment

    chosen = linear_sum_assignment(np.minimum(distance, FAR))
    near = distance[chosen] < np.inf
    found[rows[chosen[0][near]]] = which[chosen[1][near]]
