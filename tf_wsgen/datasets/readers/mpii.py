"""MPII Human Pose (Andriluka et al., CVPR 2014): 2D annotations in three layouts, and detections for the same people.

- pose-hg HDF5: `part` (N, 16, 2), `visible` (N, 16), and where there `imgname`, `index`, `person`; absent joints are
  (0, 0). Detections: `preds` (N, 16, 2), row by row the same people.
- HRNet JSON: a list of {"image", "joints" 16×2, "joints_vis" 16}; absent joints are (−1, −1).
- The original `mpii_human_pose_v1_u12_1.mat`: RELEASE.annolist(i).annorect(j).annopoints.point(k) with x, y, id and
  is_visible; the images with img_train 1 are annotated.

All three hold the same numbers, which come from MATLAB: the centre of the first pixel is (1, 1). They are handed on
as they are, in all layouts alike; centring on the root takes the offset of one pixel away.

`visible` of the clips says that a joint has a position. The files' own flags say something else: whether the joint
is in sight or hidden behind something, which annotators marked too.
"""

import dataclasses
import os
import pathlib
from collections.abc import Iterator

import h5py
import numpy as np

from tf_wsgen.data.prepared import check_label
from tf_wsgen.datasets.clip import Clip
from tf_wsgen.datasets.keypoint_conventions import convert
from tf_wsgen.datasets.matlab_files import load_mat
from tf_wsgen.datasets.readers.identities import places_in
from tf_wsgen.datasets.readers.json_values import kind_of, member, numbers
from tf_wsgen.errors import InputError
from tf_wsgen.files import existing_file, hdf5_array, hdf5_integers, hdf5_texts, load_json, one_sentence, open_hdf5

JOINTS = 16
KIND = "MPII annotations (pose-hg .h5, HRNet .json or the original .mat)"
DETECTIONS_KIND = "an HDF5 file of detections on MPII"


@dataclasses.dataclass
class _People:
    """Annotated people, a row each.

    Attributes:
        joints: (N, 16, 2) pixels, in MPII's order.
        in_sight: (N, 16) the file's own flag: 0 for hidden or absent joints.
        images: N image names, or None.
        persons: N numbers of the person in the image, or None to count them.
        confidence: (N, 16), or None.
    """

    joints: np.ndarray
    in_sight: np.ndarray
    images: list[str] | None = None
    persons: list[int] | None = None
    confidence: np.ndarray | None = None


def read_mpii(
    path: str | os.PathLike,
    detections: str | os.PathLike | None = None,
    group: str = "test",
    occluded_as_missing: bool = False,
) -> Iterator[Clip]:
    """Annotated people, or what a detector found of them; 2D alone.

    Args:
        path: The annotations; the suffix (.h5, .hdf5, .json, .mat) tells the layout.
        detections: An HDF5 file with `preds` (N, 16, 2) and perhaps `confidence` (N, 16) for the same N people in
            the same order; its poses then take the place of the annotated ones, all joints visible.
        group: The group that the clip goes to.
        occluded_as_missing: Take joints that are annotated but not in sight as missing.

    Yields:
        One clip with a row a person: `visible`, `sequence` (the image's name), `subject` (the person's number in
        the image), and `confidence` where the file has it. People without any joint are left out; those without
        pelvis and hips are not.

    Raises:
        InputError: A file that is not as described, with what was found and what was expected.
    """
    path = existing_file(path, KIND)
    readers = {".h5": _read_pose_hg, ".hdf5": _read_pose_hg, ".json": _read_hrnet, ".mat": _read_original}
    if path.suffix.lower() not in readers:
        raise InputError(f"{path}: ends in {path.suffix!r}; expected {KIND}.")
    if detections is not None and occluded_as_missing:
        raise InputError(f"{detections}: detections have no hidden joints; leave out occluded_as_missing.")
    people = readers[path.suffix.lower()](path)
    labels = _names(people, path)
    if detections is None:
        joints, confidence, where = people.joints, people.confidence, str(path)
        visible = ~((joints == 0).all(axis=-1) | (joints == -1).all(axis=-1))
        if occluded_as_missing:
            visible &= people.in_sight > 0
    else:
        joints, confidence = _read_detections(detections, len(people.joints), path)
        where, visible = str(detections), np.ones(joints.shape[:2], bool)
    poses = convert(joints, "mpii16", visible, confidence)
    labels["visible"] = poses.visible.astype(np.float32)
    if poses.confidence is not None:
        labels["confidence"] = poses.confidence
    clip = Clip(where, group, poses.points, labels=labels)
    yield clip.take(poses.visible.any(axis=1))


