"""MediaPipe's pose models by LiteRT: people found in an image, their 33 landmarks, followed from frame to frame.

What is before, between and after the two networks is that of MediaPipe's graphs (`modules/pose_detection` and
`modules/pose_landmark` of https://github.com/google-ai-edge/mediapipe): the anchors of a single-shot detector, weighted
non-maximum suppression, a turned square about each person, landmarks refined by their heatmaps. A person's square comes
from the landmarks in the frame before, and of who is new from the detector.
"""

import math
import os
import pathlib
import zipfile
from typing import NamedTuple

import numpy as np
from PIL import Image

from tf_wsgen.errors import InputError
from tf_wsgen.files import existing_file, one_sentence

KIND = "MediaPipe's pose models: a .task file, or the folder of npm's @mediapipe/pose"
# Of npm's package: the detector, which is packed alone, and the landmark models, the usual choice first.
NPM_DETECTOR = "pose_solution_packed_assets.data"
NPM_LANDMARKS = ("pose_landmark_full.tflite", "pose_landmark_heavy.tflite", "pose_landmark_lite.tflite")
TASK_MODELS = ("pose_detector.tflite", "pose_landmarks_detector.tflite")
LARGEST_MODEL = 200_000_000
# Landmarks of people, and with those from which the next frame's square and others come.
LANDMARKS, ALL_LANDMARKS = 33, 39
# Cells to a side of the detector's anchors, and anchors in a cell.
ANCHORS = ((28, 2), (14, 2), (7, 6))
# Shapes of the networks' inputs and outputs: detector, boxes with four points, scores; landmarks, presence, heatmaps.
DETECTOR_SHAPES = ((1, 224, 224, 3), (1, 2254, 12), (1, 2254, 1))
LANDMARK_SHAPES = ((1, 256, 256, 3), (1, 5 * ALL_LANDMARKS), (1, 1), (1, 64, 64, ALL_LANDMARKS))
# As in MediaPipe: the least score of a person, the overlap of one person's boxes and of one person's squares, room
# around people, cells to each side that refine a landmark, and the hottest of them at least.
LEAST_SCORE, SAME_BOX, SAME_SQUARE, ROOM, REFINING_CELLS, LEAST_HEAT = 0.5, 0.3, 0.5, 1.25, 3, 0.5

# Two people's landmarks are mostly farther from each other, in sides of the square: a sixth of a person's height.
SAME_POSE = 0.1


class Square(NamedTuple):
    """A turned square in an image: its centre and side in pixels, its angle in radians, clockwise as seen."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def around(cls, hips: np.ndarray, edge: np.ndarray) -> "Square":
        """The square of a person who stands upright in it, from the hips' middle and a point above, both (2,)."""
        x, y = edge - hips
        return cls(*hips.tolist(), 2.0 * ROOM * math.hypot(x, y), math.atan2(y, x) + math.pi / 2.0)

    @property
    def _axes(self) -> np.ndarray:
        cosine, sine = math.cos(self.angle) * self.side, math.sin(self.angle) * self.side
        return np.array([[cosine, -sine], [sine, cosine]])

    def place(self, shares: np.ndarray) -> np.ndarray:
        """(…, 2) pixels in the image, of shares of the square from its upper left corner."""
        return (shares - 0.5) @ self._axes.T + [self.x, self.y]

    def cut(self, image: Image.Image, size: int) -> np.ndarray:
        """(size, size, 3) float32 from 0 to 1, black outside of the image."""
        axes = self._axes / size
        # As MediaPipe has it on CPUs: the middle of the first pixel is at the square's corner and at that pixel's index
        # in the image. Pillow would have it half a pixel from both.
        corner = self.place(np.zeros(2)) - axes @ [0.5, 0.5] + 0.5
        affine = np.column_stack([axes, corner]).ravel().tolist()
        cut = image.transform((size, size), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR)
        return np.asarray(cut, np.float32) / 255.0

    @property
    def box(self) -> np.ndarray:
        """(4,) left, top, right and bottom, not turned."""
        return np.array([self.x, self.y, self.x, self.y]) + np.array([-0.5, -0.5, 0.5, 0.5]) * self.side


