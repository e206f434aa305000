"""A prepared file made ready: what is held out, what training may see, what is refused."""

import numpy as np
import pytest
from prepared_files import write_prepared
from refusals import refuses, table
from scipy.spatial.transform import Rotation

from tf_wsgen.data.prepared import PoseGroup, PreparedData
from tf_wsgen.data.preprocess import normalise_rows
from tf_wsgen.data.training_data import PairedRows, Source
from tf_wsgen.sections import DataConfig
from tf_wsgen.simulation.body import body_size
from tf_wsgen.skeleton import HUMAN16

SEQUENCES, VIEWS, FRAMES = 10, 2, 3
# A person facing the camera, millimetres, camera frame (y down, z away).
BODY = np.random.default_rng(0).normal(0.0, 200.0, (16, 3))
BODY[list(HUMAN16.template_indices)] = [[-130, 0, 0], [130, 0, 0], [-170, -500, 10], [170, -500, 10]]
BODY[HUMAN16.root_index] = 0.0
NECK, HEAD = HUMAN16.index("neck"), HUMAN16.index("head")
RIGHT_HIP, LEFT_HIP = HUMAN16.hip_indices


def person(sequence):
    """The body with a head so high that every later frame tells its sequence: see `sequence_of`."""
    body = BODY.copy()
    body[HEAD] = body[NECK] + [0.0, -26.0 * (sequence + 1), 0.0]
    return body


def sequence_of(poses):
    """Which sequence rows are from: |head − neck| in tenths of the hips' distance, less 1."""

    def distance(first, second):
        return np.linalg.norm(poses[:, first] - poses[:, second], axis=-1)

    return np.rint(10.0 * distance(HEAD, NECK) / distance(RIGHT_HIP, LEFT_HIP)).astype(int) - 1


def group(**changes):
    """Rows in an order that mixes sequences and views; row by row one person."""
    sequence = np.tile(np.arange(SEQUENCES), VIEWS * FRAMES)
    view = np.repeat(np.arange(VIEWS), SEQUENCES * FRAMES)
    poses = np.array([person(s) for s in sequence])
    depth = 3000.0 + 1000.0 * view[:, None, None]
    content = {
        "pose_2d": (poses[..., :2] * 0.5 + 500.0).astype(np.float32),
        "pose_3d": (poses + depth * [0.0, 0.0, 1.0]).astype(np.float32),
        "labels": {
            "sequence": np.array([f"sequence {s}" for s in sequence]),
            "camera": np.array([f"camera {v}" for v in view]),
            "action": np.array([f"action {s % 3}" for s in sequence]),
        },
    }
    return PoseGroup(**{**content, **changes})


@pytest.fixture
def source(tmp_path):
    def write(train=None, test=None, **config):
        path = tmp_path / "people.h5"
        write_prepared(path, PreparedData(HUMAN16.joints, "drawn for a test", train, test))
        return Source(DataConfig(path=str(path), **config))

    return write


@pytest.fixture
def training(source):
    """What training gets of such a file."""

    def make(train, validation_fraction=0.0, seed=0, test=None):
        return source(train, test, validation_fraction=validation_fraction).training(seed)

    return make


def validation_sequences(data):
    return set(sequence_of(data.validation.pose_3d))


@pytest.mark.parametrize(("fraction", "held_out"), [(0.05, 1), (0.2, 2), (0.9, 9)])
def test_whole_sequences_are_held_out_of_2d_and_3d(training, fraction, held_out):
    data = training(group(), fraction)
    validation = validation_sequences(data)
    # Every view and frame of a held-out sequence measures, none of it trains.
    assert (len(validation), len(data.validation)) == (held_out, held_out * VIEWS * FRAMES)
    for poses in (data.pose_2d, data.pose_3d):
        assert set(sequence_of(poses)) == set(range(SEQUENCES)) - validation
        assert len(poses) == (SEQUENCES - held_out) * VIEWS * FRAMES


