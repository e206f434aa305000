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


def read(*arguments, **options):
    clips = list(read_arrays(*arguments, **options))
    for clip in clips:
        check_clip(clip)
    return clips


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


def test_joints_in_any_order_are_put_in_ours(tmp_path):
    name, content = "a.npz", full()
    to_shuffled = [HUMAN16.index(joint) for joint in SHUFFLED]
    shuffled = {
        label: values[:, to_shuffled] if label in ("pose_2d", "pose_3d", "visible", "confidence") else values
        for label, values in content.items()
    }
    (clip,) = read(save(tmp_path / name, shuffled, joints=SHUFFLED))
    (expected,) = read(save(tmp_path / f"sorted_{name}", content), convention="human16")
    for found, wanted in ((clip.pose_2d, expected.pose_2d), (clip.pose_3d, expected.pose_3d)):
        np.testing.assert_array_equal(found, wanted)
    for label in ("visible", "confidence"):
        np.testing.assert_array_equal(clip.labels[label], expected.labels[label])


def test_joints_can_be_an_attribute(tmp_path):
    path = save(tmp_path / "a.hdf5", {"pose_2d": poses(2)})
    with h5py.File(path, "r+") as file:
        file.attrs["joints"] = list(SHUFFLED)
    (clip,) = read(path)
    np.testing.assert_array_equal(clip.pose_2d, poses(2)[:, [SHUFFLED.index(joint) for joint in HUMAN16.joints]])


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
    armless = dataclasses.replace(
        CONVENTIONS["human16"],
        human16={joint: weights for joint, weights in CONVENTIONS["human16"].human16.items() if "wrist" not in joint},
    )
    monkeypatch.setitem(CONVENTIONS, "human16", armless)
    (clip,) = read(save(tmp_path / "b.npz", {"pose_2d": poses(2)}), convention="human16")
    assert (clip.labels["visible"].sum(axis=1) == 14).all()
    refuses(
        r"'human16' give no \['left_wrist', 'right_wrist'\]; expected all in 3D",
        read,
        save(tmp_path / "a.npz", {"pose_3d": poses(3)}),
        convention="human16",
    )


def test_metres_are_declared_and_become_millimetres(tmp_path):
    path = save(tmp_path / "a.npz", {"pose_3d": poses(3) / 1000.0})
    (clip,) = read(path, convention="human16", unit="m")
    np.testing.assert_allclose(clip.pose_3d, poses(3), rtol=1e-12)


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
    refuses("rows 4 to 5: 2D frame 1 is not finite", lambda: check_clip(next(clips)))


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


@pytest.mark.parametrize(
    "names",
    [
        {"sequence": list("aabbcc")},
        {"sequence": list("aabbaa"), "camera": list("111122")},
        {"sequence": list("ababab"), "subject": list("112233")},
        {"sequence": list("aaaaaa"), "camera": list("112233")},
    ],
)
def test_a_sequence_may_recur_with_another_camera_or_subject(tmp_path, names):
    content = {"pose_2d": poses(2), **{name: np.array(values) for name, values in names.items()}}
    (clip,) = read(save(tmp_path / "a.npz", content), convention="human16")
    assert clip.labels["sequence"].tolist() == names["sequence"]


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
    "swapped axes": (change("pose_3d", lambda values: values.transpose(0, 2, 1)), r"pose_3d is .*\(6, 3, 16\)"),
    "one number": (put("pose_2d", np.float64(3.0)), r"pose_2d is float64 of shape \(\)"),
    "texts": (put("pose_2d", np.full((ROWS, 16, 2), b"1")), "pose_2d is [|]S1"),
    "actions that are numbers": (put("action", np.ones(ROWS)), "train action is float64"),
    "no rows": (lambda content: (content.clear(), content.update(pose_2d=poses(2, 0))), "pose_2d has no rows"),
    "NaN": (put_element("pose_2d", (3, 4, 1), np.nan), "2D frame 3 is not finite"),
    "metres": (change("pose_3d", lambda values: values / 1e3), "joints are typically .*; expected millimetres"),
    "visible of others": (change("visible", lambda values: values[1:]), r"train visible is bool of shape \(5, 16\)"),
    "visible twice": (put_element("visible", (0, 0), 2.0), "visible holds values other than 0 and 1"),
    "nothing visible": (put_element("visible", 4, 0.0), "row 4 has no visible joint"),
    "negative confidence": (change("confidence", lambda values: values - 1.0), "confidence holds negative"),
    "half valid": (put("valid", np.full(ROWS, 0.5)), "valid holds values other than 0 and 1"),
    "actions of others": (put("action", np.array(["a"] * 5)), r"train action is .* of shape \(5,\); expected 6 texts"),
    "one sequence twice": (put("sequence", np.array(list("abbaab"))),
        "sequence 'a' begins at row 0 and again at row 3"),
    "3D labels without 3D": (
        lambda content: content.update(pose_3d_action=content["action"], pose_3d_valid=content.pop("pose_3d")[:, 0, 0]),
        "pose_3d_action needs both pose_2d and pose_3d"),
    "visible without 2D": (drop("pose_2d"), "pose_3d stands beside visible or confidence"),
    "labels of 3D rows": (change("pose_2d", lambda values: values[:4]), r"train visible is bool of shape \(6, 16\)"),
}  # fmt: skip


