"""MPII in its three layouts: known joints come back, what is broken is refused by file and place."""

import json

import h5py
import numpy as np
import pytest
import scipy.io
from refusals import reading, refuses, table

from tf_wsgen.datasets.readers.mpii import read_mpii
from tf_wsgen.skeleton import HUMAN16

# tests/datasets/test_matlab_files.py and tests/test_files.py try the other process.
pytestmark = pytest.mark.usefixtures("read_here")

# For each joint of ours, MPII's number: its order is r ankle, r knee, r hip, l hip, l knee, l ankle, pelvis, thorax,
# upper neck, head top, r wrist, r elbow, r shoulder, l shoulder, l elbow, l wrist.
OF_16 = [2, 1, 0, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 12, 11, 10]
IMAGES = ["015601864.jpg", "015601864.jpg", "005808361.jpg"]
PERSONS = [0, 2, 0]
# In the files: joint 0 of person 1 and joints 6 and 15 of person 2 are absent; joints 3 and 4 of person 0 are hidden.
ABSENT = [(1, 0), (2, 6), (2, 15)]
HIDDEN = [(0, 3), (0, 4)]


def people(absent_at=0.0):
    """(3, 16, 2) pixels in MPII's order: joint 5 of person 2 is (325, 325.5); and the flags of the files."""
    person, joint = np.ogrid[:3, :16]
    points = np.stack([25.0 + 100.0 * person + 20.0 * joint, 300.0 + 5.0 * joint + 0.25 * person], axis=-1)
    in_sight = np.ones((3, 16))
    for index in ABSENT:
        points[index], in_sight[index] = absent_at, 0.0
    for index in HIDDEN:
        in_sight[index] = 0.0
    return points, in_sight


def expected_poses():
    points, _ = people()
    visible = np.ones((3, 16))
    for index in ABSENT:
        visible[index] = 0.0
    return points[:, OF_16], visible[:, OF_16]


def write_pose_hg(path, **changes):
    points, in_sight = people()
    content = {
        "part": points,
        "visible": in_sight,
        "imgname": np.array(IMAGES, "S13"),
        "index": np.array([6.0, 6.0, 17.0]),
        "person": np.array(PERSONS, np.float64),
        "center": np.ones((3, 2)),
        "scale": np.ones(3),
        "normalize": np.full(3, 50.0),
        "torsoangle": np.zeros(3),
    } | changes
    with h5py.File(path, "w") as file:
        file.attrs["name"] = "mpii"
        for name, values in content.items():
            if values is not None:
                file[name] = values


def hrnet():
    points, in_sight = people(absent_at=-1.0)
    return [
        {"image": image, "joints": joints, "joints_vis": [int(f) for f in flags], "center": [9.0, 9.0], "scale": 1.5}
        for image, joints, flags in zip(IMAGES, points.tolist(), in_sight.tolist(), strict=True)
    ]


def struct(**fields):
    """A MATLAB struct of 1 × 1."""
    record = np.empty((1, 1), [(name, object) for name in fields])
    for name, value in fields.items():
        record[name][0, 0] = value
    return record


def structs(records):
    """A MATLAB struct array of 1 × n, of records with the same fields."""
    return np.concatenate(records, axis=1) if records else np.zeros((0, 0))


def annotated(points, in_sight):
    """An annorect as MPII has it: is_visible is a number, a text, or empty (neck and head top)."""
    found = []
    for joint in reversed(range(16)):
        if not points[joint].any():
            continue
        flag = np.zeros((0, 0)) if joint in (8, 9) else in_sight[joint] if joint % 2 else str(int(in_sight[joint]))
        found.append(struct(x=points[joint, 0], y=points[joint, 1], id=float(joint), is_visible=flag))
    head = {"x1": 10.0, "y1": 20.0, "x2": 40.0, "y2": 60.0}
    return struct(**head, annopoints=struct(point=structs(found)), scale=2.0, objpos=struct(x=9.0, y=9.0))


def bystander():
    """An annorect of a person who is in the image and has no joints."""
    return struct(
        x1=1.0, y1=1.0, x2=2.0, y2=2.0, annopoints=np.zeros((0, 0)), scale=1.0, objpos=struct(x=1.0, y=1.0)
    )  # fmt: skip


def image(name, annorect):
    return struct(image=struct(name=name), annorect=annorect, frame_sec=np.zeros((0, 0)), vididx=np.zeros((0, 0)))


def original():
    """RELEASE: an image with people 0 and 2 (1 has no joints), one not annotated, one without people, one with one."""
    points, in_sight = people()
    first, third, alone = (annotated(*person) for person in zip(points, in_sight, strict=True))
    unannotated = struct(scale=1.0, objpos=struct(x=1.0, y=1.0))
    return {
        "annolist": structs(
            [
                image(IMAGES[0], structs([first, bystander(), third])),
                image("000000001.jpg", unannotated),
                image("000000002.jpg", np.zeros((0, 0))),
                image(IMAGES[2], alone),
            ]
        ),
        "img_train": np.array([[1, 0, 1, 1]], np.uint8),
        "version": "12",
        "single_person": np.zeros((4, 1)),
    }