class MediaPipe:
    """Finds the people of one frame after another.

    Args:
        model: A `.task` file, the folder of npm's `@mediapipe/pose`, or one of the landmark models in it.

    Raises:
        InputError: Nothing is there, or something else; LiteRT is not installed.
    """

    convention = "mediapipe33"

    def __init__(self, model: str | os.PathLike | None):
        if model is None:
            raise InputError(f"detector mediapipe needs --detector_model; expected {KIND}.")
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError:
            raise InputError(
                "detector mediapipe needs LiteRT, which is not installed: pip install 'tf_wsgen[video]'"
            ) from None
        path = pathlib.Path(model)
        with one_sentence(path, KIND):
            self._detector, self._landmarks = (
                _Network(Interpreter(model_content=content, num_threads=os.cpu_count()), *shapes)
                for content, shapes in zip(_models(path), (DETECTOR_SHAPES, LANDMARK_SHAPES), strict=True)
            )
        self._anchors = np.concatenate([np.repeat(_cells(count), each, axis=0) for count, each in ANCHORS])
        self._squares: list[Square] = []

    def __call__(self, image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
        """(P, 33, 2) pixels and (P, 33) visibilities from 0 to 1, of P people."""
        known, self._squares, people = self._squares, [], []
        squares = [*known, *(new for new in self._find(image) if _apart(new, known))]
        seen = [self._look(image, square) for square in squares]
        # Of two that became one person the better seen stays.
        for landmarks, visibility, presence in sorted(seen, key=lambda one: -one[1].mean()):
            following = Square.around(*landmarks[LANDMARKS : LANDMARKS + 2])
            if presence < LEAST_SCORE or following.side <= 0.0 or not _apart(following, self._squares):
                continue
            points = landmarks[:LANDMARKS]
            if all(_median_distance(points, other) > SAME_POSE * following.side for other, _ in people):
                self._squares.append(following)
                people.append((points, visibility[:LANDMARKS]))
        points, visibility = zip(*people, strict=True) if people else ((), ())
        return np.reshape(points, (-1, LANDMARKS, 2)), np.reshape(visibility, (-1, LANDMARKS))

    def _find(self, image: Image.Image) -> list[Square]:
        """The squares of people whom the detector finds."""
        whole = Square(image.width / 2.0, image.height / 2.0, float(max(image.size)), 0.0)
        size = self._detector.size
        boxes, scores = self._detector(2.0 * whole.cut(image, size) - 1.0)
        scores = _sigmoid(scores[:, 0])
        good = np.flatnonzero(scores >= LEAST_SCORE)
        boxes, scores = boxes[good].reshape(-1, 6, 2) / size, scores[good]
        # The centre and the four points are from the anchor, between them is the box's size.
        boxes[:, [0, 2, 3, 4, 5]] += self._anchors[good, None]
        corners = np.concatenate([boxes[:, 0] - boxes[:, 1] / 2.0, boxes[:, 0] + boxes[:, 1] / 2.0], axis=1)
        found, left = [], np.argsort(-scores, kind="stable")
        while len(left):
            same = _overlap(corners[left[0]], corners[left]) > SAME_BOX
            same[0] = True
            hips, edge = np.average(boxes[left[same], 2:4], axis=0, weights=scores[left[same]])
            found.append(Square.around(whole.place(hips), whole.place(edge)))
            left = left[~same]
        return found

    def _look(self, image: Image.Image, square: Square) -> tuple[np.ndarray, np.ndarray, float]:
        """(39, 2) pixels, (39,) visibilities, and the probability that there is somebody."""
        values, presence, heat = self._landmarks(square.cut(image, self._landmarks.size))
        values = values.reshape(ALL_LANDMARKS, 5)
        shares = refined(values[:, :2] / self._landmarks.size, _sigmoid(heat))
        return square.place(shares), _sigmoid(values[:, 3]), float(presence[0])


class _Network:
    """A TFLite network of one image; the outputs are told apart by their shapes."""

    def __init__(self, interpreter, image: tuple[int, ...], *outputs: tuple[int, ...]):
        interpreter.allocate_tensors()
        there = {tuple(one["shape"].tolist()): one["index"] for one in interpreter.get_output_details()}
        entrance = interpreter.get_input_details()[0]
        if tuple(entrance["shape"].tolist()) != image or not there.keys() >= set(outputs):
            raise ValueError(f"a model has other inputs or outputs than {image} and {outputs}")
        self.size = image[1]
        self._interpreter, self._entrance = interpreter, entrance["index"]
        self._outputs = [there[shape] for shape in outputs]

    def __call__(self, image: np.ndarray) -> list[np.ndarray]:
        self._interpreter.set_tensor(self._entrance, image[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


def refined(points: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Landmarks moved to the mean of the heat about them, where there is some.

    Args:
        points: (L, 2) shares of the square.
        heat: (H, W, L) from 0 to 1.

    Returns:
        (L, 2) shares; those outside of the square, or in the cold, as they were.
    """
    size = np.array(heat.shape[1::-1])
    cells = np.floor(points * size).astype(int)
    inside = ((cells >= 0) & (cells < size)).all(axis=1)
    x, y = cells.clip(0, size - 1).T
    reach = np.arange(-REFINING_CELLS, REFINING_CELLS + 1)
    padded = np.pad(heat, ((REFINING_CELLS, REFINING_CELLS), (REFINING_CELLS, REFINING_CELLS), (0, 0)))
    rows, columns = (y[:, None] + reach)[:, :, None], (x[:, None] + reach)[:, None, :]
    near = padded[rows + REFINING_CELLS, columns + REFINING_CELLS, np.arange(len(points))[:, None, None]]
    total = np.maximum(near.sum(axis=(1, 2)), 1e-9)
    means = [(near * places).sum(axis=(1, 2)) / total for places in (columns, rows)]
    warm = inside & (near.max(axis=(1, 2)) >= LEAST_HEAT)
    return np.where(warm[:, None], np.stack(means, axis=1) / size, points)


def _models(path: pathlib.Path) -> tuple[bytes, bytes]:
    """The detector's and the landmark model's bytes."""
    if path.is_dir():
        path = next((path / name for name in NPM_LANDMARKS if (path / name).exists()), path / NPM_LANDMARKS[0])
    if zipfile.is_zipfile(existing_file(path, KIND)):
        with zipfile.ZipFile(path) as archive:
            if sum(archive.getinfo(name).file_size for name in TASK_MODELS) > LARGEST_MODEL:
                raise InputError(f"{path}: unpacks to more than {LARGEST_MODEL:,} bytes; expected {KIND}.")
            detector, landmarks = (archive.read(name) for name in TASK_MODELS)
            return detector, landmarks
    return existing_file(path.with_name(NPM_DETECTOR), KIND).read_bytes(), path.read_bytes()


def _cells(count: int) -> np.ndarray:
    """(count², 2) middles of cells, shares of the image, row by row."""
    y, x = np.divmod(np.arange(count * count), count)
    return (np.stack([x, y], axis=1) + 0.5) / count


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -80.0, 80.0)))


def _overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(N,) intersection over union of a (4,) box with (N, 4) others."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.maximum(high - low, 0.0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return shared / np.maximum((box[2:] - box[:2]).prod() + areas - shared, 1e-9)


def _median_distance(points: np.ndarray, others: np.ndarray) -> float:
    return float(np.median(np.linalg.norm(points - others, axis=-1)))


def _apart(square: Square, others: list[Square]) -> bool:
    """Whether the square is nobody's of the others."""
    return not others or bool((_overlap(square.box, np.stack([other.box for other in others])) <= SAME_SQUARE).all())
