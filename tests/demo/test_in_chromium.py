"""The demo in a headless Chromium, opened as a file: Python's numbers, no network, and names that stay names.

npm fetches onnxruntime-web, or $WSGEN_ONNXRUNTIME_WEB is the folder of its package.
"""

import http.server
import json
import os
import threading

import browser
import detector_files
import numpy as np
import pytest
from detector_files import openpose_of_2017

from tf_wsgen.datasets.readers.detections import read_detections
from tf_wsgen.demo.page import write_demo
from tf_wsgen.demo.runtime import runtime_folder
from tf_wsgen.errors import InputError
from tf_wsgen.geometry.perspective_camera import USUAL_FOCAL_LENGTH
from tf_wsgen.geometry.root_position import root_position
from tf_wsgen.lifting.api import PRETRAINED
from tf_wsgen.lifting.model_file import load_lifter
from tf_wsgen.lifting.radius import conformal_radius, spread_of
from tf_wsgen.lifting.result import LiftedPoses, Predictions
from tf_wsgen.viewer.html import _describe

SIZE = detector_files.SIZE
HOSTILE = "</script><img src=x onerror='document.title = 1'><b>&amp;"
DROP = """
const transfer = new DataTransfer();
for (const [name, text] of arguments[0]) {
  transfer.items.add(new File([Array.isArray(text) ? new Uint8Array(text) : text], name));
}
document.getElementById("drop").dispatchEvent(
  new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
"""


