"""Keypoints in, hypotheses out, in two lines: a trained model of whatever form behind one call."""

import json
import operator
import os
import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tf_wsgen.batches import in_batches
from tf_wsgen.data.preprocess import LARGEST_PIXEL, normalise_keypoints
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, convention_by_name, convert
from tf_wsgen.errors import InputError
from tf_wsgen.geometry.ray import ray_through
from tf_wsgen.geometry.root_position import root_position
from tf_wsgen.hypotheses.sampling import shared_codes, zero_code
from tf_wsgen.lifting.endpoints import MOST_SAMPLES, MOST_SHIFTED, Endpoints
from tf_wsgen.lifting.model_file import IN_SAVED_MODEL, load_lifter
from tf_wsgen.lifting.radius import conformal_radius, spread_of
from tf_wsgen.lifting.result import LiftedPoses
from tf_wsgen.skeleton import HUMAN16, SKELETONS, Skeleton, skeleton_from_dict

PRETRAINED = pathlib.Path(__file__).parents[1] / "pretrained" / "posterior.npz"
SELECTIONS = ("zero_code", "mean_shift")
DESCRIBED = ("pose_3d", "reprojection", "log_likelihood")


class PoseLifter:
    """A trained model that takes 2D poses and gives hypotheses.

    Args:
        endpoints: `Endpoints`, or a loaded SavedModel of them.
        skeleton: The joints.
        name: How to call the model in results.
    """

    def __init__(self, endpoints, skeleton: Skeleton, name: str):
        self.endpoints, self.skeleton, self.name = endpoints, skeleton, name
        self.code_size = int(endpoints.code_size.numpy())
        # SavedModels that were exported before have neither.
        self.body_height = float(getattr(endpoints, "body_height", 0.0))
        self.radius_factors = np.asarray(getattr(endpoints, "radius_factors", ()))

    def __call__(
        self,
        keypoints: np.ndarray,
        visible: np.ndarray | None = None,
        num_hypotheses: int = 10,
        seed: int = 0,
        select: str = "zero_code",
        batch_size: int = 512,
        image_size: tuple[float, float] | None = None,
        focal_length: float | None = None,
        height: np.ndarray | float | None = None,
        convention: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> LiftedPoses:
        """Lifts 2D poses.

        Args:
            keypoints: (…, J, 2) pixels, x right, y down, joints in the order of `skeleton`.
            visible: (…, J) 0 missing, 1 seen; a detector's scores, from 0 to 1, tell a model that was trained with
                them how sure each joint is. None if every joint is seen. Keypoints of missing joints don't matter.
            num_hypotheses: N; their codes are the same for every pose, a pure function of N and the seed.
            seed: Of the codes.
            select: The pose to choose: "zero_code", or "mean_shift" for the mode of the hypotheses.
            batch_size: Poses a call into TensorFlow.
            image_size: Width and height, pixels. With it each person is lifted as by a camera that looks at their
                pelvis, and turned back (`tf_wsgen.geometry.ray`), and has a `root_position`; without it poses are in
                the frame of that ray, up to half the field of view from the camera's.
            focal_length: Pixels; None for 1.1 times the image's width.
            height: (…) or a number, the person's stature in metres; None for that of the model's mean body. It scales
                3D poses, of whose size an image tells nothing.
            convention: Joints of `keypoints`, such as "coco17" (`tf_wsgen.datasets.keypoint_conventions`); None for
                those of `skeleton`.
            progress: Called with the number of poses after each call.

        Raises:
            InputError: Wrong shapes, numbers that are not finite, too many hypotheses, or a pose that cannot be
                read: a visible root or both hips, and joints in more than one place, are needed.
        """
        joints = self.skeleton.num_joints
        keypoints = _numbers(keypoints, "keypoints")
        visible = np.ones(keypoints.shape[:-1], np.float32) if visible is None else _numbers(visible, "visible")
        if convention is not None:
            keypoints, visible = self._converted(keypoints, visible, convention)
        keypoints, visible = self._checked(keypoints, visible)
        if select not in SELECTIONS:
            raise InputError(f"select is {select!r}; expected one of {list(SELECTIONS)}.")
        most = MOST_SHIFTED if select == "mean_shift" else MOST_SAMPLES
        num_hypotheses, seed = _whole(num_hypotheses, "num_hypotheses"), _whole(seed, "seed")
        if not 1 <= num_hypotheses <= most:
            raise InputError(f"num_hypotheses is {num_hypotheses}; expected 1 to {most:,} with select={select!r}.")
        batch_size = _whole(batch_size, "batch_size")
        if batch_size < 1:
            raise InputError(f"batch_size is {batch_size}; expected at least 1.")
        if image_size is None and focal_length is not None:
            raise InputError("focal_length is given without image_size, which tells where the optical axis is.")
        for name, value, shape in (("image_size", image_size, (2,)), ("focal_length", focal_length, ())):
            numbers = np.zeros(shape) if value is None else _numbers(value, name, None)
            right = numbers.shape == shape and numbers.dtype.kind in "fiu"
            if value is not None and not (right and (numbers > 0).all() and (numbers <= LARGEST_PIXEL).all()):
                what = ", width and height" if shape else ""
                raise InputError(f"{name} is {value!r}; expected pixels above 0, at most {LARGEST_PIXEL:,.0f}{what}.")
        leading, given = keypoints.shape[:-2], keypoints
        size = self._size(height, leading)
        ray = None
        if image_size is not None:
            root = normalise_keypoints(keypoints, visible, self.skeleton).root
            ray = ray_through(root, tf.constant(image_size, tf.float32), tf.constant(focal_length or 0.0, tf.float32))
            keypoints = ray.to_virtual(keypoints).numpy()
            self._check_readable(keypoints, visible, f"people within the field of view of an image of {image_size}")
        rows = keypoints.reshape(-1, joints, 2), visible.reshape(-1, joints)
        arrays = self._in_batches(*rows, num_hypotheses, seed, select, batch_size, progress)
        arrays = [array.reshape((*leading, *array.shape[1:])) for array in arrays]
        if ray is not None:
            # Poses, then reprojections, of the chosen and of every hypothesis.
            for first, turn in ((0, ray), (3, ray.over_hypotheses())):
                arrays[first] = turn.to_camera_frame(arrays[first]).numpy()
                arrays[first + 1] = turn.to_image(arrays[first + 1]).numpy()
        arrays[0] = np.float32(arrays[0] * size[..., None, None])
        arrays[3] = np.float32(arrays[3] * size[..., None, None, None])
        root = None
        if ray is not None:
            points = np.asarray((given - ray.centre) / ray.focal_length)
            root = root_position(arrays[0], points, visible).astype(np.float32)
        radius = None
        if self.radius_factors.size:
            radius = conformal_radius(spread_of(arrays[3]), num_hypotheses, self.radius_factors).astype(np.float32)
        seen = visible > 0
        shown = np.where(seen[..., None], given, 0.0)
        return LiftedPoses(shown, seen.astype(np.float32), *arrays, radius, visible, root)

    def _in_batches(self, keypoints, visible, num_hypotheses, seed, select, batch_size, progress) -> list[np.ndarray]:
        """`DESCRIBED` of the chosen poses, then of every hypothesis."""
        count, number = tf.constant(num_hypotheses, tf.int32), tf.constant(seed, tf.int32)
        # One function decodes the zero code and the sampled ones: it is traced, and the pose read, once.
        codes = tf.concat([zero_code(self.code_size), shared_codes(count, self.code_size, number)], axis=1)

        def lifted(keypoints, visible):
            decoded = self.endpoints.decode(keypoints, visible, codes)
            decoded = [decoded[name] for name in DESCRIBED]
            chosen = [values[:, 0] for values in decoded]
            if select == "mean_shift":
                mode = self.endpoints.mean_shift(keypoints, visible, count, number)
                chosen = [mode[name] for name in DESCRIBED]
            return chosen + [values[:, 1:] for values in decoded]

        return in_batches(lifted, (keypoints, visible), batch_size, progress)

    def _size(self, height, leading: tuple[int, ...]) -> np.ndarray:
        """(…) factors on the mean body."""
        if height is None:
            return np.ones(())
        height = _numbers(height, "height", float)
        if height.shape not in ((), leading) or not ((height > 0.3) & (height < 3.0)).all():
            raise InputError(f"height is {height}; expected metres, one number or one for each of the poses {leading}.")
        if not self.body_height:
            raise InputError(f"{self.name}: does not tell its mean body's height; train it anew to use height.")
        return height / self.body_height

    def readable(self, keypoints: np.ndarray, visible: np.ndarray) -> np.ndarray:
        """Which poses can be lifted: (R, J, 2) and (R, J) to (R,) bool."""
        return normalise_keypoints(keypoints, np.float32(visible), self.skeleton).usable.numpy()

    def _converted(self, keypoints: np.ndarray, visible: np.ndarray, convention: str) -> tuple[np.ndarray, np.ndarray]:
        """Joints of a convention as those of `HUMAN16`, scores with them."""
        if self.skeleton.joints != HUMAN16.joints:
            raise InputError(f"convention is {convention!r}; this model's joints are not human16's, expected none.")
        found = convert(keypoints, convention_by_name(convention), visible > 0, visible)
        return found.points, np.where(found.visible, found.confidence, 0.0)

    def _checked(self, keypoints: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        joints = self.skeleton.num_joints
        if keypoints.ndim < 2 or keypoints.shape[-2:] != (joints, 2):
            known = [name for name, table in CONVENTIONS.items() if keypoints.shape[-2:] == (len(table.joints), 2)]
            named = f"; joints of another convention need its name, one of {known}" if known else ""
            raise InputError(f"keypoints have shape {keypoints.shape}; expected (…, {joints}, 2){named}.")
        if visible.shape != keypoints.shape[:-1]:
            raise InputError(f"visible has shape {visible.shape}; expected {keypoints.shape[:-1]}.")
        visible = np.where(visible > 0, np.minimum(visible, 1.0), 0.0).astype(np.float32)
        if keypoints.size == 0:
            raise InputError("keypoints hold no pose; expected at least one.")
        self._check_readable(
            keypoints,
            visible,
            f"finite pixels of at most {LARGEST_PIXEL:,.0f} where visible, a visible {self.skeleton.root} or both "
            "hips, and joints in more than one place",
        )
        return keypoints, visible

    def _check_readable(self, keypoints: np.ndarray, visible: np.ndarray, expected: str) -> None:
        joints = self.skeleton.num_joints
        readable = self.readable(keypoints.reshape(-1, joints, 2), visible.reshape(-1, joints))
        if not readable.all():
            row = np.unravel_index(np.argmin(readable), keypoints.shape[:-2])
            place = f"pose {tuple(int(i) for i in row)}" if row else "the pose"
            raise InputError(f"keypoints: {place} cannot be lifted; expected {expected}.")


def _numbers(values, name: str, dtype: type | None = np.float32) -> np.ndarray:
    """An array of what a caller gives; NaN where it is masked."""
    try:
        if np.iscomplexobj(values):
            raise TypeError("they are complex")
        numbers = np.asarray(values, dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        found = str(error).splitlines()[0].rstrip(".")
        raise InputError(f"{name} cannot be read as an array of numbers: {found}.") from None
    return np.where(np.ma.getmaskarray(values), np.nan, numbers) if np.ma.isMaskedArray(values) else numbers


def _whole(value, name: str) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise InputError(f"{name} is {value!r}; expected a whole number.") from None


def lifter_file(model: str | os.PathLike) -> pathlib.Path:
    """The file with the networks of "pretrained", a SavedModel folder, a work directory, or the file itself.

    Raises:
        InputError: A folder that holds none.
    """
    if model == "pretrained":
        return PRETRAINED
    path = pathlib.Path(model)
    if not path.is_dir():
        return path
    places = (path / IN_SAVED_MODEL, path / "best.npz")
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise InputError(f"{path}: holds neither {IN_SAVED_MODEL} nor best.npz; expected an exported model or a run.")
    return found


def load(path: str | os.PathLike) -> PoseLifter:
    """The model of a SavedModel folder, a work directory of training, or a lifter's .npz file.

    Raises:
        InputError: None of these is there.
    """
    path = pathlib.Path(path)
    if (path / "saved_model.pb").exists():
        return _load_saved_model(path)
    lifter, about = load_lifter(lifter_file(path))
    return PoseLifter(Endpoints(lifter), lifter.skeleton, about.get("name", str(path)))


def load_pretrained() -> PoseLifter:
    """The model in the package, trained on CMU motion capture (its card: docs/model_card.md).

    Example:
        >>> lifter = load_pretrained()
        >>> keypoints = np.random.default_rng(0).uniform(100, 500, (2, 17, 2))
        >>> result = lifter(keypoints, convention="coco17", num_hypotheses=3, image_size=(640, 480))
        >>> result.pose_3d.shape, result.hypotheses.shape, result.radius.shape
        ((2, 16, 3), (2, 3, 16, 3), (2, 16, 2))
    """
    return load(PRETRAINED)


def _load_saved_model(path: pathlib.Path) -> PoseLifter:
    try:
        model = tf.saved_model.load(str(path))
        joints = tuple(joint.decode() for joint in model.joints.numpy())
        if hasattr(model, "skeleton"):
            return PoseLifter(model, skeleton_from_dict(json.loads(model.skeleton.numpy())), str(path))
        # Models that were exported before tell joints alone.
        for skeleton in SKELETONS.values():
            if skeleton.joints == joints:
                return PoseLifter(model, skeleton, str(path))
    except (OSError, ValueError, AttributeError, tf.errors.OpError) as error:
        raise InputError(f"{path}: is not a SavedModel of scripts/export.py ({str(error).splitlines()[0]}).") from None
    raise InputError(f"{path}: has the joints {joints}; expected those of one of {sorted(SKELETONS)}.")
