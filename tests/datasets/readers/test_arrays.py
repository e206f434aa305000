"""Plain arrays: what is saved comes back from both kinds of file, and what is broken is refused by file and place."""

import dataclasses

import h5py
import numpy as np
import pytest
from prepared_files import write_prepared
from refusals import reading, refuses, table

from tf_wsgen.data.prepared import PoseGroup, PreparedData
from tf_wsgen.datasets.clip import check_clip
from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS
from tf_wsgen.datasets.readers import arrays
from tf_wsgen.datasets.readers.arrays import read_arrays
from tf_wsgen.skeleton import HUMAN16

# tests/datasets/test_matlab_files.py and tests/test_files.py try the other process.
pytestmark = pytest.mark.usefixtures("read_here")

ROWS = 6
SHUFFLED = tuple(np.random.default_rng(3).permutation(HUMAN16.joints).tolist())
TEXTS = ("action", "subject", "sequence", "camera", "scene")


def poses(dimensions, rows=ROWS, joints=16, seed=0):
    """Pixels, or millimetres in front of a camera."""
    rng = np.random.default_rng(seed + dimensions)
    centre = [500.0, 400.0] if dimensions == 2 else [0.0, -200.0, 4000.0]
    return rng.normal(centre, 250.0, (rows, joints, dimensions))


def full():
    """Every array, joints as `HUMAN16`; joints 0 and 15 of row 1 are not visible."""
    visible = np.ones((ROWS, 16), bool)
    visible[1, [0, 15]] = False
    return {
        "pose_2d": poses(2),
        "pose_3d": poses(3),
        "visible": visible,
        "confidence": np.linspace(0.0, 1.0, ROWS * 16).reshape(ROWS, 16).astype(np.float32),
        "action": np.array(["Walking", "Walking", "Grüßen", "Grüßen", "", ""]),
        "subject": np.array([1, 1, 1, 1, 5, 5]),
        "sequence": np.array(["a", "a", "b", "b", "a", "a"]),
        "camera": np.array(["x"] * ROWS),
        "scene": np.array(["outdoor"] * ROWS),
        "valid": np.array([1, 1, 0, 1, 1, 1]),
    }


def save(path, content, joints=None, **attributes):
    """Saves arrays by name, "train_pose_2d" or "train/pose_2d"; texts as each library has them."""
    content = dict(content) if joints is None else {**content, "joints": np.array(joints)}
    if path.suffix == ".npz":
        np.savez(path, **{name.replace("/", "_"): values for name, values in content.items()})
        return path
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        for name, values in content.items():
            file[name] = values.tolist() if np.asarray(values).dtype.kind == "U" else values
    return path


read = reading(read_arrays)


KINDS = pytest.mark.parametrize("name", ["a.npz", "a.h5"])


@KINDS
def test_every_array_comes_back(tmp_path, name):
    content = full()
    (clip,) = read(save(tmp_path / name, content), convention="human16", group="test")
    assert (clip.group, clip.image_size) == ("test", None)
    np.testing.assert_array_equal(clip.pose_2d, content["pose_2d"] * content["visible"][..., None])
    np.testing.assert_array_equal(clip.pose_3d, content["pose_3d"])
    np.testing.assert_array_equal(clip.labels["visible"], content["visible"])
    np.testing.assert_array_equal(clip.labels["confidence"], content["confidence"] * content["visible"])
    np.testing.assert_array_equal(clip.labels["valid"], content["valid"])
    for label in TEXTS:
        assert clip.labels[label].tolist() == content[label].astype(str).tolist()
    assert set(clip.labels) == {"visible", "confidence", "valid", *TEXTS}