@pytest.fixture(scope="module")
def folder(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "out"
    try:
        with runtime_folder(os.environ.get("WSGEN_ONNXRUNTIME_WEB")) as runtime:
            write_demo(load_lifter(PRETRAINED)[0], "pretrained", runtime, folder)
    except InputError as error:
        pytest.skip(f"The demo needs onnxruntime-web: {error}")
    return folder


class Page(browser.Page):
    def __init__(self, browser, address):
        super().__init__(browser, address)
        self.result()

    def text(self, name):
        return self.run("return document.getElementById(arguments[0]).textContent;", name)

    def drop(self, *files):
        self.run(DROP, files)

    def set(self, **values):
        """Numbers in fields, "" for none."""
        for name, value in values.items():
            code = "const e = document.getElementById(arguments[0]); e.value = arguments[1];"
            self.run(code + "e.dispatchEvent(new Event('change'));", name, str(value))

    def result(self):
        """What was lifted, once it is."""
        self.wait(lambda: self.run("return !!window.lastLift || message.classList.contains('wrong');"))
        assert self.run("return !!window.lastLift;"), self.text("message")
        return self.run(
            "const { lifted, codes } = window.lastLift;"
            "return { lifted, codes: [...codes], frames: lifted.map((row) => row.frame) };"
        )

    def refusal(self):
        self.wait(lambda: self.run("return message.classList.contains('wrong');"))
        return self.text("message")


@pytest.fixture(scope="module")
def opened(chromium, folder):
    return Page(chromium, (folder / "index.html").as_uri())


@pytest.fixture
def page(opened):
    opened.set(count=10, seed=0, width="", height="", focal="", convention="")
    yield opened
    assert opened.errors == []
    assert [address for address in opened.asked if not address.startswith("file:")] == []
    assert opened.run("return document.title;") == "2D keypoints to 3D poses"


def people(joints, seed=0):
    """(5, joints, 2) pixels and scores, some of which are missing."""
    rng = np.random.default_rng(seed)
    points = rng.normal([300.0, 240.0], [60.0, 90.0], (detector_files.ROWS, joints, 2))
    return points, np.where(rng.uniform(size=points.shape[:2]) < 0.1, 0.0, rng.uniform(0.2, 1.0, points.shape[:2]))


def coco_data(points, confidence):
    names = detector_files.CONVENTIONS["coco17"].joints
    flags = np.where(confidence > 0, 2, 0)
    entries = detector_files.coco_results(points, flags)
    images = [{"id": frame, "width": SIZE[0], "height": SIZE[1]} for frame in range(3)]
    return {"images": images, "categories": [{"id": 1, "keypoints": names}], "annotations": entries}


def files_of(kind, path):
    """The files of a detector, written: what is dropped, and what Python reads."""
    if kind == "semicolons":
        # As spreadsheets write it: an index, decimal commas, quoted texts, empty cells.
        file = detector_files.long_csv(path / "a.csv", "human16", *people(16))
        cells = [line.split(",") for line in file.read_text().split()]
        rows = [
            [str(number or ""), *(f'"{cell}"' for cell in row[:3]), *(cell.replace(".", ",") for cell in row[3:])]
            for number, row in enumerate(cells)
        ]
        file.write_text("\r\n".join(map(";".join, rows)))
    elif kind == "named":
        file = detector_files.wide_csv(path / "a.csv", "body25", *people(25))
        first, *lines = file.read_text(encoding="utf-8-sig").splitlines()
        lines = [f"0,1,0.9,{frame},Ada {who},{rest}" for frame, who, rest in (line.split(",", 2) for line in lines)]
        file.write_text("\n".join([f"class,bbox_x,score,{first}", *lines]))
    elif kind == "utf_16":
        file = path / "a.csv"
        detector_files.long_csv(file, "human16", *people(16))
        file.write_text(file.read_text().replace(",", "\t"), encoding="utf-16")
    elif kind.endswith("csv"):
        file = getattr(detector_files, kind)(path / "a.csv", "body25", *people(25))
    elif kind.startswith("openpose"):
        (path / "frames").mkdir()
        frames = detector_files.openpose_frames(*people(25)) if kind == "openpose" else openpose_of_2017(*people(18))
        for frame, content in enumerate(frames):
            detector_files.write(path / "frames" / f"walk_{frame:012}_keypoints.json", content)
        return sorted((path / "frames").iterdir()), path / "frames"
    else:
        joints = 33 if kind == "mediapipe" else 17
        make = coco_data if kind == "coco_annotations" else getattr(detector_files, kind)
        file = detector_files.write(path / "a.json", make(*people(joints)))
    return [file], file


def python_poses(lifter, detections, codes, focal_length, along_ray):
    z = np.reshape(np.float32(codes), (1, -1, lifter.code_size))
    z = np.concatenate([np.zeros_like(z[:, :1]), z], axis=1)
    inputs = detections.keypoints, np.float32(detections.sureness)
    if not along_ray:
        return lifter.endpoints.decode(*inputs, z)
    camera = np.float32(np.tile([*SIZE, focal_length], (len(detections), 1)))
    return lifter.endpoints.decode_along_ray(*inputs, camera, z)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("coco_results", {}),
        ("coco_results", {"width": SIZE[0], "height": SIZE[1], "focal": 500, "count": 100, "seed": 7}),
        ("coco_annotations", {"count": 1}),
        ("openpose", {"width": SIZE[0], "height": SIZE[1]}),
        ("mediapipe", {"width": SIZE[0], "height": SIZE[1]}),
        ("long_csv", {}),
        ("wide_csv", {"seed": 2**32 - 1}),
        ("semicolons", {"count": 2}),
        ("named", {"count": 2}),
        ("utf_16", {"count": 2}),
        ("openpose of 2017", {"count": 2}),
    ],
)
def test_a_dropped_file_gives_pythons_numbers(page, pretrained, tmp_path, kind, options):
    dropped, source = files_of(kind, tmp_path)
    page.set(**options)
    page.drop(*([file.name, list(file.read_bytes())] for file in dropped))
    result = page.result()
    size = SIZE if "width" in options else None
    detections = read_detections(source, image_size=size, lowest_confidence=0.1, track="off")
    detections = detections.take(pretrained.readable(detections.keypoints, detections.visible))
    assert [int(frame) for frame in result["frames"]] == detections.frame.tolist()
    assert [int(row["person"]) for row in result["lifted"]] == detections.person.tolist()
    focal = options.get("focal", 0.0)
    along_ray = size is not None or kind == "coco_annotations"
    expected = python_poses(pretrained, detections, result["codes"], focal, along_ray)
    poses = np.array([[one["pose"] for one in row["poses"]] for row in result["lifted"]])
    assert poses.shape[1] == options.get("count", 10) + 1
    difference = np.linalg.norm(poses - expected["pose_3d"], axis=-1).max()
    print(f"{kind}: {difference:.5f} mm")
    assert difference < 0.1
    reprojections = [[one["reprojection"] for one in row["poses"]] for row in result["lifted"]]
    np.testing.assert_allclose(reprojections, expected["reprojection"], atol=0.05)
    likelihoods = [[one["logLikelihood"] for one in row["poses"]] for row in result["lifted"]]
    np.testing.assert_allclose(likelihoods, expected["log_likelihood"], atol=0.01, rtol=1e-4)
    # What the viewer is given is what Python would give it.
    described = page.run(
        "const d = Lift.describe(window.lastLift.lifted, []);"
        "for (const [name, value] of Object.entries(d)) if (value instanceof Float32Array) d[name] = [...value];"
        "return d;"
    )
    hypotheses, count = poses[:, 1:], poses.shape[1] - 1
    places = None
    if along_ray:
        seen = (detections.keypoints - np.divide(SIZE, 2)) / (focal or USUAL_FOCAL_LENGTH * SIZE[0])
        places = root_position(poses[:, 0], seen, detections.sureness)
    lifted = LiftedPoses(
        np.where(detections.visible[..., None], detections.keypoints, 0.0), np.float32(detections.visible),
        poses[:, 0], np.array(reprojections)[:, 0], np.array(likelihoods)[:, 0],
        hypotheses, np.array(reprojections)[:, 1:], np.array(likelihoods)[:, 1:],
        conformal_radius(spread_of(hypotheses), count, pretrained.radius_factors), root_position=places,
    )  # fmt: skip
    told = json.loads(
        json.dumps(_describe(Predictions(lifted, detections.frame, detections.person, pretrained.skeleton, {}), {}))
    )
    assert described.keys() == told.keys()
    for name in ("joints", "bones", "jointSides", "boneSides", "numHypotheses", "frames", "people", "reliable"):
        assert described[name] == told[name], name
    np.testing.assert_allclose(described["radius"], lifted.radius.ravel(), atol=0.1)
    if along_ray:
        np.testing.assert_allclose(described["places"], told["places"], atol=1)
    else:
        assert described["places"] is None is told["places"]
    for name in ("bounds2d", "bounds3d"):
        np.testing.assert_allclose(described[name], told[name], atol=0.1)
    roots = np.reshape(described["ellipsoids"], (-1, 3, 3))
    np.testing.assert_allclose(roots @ roots, lifted.covariance.reshape(-1, 3, 3), atol=0.05, rtol=1e-4)