def write_original(path, release=None):
    scipy.io.savemat(path, {"RELEASE": struct(**(original() if release is None else release))})


def write(path):
    """The three people in the layout of the suffix."""
    if path.suffix == ".json":
        path.write_text(json.dumps(hrnet()))
    else:
        (write_original if path.suffix == ".mat" else write_pose_hg)(path)
    return path


read_clips = reading(read_mpii)


def read(*arguments, **options):
    (clip,) = read_clips(*arguments, **options)
    return clip


LAYOUTS = ["a.h5", "a.json", "a.mat"]
CONFIDENCE = np.linspace(0.0, 1.0, 48).reshape(3, 16)


@pytest.mark.parametrize("name", LAYOUTS)
def test_all_layouts_give_the_same_people(tmp_path, name):
    clip = read(write(tmp_path / name))
    poses, visible = expected_poses()
    np.testing.assert_array_equal(clip.pose_2d, poses)
    np.testing.assert_array_equal(clip.labels["visible"], visible)
    assert clip.labels["sequence"].tolist() == IMAGES
    # HRNet's file doesn't number people: they are counted.
    assert clip.labels["subject"].tolist() == (["0", "1", "0"] if name == "a.json" else ["0", "2", "0"])
    assert (clip.group, clip.pose_3d, clip.image_size) == ("test", None, None)
    assert set(clip.labels) == {"sequence", "subject", "visible"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_hidden_joints_can_count_as_missing(tmp_path, name):
    clip = read(write(tmp_path / name), occluded_as_missing=True, group="train")
    in_sight = people()[1][:, OF_16]
    np.testing.assert_array_equal(clip.labels["visible"], in_sight)
    np.testing.assert_array_equal(clip.pose_2d, expected_poses()[0] * in_sight[..., None])
    assert clip.group == "train"


def test_joints_at_the_images_edge_and_beyond_are_joints(tmp_path):
    points, in_sight = people()
    points[0, 0], points[0, 1], points[0, 2] = [0.0, 17.0], [-30.0, 0.0], [-1.0, 5.0]
    write_pose_hg(tmp_path / "a.h5", part=points, visible=in_sight)
    clip = read(tmp_path / "a.h5")
    np.testing.assert_array_equal(clip.pose_2d[0, [2, 1, 0]], points[0, :3])
    assert clip.labels["visible"][0].all()


def test_image_names_may_be_rows_of_character_codes(tmp_path):
    codes = np.zeros((3, 16))
    for row, name in enumerate(IMAGES):
        codes[row, : len(name)] = list(name.encode())
    write_pose_hg(tmp_path / "a.h5", imgname=codes)
    assert read(tmp_path / "a.h5").labels["sequence"].tolist() == IMAGES


NAMED = {
    "numbers of images": ({"imgname": None}, ["6", "6", "17"], ["0", "2", "0"]),
    "people are counted": ({"person": None}, IMAGES, ["0", "1", "0"]),
    "nothing": ({"imgname": None, "index": None}, None, None),
}


@table("changes sequence subject", NAMED)
def test_people_are_named_by_what_the_file_has(tmp_path, changes, sequence, subject):
    write_pose_hg(tmp_path / "a.h5", **changes)
    labels = read(tmp_path / "a.h5").labels
    found = [labels[name].tolist() if name in labels else None for name in ("sequence", "subject")]
    assert found == [sequence, subject]


def test_confidence_is_handed_on_in_our_order_and_predictions_on_demand(tmp_path):
    found = people()[0] + 3.0
    write_pose_hg(tmp_path / "a.h5", confidence=CONFIDENCE, preds=found)
    clip = read(tmp_path / "a.h5")
    np.testing.assert_array_equal(clip.pose_2d, expected_poses()[0])
    np.testing.assert_array_equal(clip.labels["confidence"], CONFIDENCE[:, OF_16] * expected_poses()[1])
    np.testing.assert_array_equal(read(tmp_path / "a.h5", tmp_path / "a.h5").pose_2d, found[:, OF_16])


@pytest.mark.parametrize(("name", "confidence"), [("a.h5", CONFIDENCE), ("a.json", None), ("a.mat", None)])
def test_detections_take_the_place_of_annotations(tmp_path, name, confidence):
    found = np.random.default_rng(0).normal(400.0, 90.0, (3, 16, 2))
    found[0, 0] = 0.0  # A detector says so of a joint that it sees there.
    write_pose_hg(tmp_path / "d.hdf5", part=None, visible=None, preds=found, confidence=confidence)
    clip = read(write(tmp_path / name), tmp_path / "d.hdf5")
    np.testing.assert_array_equal(clip.pose_2d, found[:, OF_16])
    np.testing.assert_array_equal(clip.labels["visible"], np.ones((3, 16)))
    assert clip.labels["sequence"].tolist() == IMAGES
    assert clip.where == str(tmp_path / "d.hdf5")
    if confidence is None:
        assert "confidence" not in clip.labels
    else:
        np.testing.assert_array_equal(clip.labels["confidence"], confidence[:, OF_16])


def test_people_without_any_joint_are_left_out_and_those_without_a_root_are_not(tmp_path):
    points, in_sight = people()
    points[0], in_sight[0] = 0.0, 0.0
    points[1, [2, 6]], in_sight[1, [2, 6]] = 0.0, 0.0
    write_pose_hg(tmp_path / "a.h5", part=points, visible=in_sight, confidence=np.ones((3, 16)))
    clip = read(tmp_path / "a.h5")
    np.testing.assert_array_equal(clip.pose_2d, points[1:][:, OF_16])
    assert clip.labels["subject"].tolist() == ["2", "0"]
    assert [len(clip.labels[name]) for name in ("visible", "confidence", "sequence")] == [2, 2, 2]


POINTS, IN_SIGHT = people()
BROKEN_POSE_HG = {
    "no joints": ({"part": None}, "has no dataset 'part'"),
    "no flags": ({"visible": None}, "has no dataset 'visible'"),
    "14 joints": ({"part": POINTS[:, :14]}, r"part has shape \(3, 14, 2\); expected \(N, 16, 2\)"),
    "flags of others": ({"visible": np.ones((4, 16))}, r"visible has shape \(4, 16\); expected \(3, 16\)"),
    "half in sight": ({"visible": 0.5 * IN_SIGHT}, "visible holds values other than 0 and 1"),
    "names that are numbers": ({"imgname": np.arange(3)}, r"imgname has shape \(3,\)"),
    "codes of no characters": ({"imgname": np.full((3, 16), 1e6)}, "imgname holds numbers that are no characters"),
    "names that are endless": ({"imgname": np.array(IMAGES, "S5000")}, r"imgname is \|S5000 .* expected 3 short texts"),
    "person 0.5": ({"person": np.array([0.5, 1.0, 2.0])}, "person holds values that are not whole"),
    "one person twice": ({"person": np.zeros(3)}, r"rows 0 and 1 are both person 0 of image '015601864\.jpg'"),
    "confidence a row": ({"confidence": np.ones(3)}, r"confidence has shape \(3,\)"),
    "negative confidence": ({"confidence": -np.ones((3, 16))}, "confidence holds negative"),
    "nobody with joints": ({"part": 0 * POINTS}, "has no frames"),
    "texts": ({"part": np.full((3, 16, 2), b"1")}, "part is not an array of numbers"),
    "NaN": ({"part": POINTS * np.nan}, "2D frame 0 is not finite"),
}  # fmt: skip


@table("changes message", BROKEN_POSE_HG)
def test_broken_pose_hg_files_are_refused_by_name_and_place(tmp_path, changes, message):
    write_pose_hg(tmp_path / "a.h5", **changes)
    refuses(r"a\.h5: .*" + message, read, tmp_path / "a.h5")


def in_person(row, **changes):
    return lambda people: [person | changes if i == row else person for i, person in enumerate(people)]


def without(row, name):
    return lambda people: [
        {k: v for k, v in person.items() if (i, k) != (row, name)} for i, person in enumerate(people)
    ]


BROKEN_HRNET = {
    "an object": (lambda content: {"people": content}, "is not a list of people"),
    "a list of lists": (lambda content: [content], "person 0 is a list"),
    "no image": (without(1, "image"), "person 1 has no 'image'; it has"),
    "no joints, as in test.json": (without(0, "joints"), "person 0 has no 'joints'"),
    "15 joints": (in_person(0, joints=[[1.0, 2.0]] * 15), "person 0.joints has 15 x 2 numbers; expected 16 x 2"),
    "uneven rows": (in_person(2, joints=[[1.0, 2.0]] * 15 + [[1.0]]), "person 2.joints has rows of different lengths"),
    "texts": (in_person(2, joints=[["1", "2"]] * 16), "person 2.joints is a list with other things than numbers"),
    "a number too large": (in_person(2, joints=[[10**400, 2]] * 16), "person 2.joints is a list with other things"),
    "flag 2": (in_person(2, joints_vis=[2] * 16), "person 2.joints_vis holds values other than 0 and 1"),
}  # fmt: skip


@table("change message", BROKEN_HRNET)
def test_broken_hrnet_files_are_refused_by_name_and_place(tmp_path, change, message):
    (tmp_path / "a.json").write_text(json.dumps(change(hrnet())))
    refuses(r"a\.json: " + message, read, tmp_path / "a.json")


def change_record(*where, **fields):
    """Sets fields of a record: that of the image of some index, or further down by pairs of a field and an index."""

    def apply(release):
        record = release["annolist"][0, where[0]]
        for field, index in where[1:]:
            record = record[field].ravel()[index]
        for name, value in fields.items():
            record[name] = value

    return apply


def drop(name):
    return lambda release: release.pop(name)


RECORD = ("annorect", 0)
POINT = (0, RECORD, ("annopoints", 0), ("point", 1))
PLACE = r"RELEASE\.annolist\(1\)\.annorect\(1\)\.annopoints\.point\(2\)"
BROKEN_ORIGINAL = {
    "no images": (drop("annolist"), r"RELEASE\.annolist is not a struct"),
    "no split": (drop("img_train"), r"RELEASE\.img_train has 0 values; expected 4"),
    "no training images": (lambda release: release.update(img_train=np.zeros((1, 4))), "has no annotated person"),
    "an image without name": (change_record(3, image=struct(name=7.0)), r"annolist\(4\)\.image\.name is not one text"),
    "joints that are numbers": (change_record(0, RECORD, annopoints=3.0), r"annorect\(1\)\.annopoints is not a struct"),
    "a joint without x": (change_record(*POINT, x=np.zeros((0, 0))), PLACE + r"\.x is not one number"),
    "joint 16": (change_record(*POINT, id=16.0), PLACE + r"\.id is 16; expected 0 to 15"),
    "one joint twice": (change_record(*POINT, id=15.0), PLACE + r"\.id is 15; expected 0 to 15, each once"),
    "a flag of 3": (change_record(*POINT, is_visible=3.0), PLACE + r"\.is_visible holds values other than 0 and 1"),
    "a flag in words": (change_record(*POINT, is_visible="yes"), "cannot be read as MPII annotations .*yes"),
}  # fmt: skip


@table("change message", BROKEN_ORIGINAL)
def test_broken_original_files_are_refused_by_name_and_place(tmp_path, change, message):
    release = original()
    change(release)
    write_original(tmp_path / "a.mat", release)
    refuses(r"a\.mat: .*" + message, read, tmp_path / "a.mat")


def test_another_matlab_file_is_refused(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"poses_2d": np.ones((3, 32))})
    refuses(r"a\.mat: has no variable 'RELEASE'", read, tmp_path / "a.mat")


