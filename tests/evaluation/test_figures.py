"""The picture is a PNG with something on it, takes the old one's place whole, and leaves nothing else."""

import keras
import matplotlib.colors
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest

from tf_wsgen.data.training_data import PairedRows
from tf_wsgen.evaluation.figures import HYPOTHESIS_COLOURS, draw_hypotheses, draw_predictions
from tf_wsgen.lifting.model import Lifter
from tf_wsgen.lifting.result import LiftedPoses, Predictions
from tf_wsgen.networks import Camera, Generator, Trunk
from tf_wsgen.sections import EvaluationConfig
from tf_wsgen.skeleton import HUMAN16

J, Z, PELVIS = HUMAN16.num_joints, 8, HUMAN16.root_index
OLD = b"an older picture"


@pytest.fixture(scope="module")
def draw():
    """Draws two rows, one with a missing joint, into the file that is given."""
    keras.utils.set_random_seed(0)
    lifter = Lifter(HUMAN16, Trunk(J, 16), Generator(J, 16, Z, pose_gain=0.2), Camera(16), np.zeros((4, 3)), 1.0)
    rng = np.random.default_rng(0)
    visible = np.ones((2, J), np.float32)
    visible[1, HUMAN16.index("left_wrist")] = 0.0
    rows = PairedRows(
        rng.normal([600.0, 400.0], [80.0, 150.0], (2, J, 2)).astype(np.float32),
        visible,
        rng.normal([0.0, 0.0, 4000.0], 300.0, (2, J, 3)).astype(np.float32),
    )
    config = EvaluationConfig(diversity_pool=7)
    return lambda output: draw_hypotheses(lifter, rows, config, output, "made-up people")


@pytest.fixture(scope="module")
def picture(draw, tmp_path_factory):
    folder = tmp_path_factory.mktemp("picture")
    (folder / "hypotheses.png").write_bytes(OLD)
    draw(str(folder / "hypotheses.png"))
    return folder / "hypotheses.png"


def test_a_png_that_reads_back_and_is_not_blank(picture):
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    pixels = plt.imread(picture)
    height, width = pixels.shape[:2]
    assert width > 1000
    assert height > 300
    # Mostly paper, some ink, in both rows of the picture.
    for half in np.split(pixels[: height // 2 * 2, :, :3], 2):
        assert 0.01 < (half < 0.9).any(axis=-1).mean() < 0.5


@pytest.mark.parametrize("colour", HYPOTHESIS_COLOURS)
def test_each_hypothesis_colour_is_seen_in_its_pose_and_its_reprojection(picture, colour):
    pixels = plt.imread(picture)[..., :3]
    near = np.abs(pixels - matplotlib.colors.to_rgb(colour)).max(axis=-1) < 0.05
    columns = np.array_split(near, len(HYPOTHESIS_COLOURS) + 3, axis=1)
    counts = [column.sum() for column in columns]
    assert counts[2 + HYPOTHESIS_COLOURS.index(colour)] > 50
    assert counts[-1] > 50


def test_nothing_else_is_left(picture):
    assert [path.name for path in picture.parent.iterdir()] == ["hypotheses.png"]
    # A long run would gather open figures until memory is full.
    assert plt.get_fignums() == []


@pytest.mark.parametrize(("rows", "drawn"), [(1, [0]), (3, [0, 1, 2]), (23, list(range(0, 23, 2)))])
def test_predictions_are_drawn_evenly_over_the_file(tmp_path, monkeypatch, rows, drawn):
    shapes = {"keypoints": (J, 2), "visible": (J,), "pose_3d": (J, 3), "reprojection": (J, 2), "log_likelihood": ()}
    shapes |= {
        "hypotheses": (2, J, 3),
        "hypotheses_reprojection": (2, J, 2),
        "hypotheses_log_likelihood": (2,),
    }
    poses = LiftedPoses(**{name: np.random.default_rng(0).random((rows, *shape)) for name, shape in shapes.items()})
    predictions = Predictions(poses, np.arange(rows), np.zeros(rows, int), HUMAN16, {"model": "made-up"})
    titles = []
    monkeypatch.setattr(
        matplotlib.figure.Figure,
        "savefig",
        lambda self, path, **_: (titles.extend(axes.get_title(loc="left") for axes in self.axes), path.touch()),
    )
    draw_predictions(predictions, tmp_path / "sheet.png")
    assert [title for title in titles if title] == [f"{row}, person 0" for row in drawn]