def test_a_pasted_pose_is_lifted_and_shown(page, pretrained):
    points = people(16)[0][0].round(1)
    page.set(convention="human16")
    page.run("pasted.value = arguments[0]; lift.click();", json.dumps(points.tolist()))
    (row,) = page.result()["lifted"]
    expected = pretrained.endpoints.zero_code(np.float32(points[None]), np.ones((1, 16), np.float32))["pose_3d"][0]
    np.testing.assert_allclose(row["poses"][0]["pose"], expected, atol=0.1)
    page.wait(lambda: page.run("return !!solid.data;"))
    page.wait(lambda: "Frame 0, person 0: the chosen pose" in page.text("status"))
    page.run("const s = hypothesis; s.value = 3; s.dispatchEvent(new Event('input'));")
    page.wait(lambda: "hypothesis 3 of 10" in page.text("status"))
    x, y, z = page.run("const t = solid.data[solid.data.length - 1]; return [t.x, t.y, t.z];")
    np.testing.assert_allclose(np.stack([x, -np.array(z), y], axis=-1), row["poses"][3]["pose"], atol=0.1)


def test_codes_are_normal_and_of_their_seed(page):
    drawn = page.run("return [7, 7, 8].map((seed) => [...Lift.codes(1000, seed)]);")
    assert drawn[0] == drawn[1] != drawn[2]
    assert abs(np.mean(drawn[0])) < 0.05
    assert np.std(drawn[0]) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "a.json: is not JSON"),
        ("a.json", '{"y": 1}', "none of the formats"),
        ("a.json", '{"people": []}', "no people found"),
        ("a.json", '[{"image_id": 1, "keypoints": [1, 2]}]', "has 2 numbers; expected three a joint"),
        ("a.json", '[{"image_id": 1, "keypoints": [1, 2, "x"]}]', '[0].keypoints[2] is "x"; expected a finite number'),
        ("a.json", "[[1, 2], [3, 4]]", "has 2 joints; expected those of one of"),
        ("a.json", '{"landmarks": [{"x": 0.5, "y": 0.5}]}', "has 1 joints"),
        (
            "a.json",
            json.dumps({"landmarks": [{"x": 0.5, "y": 0.5}] * 33}),
            "expected the image's width and height above",
        ),
        ("a.json", json.dumps([[5, 5]] * 17), "none of 1 people can be lifted; a pose needs the pelvis"),
        ("a.json", "[" * 100_000, "a.json: "),
        ("a.csv", "frame,person,joint,x,y\n0,0,nose,1,2,3", "line 2 has 6 cells; expected 5"),
        ("a.csv", f"frame,person,joint,x,y\n0,0,{HOSTILE},1,2", f'joint "{HOSTILE[:58]}'),
        ("a.csv", f"frame,person,nose_x,nose_y\n0,1,1,2\n0,{HOSTILE},1,2", f'person is "{HOSTILE[:58]}'),
        (HOSTILE, "nothing", HOSTILE),
    ],
)
def test_what_cannot_be_read_is_told(page, name, text, message):
    page.drop([name, text])
    assert message in page.refusal()


