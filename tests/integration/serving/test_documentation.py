"""docs/serving.md: its programs do what they say, against the test's model; those for REST need a real server."""

import json
import pathlib
import re

import numpy as np

TEXT = (pathlib.Path(__file__).parents[3] / "docs" / "serving.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_programs(exported, lite, address, lifter, poses, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    places = {"localhost:8500": address, "exported/wsgen": str(exported), "exported/lite": str(lite)}
    names, seen = {**poses(3), "json": json}, []
    assert len(PROGRAMS) == 6
    for number, program in enumerate(PROGRAMS):
        # The one for ONNX has a test of its own.
        if "urllib" in program or "onnxruntime" in program:
            continue
        for documented, real in places.items():
            program = program.replace(documented, real)
        exec(compile(program, f"docs/serving.md, program {number}", "exec"), names)
        seen.append(dict(names))
    python, _, remote, lite_names = seen
    keypoints, visible = names["keypoints"], names["visible"]
    sampled = lifter.sample(keypoints, visible, 10, 0)["pose_3d"].numpy()
    np.testing.assert_allclose(python["best"], lifter.zero_code(keypoints, visible)["pose_3d"], atol=0.01)
    np.testing.assert_allclose(python["many"], sampled, atol=0.01)
    np.testing.assert_allclose(remote["hypotheses"], sampled, atol=0.01)
    decoded = lifter.decode(keypoints, visible, lite_names["z"])["pose_3d"]
    np.testing.assert_allclose(lite_names["hypotheses"], decoded, atol=0.01)
    assert str(list(lifter.skeleton.joints)) in capsys.readouterr().out
    assert len(json.loads((tmp_path / "request.json").read_text())["instances"]) == 3
