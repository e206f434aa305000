"""The page without a browser: its numbers unpacked again, texts that try to break out, sizes and refusals."""

import base64
import dataclasses
import html.parser
import json

import numpy as np
import pytest

from tf_wsgen.errors import InputError
from tf_wsgen.skeleton import Skeleton
from tf_wsgen.viewer import html as viewer

NASTY = "</script><img src=x onerror=alert(1)>&amp;'\"\u2028é\ud800"
PNG = b"\x89PNG\r\n\x1a\n rest of a picture"
JPEG = b"\xff\xd8\xff\xe0 rest of a picture"


class Page(html.parser.HTMLParser):
    """Elements, addresses they would load, and the texts of scripts and title."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.addresses, self.texts, self.inside = [], [], {}, ""
        self.feed(path.read_text(encoding="utf-8"))
        self.data = json.loads(self.texts["data"])

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        values = dict(attributes)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action")]
        self.inside = values.get("id", tag)

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, text):
        self.texts[self.inside] = self.texts.get(self.inside, "") + text


def unpacked(packed, shape):
    return np.frombuffer(base64.b64decode(packed["int16"]), "<i2").reshape(shape) * packed["step"]


def changed(predictions, **arrays):
    return dataclasses.replace(predictions, poses=dataclasses.replace(predictions.poses, **arrays))


def test_numbers_come_back_to_half_a_step(tmp_path, make_predictions):
    predictions = make_predictions(frames=3, people=2)
    poses, path = predictions.poses, tmp_path / "page.html"
    viewer.write_html(predictions, path)
    data = Page(path).data
    for name, values in {
        "keypoints": poses.keypoints,
        "visible": poses.visible,
        "pose": poses.pose_3d,
        "reprojection": poses.reprojection,
        "hypotheses": poses.hypotheses,
        "hypothesesReprojection": poses.hypotheses_reprojection,
    }.items():
        np.testing.assert_allclose(unpacked(data[name], values.shape), values, atol=0.0501, rtol=0, err_msg=name)
    np.testing.assert_allclose(data["logLikelihood"], poses.log_likelihood, atol=0.005)
    np.testing.assert_allclose(data["hypothesesLogLikelihood"], poses.hypotheses_log_likelihood.ravel(), atol=0.005)
    assert (data["reliable"], data["radius"], data["places"]) == (poses.reliable.tolist(), None, None)
    assert data["frames"] == [{"name": str(i), "rows": [2 * i, 2 * i + 1], "image": None} for i in range(3)]
    assert data["people"] == ["0", "1"] * 3
    assert data["about"][0] == ["model", "lifter.npz"]
    assert data["about"][3] == ["num hypotheses", "5"]


def test_radii_and_places_come_back(tmp_path, make_predictions):
    predictions = make_predictions(people=2, radius=True, placed=True)
    viewer.write_html(predictions, tmp_path / "page.html")
    data, poses = Page(tmp_path / "page.html").data, predictions.poses
    np.testing.assert_allclose(unpacked(data["radius"], poses.radius.shape), poses.radius, atol=0.0501, rtol=0)
    np.testing.assert_allclose(data["places"], poses.root_position, atol=0.5, rtol=0)


@pytest.mark.parametrize("hypotheses", [1, 2, 5])  # One has no covariance, two one of rank one.
def test_ellipsoids_are_roots_of_the_covariance(tmp_path, make_predictions, hypotheses):
    poses = make_predictions(hypotheses=hypotheses).poses
    path = tmp_path / "page.html"
    viewer.write_html(make_predictions(hypotheses=hypotheses), path)
    root = unpacked(Page(path).data["ellipsoids"], (*poses.keypoints.shape[:2], 3, 3))
    np.testing.assert_allclose(root @ np.swapaxes(root, -1, -2), poses.covariance, atol=25.0, rtol=0)
    np.testing.assert_allclose(np.sqrt((root**2).sum(axis=(-2, -1))), poses.spread, atol=0.2)


def test_bounds_hold_all_poses_and_turn_about_the_root(tmp_path, make_predictions):
    poses = make_predictions().poses
    viewer.write_html(make_predictions(), tmp_path / "page.html")
    data = Page(tmp_path / "page.html").data
    (right, away, up), (x, y) = data["bounds3d"], data["bounds2d"]
    x_3d, y_3d, z_3d = np.moveaxis(poses.hypotheses, -1, 0)
    assert right == away == [-right[1], right[1]]
    assert right[1] > max(abs(x_3d).max(), abs(z_3d).max())
    assert up[0] < -y_3d.max() < -y_3d.min() < up[1]
    seen = poses.keypoints[poses.visible > 0]
    assert x[0] < seen[:, 0].min() < seen[:, 0].max() < x[1]
    assert 0 < y[0] < seen[:, 1].min()  # A missing joint's zero is not in it.


def test_texts_cannot_break_out(tmp_path, make_predictions):
    predictions = make_predictions(frames=1, about={NASTY: NASTY, "source": NASTY}, names=[NASTY])
    skeleton = predictions.skeleton
    names = {joint: joint + NASTY for joint in skeleton.joints}
    skeleton = Skeleton(
        NASTY,
        tuple(names.values()),
        tuple((names[first], names[second]) for first, second in skeleton.bones),
        names[skeleton.root],
        tuple(names[joint] for joint in skeleton.hips),
        tuple(names[joint] for joint in skeleton.shoulders),
    )
    predictions = dataclasses.replace(predictions, skeleton=skeleton, person=np.array([NASTY]))
    plain, nasty = tmp_path / "plain.html", tmp_path / "nasty.html"
    viewer.write_html(make_predictions(frames=1), plain)
    viewer.write_html(predictions, nasty)
    plain, nasty = Page(plain), Page(nasty)
    assert nasty.elements == plain.elements
    assert nasty.data["frames"][0]["name"] == NASTY
    assert nasty.data["people"] == [NASTY]
    assert nasty.data["joints"][0] == "right_hip" + NASTY
    name = NASTY.partition("/")[2]
    assert nasty.data["about"] == [[NASTY.replace("_", " "), NASTY], ["source", name]]
    # What no file can hold, half a surrogate pair, becomes the mark for it.
    assert nasty.texts["title"] == nasty.texts["h1"] == "3D poses: " + name.replace("\ud800", "\ufffd")


def test_no_path_of_the_machine_is_in_the_page(tmp_path, make_predictions):
    about = {"source": tmp_path / "keypoints.json", "model": str(tmp_path / "runs" / "mine")}
    (tmp_path / "a.png").write_bytes(PNG)
    name = str(tmp_path / "a.png")
    predictions = make_predictions(frames=1, about=about, names=[name])
    viewer.write_html(predictions, tmp_path / "page.html", images={name: name})
    page = Page(tmp_path / "page.html")
    assert page.texts["title"] == "3D poses: keypoints.json"
    assert page.data["about"] == [["source", "keypoints.json"], ["model", "mine"]]
    assert page.data["frames"][0]["name"] == "a.png"
    assert str(tmp_path) not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_and_the_browser_is_told_so_first(tmp_path, make_predictions):
    viewer.write_html(make_predictions(), tmp_path / "page.html", title="$style {numbers}")
    page = Page(tmp_path / "page.html")
    assert page.addresses == []
    assert not {"link", "iframe", "base", "object"} & set(page.elements)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert 0 < text.index("default-src 'none'") < min(text.index("<script"), text.index("<style"))
    assert page.texts["title"] == "$style {numbers}"


def test_300_frames_of_10_hypotheses_fit_6_megabytes(tmp_path, make_predictions):
    predictions = make_predictions(frames=300, hypotheses=10, radius=True, placed=True)
    viewer.write_html(predictions, tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size <= 6_000_000


def test_images_go_in_as_they_are(tmp_path, make_predictions):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.jpg").write_bytes(JPEG)
    images = {0: tmp_path / "a.png", "2": tmp_path / "b.jpg", 99: tmp_path / "not there"}
    viewer.write_html(make_predictions(frames=3, people=2), tmp_path / "page.html", images=images)
    embedded = [frame["image"] for frame in Page(tmp_path / "page.html").data["frames"]]
    kinds, contents = zip(*(address.split(";base64,") for address in (embedded[0], embedded[2])), strict=True)
    assert embedded[1] is None
    assert kinds == ("data:image/png", "data:image/jpeg")
    assert [base64.b64decode(content) for content in contents] == [PNG, JPEG]


BAD_IMAGES = {
    "no file": ({0: "none.png"}, "none.png: there is no such file; expected a JPEG or PNG image"),
    "empty": ({0: "empty.png"}, "empty.png: is empty"),
    "not an image": ({0: "text.png"}, r"text.png: begins with b'GIF8'; expected a JPEG or PNG image"),
    "other frames": ({"a": "good.png"}, "None of the 1 images is of a frame .* images are of a .* frames are 0"),
    "too large": ({0: "good.png", 1: "large.png"}, "The images take 2 MB; expected at most 1 MB"),
}


@pytest.mark.parametrize(("images", "message"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_images_refused(tmp_path, make_predictions, monkeypatch, images, message):
    monkeypatch.setattr(viewer, "MOST_IMAGE_BYTES", 1_000_000)
    for name, content in {"empty": b"", "text": b"GIF89a", "good": PNG, "large": PNG + bytes(2_000_000)}.items():
        (tmp_path / f"{name}.png").write_bytes(content)
    images = {frame: tmp_path / name for frame, name in images.items()}
    with pytest.raises(InputError, match=message):
        viewer.write_html(make_predictions(), tmp_path / "page.html", images=images)
    assert not (tmp_path / "page.html").exists()


# A field of the poses, what it becomes, and what is said.
BAD_POSES = {
    "no hypotheses": ("hypotheses", lambda x: x[:, :0], r"has shape \(4, 0, 16, 3\); expected \(4, 1, 16, 3\)"),
    "no hypothesis axis": ("hypotheses", lambda x: x[:, 0], r"has shape \(4, 16, 3\); expected \(4, 1, 16, 3\)"),
    "fewer reprojections": (
        "hypotheses_reprojection",
        lambda x: x[:, 1:],
        r"has shape \(4, 4, 16, 2\); expected \(4, 5, 16, 2\)",
    ),
    "other joints": ("pose_3d", lambda x: x[:, 1:], r"has shape \(4, 15, 3\); expected \(4, 16, 3\)"),
    "not a number": ("pose_3d", lambda x: x * np.nan, "has numbers that are not finite"),
    "infinite": ("log_likelihood", lambda x: x * np.inf, "has numbers that are not finite"),
    "a radius a joint": ("radius", lambda x: np.ones((4, 16)), r"has shape \(4, 16\); expected \(4, 16, 2\)"),
    "nowhere": ("root_position", lambda x: np.full((4, 3), np.nan), "has numbers that are not finite"),
}
BAD_ROWS = {
    "no rows": ({"frame": slice(0)}, "have no rows"),
    "people": ({"person": slice(1, None)}, "name 3 people in 4 rows"),
    "a person twice": ({"frame": [0, 0, 0, 0]}, "Frame 0 has person 0 twice"),
}


@pytest.mark.parametrize("case", [*BAD_POSES, *BAD_ROWS])
def test_predictions_refused(tmp_path, make_predictions, case):
    predictions = make_predictions()
    if case in BAD_POSES:
        name, change, message = BAD_POSES[case]
        predictions = changed(predictions, **{name: change(getattr(predictions.poses, name))})
        message = f"{name} {message}"
    else:
        fields, message = BAD_ROWS[case]
        rows = {name: getattr(predictions, name)[index] for name, index in fields.items()}
        predictions = dataclasses.replace(predictions, **rows)
    with pytest.raises(InputError, match=message):
        viewer.write_html(predictions, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_too_many_rows_are_refused_with_what_to_do(tmp_path, make_predictions, monkeypatch):
    monkeypatch.setattr(viewer, "MOST_POSES", 23)  # Rows of 5 hypotheses and one chosen pose: 3.
    viewer.write_html(make_predictions(frames=3), tmp_path / "page.html")
    with pytest.raises(InputError, match=r"4 rows with 5 hypotheses each .* at most 3: write a part of the frames"):
        viewer.write_html(make_predictions(frames=4), tmp_path / "page.html")


def test_a_folder_is_no_output_and_nothing_is_left(tmp_path, make_predictions):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(InputError, match=r"page.html: cannot be written \(Is a directory\)"):
        viewer.write_html(make_predictions(), tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
