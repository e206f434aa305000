"""People followed over the frames of a video, where the file does not tell who is who.

Each person is a shape (the joints about a centre) that moves steadily. In every frame the people who are known are
expected where they should be by now; who is found is assigned to who is expected so that the distances, in sizes of the
person, are smallest together (the Hungarian method), and nobody to anybody too far off.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

# Frames after which somebody who is not seen is given up.
LONGEST_GAP = 30
# Sizes of the person that somebody may be from where they are expected, and how much more for each frame of a gap.
REACH, REACH_A_FRAME, MOST_REACH = 0.35, 0.05, 1.0
# How much of what the last step was off the speed takes over.
ADAPTS = 0.4
NOBODY = -1


class _Track:
    """One person: number (negative while it is provisional), centre, speed a frame, and joints about the centre."""

    def __init__(self, number: int, frame: int, points: np.ndarray, visible: np.ndarray):
        self.number, self.frame = number, frame
        self.centre, self.speed, self.steps = points[visible].mean(axis=0), np.zeros(2), 0
        self.shape, self.seen, self.size = np.zeros_like(points), np.zeros_like(visible), 0.0
        self._look(points, visible)

    def _look(self, points: np.ndarray, visible: np.ndarray) -> None:
        self.shape[visible] = points[visible] - self.centre
        self.seen |= visible
        self.size = max(np.linalg.norm(np.ptp(self.shape[self.seen], axis=0)), 1e-6)

    def expected(self, frame: int) -> np.ndarray:
        """(J, 2) where the joints should be."""
        return self.centre + self.speed * (frame - self.frame) + self.shape

    def distance(self, frame: int, points: np.ndarray, visible: np.ndarray) -> float:
        """Median distance of the joints from where they should be, in sizes; infinite out of reach."""
        shared = visible & self.seen
        if not shared.any():
            return np.inf
        gap = frame - self.frame
        off = np.median(np.linalg.norm(points[shared] - self.expected(frame)[shared], axis=-1)) / self.size
        return off if off <= min(REACH + REACH_A_FRAME * gap, MOST_REACH) else np.inf

    def move(self, frame: int, points: np.ndarray, visible: np.ndarray) -> None:
        """The person is here now."""
        gap, shared = frame - self.frame, visible & self.seen
        expected = self.expected(frame)
        off = np.median((points - expected)[shared], axis=0) if shared.any() else np.zeros(2)
        self.centre = self.centre + self.speed * gap + off
        self.speed = self.speed + (ADAPTS if self.steps else 1.0) * off / max(gap, 1)
        self.frame, self.steps = frame, self.steps + 1
        self._look(points, visible)


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
    tracks: list[_Track] = []
    numbers, renamed = np.array(given, np.int64), {}
    provisional = NOBODY
    order = np.argsort(frame, kind="stable")
    starts = np.flatnonzero(np.diff(frame[order], prepend=frame[order][0] - 1))
    for rows in np.split(order, starts[1:]):
        now = int(frame[rows[0]])
        tracks = [track for track in tracks if now - track.frame <= LONGEST_GAP or track.number >= 0]
        by_number = {track.number: track for track in tracks}
        named = [row for row in rows if given[row] >= 0]
        pairs = [(row, by_number[given[row]]) for row in named if given[row] in by_number]
        # Numbers that are new may be of somebody who was followed without one.
        free = [track for track in tracks if track.number < 0]
        pairs += _assigned([row for row in named if given[row] not in by_number], free, now, points, visible)
        taken = {id(track) for _, track in pairs}
        free = [track for track in tracks if id(track) not in taken and now - track.frame <= LONGEST_GAP]
        pairs += _assigned([row for row in rows if given[row] < 0], free, now, points, visible)
        found = dict(pairs)
        for row in rows:
            track = found.get(row)
            if track is None:
                number = int(given[row])
                if number < 0:
                    provisional -= 1
                    number = provisional
                track = _Track(number, now, points[row], visible[row])
                tracks.append(track)
            else:
                if given[row] >= 0 and track.number < 0:
                    renamed[track.number] = track.number = int(given[row])
                track.move(now, points[row], visible[row])
            numbers[row] = track.number
    fresh = int(max(given.max(initial=NOBODY), NOBODY)) + 1
    for row in order:
        if numbers[row] < 0:
            if numbers[row] not in renamed:
                renamed[numbers[row]], fresh = fresh, fresh + 1
            numbers[row] = renamed[numbers[row]]
    return numbers


def _assigned(rows: list, tracks: list, now: int, points: np.ndarray, visible: np.ndarray) -> list[tuple]:
    """Pairs of rows and tracks within reach, the distances smallest together."""
    if not rows or not tracks:
        return []
    distance = np.array([[track.distance(now, points[row], visible[row]) for track in tracks] for row in rows])
    far = 1e6
    chosen = zip(*linear_sum_assignment(np.where(np.isfinite(distance), distance, far)), strict=True)
    return [(rows[i], tracks[j]) for i, j in chosen if np.isfinite(distance[i, j])]
