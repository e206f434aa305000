"""Damaged files of every kind: what is in them, or one clear sentence, and never anything else.

$WSGEN_FUZZ is the number of mutants of each file; the campaign of docs/reliability.md takes 2,000.
"""

import copy
import json
import os
import pickle
import time
import zlib

import h5py
import numpy as np
import pytest
import scipy.io
from detector_files import JSON, csv_in_utf_16, long_csv, ml5_before_1, mmpose_tested, wide_csv
from prepared_files import write_prepared

from tf_wsgen.config import load_config
from tf_wsgen.data.prepared import read_prepared
from tf_wsgen.data.synthetic import synthetic_people
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers.arrays import read_arrays
from tf_wsgen.datasets.readers.asf_amc import read_asf
from tf_wsgen.datasets.readers.detections import read_detections
from tf_wsgen.datasets.readers.human36m import read_videopose3d
from tf_wsgen.datasets.readers.human36m_mat import read_repnet_mat
from tf_wsgen.datasets.readers.mpii import read_mpii
from tf_wsgen.errors import InputError
from tf_wsgen.lifting.api import PRETRAINED
from tf_wsgen.lifting.model_file import load_lifter
from tf_wsgen.skeleton import HUMAN16

MUTANTS = int(os.environ.get("WSGEN_FUZZ", "10"))
LONGEST = 10.0
LAYOUT = {"layout_name": "coco", "num_joints": 17}
ODD = (
    *(None, True, "", "x" * 300, "NaN", "\x00", -1, 0, 2**63, -(2**70), 1e308, -1e-320, 0.5, [], {}, [[]], [{}]),
    *({"x": 1}, [1, 2, 3], [None] * 51, [[1.0, 2.0]] * 17, ["a"] * 17, {"keypoints": []}, float("nan"), float("inf")),
)


