"""The page in a headless Chromium: what it draws, how it is controlled, and that it asks nobody for anything."""

import dataclasses
import io

import browser
import numpy as np
import pytest
import scipy.linalg

from tf_wsgen.skeleton import HUMAN16
from tf_wsgen.viewer.html import write_html

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
ui = pytest.importorskip("selenium.webdriver.support.ui")
By = pytest.importorskip("selenium.webdriver.common.by").By
Keys = webdriver.Keys
Image = pytest.importorskip("PIL.Image", reason="Pillow, which Matplotlib brings, is not installed")

ELLIPSOID_SKIN = 10.0  # mm
FRAMES, PEOPLE, HYPOTHESES = 4, 2, 5
IMAGE_SIZE = (1000, 900)
LEFT_COLOUR, RIGHT_COLOUR, REPROJECTION_COLOUR = (0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2), (0x00, 0x9E, 0x73)
LEFT, RIGHT = ([HUMAN16.joints.index(j) for j in HUMAN16.joints if j.startswith(side)] for side in ("left", "right"))


@pytest.fixture(scope="module")
def predictions(make_predictions):
    return make_predictions(frames=FRAMES, people=PEOPLE, hypotheses=HYPOTHESES)


@pytest.fixture(scope="module")
def address(tmp_path_factory, predictions):
    folder = tmp_path_factory.mktemp("viewer")
    Image.new("RGB", IMAGE_SIZE, (90, 120, 90)).save(folder / "frame.png")
    write_html(predictions, folder / "page.html", images={1: folder / "frame.png"})
    return (folder / "page.html").as_uri()


class Page(browser.Page):
    """The open page, and what it shows."""

    def __init__(self, browser, address, colour=LEFT_COLOUR):
        super().__init__(browser, address)
        self.wait_for_status("Frame")
        self.wait(lambda: near(self.pixels("solid"), colour).any())

    def wait_for_status(self, text):
        """Waits for the text, and then until both drawings are up to date."""
        self.wait(lambda: text in self.status)
        self.settle()

    def settle(self):
        self.browser.set_script_timeout(self.patience)
        self.browser.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(done), 50));"
        )
        self.wait(lambda: self.run("return !!(solid._fullLayout && solid._fullLayout.scene._scene && flat.data);"))

    def press(self, *keys):
        self.browser.switch_to.active_element.send_keys(*keys)
        self.settle()

    def slide(self, slider, value):
        self.run("const s = arguments[0]; s.value = arguments[1]; s.dispatchEvent(new Event('input'));", slider, value)

    def element(self, name):
        return self.browser.find_element(By.ID, name)

    @property
    def status(self):
        return self.element("status").text

    @property
    def joints(self):
        """(J, 3) camera frame, mm, of the strong pose in 3D."""
        x, y, z = self.run("const t = solid.data[solid.data.length - 1]; return [t.x, t.y, t.z];")
        return np.stack([x, -np.array(z), y], axis=-1)

    @property
    def reprojection(self):
        """(J, 2) pixels of the crosses."""
        return np.array(self.run("const t = flat.data[flat.data.length - 1]; return [t.x, t.y];")).T

    def drawn(self, kind):
        return self.run("return solid.data.filter((t) => t.type === arguments[0] && t.visible !== false);", kind)

    @property
    def eye(self):
        return np.array(self.run("const e = solid._fullLayout.scene._scene.getCamera().eye; return [e.x, e.y, e.z];"))

    def pixels(self, name):
        """(height, width, 3) of a drawing, once it stands still."""

        def take():
            return np.asarray(Image.open(io.BytesIO(self.element(name).screenshot_as_png)).convert("RGB")).astype(int)

        def still():
            nonlocal last
            before, last = last, take()
            return (before == last).all()

        last = take()
        self.wait(still)
        return last

    def reset(self):
        """As it opened, without loading plotly anew."""
        self.run(
            """
            document.activeElement.blur();
            if (play.textContent === "Pause") play.click();
            if (near.ariaPressed === "true") near.click();
            numbers.open = false;
            for (const [name, shown] of [["ellipsoids", false], ["reprojections", true], ["others", true]]) {
              if (document.getElementById(name).checked !== shown) document.getElementById(name).click();
            }
            document.querySelector("[data-view=front]").click();
            document.activeElement.blur();
            """
        )
        self.slide(self.element("frame"), 0)
        self.slide(self.element("hypothesis"), 0)
        self.settle()
        ui.Select(self.element("person")).select_by_index(0)
        self.run("document.activeElement.blur();")
        self.wait_for_status("Frame 0, person 0: the chosen pose")