def test_files_of_several_frames_are_no_video(page):
    text = json.dumps(detector_files.coco_results(*people(17)))
    page.drop(["1.json", text], ["2.json", text])
    assert page.refusal() == "1.json: holds several frames; expected a file a frame."


def test_names_stay_names(page):
    points, confidence = people(17)
    entries = detector_files.coco_results(points, confidence)[:2]
    for entry in entries:
        entry["image_id"] = HOSTILE
    page.drop([HOSTILE, json.dumps(entries)])
    page.result()
    page.wait(lambda: f"Frame {HOSTILE}, person 0" in page.text("status"))
    assert HOSTILE in page.text("about")
    assert page.run("return document.querySelectorAll('b, img').length;") == 0


def test_the_policy_refuses_network_and_scripts_in_the_page(opened):
    opened.browser.set_script_timeout(opened.patience)
    for code in ("fetch('http://127.0.0.1:9/')", "import('data:text/javascript,1')"):
        refused = f"const done = arguments[0]; {code}.then(() => done(false), () => done(true));"
        assert opened.browser.execute_async_script(refused)
    opened.run("document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\" onerror=\"document.title = 1\">');")
    opened.wait(lambda: any("inline" in message for message in opened.errors))
    assert opened.browser.title == "2D keypoints to 3D poses"
    assert [address for address in opened.asked if address.startswith("http")] == []


def test_a_web_server_may_serve_it(opened, folder):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened.__init__(opened.browser, f"http://127.0.0.1:{server.server_address[1]}/")
        assert "1 person lifted" in opened.text("message")
        server.shutdown()
