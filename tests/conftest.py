"""Two logical CPUs before TensorFlow starts, and where the larger data lies."""

import atexit
import gc
import io
import os
import pathlib
import subprocess
import sys
import types
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest

# TensorFlow's graphs are millions of objects that stay: looking for garbage among them takes a tenth of the time.
gc.set_threshold(100_000)
atexit.register(gc.freeze)


def pytest_sessionstart(session):
    """Two logical CPUs, before anything starts TensorFlow; who only hands out tests needs none."""
    if hasattr(session.config, "workerinput") or not session.config.getoption("numprocesses", None):
        # Keras imports scikit-learn where it is, for wrappers that nothing here uses: seconds.
        sys.modules["sklearn"] = None  # type: ignore[assignment]
        import tensorflow as tf

        del sys.modules["sklearn"]
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


def pytest_collection_modifyitems(items):
    """Whole programs, reports and a browser are slow; they come first: no worker is left with them at the end."""
    slow = ("test_in_chromium", "test_posterior_report", "test_reproduction_figures", "test_doubts")
    for item in items:
        if "integration" in item.path.parts or item.path.stem in slow:
            item.add_marker("slow")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def data_folder() -> pathlib.Path:
    """The folder of larger data files, `$WSGEN_DATA`; skips the test where it isn't set."""
    return _folder("WSGEN_DATA", "this test needs the larger data files.")


@pytest.fixture(scope="session")
def video_folder() -> pathlib.Path:
    """The folder of real videos and of MediaPipe's models, `$WSGEN_VIDEO`; skips the test where it isn't set."""
    return _folder("WSGEN_VIDEO", "this test needs real videos and MediaPipe's models (CONTRIBUTING.md).")


@pytest.fixture(scope="session")
def pretrained():
    """The model in the package, which traces its functions once a session."""
    import tf_wsgen

    return tf_wsgen.load_pretrained()


@pytest.fixture
def loaded_once(pretrained, monkeypatch):
    """Whoever loads the model in the package gets this one."""
    monkeypatch.setattr("tf_wsgen.lifting.api.load_pretrained", lambda: pretrained)


@pytest.fixture
def read_here(monkeypatch):
    """What is read in a process of its own is read in this one: starting another takes half a second."""
    from tf_wsgen import apart

    def run(command, **_):
        written = io.BytesIO()
        process = types.SimpleNamespace(argv=["-c", *command[3:]], stdout=types.SimpleNamespace(buffer=written))
        process.exit = sys.exit
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(command[2].removeprefix(apart.LIMITS), {"sys": process})
        except SystemExit as refused:
            return subprocess.CompletedProcess(command, 1, b"", str(refused).encode())
        return subprocess.CompletedProcess(command, 0, written.getvalue(), b"")

    monkeypatch.setattr(apart, "subprocess", types.SimpleNamespace(run=run))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A headless Chromium; skips the test where there is none."""
    from browser import open_chromium

    browser = open_chromium(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.quit()


def _folder(variable: str, needed: str) -> pathlib.Path:
    if not os.environ.get(variable):
        pytest.skip(f"{variable} is not set: {needed}")
    return pathlib.Path(os.environ[variable])