@pytest.fixture(scope="module")
def opened(chromium, address):
    return Page(chromium, address)


@pytest.fixture
def show(chromium, tmp_path):
    """Opens the page of predictions; it has no errors at the end."""
    pages = []

    def show(predictions, colour=LEFT_COLOUR, **options):
        write_html(predictions, tmp_path / "page.html", **options)
        pages.append(Page(chromium, (tmp_path / "page.html").as_uri(), colour))
        return pages[-1]

    yield show
    assert [page.errors for page in pages] == [[]]


@pytest.fixture
def page(opened, address):
    if opened.browser.current_url != address:
        opened.__init__(opened.browser, address)
    opened.reset()
    yield opened
    assert opened.errors == []


def near(pixels, colour):
    """Where the pixels are of about that colour."""
    return (np.abs(pixels - colour) < 25).all(axis=-1)


def centre(pixels, colour):
    """(x, y) of the pixels of about that colour, of which there must be some."""
    y, x = np.nonzero(near(pixels, colour))
    assert len(x) > 30
    return np.array([x.mean(), y.mean()])


def test_opens_upright_as_the_camera_sees_it_and_loads_nothing(opened, address, predictions):
    page = opened
    pose = predictions.poses.pose_3d[0]
    np.testing.assert_allclose(page.joints, pose, atol=0.051)
    np.testing.assert_allclose(page.reprojection, predictions.poses.reprojection[0], atol=0.051)
    for drawing in ("solid", "flat"):
        pixels = page.pixels(drawing)
        sideways, upwards = centre(pixels, LEFT_COLOUR) - centre(pixels, RIGHT_COLOUR)
        expected = pose[LEFT].mean(axis=0) - pose[RIGHT].mean(axis=0)
        assert abs(expected[0]) > 100.0
        assert np.sign(sideways) == np.sign(expected[0])
        assert abs(upwards) < abs(sideways)
        head, ankle = (pose[HUMAN16.index(joint), 1] for joint in ("head", "left_ankle"))
        grey = (np.abs(pixels - 0x44) < 8).all(axis=-1)
        if drawing == "solid":  # No other text or line is of that grey: it is the spine, above hips and legs.
            assert head < 0.0 < ankle
            assert np.nonzero(grey)[0].mean() < centre(pixels, LEFT_COLOUR)[1]
    axes = page.run("const a = flat._fullLayout.yaxis; return [a.l2p(0), a.l2p(100)];")
    assert axes[0] < axes[1]  # y goes down.
    assert set(page.asked) == {address}


def test_the_policy_keeps_the_page_from_the_network(page):
    blocked = page.browser.execute_async_script(
        "const done = arguments[0]; addEventListener('securitypolicyviolation', (e) => done(e.effectiveDirective));"
        "fetch('http://127.0.0.1:9/').catch(() => {});"
    )
    assert blocked == "connect-src"
    assert "Content Security Policy" in page.errors[0]


def test_sliders_change_what_is_drawn(page, predictions):
    first = page.pixels("solid")
    page.slide(page.element("frame"), 2)
    page.wait_for_status("Frame 2, person 0: the chosen pose")
    row = 2 * PEOPLE
    np.testing.assert_allclose(page.joints, predictions.poses.pose_3d[row], atol=0.051)
    second = page.pixels("solid")
    assert (np.abs(first - second).max(axis=-1) > 30).sum() > 100
    page.slide(page.element("hypothesis"), 3)
    page.wait_for_status("hypothesis 3 of 5")
    np.testing.assert_allclose(page.joints, predictions.poses.hypotheses[row, 2], atol=0.051)
    np.testing.assert_allclose(page.reprojection, predictions.poses.hypotheses_reprojection[row, 2], atol=0.051)
    assert (np.abs(page.pixels("solid") - second).max(axis=-1) > 30).sum() > 100
    assert f"log-likelihood {predictions.poses.hypotheses_log_likelihood[row, 2]:.2f} nats" in page.status
    spread = predictions.poses.spread[row]
    assert f"spread of the 5 hypotheses {spread.mean():.0f} mm" in page.status
    assert f"{HUMAN16.joints[spread.argmax()].replace('_', ' ')}: {spread.max():.0f} mm" in page.status


