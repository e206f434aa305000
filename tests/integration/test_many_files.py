"""Many detectors' files at once, by Ray on this machine."""

import contextlib
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import time

import detector_files
import numpy as np
import pytest

from tf_wsgen.errors import InputError
from tf_wsgen.files import partial_of
from tf_wsgen.programs import many_files
from tf_wsgen.programs.command_line import parse
from tf_wsgen.programs.predict import Options, PredictOptions, main

OPTIONS = ("--num_hypotheses=3", "--image_size=1920x1080", "--height=1.7")
# Its workers die of the file b.json.
DYING = """
import os, pathlib
from tf_wsgen.programs import many_files
from tf_wsgen.programs.predict import PredictOptions

class Dying(many_files.Worker):
    def __call__(self, row):
        return os._exit(1) if row["source"].endswith("b.json") else super().__call__(row)

many_files.Worker = Dying
many_files.predict_many("parts/*.json", PredictOptions(num_hypotheses=2), pathlib.Path("out"), 2)
"""
with_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'tf_wsgen[ray]'."
)


def make_parts(folder: pathlib.Path, names) -> pathlib.Path:
    folder.mkdir()
    for seed, name in enumerate(names):
        points = np.random.default_rng(seed).uniform(100, 900, (detector_files.ROWS, 17, 2))
        people = detector_files.mmpose(points, np.full(points.shape[:2], 0.9))
        detector_files.write(folder / f"{name}.json", people)
    return folder


def assert_same_files(first: pathlib.Path, second: pathlib.Path):
    with np.load(first) as one, np.load(second) as other:
        assert one.files == other.files
        for name in one.files:
            assert one[name].dtype == other[name].dtype
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@with_ray
def test_files_are_those_of_predict_and_a_damaged_one_is_told(tmp_path, monkeypatch, run_script):
    monkeypatch.chdir(tmp_path)
    parts = make_parts(pathlib.Path("parts"), "abc")
    damaged = parts / "damaged.json"
    damaged.write_text('{"instance_info": [')
    arguments = ("predict", "--input", "parts/*.json", "--output", "out", "--workers", 2, *OPTIONS)
    finished = run_script(*arguments)
    assert finished.returncode == 2, finished.stderr[-2000:]
    assert "1 of 4 files could not be lifted; the first: parts/damaged.json" in finished.stderr.splitlines()[-1]
    assert "Written: 3 files in out, 15 people." in finished.stdout
    assert "Traceback" not in finished.stderr
    assert sorted(os.listdir("out")) == ["a.npz", "b.npz", "c.npz", "options.json"]
    for name in "abc":
        single = run_script("predict", "--input", f"parts/{name}.json", "--output", f"one/{name}.npz", *OPTIONS)
        assert single.returncode == 0
        assert single.stdout.splitlines()[:-1] == [
            line for line in finished.stdout.split(f"parts/{name}.json\n")[1].split("Written")[0].splitlines() if line
        ]
        assert_same_files(tmp_path / "one" / f"{name}.npz", tmp_path / "out" / f"{name}.npz")

    # The same command goes on where it was.
    times = {name: os.stat(f"out/{name}.npz").st_mtime_ns for name in "abc"}
    damaged.write_bytes((parts / "a.json").read_bytes())
    again = run_script(*arguments)
    assert again.returncode == 0, again.stderr[-2000:]
    assert "4 files, 3 of them done before." in again.stdout
    assert times == {name: os.stat(f"out/{name}.npz").st_mtime_ns for name in "abc"}
    other = run_script(*arguments, "--seed=1")
    assert other.returncode == 2
    assert "its predictions were made with another seed" in other.stderr


