"""The picture is a PNG with something on it, takes the old one's place whole, and leaves nothing else."""

import matplotlib.colors
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest
from tiny_lifter import J, made_up_rows, tiny_lifter

from tf_wsgen.evaluation.figures import HYPOTHESIS_COLOURS, draw_hypotheses, draw_predictions
from tf_wsgen.lifting.result import LiftedPoses, Predictions
from tf_wsgen.sections import EvaluationConfig
from tf_wsgen.skeleton import HUMAN16

OLD = b"an older picture"


@pytest.fixture(scope="module")
def draw():
    """Draws two rows, one with a missing joint, into the file that is given."""
    rows, config = made_up_rows(2, [(1, "left_wrist")], 300.0), EvaluationConfig(diversity_pool=7)
    return lambda output: draw_hypotheses(tiny_lifter(), rows, config, output, "made-up people")


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
    shapes |= {"hypotheses": (2, J, 3), "hypotheses_reprojection": (2, J, 2), "hypotheses_log_likelihood": (2,)}
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