def test_the_seed_draws_the_held_out_sequences(training):
    drawn = [frozenset(validation_sequences(training(group(), 0.3, seed))) for seed in (0, 0, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 2


def test_validation_rows_are_raw_pairs_with_their_actions(training):
    content = group()
    data = training(content, 0.2)
    rows = np.isin(sequence_of(content.pose_3d), list(validation_sequences(data)))
    np.testing.assert_array_equal(data.validation.keypoints, content.pose_2d[rows])
    np.testing.assert_array_equal(data.validation.pose_3d, content.pose_3d[rows])
    np.testing.assert_array_equal(data.validation.action, content.labels["action"][rows])
    np.testing.assert_array_equal(data.validation.visible, np.ones((rows.sum(), 16)))


def test_without_validation_every_row_trains_paired_or_not(training):
    content = group()
    for train in (content, group(pose_2d=content.pose_2d[:7], labels={})):
        data = training(train)
        assert data.validation is None
        assert len(data.pose_2d) == len(data.visible) == len(train.pose_2d)
        assert len(data.pose_3d) == len(content.pose_3d)
        assert (data.skeleton, data.source) == (HUMAN16, "drawn for a test")


def test_3d_poses_are_in_metres_in_the_template_frame(training):
    data = training(group())
    # x to the person's left, y up, z forward: of someone who faces the camera, x right, y up, towards the viewer.
    expected = person(4) * [1.0, -1.0, -1.0] / 1000.0
    tilt = np.arctan2(0.01, 0.5)  # the shoulders lean back 10 mm over 500, and are stood upright
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    for pose in data.pose_3d[sequence_of(data.pose_3d) == 4]:
        np.testing.assert_allclose(pose, expected @ turn.T, atol=1e-5)
    np.testing.assert_allclose(data.template[:, 0], [-0.13, 0.13, -0.17, 0.17], atol=1e-6)
    np.testing.assert_allclose(data.scale_ratio, 1.0, rtol=1e-5)  # every torso is of the template's size


def test_2d_poses_are_normalised_with_the_files_visibility(training):
    content = group()
    visible = np.ones((len(content.pose_2d), 16), np.float32)
    visible[::2, 12] = 0.0
    data = training(group(labels={**content.labels, "visible": visible}), 0.2)
    trains = ~np.isin(sequence_of(content.pose_3d), list(validation_sequences(data)))
    np.testing.assert_array_equal(data.visible, visible[trains])
    np.testing.assert_array_equal(data.validation.visible, visible[~trains])
    expected, _ = normalise_rows(content.pose_2d[trains], visible[trains], HUMAN16, "file")
    np.testing.assert_allclose(data.pose_2d, expected, atol=1e-6)


def test_3d_alone_and_rows_of_their_own_are_held_out_too(training):
    content = group()
    alone = training(group(pose_2d=None), 0.2)
    assert (len(alone.pose_2d), alone.validation) == (0, None)
    assert len(alone.held_out_room) == 2 * VIEWS * FRAMES
    assert len(alone.room) == len(alone.pose_3d) == (SEQUENCES - 2) * VIEWS * FRAMES
    unpaired = training(group(labels_3d={"sequence": content.labels["sequence"]}), 0.2)
    assert unpaired.validation is None
    assert set(sequence_of(unpaired.pose_2d)) == set(sequence_of(unpaired.pose_3d))
    np.testing.assert_allclose(unpaired.held_out_room, alone.held_out_room, atol=1e-6)


SEQUENCE = group().labels["sequence"]
NO_TORSO = group().pose_3d.copy()
NO_TORSO[7, list(HUMAN16.template_indices)] = NO_TORSO[7, HUMAN16.root_index]
NO_SHAPE = np.full_like(group().pose_2d, 5.0)
REFUSED = {
    "no training group": (None, 0.05, "has no training poses; expected train/pose_3d"),
    "no 3D": (group(pose_3d=None), 0.05, "has no training poses"),
    "no sequences": (group(labels={}), 0.05, "train has no 'sequence' of the rows .* data.validation_fraction=0"),
    "sequences of other rows": (group(pose_2d=group().pose_2d[:9], labels={"sequence": SEQUENCE[:9]}), 0.05,
        "train has no 'sequence' of the rows of pose_3d"),
    "one sequence": (group(labels={"sequence": SEQUENCE[:1].repeat(60)}), 0.05,
        r"train has 1 sequence\(s\), too few to hold out 1"),
    "all held out": (group(), 0.97, r"train has 10 sequence\(s\), too few"),
    "no 2D shape": (group(pose_2d=NO_SHAPE), 0.05, r"train/pose_2d \(training rows\) row 0 cannot be normalised"),
    "no torso": (group(pose_3d=NO_TORSO), 0.0,
        r"train/pose_3d \(training rows\) row 7 has hips and shoulders in one place"),
}  # fmt: skip


@table("train fraction message", REFUSED)
def test_what_cannot_train_is_refused(training, train, fraction, message):
    refuses(r"people\.h5: " + message, training, train, fraction, test=group())


def test_another_skeletons_file_is_refused(tmp_path):
    write_prepared(tmp_path / "a.h5", PreparedData(HUMAN16.joints[::-1], "", group()))
    message = r"a\.h5: joint 0 is 'right_wrist'; expected 'right_hip'"
    refuses(message, lambda: Source(DataConfig(path=str(tmp_path / "a.h5"))).training(seed=0))


def test_test_rows_are_all_of_them_in_order(source):
    content = group()
    opened = source(test=content)
    rows = opened.test_rows
    np.testing.assert_array_equal(rows.keypoints, content.pose_2d)
    np.testing.assert_array_equal(rows.pose_3d, content.pose_3d)
    np.testing.assert_array_equal(rows.action, content.labels["action"])
    np.testing.assert_array_equal(rows.visible, np.ones((len(rows), 16)))
    assert opened.data.source == "drawn for a test"
    for test in (None, group(pose_3d=None), group(pose_2d=None)):
        opened = source(group(), test)
        refuses(r"people\.h5: has no pairs to measure on", lambda opened=opened: opened.test_rows)


def paired_rows(count, action=True):
    numbers = np.arange(count)
    poses = numbers.reshape(-1, 1, 1) * np.ones((1, 16, 3))
    return PairedRows(poses[..., :2], poses[..., 0], poses, numbers.astype(str) if action else None)


@pytest.mark.parametrize(
    ("total", "count", "expected"),
    [(10, 4, [0, 3, 6, 9]), (5, 5, [0, 1, 2, 3, 4]), (3, 100, [0, 1, 2]), (9, 2, [0, 8]), (7, 1, [0])],
)
def test_evenly_spaced_rows_stay_together(total, count, expected):
    chosen = paired_rows(total).evenly_spaced(count)
    assert len(chosen) == len(expected)
    for values in (chosen.keypoints, chosen.visible, chosen.pose_3d):
        assert np.all(values.reshape(len(values), -1) == np.reshape(expected, (-1, 1)))
    assert chosen.action.tolist() == [str(row) for row in expected]
    assert paired_rows(total, action=False).evenly_spaced(count).action is None


@pytest.mark.parametrize(("total", "count"), [(1000, 999), (18012, 2000)])
def test_evenly_spaced_rows_are_distinct_and_reach_both_ends(total, count):
    rows = paired_rows(total).evenly_spaced(count).keypoints[:, 0, 0]
    assert (len(np.unique(rows)), rows.min(), rows.max()) == (count, 0, total - 1)


def test_the_room_stands_upright_in_one_size(training):
    content = group()
    tilt, rows = Rotation.from_euler("xz", [20, 7], degrees=True).as_matrix(), len(content.pose_3d)
    tilted = (content.pose_3d @ tilt.T).astype(np.float32)
    up = np.tile(tilt @ [0.0, -1.0, 0.0], (rows, 1)).astype(np.float32)
    level = training(group(pose_3d_up=np.tile(np.float32([0.0, -1.0, 0.0]), (rows, 1)))).room
    turned = training(group(pose_3d=tilted, pose_3d_up=up)).room
    np.testing.assert_allclose(turned[..., 1], level[..., 1], atol=1e-4)
    sizes = body_size(level, HUMAN16).numpy()
    np.testing.assert_allclose(sizes, sizes[0], rtol=1e-5)