def test_faint_are_all_hypotheses_but_the_strong_one(page, predictions):
    def faint():
        """The heads of the faint poses: second joint of each bone's three entries in the middle lines."""
        (trace,) = [t for t in page.drawn("scatter3d") if t.get("opacity") == 0.3 and t["line"]["color"] == "#444444"]
        middle = [bone for bone in HUMAN16.bones if not any(j.startswith(("left", "right")) for j in bone)]
        bone = middle.index(("neck", "head"))
        return np.array(trace["x"][3 * bone + 1 :: 3 * len(middle)], float)

    heads = predictions.poses.hypotheses[0, :, HUMAN16.index("head"), 0]
    np.testing.assert_allclose(faint(), heads, atol=0.051)
    page.press(Keys.ARROW_UP)
    np.testing.assert_allclose(faint(), heads[1:], atol=0.051)
    page.press("o")
    assert [t for t in page.drawn("scatter3d") if t.get("opacity") == 0.3] == []


def test_ellipsoids_are_one_standard_deviation_and_a_skin(page, predictions):
    assert page.drawn("mesh3d") == []
    page.press("e")
    (mesh,) = page.drawn("mesh3d")
    vertices = np.stack([mesh["x"], -np.array(mesh["z"]), mesh["y"]], axis=-1)
    joints = [joint for joint in range(HUMAN16.num_joints) if joint != HUMAN16.root_index]
    surfaces = vertices.reshape(len(joints), -1, 3) - predictions.poses.hypotheses[0].mean(axis=0)[joints, None]
    roots = np.stack([scipy.linalg.sqrtm(covariance) for covariance in predictions.poses.covariance[0, joints]])
    unit = np.linalg.solve(roots + ELLIPSOID_SKIN * np.eye(3), np.swapaxes(surfaces, 1, 2))
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1.0, atol=0.05)
    assert max(map(max, (mesh["i"], mesh["j"], mesh["k"]))) == len(vertices) - 1
    page.press("e")
    assert page.drawn("mesh3d") == []


def test_keyboard(page):
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    page.wait_for_status("Frame 1,")
    page.press(Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_DOWN)
    page.wait_for_status("hypothesis 1 of 5")
    page.press(Keys.END)
    page.wait_for_status(f"Frame {FRAMES - 1},")
    page.press("p")
    page.wait_for_status("person 1")
    page.press(Keys.HOME, "p")
    page.wait_for_status("Frame 0, person 0")

    def green():
        return near(page.pixels("flat"), REPROJECTION_COLOUR).sum()

    assert green() > 100
    page.press("r")
    assert not page.element("reprojections").is_selected()
    assert green() == 0
    page.press("?")
    assert page.element("help").is_displayed()
    page.press(Keys.ARROW_RIGHT)
    assert "Frame 0," in page.status
    page.press(Keys.ESCAPE)
    assert not page.element("help").is_displayed()


def test_a_focused_slider_moves_one_step_a_key(page):
    page.run("arguments[0].focus();", page.element("hypothesis"))
    page.press(Keys.ARROW_RIGHT)
    page.wait_for_status("Frame 0, person 0: hypothesis 1 of 5")


def test_play_advances_and_pause_stays(page):
    page.press(" ")
    page.wait(lambda: "Frame 0," not in page.status)
    assert page.element("play").text == "Pause"
    page.element("play").click()
    page.settle()
    status = page.status
    page.browser.execute_async_script("setTimeout(arguments[0], 500);")
    assert page.status == status
    assert page.element("play").text == "Play"


def test_people_are_chosen_and_the_others_stay_in_the_picture(page, predictions):
    assert [option.text for option in ui.Select(page.element("person")).options] == ["0", "1"]
    ui.Select(page.element("person")).select_by_visible_text("1")
    page.wait_for_status("person 1")
    np.testing.assert_allclose(page.joints, predictions.poses.pose_3d[1], atol=0.051)
    labels = page.run("return flat.layout.annotations.map((label) => label.text);")
    assert labels == ["person 0", "<b>person 1</b>"]
    others = page.run("return flat.data[1].x.filter((x) => x !== null);")
    first, second = zip(*HUMAN16.bone_indices, strict=True)
    ends = predictions.poses.keypoints[0, :, 0][np.stack([first, second], axis=-1)]
    np.testing.assert_allclose(others, ends.ravel(), atol=0.051)


