"""docs/serving.md: its commands and programs do what they say, against the test's server and files."""

import json
import pathlib
import re
import shutil
import subprocess

import numpy as np
import pytest

TEXT = (pathlib.Path(__file__).parents[3] / "docs" / "serving.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
CURL = re.findall(r"^curl .*$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def here(exported, lite, server, tmp_path_factory):
    """Puts the test's addresses and folders in the place of the page's; a folder to run in."""
    folder = tmp_path_factory.mktemp("documentation")
    places = {
        "localhost:8500": server.grpc_address,
        "localhost:8501": server.rest_address,
        "exported/wsgen": str(exported),
        "exported/lite": str(lite),
    }

    def placed(text):
        for documented, real in places.items():
            text = text.replace(documented, real)
        return text

    return placed, folder


def test_programs_and_commands(here, lifter, poses, monkeypatch, capsys):
    placed, folder = here
    monkeypatch.chdir(folder)
    names = poses(3)
    seen = {}
    assert len(PROGRAMS) == 5
    for number, program in enumerate(PROGRAMS):
        exec(compile(placed(program), f"docs/serving.md, program {number}", "exec"), names)
        seen[number] = dict(names)
    sampled = lifter.sample(names["keypoints"], names["visible"], 10, 0)["pose_3d"].numpy()
    best = lifter.zero_code(names["keypoints"], names["visible"])["pose_3d"].numpy()
    python, rest, _, remote, lite = seen.values()
    np.testing.assert_allclose(python["best"], best, atol=0.01)
    np.testing.assert_allclose(python["many"], sampled, atol=0.01)
    np.testing.assert_allclose(rest["outputs"]["pose_3d"], sampled, atol=0.01)
    np.testing.assert_allclose(remote["hypotheses"], sampled, atol=0.01)
    decoded = lifter.decode(names["keypoints"], names["visible"], lite["z"])["pose_3d"]
    np.testing.assert_allclose(lite["hypotheses"], decoded, atol=0.01)
    printed = capsys.readouterr().out
    assert str(list(lifter.skeleton.joints)) in printed

    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    status, metadata, predicted = (
        json.loads(subprocess.run(placed(command), shell=True, cwd=folder, capture_output=True, check=True).stdout)
        for command in CURL
    )
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    assert "sample" in metadata["metadata"]["signature_def"]["signature_def"]
    np.testing.assert_allclose([row["pose_3d"] for row in predicted["predictions"]], best, atol=0.01)