@pytest.mark.parametrize("attribute", [False, True])
def test_joints_in_any_order_are_put_in_ours(tmp_path, attribute):
    content, to_shuffled = full(), [HUMAN16.index(joint) for joint in SHUFFLED]
    shuffled = {label: values[:, to_shuffled] if values.ndim > 1 else values for label, values in content.items()}
    if attribute:
        path = save(tmp_path / "a.h5", shuffled)
        with h5py.File(path, "r+") as file:
            file.attrs["joints"] = list(SHUFFLED)
    else:
        path = save(tmp_path / "a.npz", shuffled, joints=SHUFFLED)
    (clip,) = read(path)
    (expected,) = read(save(tmp_path / "sorted.npz", content), convention="human16")
    np.testing.assert_array_equal(clip.pose_2d, expected.pose_2d)
    np.testing.assert_array_equal(clip.pose_3d, expected.pose_3d)
    for label in ("visible", "confidence"):
        np.testing.assert_array_equal(clip.labels[label], expected.labels[label])


@pytest.mark.parametrize(("convention", "order"), [("mpii16", 1), ("mpi_inf_3dhp_17", -1), ("human36m_32", -1)])
def test_other_conventions_are_converted(tmp_path, convention, order):
    """By the convention's name, or by the names in the file, which lists them backwards."""
    joints = CONVENTIONS[convention].joints
    pose_2d, pose_3d = (poses(dimensions, joints=len(joints)) for dimensions in (2, 3))
    content = {"pose_2d": pose_2d[:, ::order], "pose_3d": pose_3d[:, ::order]}
    path = save(tmp_path / "a.npz", content, None if order == 1 else joints[::-1])
    (clip,) = read(path, convention=convention if order == 1 else None)
    # Of these three only the names of thorax, neck and head differ from ours.
    same = [joint for joint in HUMAN16.joints if joint in joints and joint not in ("thorax", "neck", "head")]
    ours, theirs = [HUMAN16.index(joint) for joint in same], [joints.index(joint) for joint in same]
    assert len(same) == 13
    np.testing.assert_array_equal(clip.pose_2d[:, ours], pose_2d[:, theirs])
    np.testing.assert_array_equal(clip.pose_3d[:, ours], pose_3d[:, theirs])
    assert "visible" not in clip.labels


def test_joints_that_are_derived_from_hidden_ones_are_hidden(tmp_path):
    joints = CONVENTIONS["coco17"].joints
    visible = np.ones((ROWS, 17))
    visible[2, joints.index("left_hip")] = 0
    (clip,) = read(save(tmp_path / "a.npz", {"pose_2d": poses(2, joints=17), "visible": visible}, joints))
    hidden = np.argwhere(clip.labels["visible"] == 0).tolist()
    assert hidden == [[2, HUMAN16.index("left_hip")], [2, HUMAN16.index("pelvis")]]


def test_3d_that_a_convention_cannot_give_is_refused(tmp_path, monkeypatch):
    whole = CONVENTIONS["human16"]
    weights = {joint: parts for joint, parts in whole.human16.items() if "wrist" not in joint}
    monkeypatch.setitem(CONVENTIONS, "human16", dataclasses.replace(whole, human16=weights))
    (clip,) = read(save(tmp_path / "b.npz", {"pose_2d": poses(2)}), convention="human16")
    assert (clip.labels["visible"].sum(axis=1) == 14).all()
    path = save(tmp_path / "a.npz", {"pose_3d": poses(3)})
    message = r"'human16' give no \['left_wrist', 'right_wrist'\]; expected all in 3D"
    refuses(message, read, path, convention="human16")


@KINDS
def test_groups_and_prefixes_tell_train_from_test(tmp_path, name):
    content = {"train/pose_2d": poses(2, 4), "train/sequence": np.array(list("aabb")), "test/pose_3d": poses(3, 2)}
    clips = {clip.group: clip for clip in read(save(tmp_path / name, content, HUMAN16.joints))}
    assert set(clips) == {"train", "test"}
    np.testing.assert_array_equal(clips["train"].pose_2d, poses(2, 4))
    assert clips["train"].labels["sequence"].tolist() == list("aabb")
    np.testing.assert_array_equal(clips["test"].pose_3d, poses(3, 2))
    assert clips["test"].pose_2d is None