def test_missing_joints_are_not_drawn(page):
    page.press(Keys.END, "p")  # Of the last row the left wrist is missing.
    page.wait_for_status("person 1")
    markers = page.run("return flat.data.filter((t) => t.mode === 'markers').map((t) => t.x.length);")
    assert markers == [HUMAN16.num_joints - 1, HUMAN16.num_joints]
    assert min(page.run("return flat.data[6].x;")) > 100.0


def test_an_image_lies_under_its_frame_alone(page):
    assert page.run("return flat.layout.images.length;") == 0
    page.press(Keys.ARROW_RIGHT)
    page.wait(lambda: page.run("return flat.layout.images.length;") == 1)
    page.settle()
    assert page.run("const i = flat.layout.images[0]; return [i.sizex, i.sizey];") == list(IMAGE_SIZE)
    assert page.run("return [flat.layout.xaxis.range, flat.layout.yaxis.range];") == [[0, 1000], [900, 0]]
    green = (np.abs(page.pixels("flat") - (90, 120, 90)) < 3).all(axis=-1)
    height, width = green.any(axis=1).sum(), green.any(axis=0).sum()
    assert width / height == pytest.approx(IMAGE_SIZE[0] / IMAGE_SIZE[1], rel=0.02)
    page.press("z")
    low, high = page.run("return flat.layout.xaxis.range;")
    assert high - low < 500


def test_views_and_zoom(page):
    heights = []
    for key, direction in {"s": [1, 0, 0], "a": [0, 0, 1], "f": [0, -1, 0]}.items():
        page.press(key)
        np.testing.assert_allclose(page.eye / np.linalg.norm(page.eye), direction, atol=0.04)
        heights.append(np.ptp(np.nonzero(near(page.pixels("solid"), LEFT_COLOUR))[0]))
    page.press("+")
    taller = np.ptp(np.nonzero(near(page.pixels("solid"), LEFT_COLOUR))[0])
    assert taller == pytest.approx(1.25 * heights[-1], rel=0.1)
    page.press(Keys.ARROW_RIGHT)  # The next frame is seen as this one was.
    still = np.ptp(np.nonzero(near(page.pixels("solid"), LEFT_COLOUR))[0])
    assert still == pytest.approx(taller, rel=0.1)


@pytest.mark.parametrize("pointer", ["mouse", "finger"])
def test_turning_outlasts_frames_even_before_it_ends(page, pointer):
    box = page.element("solid").rect
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(kind, dx):
        if pointer == "mouse":
            kind = {"start": "mousePressed", "move": "mouseMoved", "end": "mouseReleased"}[kind]
            event = {"type": kind, "x": x + dx, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
            page.browser.execute_cdp_cmd("Input.dispatchMouseEvent", event)
        else:
            places = [] if kind == "end" else [{"x": x + dx, "y": y}]
            event = {"type": f"touch{kind.capitalize()}", "touchPoints": places}
            page.browser.execute_cdp_cmd("Input.dispatchTouchEvent", event)
        page.settle()

    def go_to(frame):
        page.slide(page.element("frame"), frame)
        page.wait_for_status(f"Frame {frame},")

    def turn_from(before, *places):
        for dx in places:
            drag("move", dx)
        page.wait(lambda: np.linalg.norm(page.eye - before) > 0.1)
        page.settle()
        return page.eye

    before = page.eye
    drag("start", 0)
    turned = turn_from(before, 20, 40)
    go_to(1)
    np.testing.assert_allclose(page.eye, turned, atol=0.02)
    turned = turn_from(turned, 60, 80)
    drag("end", 80)
    go_to(2)
    np.testing.assert_allclose(page.eye, turned, atol=0.02)


def test_right_button_moves_and_wheel_zooms(page):
    before = page.pixels("solid")
    box = page.element("solid").rect
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}

    def mouse(kind, **values):
        page.browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, **at, **values})
        page.settle()

    mouse("mousePressed", button="right", buttons=2, clickCount=1)
    at = {"x": at["x"] + 50, "y": at["y"] - 20}
    mouse("mouseMoved", button="right", buttons=2)
    mouse("mouseReleased", button="right", clickCount=1)
    page.wait(lambda: (page.pixels("solid") != before).any())
    page.settle()
    moved = page.pixels("solid")
    for colour in (LEFT_COLOUR, RIGHT_COLOUR):
        np.testing.assert_allclose(centre(moved, colour) - centre(before, colour), [50, -20], atol=6)
    mouse("mouseWheel", deltaX=0, deltaY=-200)
    page.wait(lambda: (page.pixels("solid") != moved).any())
    apart = [centre(pixels, LEFT_COLOUR) - centre(pixels, RIGHT_COLOUR) for pixels in (moved, page.pixels("solid"))]
    assert np.linalg.norm(apart[1]) / np.linalg.norm(apart[0]) == pytest.approx(np.exp(0.2), rel=0.08)