def _names(people: _People, path: pathlib.Path) -> dict[str, np.ndarray]:
    """The labels `sequence` and `subject`; the pair of them names one person."""
    if people.images is None:
        return {}
    persons = places_in(people.images) if people.persons is None else people.persons
    seen = {}
    for row, key in enumerate(zip(people.images, persons, strict=True)):
        if seen.setdefault(key, row) != row:
            raise InputError(
                f"{path}: rows {seen[key]} and {row} are both person {key[1]} of image {key[0]!r}; "
                "expected each person once."
            )
    return {"sequence": np.array(people.images, str), "subject": np.array(persons).astype(str)}


def _read_pose_hg(path: pathlib.Path) -> _People:
    where = str(path)
    with open_hdf5(path, KIND) as file:
        joints = hdf5_array(file, "part", where, (None, JOINTS, 2))
        rows = len(joints)
        in_sight = hdf5_array(file, "visible", where, (rows, JOINTS))
        images = None
        if "imgname" in file:
            images = _image_names(file, path, rows)
        elif "index" in file:
            images = hdf5_integers(file, "index", where, rows).astype(str).tolist()
        persons = hdf5_integers(file, "person", where, rows).tolist() if "person" in file else None
        confidence = hdf5_array(file, "confidence", where, (rows, JOINTS)) if "confidence" in file else None
    check_label(in_sight, "visible", f"{path}: visible")
    return _People(joints, in_sight, images, persons, confidence)


def _image_names(file: h5py.File, path: pathlib.Path, rows: int) -> list[str]:
    dataset = file["imgname"]
    if isinstance(dataset, h5py.Dataset) and dataset.dtype.kind in "fiu":
        # As Torch stores it: a row of character codes a name, filled up with zeros.
        codes = hdf5_array(file, "imgname", str(path), (rows, None))
        if not np.isin(codes, np.arange(128)).all():
            raise InputError(f"{path}: imgname holds numbers that are no characters; expected codes below 128.")
        return [bytes(row).partition(b"\0")[0].decode("ascii") for row in codes.astype(np.uint8)]
    return hdf5_texts(file, "imgname", str(path), rows)


def _read_detections(path: str | os.PathLike, rows: int, annotations: pathlib.Path) -> tuple:
    with open_hdf5(path, DETECTIONS_KIND) as file:
        joints = hdf5_array(file, "preds", str(path), (None, JOINTS, 2))
        if len(joints) != rows:
            raise InputError(f"{path}: preds has {len(joints)} people; expected {rows}, as {annotations} has.")
        confidence = hdf5_array(file, "confidence", str(path), (rows, JOINTS)) if "confidence" in file else None
    return joints, confidence


def _read_hrnet(path: pathlib.Path) -> _People:
    content = load_json(path, KIND)
    if not isinstance(content, list) or not content:
        raise InputError(f"{path}: is not a list of people; expected {KIND}.")
    joints, in_sight, images = [], [], []
    for row, person in enumerate(content):
        where = f"{path}: person {row}"
        image = member(person, "image", where)
        if not isinstance(image, str):
            raise InputError(f"{where}.image is {kind_of(image)}; expected the image's name.")
        images.append(image)
        joints.append(numbers(member(person, "joints", where), f"{where}.joints", (JOINTS, 2)))
        in_sight.append(numbers(member(person, "joints_vis", where), f"{where}.joints_vis", (JOINTS,)))
        check_label(in_sight[-1], "visible", f"{where}.joints_vis")
    return _People(np.array(joints), np.array(in_sight), images)


