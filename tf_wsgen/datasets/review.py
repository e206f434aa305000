"""What a person should know of the data before training on it: counts, bone lengths, and what looks wrong."""

from collections import Counter

import numpy as np

from tf_wsgen.datasets.clip import Clip
from tf_wsgen.skeleton import HUMAN16

# Millimetres from the soles to the top of the head, along the bones: nobody is larger or smaller.
TALLEST, SHORTEST = 2400.0, 800.0
# A knee this far (mm) from the line between hip and ankle is bent.
BENT_KNEE = 50.0
# A trunk is along z where this share of its length is.
ALONG_Z = 0.8
NUM_SAMPLES = 12
JOINT = {name: index for index, name in enumerate(HUMAN16.joints)}


class Review:
    """Running counts over clips, in one pass, and `NUM_SAMPLES` rows drawn at random to look at.

    Attributes:
        rows: Rows by (group, subject, action).
    """

    def __init__(self):
        self.rng = np.random.default_rng(0)
        self._drawn = []
        self.rows = Counter()
        self.poses = Counter()
        self.missing = self.joints_2d = 0
        self.low, self.high = np.full(2, np.inf), np.full(2, -np.inf)
        self.bones = np.zeros((3, len(HUMAN16.bones)))
        self.asymmetry = np.zeros(len(HUMAN16.symmetric_bones))
        self.suspicious = Counter()
        self.bent = 0

    def add(self, clip: Clip) -> None:
        """Counts one clip."""
        texts = (np.broadcast_to(clip.labels.get(name, ""), len(clip)).tolist() for name in ("subject", "action"))
        self.rows.update((clip.group, *pair) for pair in zip(*texts, strict=True))
        for name, poses in (("2D", clip.pose_2d), ("3D", clip.pose_3d)):
            self.poses[clip.group, name] += 0 if poses is None else len(poses)
        self._draw(clip)
        if clip.pose_2d is not None:
            self._add_2d(clip)
        if clip.pose_3d is not None:
            self._add_3d(clip.pose_3d.astype(np.float64))

    @property
    def samples(self) -> list[Clip]:
        """The drawn rows, as clips of one row."""
        return [clip for _, clip in self._drawn]

    def _draw(self, clip: Clip) -> None:
        # The rows with the smallest random numbers stay, so that every row has the same chance.
        numbers = self.rng.random(len(clip))
        for row in np.argsort(numbers)[:NUM_SAMPLES].tolist():
            if len(self._drawn) < NUM_SAMPLES or numbers[row] < self._drawn[-1][0]:
                self._drawn.append((numbers[row], clip.take(slice(row, row + 1))))
                self._drawn = sorted(self._drawn, key=lambda drawn: drawn[0])[:NUM_SAMPLES]

    def _add_2d(self, clip: Clip) -> None:
        visible = clip.labels.get("visible", np.ones(clip.pose_2d.shape[:2])) > 0
        self.joints_2d += visible.size
        self.missing += int(visible.size - visible.sum())
        if visible.any():
            seen = clip.pose_2d[visible]
            self.low, self.high = np.minimum(self.low, seen.min(axis=0)), np.maximum(self.high, seen.max(axis=0))
        if clip.image_size is not None:
            outside = ((clip.pose_2d < 0) | (clip.pose_2d > np.array(clip.image_size))).any(axis=-1) & visible
            self.suspicious["have a 2D joint outside of the image"] += int(outside.any(axis=1).sum())
        ends = visible[:, [JOINT["head"], JOINT["pelvis"], JOINT["left_ankle"], JOINT["right_ankle"]]].all(axis=1)
        self._add_upside_down("2D", clip.pose_2d[ends])

    def _add_3d(self, pose: np.ndarray) -> None:
        first, second = np.array(HUMAN16.bone_indices).T
        lengths = np.linalg.norm(pose[:, first] - pose[:, second], axis=-1)
        self.bones += np.stack([np.full(lengths.shape[1], len(pose)), lengths.sum(axis=0), (lengths**2).sum(axis=0)])
        left, right = np.array(HUMAN16.symmetric_bones).T
        self.asymmetry += np.abs(lengths[:, left] - lengths[:, right]).sum(axis=0)
        # Legs (mean of both), trunk, neck, head.
        height = lengths[:, :4].sum(axis=1) / 2.0 + lengths[:, 4:7].sum(axis=1)
        self.suspicious[f"are of a person taller than {TALLEST / 1000:g} m"] += int((height > TALLEST).sum())
        self.suspicious[f"are of a person shorter than {SHORTEST / 1000:g} m"] += int((height < SHORTEST).sum())
        self._add_upside_down("3D", pose)
        trunk = pose[:, JOINT["thorax"]] - pose[:, JOINT["pelvis"]]
        along = np.abs(trunk[:, 2]) > ALONG_Z * np.linalg.norm(trunk, axis=-1)
        self.suspicious["have the trunk along z, as in a world with z up; in a camera's frame y points down"] += int(
            along.sum()
        )
        bend = _knee_bend(pose)
        self.bent += int((np.abs(bend) > BENT_KNEE).sum())
        self.suspicious["bend the knees backwards, as mirrored left and right would"] += int((bend < -BENT_KNEE).sum())

    def _add_upside_down(self, name: str, poses: np.ndarray) -> None:
        head, pelvis, *ankles = (poses[:, JOINT[joint], 1] for joint in ("head", "pelvis", "left_ankle", "right_ankle"))
        down = (head > pelvis) & (np.minimum(*ankles) < pelvis)
        self.suspicious[f"are upside down in {name} (head below the pelvis, an ankle above it)"] += int(down.sum())

    def warnings(self) -> list[str]:
        """One sentence for each kind of suspicious row, with the number of rows."""
        total = sum(self.rows.values())
        sentences = []
        for what, count in self.suspicious.items():
            # Crossed legs and people who lie look like this too; mirrored data does it in most rows with bent knees,
            # another frame in most rows.
            ordinary = self.bent if "mirrored" in what else self.bones[0, 0] if "along z" in what else 0
            if count > 0.5 * ordinary:
                sentences.append(f"{count:,} of {total:,} rows {what}.")
        return sentences

    def table(self) -> str:
        """The summary as text."""
        lines = [f"{'group':<8}{'subject':<12}{'action':<24}{'rows':>10}"]
        for (group, subject, action), count in sorted(self.rows.items()):
            lines.append(f"{group:<8}{subject or '-':<12}{action or '-':<24}{count:>10,}")
        for group in dict.fromkeys(group for group, _ in self.poses):
            counts = ", ".join(f"{self.poses[group, name]:,} {name} poses" for name in ("2D", "3D"))
            lines.append(f"{group}: {counts}")
        if self.joints_2d:
            lines.append(f"missing joints: {100.0 * self.missing / self.joints_2d:.2f} % of the 2D joints")
            if self.missing < self.joints_2d:
                x, y = zip(self.low, self.high, strict=True)
                lines.append(f"2D extent: x {x[0]:.0f} to {x[1]:.0f}, y {y[0]:.0f} to {y[1]:.0f} pixels")
        count, total, squares = self.bones
        if count.any():
            mean = total / count
            deviation = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
            lines.append(f"\n{'bone':<32}{'mean (mm)':>10}{'sd':>8}")
            for (first, second), centre, spread in zip(HUMAN16.bones, mean, deviation, strict=True):
                lines.append(f"{first + ' - ' + second:<32}{centre:>10.1f}{spread:>8.1f}")
            lines.append(f"left and right differ by {np.mean(self.asymmetry / count[0]):.1f} mm on average")
        return "\n".join(lines)


def _knee_bend(pose: np.ndarray) -> np.ndarray:
    """(T,) mm that the knees are in front of the lines from hips to ankles, the smaller of both in size."""
    across = pose[:, JOINT["left_hip"]] - pose[:, JOINT["right_hip"]]
    forward = np.cross(across, pose[:, JOINT["thorax"]] - pose[:, JOINT["pelvis"]])
    forward /= np.maximum(np.linalg.norm(forward, axis=-1, keepdims=True), 1e-9)
    bends = []
    for side in ("left", "right"):
        hip, knee, ankle = (pose[:, JOINT[f"{side}_{part}"]] for part in ("hip", "knee", "ankle"))
        bends.append(np.sum((knee - (hip + ankle) / 2.0) * forward, axis=-1))
    bends = np.stack(bends)
    return np.take_along_axis(bends, np.abs(bends).argmin(axis=0)[None], axis=0)[0]