def test_two_fingers_apart_zoom(page):
    def size():
        return page.run("return solid._fullLayout.scene._scene.glplot.getAspectratio().z;")

    before, box = size(), page.element("solid").rect
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, apart in [("Start", 40), ("Move", 60), ("Move", 80), ("End", None)]:
        places = [{"x": x + side * apart, "y": y, "id": side} for side in (0, 1)] if apart else []
        page.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": places})
        page.settle()
    page.wait(lambda: size() != before)
    assert size() / before == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("joint", ["head", "left_ankle"])
def test_joints_lie_where_the_camera_sees_them_and_tell_their_numbers(page, predictions, joint):
    index = HUMAN16.index(joint)
    x, y, z = predictions.poses.pose_3d[0, index]
    scene, box = page.run("return solid.layout.scene;"), page.element("solid").rect
    low, high = scene["zaxis"]["range"]
    pixels_a_mm = scene["aspectratio"]["z"] * box["height"] / 2 / (high - low)
    at = {
        "x": box["x"] + box["width"] / 2 + pixels_a_mm * x,
        "y": box["y"] + box["height"] / 2 + pixels_a_mm * (y + (low + high) / 2),
    }
    for step in (4, 0):
        place = at | {"x": at["x"] + step}
        page.browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", **place})
        page.settle()
    label = page.wait(lambda: page.run("const l = solid.querySelector('.hovertext'); return l && l.textContent;"))
    spread = predictions.poses.spread[0, index]
    numbers = f"right {x:.0f} mmup {-y:.0f} mmaway {z:.0f} mmspread {spread:.0f} mm"
    assert label == joint.replace("_", " ") + numbers


def test_numbers_of_the_shown_pose(page, predictions):
    page.run("numbers.open = true;")
    page.wait(lambda: page.run("return numbers.querySelectorAll('tbody tr').length;") == HUMAN16.num_joints)
    rows = page.run(
        "return [...numbers.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((c) => c.textContent));"
    )
    assert [row[0] for row in rows] == [joint.replace("_", " ") for joint in HUMAN16.joints]
    poses = predictions.poses
    expected = np.concatenate([poses.pose_3d[0], poses.spread[0][:, None]], axis=-1)
    np.testing.assert_allclose(np.array([row[1:] for row in rows], float), expected, atol=0.7)


def test_controls_have_names(page):
    page.press("e")
    unnamed = page.run(
        "return [...document.querySelectorAll('button, input, select')].filter((c) => !c.closest('dialog') && "
        "!(c.textContent.trim() || c.ariaLabel || (c.labels && c.labels[0].textContent.trim()))).map((c) => c.id);"
    )
    assert unnamed == []
    assert (
        page.element("solid").get_attribute("aria-label").startswith("the chosen pose in 3D, frame 0, person 0, with")
    )
    assert page.element("frame").get_attribute("aria-valuetext") == "frame 0"