BROKEN_DETECTIONS = {
    "no detections": ({"preds": None}, "has no dataset 'preds'"),
    "a person less": ({"preds": POINTS[:2]}, r"preds has 2 people; expected 3, as .*a\.h5 has"),
    "17 joints": ({"preds": np.ones((3, 17, 2))}, r"preds has shape \(3, 17, 2\)"),
    "confidence of others": ({"preds": POINTS, "confidence": np.ones((2, 16))}, r"confidence has shape \(2, 16\)"),
}  # fmt: skip


@table("changes message", BROKEN_DETECTIONS)
def test_broken_detections_are_refused_by_name_and_place(tmp_path, changes, message):
    write_pose_hg(tmp_path / "d.h5", part=None, visible=None, **changes)
    refuses(r"d\.h5: .*" + message, read, write(tmp_path / "a.h5"), tmp_path / "d.h5")


def test_detections_have_no_hidden_joints(tmp_path):
    write_pose_hg(tmp_path / "d.h5", preds=POINTS)
    annotations = write(tmp_path / "a.h5")
    message = r"d\.h5: detections have no hidden joints"
    refuses(message, read, annotations, tmp_path / "d.h5", occluded_as_missing=True)


def test_other_suffixes_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n")
    refuses(r"a\.csv: ends in '\.csv'; expected MPII annotations", read, tmp_path / "a.csv")


def test_the_validation_people(data_folder):
    annotations = data_folder / "mpii_valid_annotations.h5"
    people = read(annotations)
    found = read(annotations, data_folder / "mpii_valid_stacked_hourglass.h5")
    in_sight = read(annotations, occluded_as_missing=True)
    assert len(people) == len(found) == len(in_sight) == 2958
    shares = [clip.labels["visible"].mean() for clip in (people, found, in_sight)]
    np.testing.assert_allclose(shares, [0.93475, 1.0, 0.71833], atol=1e-5)
    # Half of the annotated joints are found within this many pixels; a wrong order of joints would make it a limb.
    distance = np.linalg.norm(people.pose_2d - found.pose_2d, axis=-1)[people.labels["visible"] > 0]
    assert np.median(distance) < 15.0
    with h5py.File(annotations) as file:
        np.testing.assert_array_equal(people.pose_2d[:, HUMAN16.index("head")], file["part"][:, 9])