def of_bytes(rng, content):
    """Some bytes changed, cut out, repeated, or the end cut off."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        at, length = rng.integers(len(content) + 1), int(rng.integers(1, 40))
        kind = rng.integers(5)
        if kind == 0:
            content[at : at + 1] = bytes([rng.integers(256)])
        elif kind == 1:
            del content[at : at + length]
        elif kind == 2:
            content[at:at] = content[max(at - length, 0) : at]
        elif kind == 3:
            content[at : at + 4] = rng.choice([0, 1, 255, 127], 4).astype(np.uint8).tobytes()
        elif rng.random() < 0.2:
            del content[at:]
    return bytes(content)


def of_json(rng, content):
    """Some values anywhere in it replaced, removed, or doubled."""
    root = [json.loads(content)]
    for _ in range(rng.integers(1, 4)):
        place, key = root, 0
        while isinstance(place[key], (list, dict)) and place[key] and rng.random() < 0.85:
            place = place[key]
            key = int(rng.integers(len(place))) if isinstance(place, list) else list(place)[rng.integers(len(place))]
        if rng.random() < 0.7 or place is root:
            place[key] = copy.deepcopy(ODD[rng.integers(len(ODD))])
        elif rng.random() < 0.5:
            del place[key]
        elif isinstance(place, list):
            place.insert(key, copy.deepcopy(place[key]))
    return json.dumps(root[0]).encode()


def as_others_prepare(path):
    """A prepared file whose texts have no fixed length, as h5py writes them."""
    write_prepared(path, synthetic_people(seed=1, train_sequences=2, test_sequences=1, frames=2))
    with h5py.File(path, "r+") as file:
        file.attrs["joints"] = list(HUMAN16.joints)
        del file["test/action"]
        file["test/action"] = ["Walking"] * len(file["test/pose_3d"])


def points_of(name, rows=5):
    joints, rng = len(CONVENTIONS[name].joints), np.random.default_rng(0)
    return rng.uniform(50.0, 400.0, (rows, joints, 2)).round(2), rng.uniform(0.3, 1.0, (rows, joints)).round(3)


def poses(rows=4, joints=16):
    return np.random.default_rng(0).normal(0.0, 300.0, (rows, joints, 3)).astype(np.float32)


def save_hdf5(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values


def save_asf(path):
    bone = "  begin\n    id {0}\n    name {1}\n    direction 0 1 0\n    length 3\n    axis 0 0 0 XYZ\n"
    bone += "    dof rx ry rz\n  end\n"
    path.write_text(
        ":version 1.10\n:name a\n:units\n  mass 1.0\n  length 0.45\n  angle deg\n:root\n  order TX TY TZ RX RY RZ\n"
        "  axis XYZ\n  position 0 0 0\n  orientation 0 0 0\n:bonedata\n"
        + bone.format(1, "spine")
        + bone.format(2, "leg")
        + ":hierarchy\n  begin\n    root spine leg\n  end\n"
    )


FORMS = JSON | {"ml5": (ml5_before_1, ("coco17",)), "MMPose's tests": (mmpose_tested, ("coco17",))}


def detector_file(name):
    make, conventions = FORMS[name]
    return lambda path: path.write_text(json.dumps(make(*points_of(conventions[0]))))


def csv_file(make):
    return lambda path: make(path, "coco17", *points_of("coco17"))


def detections(path):
    found = read_detections(path, image_size=(640, 480))
    return [found.keypoints[found.visible], found.confidence, found.score]


def prepared(path):
    data = read_prepared(path)
    return [group.pose_3d for group in (data.train, data.test) if group and group.pose_3d is not None]


def skeleton(path):
    read_asf(path)
    return []


def configuration(path):
    load_config(path)
    return []


def clips(read):
    return lambda path: [clip.pose_3d for clip in read(path) if clip.pose_3d is not None]


# For each kind: how a sound file is made, its name, how it is broken, and what reads it: arrays of finite numbers.
KINDS = {
    **{name: (detector_file(name), "a.json", of_json, detections) for name in FORMS},
    "JSON's bytes": (detector_file("mmpose"), "a.json", of_bytes, detections),
    "long CSV": (csv_file(long_csv), "a.csv", of_bytes, detections),
    "wide CSV": (csv_file(wide_csv), "a.csv", of_bytes, detections),
    "CSV in UTF-16": (lambda path: csv_in_utf_16(path, *points_of("coco17")), "a.csv", of_bytes, detections),
    "npz": (lambda path: np.savez(path, keypoints=points_of("coco17")[0]), "a.npz", of_bytes, detections),
    "npy": (lambda path: np.save(path, points_of("coco17")[0]), "a.npy", of_bytes, detections),
    "pickle": (lambda path: path.write_bytes(pickle.dumps(points_of("coco17")[0])), "a.pkl", of_bytes, detections),
    "videopose3d": (
        lambda path: np.savez(path, positions_2d={"clip": {"custom": [points_of("coco17")[0]]}}, metadata=LAYOUT),
        *("a.npz", of_bytes, detections),
    ),
    "hdf5": (lambda path: save_hdf5(path, preds=points_of("mpii16")[0]), "a.h5", of_bytes, detections),
    "prepared": (
        lambda path: write_prepared(path, synthetic_people(seed=1, train_sequences=2, test_sequences=1, frames=2)),
        *("a.h5", of_bytes, prepared),
    ),
    "texts of any length": (as_others_prepare, "a.h5", of_bytes, prepared),
    "arrays": (
        lambda path: np.savez(path, pose_3d=poses()),
        *("a.npz", of_bytes, clips(lambda path: read_arrays(path, convention="human16"))),
    ),
    "MATLAB": (
        lambda path: scipy.io.savemat(path, {"poses_2d": np.random.default_rng(0).normal(size=(9, 32))}),
        *("a.mat", of_bytes, clips(lambda path: read_repnet_mat(path, "train"))),
    ),
    "h36m": (
        lambda path: np.savez(path, positions_3d={"S1": {"Walking": poses(3, 32) / 1000}}),
        *("a.npz", of_bytes, clips(read_videopose3d)),
    ),
    "mpii": (
        lambda path: save_hdf5(path, part=points_of("mpii16")[0], visible=np.ones((5, 16))),
        *("a.h5", of_bytes, clips(read_mpii)),
    ),
    "asf": (save_asf, "a.asf", of_bytes, skeleton),
    "yaml": (lambda path: path.write_text("loss:\n  weight_2d: 3.0\n"), "a.yaml", of_bytes, configuration),
    "lifter": (
        lambda path: path.write_bytes(PRETRAINED.read_bytes()),
        *("a.npz", of_bytes, lambda path: [weight.numpy() for weight in load_lifter(path)[0].weights]),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused(tmp_path, kind):
    make, name, mutate, read = KINDS[kind]
    make(tmp_path / name)
    content, rng = (tmp_path / name).read_bytes(), np.random.default_rng(zlib.crc32(kind.encode()))
    read(tmp_path / name)
    for number in range(MUTANTS if kind != "lifter" else MUTANTS // 10 + 1):
        (tmp_path / name).write_bytes(mutate(rng, content))
        began = time.monotonic()
        try:
            found = read(tmp_path / name)
        except InputError as error:
            found, sentence = [], str(error)
            if "\n" in sentence:
                pytest.fail(f"mutant {number}: {sentence!r} is no single line")
        assert all(np.isfinite(values).all() for values in found), f"mutant {number}"
        assert time.monotonic() - began < LONGEST, f"mutant {number}"