def test_on_a_telephone(chromium, address):
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        page = Page(chromium, address)
        assert page.run("return document.documentElement.scrollWidth;") == 390
        low = page.run(
            "return [...document.querySelectorAll('button, select, input[type=range], label:has(input), summary')]"
            ".filter((c) => c.offsetHeight && c.offsetHeight < 44).map((c) => c.outerHTML);"
        )
        assert low == []
        solid, flat, play = (page.element(name).rect for name in ("solid", "flat", "play"))
        assert solid["y"] + solid["height"] <= flat["y"]
        assert solid["y"] + solid["height"] < 844
        assert play["y"] + play["height"] <= 844
        centre(page.pixels("solid"), LEFT_COLOUR)
        # A finger on the 2D drawing scrolls the page.
        finger = [[{"x": 195, "y": flat["y"] + 50 - 20 * step}] for step in range(10)]
        for kind, places in [("Start", finger[0]), *(("Move", place) for place in finger[1:]), ("End", [])]:
            event = {"type": f"touch{kind}", "touchPoints": places}
            chromium.execute_cdp_cmd("Input.dispatchTouchEvent", event)
        page.wait(lambda: page.run("return scrollY;") > 100)
        assert page.errors == []
    finally:
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_one_hypothesis_of_one_person_in_one_frame_of_a_video(show, make_predictions, tmp_path):
    # Videos' frames are scaled down in the file; the image is as large as the predictions say.
    Image.new("RGB", (500, 450), (90, 120, 90)).save(tmp_path / "frame.jpg")
    predictions = make_predictions(frames=1, hypotheses=1, about={"source": "a.mp4", "image_size": list(IMAGE_SIZE)})
    page = show(predictions, images={0: tmp_path / "frame.jpg"})
    page.wait(lambda: page.run("return flat.layout.images.length;") == 1)
    assert page.run("const i = flat.layout.images[0]; return [i.sizex, i.sizey];") == list(IMAGE_SIZE)
    page.press("e", " ", "z", "p")
    assert page.drawn("mesh3d") == []
    assert not page.element("play").is_enabled()
    assert not page.element("person").is_displayed()
    assert "spread of the one hypothesis 0 mm" in page.status


def test_names_stay_names(show, make_predictions):
    name = "</script><img src=x onerror='document.title = 1'><b>&amp;"
    predictions = make_predictions(frames=1, people=2, about={"model": name}, names=[name], placed=True)
    fields = {"name": "odd", "bones": (("head", name), (name, "pelvis")), "limbs": (), "symmetric_bones": ()}
    joints = tuple(name if joint == "thorax" else joint for joint in HUMAN16.joints)
    predictions = dataclasses.replace(
        predictions, person=np.array([name, f"{name}2"]), skeleton=dataclasses.replace(HUMAN16, joints=joints, **fields)
    )
    page = show(predictions, colour=(0x44, 0x44, 0x44), title=name)
    assert page.browser.title == page.browser.find_element(By.TAG_NAME, "h1").text == name
    assert page.browser.find_element(By.TAG_NAME, "dd").text == name
    assert page.status.startswith(f"Frame {name}, person {name}")
    assert ui.Select(page.element("person")).options[1].text == f"{name}2"
    for drawing in ("flat", "solid"):
        code = f"return [...{drawing}.querySelectorAll('.annotation-text')].map((label) => label.textContent);"
        assert page.run(code) == [f"person {name}2", f"person {name}"]
    page.run("numbers.open = true;")
    page.wait(lambda: page.run("return [...numbers.querySelectorAll('th')].map((c) => c.textContent);").count(name))
    assert page.run("return solid.data[solid.data.length - 1].text.join();").count("<img") == 0
    assert page.run("return document.querySelectorAll('b, img').length;") == 0


@pytest.fixture
def crowd(make_predictions):
    """Three people whose radii and places are known."""
    return make_predictions(frames=2, people=3, radius=True, placed=True)


def grey_people(page):
    """(people, ends of bones, 3) camera frame, mm, of the other people."""
    traces = [trace for trace in page.drawn("scatter3d") if trace.get("line", {}).get("color") == "#666666"]
    ends = [np.reshape(trace[axis], (-1, len(HUMAN16.bones), 3))[..., :2] for trace in traces for axis in "xzy"]
    return np.stack(ends, axis=-1).astype(float) * [1, -1, 1] if ends else None