@KINDS
@pytest.mark.parametrize("own", [False, True], ids=["other numbers", "other labels"])
def test_rows_that_do_not_belong_together_are_two_clips(tmp_path, name, own):
    rows_3d = 4 if own else 3
    content = {"pose_2d": poses(2, 4), "pose_3d": poses(3, rows_3d), "subject": np.array(list("abcd"))}
    content |= {"pose_3d_subject": np.array(list("efgh")), "pose_3d_valid": np.array([1, 0, 1, 1])} if own else {}
    first, second = read(save(tmp_path / name, content), convention="human16")
    np.testing.assert_array_equal(first.pose_2d, poses(2, 4))
    np.testing.assert_array_equal(second.pose_3d, poses(3, rows_3d))
    assert first.pose_3d is None
    assert second.pose_2d is None
    assert first.labels["subject"].tolist() == list("abcd")
    assert second.labels.get("subject", np.array([])).tolist() == (list("efgh") if own else [])
    assert second.labels.get("valid", np.array([])).tolist() == ([1, 0, 1, 1] if own else [])


@KINDS
def test_large_arrays_come_in_pieces(tmp_path, monkeypatch, name):
    monkeypatch.setattr(arrays, "ROWS_A_CLIP", 4)
    content = full()
    clips = read(save(tmp_path / name, content), convention="human16")
    assert [len(clip) for clip in clips] == [4, 2]
    np.testing.assert_array_equal(np.concatenate([clip.pose_3d for clip in clips]), content["pose_3d"])
    assert np.concatenate([clip.labels["sequence"] for clip in clips]).tolist() == content["sequence"].tolist()
    assert clips[1].where.endswith(f"{name}: train pose_2d and pose_3d, rows 4 to 5")


def test_hdf5_is_read_as_far_as_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "ROWS_A_CLIP", 4)
    content = {"pose_2d": poses(2)}
    content["pose_2d"][5] = np.nan
    clips = read_arrays(save(tmp_path / "a.h5", content), convention="human16")
    check_clip(next(clips))
    refuses("rows 4 to 5: 2D frame 1 is not finite", check_clip, next(clips))


def test_a_prepared_file_is_one_of_these(tmp_path):
    group = PoseGroup(
        poses(2).astype(np.float32), poses(3).astype(np.float32), {"action": np.array(["Sitting down"] * ROWS)}
    )
    write_prepared(tmp_path / "a.h5", PreparedData(HUMAN16.joints, "by hand", test=group))
    (clip,) = read(tmp_path / "a.h5")
    assert clip.group == "test"
    np.testing.assert_array_equal(clip.pose_3d, group.pose_3d)
    assert clip.labels["action"].tolist() == ["Sitting down"] * ROWS


def test_texts_may_be_objects_or_bytes(tmp_path):
    content = {
        "pose_2d": poses(2, 2),
        "action": np.array(["a", "é"], object),
        "scene": np.array([b"in", b"out"]),
        "joints": np.array(HUMAN16.joints, object),
    }
    (clip,) = read(save(tmp_path / "a.npz", content))
    assert clip.labels["action"].tolist() == ["a", "é"]
    assert clip.labels["scene"].tolist() == ["in", "out"]


RECURRING = {
    "three": {"sequence": "aabbcc"},
    "another camera": {"sequence": "aabbaa", "camera": "111122"},
    "another subject": {"sequence": "ababab", "subject": "112233"},
}


@table("names", RECURRING)
def test_a_sequence_may_recur_with_another_camera_or_subject(tmp_path, names):
    content = {"pose_2d": poses(2), **{name: np.array(list(values)) for name, values in names.items()}}
    (clip,) = read(save(tmp_path / "a.npz", content), convention="human16")
    assert clip.labels["sequence"].tolist() == list(names["sequence"])


def put(name, values):
    return lambda content: content.update({name: values})


def change(name, function):
    return lambda content: content.update({name: function(content[name])})


def put_element(name, index, value):
    def apply(content):
        content[name] = content[name].astype(float)
        content[name][index] = value

    return apply


def drop(*names):
    def apply(content):
        for name in names:
            del content[name]

    return apply