@KINDS
@table("mutate message", BROKEN)
def test_broken_arrays_are_refused_by_name_and_place(tmp_path, name, mutate, message):
    content = full()
    content["sequence"] = np.array(list("aaabbb"))
    mutate(content)
    save(tmp_path / name, content)
    refuses(name + ": .*" + message, read, tmp_path / name, convention="human16")


@pytest.mark.parametrize("own", [False, True], ids=["other numbers", "other labels"])
def test_test_rows_have_to_be_pairs(tmp_path, own):
    content = {"pose_2d": poses(2, 4), "pose_3d": poses(3, 4 if own else 3)}
    content |= {"pose_3d_action": np.array(list("abcd"))} if own else {}
    save(tmp_path / "a.npz", content)
    refuses(
        r"a\.npz: test has 4 rows in pose_2d and .* in pose_3d.*; expected pairs",
        read,
        tmp_path / "a.npz",
        convention="human16",
        group="test",
    )


def test_poses_of_a_world_with_z_up_are_seen_by_a_level_camera(tmp_path):
    world = poses(3)
    (clip,) = read(
        save(tmp_path / "a.npz", {"pose_3d": world / 1e3}), convention="human16", unit="m", frame="world_z_up"
    )
    for ours, theirs, sign in ((0, 0, 1.0), (1, 2, -1.0), (2, 1, 1.0)):  # x, down, away
        np.testing.assert_allclose(clip.pose_3d[..., ours], sign * world[..., theirs], rtol=1e-12)
    assert clip.up.tolist() == [0.0, -1.0, 0.0]
    (in_camera,) = read(save(tmp_path / "b.npz", {"pose_3d": world}), convention="human16")
    assert in_camera.up is None


@pytest.mark.parametrize(("group", "rows"), [("train", ROWS), ("test", 4)], ids=["pairs", "other people"])
def test_2d_beside_poses_in_the_world_is_refused(tmp_path, group, rows):
    content = {f"{group}/pose_3d": poses(3), f"{group}/pose_2d": poses(2, rows)}
    refuses(
        rf"a\.npz: {group} pose_2d has no camera .* world frame; expected 3D alone",
        read,
        save(tmp_path / "a.npz", content),
        convention="human16",
        frame="world_z_up",
    )


LEFT_OUT = HUMAN16.joints[:-1]
BROKEN_JOINTS = {
    "none": (None, None, r"has no 'joints' and no convention is named; expected one of \['human16'"),
    "one too few": (LEFT_OUT, None, r"of 'human16': unknown \[\], missing \['right_wrist'\]"),
    "one twice": ((*LEFT_OUT, LEFT_OUT[0]), None, "names a joint twice"),
    "not those declared": (HUMAN16.joints, "mpii16",
        r"of 'mpii16': unknown \['neck', 'head'\], missing \['upper_neck'"),
    "numbers that are not whole": (np.ones(16), None, "joints is float64 of shape"),
}  # fmt: skip


@KINDS
@table("joints convention message", BROKEN_JOINTS)
def test_joints_that_are_no_convention_are_refused(tmp_path, name, joints, convention, message):
    save(tmp_path / name, {"pose_2d": poses(2)}, joints)
    refuses(name + ": .*" + message, read, tmp_path / name, convention=convention)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"convention": "human17"}, "convention is 'human17'; did you mean 'human16'"),
        ({"unit": "cm"}, r"unit is 'cm'; expected one of \['mm', 'm'\]"),
        ({"frame": "body"}, "frame is 'body'; expected one of"),
        ({"group": "valid"}, r"group is 'valid'; expected one of \['train', 'test'\]"),
        ({"unit": "m"}, r"a\.npz: train pose_3d, rows 0 to 5: joints are typically .*; expected metres, between 0\.03"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, options, message):
    save(tmp_path / "a.npz", {"pose_3d": poses(3)})
    refuses(message, read, tmp_path / "a.npz", **{"convention": "human16", **options})


def test_other_suffixes_are_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"x")
    refuses(r"a\.npy: ends in '\.npy'; expected poses as plain arrays", read, tmp_path / "a.npy")


def test_pickled_objects_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", pose_2d=np.array([dataclasses.make_dataclass], object))
    refuses(r"a\.npz: .*holds a pickled .*dataclasses", read, tmp_path / "a.npz", convention="human16")


def announce(file):
    file.create_dataset("pose_2d", (10**10, 16, 2), np.float32, chunks=(1024, 16, 2))


def link(file):
    file["pose_2d"] = h5py.ExternalLink("other.h5", "pose_2d")


def nest(file):
    file.create_group("more")["pose_2d"] = poses(2)


def long_texts(file):
    file["pose_2d"], file["action"] = poses(2), np.array([b"a"] * ROWS, "S5000")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (announce, "pose_2d announces 1,280,000,000,000 bytes but stores 0"),
        (link, "pose_2d is kept in another file"),
        (nest, "more is not an array"),
        (long_texts, "action is [|]S5000"),
    ],
    ids=["announced", "elsewhere", "nested", "long texts"],
)
def test_hdf5_that_is_made_to_mislead_is_refused(tmp_path, make, message):
    save(tmp_path / "other.h5", {"pose_2d": poses(2)})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file)
    refuses(r"a\.h5: .*" + message, read, tmp_path / "a.h5", convention="human16")
