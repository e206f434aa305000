"""Options from flags, the command `tf-wsgen`, and the package as a wheel."""

import dataclasses
import os
import pathlib
import subprocess
import sys

import detector_files
import numpy as np
import pytest

from tf_wsgen.errors import InputError
from tf_wsgen.programs.command_line import PROGRAMS, Size, option, parse, shipped

ROOT = pathlib.Path(__file__).parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    name: str = option("A text.", required=True)
    count: int = option("A number.", 3, least=1)
    share: float | None = option("Another.")
    kind: str = option("One of some.", "a", choices=("a", "b"))
    fast: bool = option("Yes or no.", True)
    many: tuple[str, ...] = option("Again and again.", ())
    names: list | None = option("With commas.")
    size: Size | None = option("Of an image.")


def test_options_are_flags():
    assert parse(Options, ["x", "--name=n"]) == Options(name="n")
    given = ["--name", "n", "--count=5", "--share=0.5", "--kind=b", "--nofast", "--many=1", "--many=2", "--names=u,v"]
    expected = Options(
        name="n", count=5, share=0.5, kind="b", fast=False, many=("1", "2"), names=["u", "v"], size=(640, 480)
    )
    assert parse(Options, ["x", *given, "--size=640x480"]) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name"),
        (["--name=n", "--cuont=1"], "Did you mean: count"),
        (["--name=n", "--count=0"], "lower bound|integer in the range|positive integer"),
        (["--name=n", "--kind=c"], "one of <a|b>"),
        (["--name=n", "--share=x"], "share"),
        (["--name=n", "--size=640"], "WIDTHxHEIGHT"),
        (["--name=n", "more"], "unexpected argument 'more'"),
    ],
)
def test_mistakes_are_told(arguments, message):
    with pytest.raises(InputError, match=message):
        parse(Options, ["x", *arguments])


def test_one_argument_may_be_bare():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Bare:
        output: str | None = option("A folder.", bare=True)

    assert parse(Bare, ["x", "out"]) == parse(Bare, ["x", "--output=out"]) == Bare(output="out")
    for arguments in (["out", "more"], ["--output=out", "more"]):
        with pytest.raises(InputError, match="unexpected argument 'more'"):
            parse(Bare, ["x", *arguments])


def test_every_program_has_its_script():
    assert sorted(PROGRAMS) == SCRIPTS


def test_a_shipped_configuration_has_a_short_name(tmp_path, monkeypatch):
    assert shipped("cmu16").read_text() == (ROOT / "configs" / "cmu16.yaml").read_text()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cmu16").write_text("")
    assert shipped("cmu16").resolve() == tmp_path / "cmu16"
    assert shipped("nowhere") == pathlib.Path("nowhere")


def test_help_comes_without_tensorflow():
    code = (
        "import sys, tf_wsgen.programs.command_line as c\n"
        "heavy = {'tensorflow', 'keras', 'keras_tuner', 'matplotlib', 'plotly'}\n"
        "for program in c.PROGRAMS:\n"
        "    try: c.run(program, ['x', '--help'])\n"
        "    except SystemExit as end: assert not (end.code or heavy & {*sys.modules}), program\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("Options:") == len(PROGRAMS)


@pytest.mark.slow
def test_a_wheel_is_enough(tmp_path):
    """Built and installed outside the repository, the command lifts a file and finds its configurations."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    place = tmp_path / "installed"
    subprocess.run([*pip, "wheel", "--no-deps", str(ROOT), "-w", str(tmp_path)], check=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(place), str(wheel)], check=True, cwd=tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(place), "TF_CPP_MIN_LOG_LEVEL": "3"}

    def run(*arguments):
        command = [sys.executable, str(place / "bin" / "tf-wsgen"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)

    points = np.random.default_rng(0).uniform(100, 900, (detector_files.ROWS, 17, 2))
    detector_files.write(tmp_path / "people.json", detector_files.mmpose(points, np.full(points.shape[:2], 0.9)))
    assert run("--version").stdout.startswith("tf_wsgen ")
    assert "'traim' is not a program" in run("traim").stderr
    where = run("train", "--config=cmu16", "--data=nowhere.h5", "--workdir=w")
    assert (where.returncode, where.stderr) == (
        2,
        "tf-wsgen train: nowhere.h5: there is no such file; expected a prepared HDF5 file.\n",
    )
    lifted = run("predict", "--input=people.json", "--output=poses.npz")
    assert lifted.returncode == 0, lifted.stderr
    assert np.load(tmp_path / "poses.npz")["pose_3d"].shape == (detector_files.ROWS, 16, 3)