@with_ray
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_it_leaves_whole_files_and_goes_on(tmp_path, monkeypatch, script, run_script, number):
    monkeypatch.chdir(tmp_path)
    names = [f"{index:02d}" for index in range(40)]
    make_parts(pathlib.Path("parts"), names)
    arguments = ("predict", "--input", "parts/*.json", "--output", "out", "--workers", 1, "--num_hypotheses=1000")
    with subprocess.Popen(script(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not os.path.exists("out/00.npz") and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(60) == (-number if number == signal.SIGKILL else 128 + number)
    if number == signal.SIGKILL:
        # Ray's processes see it and end.
        time.sleep(5)
    whole = sorted(pathlib.Path("out").glob("*.npz"))
    assert 1 <= len(whole) < len(names)
    for file in whole:
        with np.load(file) as arrays:
            assert all(arrays[name] is not None for name in arrays.files)
    if number != signal.SIGKILL:
        assert {path.name for path in pathlib.Path("out").iterdir()} == {"options.json", *(path.name for path in whole)}
    again = run_script(*arguments)
    assert again.returncode == 0, again.stderr[-2000:]
    assert f"40 files, {len(whole)} of them done before." in again.stdout
    assert sorted(os.listdir("out")) == [*(f"{name}.npz" for name in names), "options.json"]


@with_ray
def test_a_file_of_which_workers_die_does_not_stop_the_others(tmp_path):
    make_parts(tmp_path / "parts", "abc")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "NO_COLOR": "1"}
    finished = subprocess.run(
        [sys.executable, "-c", DYING],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        env=environment,
        check=False,
    )
    assert "parts/b.json: its worker died each time" in finished.stderr.splitlines()[-1]
    assert sorted(os.listdir(tmp_path / "out")) == ["a.npz", "c.npz", "options.json"]


def refuse(message: str, *arguments):
    with pytest.raises(InputError, match=message):
        main(parse(Options, ["predict", *arguments]))


def test_mistakes_are_told_before_any_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(many_files, "load_model", lambda options: pytest.fail("the model was loaded"))
    make_parts(tmp_path / "parts", "a")
    given = ("--workers=2", "--input=parts/*.json")
    pathlib.Path("file").write_text("")
    refuse("nowhere/.*: no file is named so", "--workers=2", "--input=nowhere/*.json", "--output=out")
    refuse("file: is a file; expected a folder", *given, "--output=file")
    refuse("html is given with workers", *given, "--output=out", "--html=a.html")
    refuse("video is given with workers", "--workers=2", "--video=a.mp4", "--output=out")
    refuse("smooth is 4", *given, "--output=out", "--smooth=4")
    refuse("frames is '4'", *given, "--output=out", "--frames=4")
    monkeypatch.setitem(sys.modules, "ray", None)
    refuse(r"Ray, which is not installed: pip install 'tf_wsgen\[ray\]'", *given, "--output=out")
    pathlib.Path("parts/a.csv").write_text("frame")
    refuse(
        "parts/a.json and parts/a.csv: would both be written to out/a.npz",
        *given[:1],
        "--input=parts/*",
        "--output=out",
    )
    assert sorted(os.listdir()) == ["file", "parts"]


def test_a_folder_of_other_predictions_is_refused(tmp_path):
    output, about = tmp_path / "a.npz", many_files._about(PredictOptions(image_size=(640, 480)))
    assert many_files._done(tmp_path, about, [output]) == set()
    output.write_text("")
    with pytest.raises(InputError, match="made otherwise than by --workers"):
        many_files._done(tmp_path, about, [output])
    many_files._begin(tmp_path, about, [output])
    assert not output.exists()
    output.write_text("")
    assert many_files._done(tmp_path, about, [output]) == {output}
    with pytest.raises(InputError, match="made with another image_size"):
        many_files._done(tmp_path, many_files._about(PredictOptions()), [output])


@with_ray
def test_what_is_to_be_replaced_stays_where_the_model_cannot_be_used(tmp_path):
    parts, output = make_parts(tmp_path / "parts", "a"), tmp_path / "a.npz"
    output.write_text("older")
    with pytest.raises(InputError, match="nowhere"):
        many_files.predict_many(f"{parts}/*.json", PredictOptions(model="nowhere", overwrite=True), tmp_path, 1)
    assert output.read_text() == "older"


def test_what_is_written_of_a_file_is_removed(tmp_path):
    output = tmp_path / "a.npz"
    with contextlib.suppress(KeyboardInterrupt), many_files._without_partial([output]):
        partial_of(output).write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