BROKEN = {
    "no poses": (drop("pose_2d", "pose_3d"), "train has .*; expected pose_2d or pose_3d"),
    "nothing": (lambda content: content.clear(), "has no arrays; expected pose_2d or pose_3d"),
    "a misspelt name": (put("pose2d", poses(2)), "'pose2d' is not known; expected only"),
    "arrays inside and outside of groups": (put("test/pose_2d", poses(2)), "both inside and outside of groups"),
    "17 joints": (put("pose_2d", poses(2, joints=17)),
        r"train pose_2d is float64 of shape \(6, 17, 2\); .*\(N, 16, 2\)"),
    "texts": (put("pose_2d", np.full((ROWS, 16, 2), b"1")), "pose_2d is [|]S1"),
    "actions that are numbers": (put("action", np.ones(ROWS)), "train action is float64"),
    "no rows": (lambda content: (content.clear(), content.update(pose_2d=poses(2, 0))), "pose_2d has no rows"),
    "NaN": (put_element("pose_2d", (3, 4, 1), np.nan), "2D frame 3 is not finite"),
    "metres": (change("pose_3d", lambda values: values / 1e3), "joints are typically .*; expected millimetres"),
    "visible of others": (change("visible", lambda values: values[1:]), r"train visible is bool of shape \(5, 16\)"),
    "visible twice": (put_element("visible", (0, 0), 2.0), "visible holds values other than 0 and 1"),
    "nothing visible": (put_element("visible", 4, 0.0), "frame 4 has no visible joint"),
    "negative confidence": (change("confidence", lambda values: values - 1.0), "confidence holds negative"),
    "actions of others": (put("action", np.array(["a"] * 5)), r"train action is .* of shape \(5,\); expected 6 texts"),
    "one sequence twice": (put("sequence", np.array(list("abbaab"))),
        "sequence 'a' begins at row 0 and again at row 3"),
    "3D labels without 3D": (
        lambda content: content.update(pose_3d_action=content["action"], pose_3d_valid=content.pop("pose_3d")[:, 0, 0]),
        "pose_3d_action needs both pose_2d and pose_3d"),
    "visible without 2D": (drop("pose_2d"), "pose_3d stands beside visible or confidence"),
    "labels of 3D rows": (change("pose_2d", lambda values: values[:4]), r"train visible is bool of shape \(6, 16\)"),
}  # fmt: skip


@table("mutate message", BROKEN)
def test_broken_arrays_are_refused_by_name_and_place(tmp_path, mutate, message):
    for name in ("a.npz", "a.h5"):
        content = full() | {"sequence": np.array(list("aaabbb"))}
        mutate(content)
        refuses(name + ": .*" + message, read, save(tmp_path / name, content), convention="human16")


@pytest.mark.parametrize(("rows", "labels"), [(3, {}), (4, {"pose_3d_action": np.array(list("abcd"))})])
def test_test_rows_have_to_be_pairs(tmp_path, rows, labels):
    path = save(tmp_path / "a.npz", {"pose_2d": poses(2, 4), "pose_3d": poses(3, rows), **labels})
    message = r"a\.npz: test has 4 rows in pose_2d and .* in pose_3d.*; expected pairs"
    refuses(message, read, path, convention="human16", group="test")


@pytest.mark.parametrize(("unit", "per_unit"), [("cm", 10.0), ("m", 1e3)])
def test_units_and_poses_of_a_world_with_z_up_which_a_level_camera_sees(tmp_path, unit, per_unit):
    world, options = poses(3), {"convention": "human16", "unit": unit}
    path = save(tmp_path / "a.npz", {"pose_3d": world / per_unit})
    (clip,) = read(path, **options, frame="world_z_up")
    x, y, z = np.moveaxis(world, -1, 0)
    np.testing.assert_allclose(clip.pose_3d, np.stack([x, -z, y], axis=-1), rtol=1e-12)  # x, down, away
    assert clip.up.tolist() == [0.0, -1.0, 0.0]
    (in_camera,) = read(path, **options)
    np.testing.assert_allclose(in_camera.pose_3d, world, rtol=1e-12)
    assert in_camera.up is None