def test_people_stand_where_they_do_from_the_shown_one(show, crowd):
    page, poses = show(crowd), crowd.poses
    bones = np.array(HUMAN16.bone_indices)
    for shown, others in ((0, [1, 2]), (1, [0, 2])):
        page.wait_for_status(f"person {shown}")
        ends = (poses.placed(poses.pose_3d) - poses.root_position[shown])[others][:, bones]
        np.testing.assert_allclose(grey_people(page), ends, atol=1.1)
        np.testing.assert_allclose(page.joints, poses.pose_3d[shown], atol=0.051)
        scene = page.run("return solid.layout.scene;")
        low, high = np.transpose([scene[axis]["range"] for axis in ("xaxis", "zaxis", "yaxis")])
        assert (low < (ends * [1, -1, 1]).min(axis=(0, 1, 2))).all()
        assert (high > (ends * [1, -1, 1]).max(axis=(0, 1, 2))).all()
        labels = [label["text"] for label in scene["annotations"]]
        assert labels == [*(f"person {other}" for other in others), f"<b>person {shown}</b>"]
        page.press("p")
    places = [centre(page.pixels("solid"), colour)[0] for colour in (LEFT_COLOUR, (0x66, 0x66, 0x66))]
    assert places[0] > places[1]  # Person 2 is on the right of the others.
    page.press("b")
    assert not page.element("everybody").is_selected()
    scene = page.run("return solid.layout.scene;")
    assert (grey_people(page), scene["annotations"]) == (None, [])
    assert scene["xaxis"]["range"][1] < high[0]
    page.element("everybody").click()
    page.settle()
    assert len(grey_people(page)) == 2


def test_who_is_too_far_away_is_told(show, make_predictions):
    predictions = make_predictions(frames=1, people=3, placed=True)
    predictions.poses.root_position[2] += [0.0, 0.0, 20_000.0]
    page = show(predictions)
    assert len(grey_people(page)) == 1
    assert "farther than 20 m away and not drawn: person 2" in page.status
    assert page.run("return solid.layout.scene.yaxis.range[1];") < 4000


def test_without_places_everybody_is_disabled_and_why_is_told(page):
    assert not page.element("everybody").is_enabled()
    assert "the image's size was not given" in page.element("everybody-label").get_attribute("title")
    page.press("b")
    assert not page.element("everybody").is_selected()
    assert grey_people(page) is None


def test_calibrated_radii_take_the_place_of_the_spread(show, crowd):
    page, poses = show(crowd), crowd.poses
    page.press("e")
    (mesh,) = page.drawn("mesh3d")
    vertices = np.stack([mesh["x"], -np.array(mesh["z"]), mesh["y"]], axis=-1)
    joints = [joint for joint in range(HUMAN16.num_joints) if joint != HUMAN16.root_index]
    surfaces = vertices.reshape(len(joints), -1, 3) - poses.pose_3d[0, joints, None]
    shapes = np.stack([scipy.linalg.sqrtm(covariance) for covariance in poses.covariance[0, joints]])
    shapes += ELLIPSOID_SKIN * np.eye(3)
    axes = np.linalg.eigvalsh(shapes)
    half, most = poses.radius[0].T
    scale = half[joints] / np.sqrt((axes**2).mean(axis=-1))
    unit = np.linalg.solve(scale[:, None, None] * shapes, np.swapaxes(surfaces, 1, 2))
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1.0, atol=0.02)
    widest = half.argmax()
    assert (
        f"a joint is within {half.mean():.0f} mm (50 %) and {most.mean():.0f} mm (90 %), mean over joints, most at the "
        f"{HUMAN16.joints[widest].replace('_', ' ')}: {half[widest]:.0f} mm (50 %)"
    ) in page.status
    assert "spread" not in page.status
    labels = page.run("return solid.data[solid.data.length - 1].text;")
    assert f"within {half[0]:.0f} mm (50 %), {most[0]:.0f} mm (90 %)" in labels[0]
    page.run("numbers.open = true;")
    cells = "return [...numbers.querySelectorAll('tr')].map((row) => [...row.cells].map((c) => c.textContent));"
    page.wait(lambda: page.run(cells))
    head, *rows = page.run(cells)
    assert head[-2:] == ["50 % radius (mm)", "90 % radius (mm)"]
    np.testing.assert_allclose(np.array([row[-2:] for row in rows], float), poses.radius[0], atol=0.6)
    assert "50 % radius" in page.run("return document.getElementById('ellipsoids-legend').textContent;")
    # The radii are of the chosen pose alone.
    page.press(Keys.ARROW_UP)
    page.wait_for_status("hypothesis 1 of 5")
    assert page.run(cells)[0][-1] == "spread (mm)"
    assert f"spread of the 5 hypotheses {poses.spread[0].mean():.0f} mm" in page.status