def _read_original(path: pathlib.Path) -> _People:
    content = load_mat(path, KIND, ("RELEASE",))
    if "RELEASE" not in content:
        raise InputError(f"{path}: has no variable 'RELEASE'; expected the annotations that MPII publishes.")
    people: list[tuple[np.ndarray, np.ndarray, str, int]] = []
    # A struct of another shape than MPII's makes NumPy raise what a damaged file makes it raise.
    with one_sentence(path, KIND):
        release = _structs(content["RELEASE"], f"{path}: RELEASE")[0]
        entries = _structs(_field(release, "annolist"), f"{path}: RELEASE.annolist")
        annotated = _field(release, "img_train")
        if annotated is None or annotated.size != len(entries):
            found = 0 if annotated is None else annotated.size
            raise InputError(f"{path}: RELEASE.img_train has {found} values; expected {len(entries)}, one an image.")
        for number, (entry, is_annotated) in enumerate(zip(entries, annotated.ravel().tolist(), strict=True)):
            where = f"{path}: RELEASE.annolist({number + 1})"
            records = _field(entry, "annorect")
            if not is_annotated or records is None:
                continue
            image = _field(_structs(_field(entry, "image"), f"{where}.image")[0], "name")
            if image is None or image.dtype.kind != "U" or image.size != 1:
                raise InputError(f"{where}.image.name is not one text; expected the image's name.")
            for person, record in enumerate(_structs(records, f"{where}.annorect")):
                points = _points(record, f"{where}.annorect({person + 1})")
                if points is not None:
                    people.append((*points, image.item(), person))
    if not people:
        raise InputError(f"{path}: RELEASE has no annotated person; expected annopoints where img_train is 1.")
    joints, in_sight, images, persons = zip(*people, strict=True)
    return _People(np.array(joints), np.array(in_sight), list(images), list(persons))


def _points(record: np.void, where: str) -> tuple[np.ndarray, np.ndarray] | None:
    """(16, 2) joints and (16,) flags of one person, (0, 0) and 0 where absent; None for a person without joints."""
    annotation = _field(record, "annopoints")
    points = None if annotation is None else _field(_structs(annotation, f"{where}.annopoints")[0], "point")
    if points is None:
        return None
    joints, in_sight = np.zeros((JOINTS, 2)), np.zeros(JOINTS)
    found = set()
    for number, point in enumerate(_structs(points, f"{where}.annopoints.point")):
        place = f"{where}.annopoints.point({number + 1})"
        joint = _number(point, "id", place)
        if joint not in range(JOINTS) or joint in found:
            raise InputError(f"{place}.id is {joint:g}; expected 0 to {JOINTS - 1}, each once.")
        found.add(joint)
        joints[int(joint)] = _number(point, "x", place), _number(point, "y", place)
        # Neck and head top have no flag: they come from the head's box, and are in sight.
        flag = 1.0 if _field(point, "is_visible") is None else _number(point, "is_visible", place)
        check_label(flag, "visible", f"{place}.is_visible")
        in_sight[int(joint)] = flag
    return joints, in_sight


def _structs(value: np.ndarray | None, where: str) -> np.ndarray:
    """The records of a MATLAB struct array."""
    if not isinstance(value, np.ndarray) or value.dtype.names is None or not value.size:
        raise InputError(f"{where} is not a struct; expected the structure that MPII publishes.")
    return value.ravel()


def _field(record: np.void, name: str) -> np.ndarray | None:
    """A field of a MATLAB struct; None if it is empty or not there."""
    value = record[name] if name in record.dtype.names else None
    return value if isinstance(value, np.ndarray) and value.size else None


def _number(record: np.void, name: str, where: str) -> float:
    value = _field(record, name)
    if value is None or value.size != 1 or value.dtype.kind not in "fiubU":
        raise InputError(f"{where}.{name} is not one number.")
    # is_visible is a text ('0', '1') in some records.
    return float(value.item())