@pytest.mark.parametrize(("group", "rows"), [("train", ROWS), ("test", 4)], ids=["pairs", "other people"])
def test_2d_beside_poses_in_the_world_is_refused(tmp_path, group, rows):
    path = save(tmp_path / "a.npz", {f"{group}/pose_3d": poses(3), f"{group}/pose_2d": poses(2, rows)})
    message = rf"a\.npz: {group} pose_2d has no camera .* world frame; expected 3D alone"
    refuses(message, read, path, convention="human16", frame="world_z_up")


LEFT_OUT = HUMAN16.joints[:-1]
BROKEN_JOINTS = {
    "none": (None, None, r"has no 'joints' and no convention is named; expected one of \['human16'"),
    "one too few": (LEFT_OUT, None, r"of 'human16': unknown \[\], missing \['right_wrist'\]"),
    "one twice": ((*LEFT_OUT, LEFT_OUT[0]), None, "names a joint twice"),
    "not those declared": (HUMAN16.joints, "mpii16",
        r"of 'mpii16': unknown \['neck', 'head'\], missing \['upper_neck'"),
    "numbers that are not whole": (np.ones(16), None, "joints is float64 of shape"),
}  # fmt: skip


@table("joints convention message", BROKEN_JOINTS)
def test_joints_that_are_no_convention_are_refused(tmp_path, joints, convention, message):
    for name in ("a.npz", "a.h5"):
        path = save(tmp_path / name, {"pose_2d": poses(2)}, joints)
        refuses(name + ": .*" + message, read, path, convention=convention)


OPTIONS = {
    "a convention": ({"convention": "human17"}, "convention is 'human17'; did you mean 'human16'"),
    "a unit": ({"unit": "ft"}, r"unit is 'ft'; expected one of \['mm', 'cm', 'm'\]"),
    "a frame": ({"frame": "body"}, "frame is 'body'; expected one of"),
    "a group": ({"group": "valid"}, r"group is 'valid'; expected one of \['train', 'test'\]"),
    "metres": ({"unit": "m"}, r"train pose_3d, rows 0 to 5: joints are typically .*; expected metres, between 0\.03"),
}


@table("options message", OPTIONS)
def test_options_that_do_not_fit_are_refused(tmp_path, options, message):
    path = save(tmp_path / "a.npz", {"pose_3d": poses(3)})
    refuses(message, read, path, **{"convention": "human16", **options})


def test_other_suffixes_and_pickled_objects_are_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"x")
    refuses(r"a\.npy: ends in '\.npy'; expected poses as plain arrays", read, tmp_path / "a.npy")
    np.savez(tmp_path / "a.npz", pose_2d=np.array([dataclasses.make_dataclass], object))
    refuses(r"a\.npz: .*holds a pickled .*dataclasses", read, tmp_path / "a.npz", convention="human16")


def long_texts(file):
    file["pose_2d"], file["action"] = poses(2), np.array([b"a"] * ROWS, "S5000")


MISLEADING = {
    "announced": (lambda file: file.create_dataset("pose_2d", (10**10, 16, 2), "f4", chunks=(1024, 16, 2)),
        "pose_2d announces 1,280,000,000,000 bytes but stores 0"),
    "elsewhere": (lambda file: file.update(pose_2d=h5py.ExternalLink("other.h5", "pose_2d")),
        "pose_2d is kept in another file"),
    "nested": (lambda file: file.update({"more/pose_2d": poses(2)}), "more is not an array"),
    "long texts": (long_texts, "action is [|]S5000"),
}  # fmt: skip


@table("make message", MISLEADING)
def test_hdf5_that_is_made_to_mislead_is_refused(tmp_path, make, message):
    save(tmp_path / "other.h5", {"pose_2d": poses(2)})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file)
    refuses(r"a\.h5: .*" + message, read, tmp_path / "a.h5", convention="human16")
