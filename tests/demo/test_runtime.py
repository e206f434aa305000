"""Where onnxruntime-web comes from, a folder or npm; what is wrong is told in a sentence, before any work."""

import json
import shutil

import pytest

from tf_wsgen.demo.runtime import GLUE, PACKAGE, SCRIPT, VERSION, WASM, runtime_folder
from tf_wsgen.errors import InputError
from tf_wsgen.programs import demo
from tf_wsgen.programs.command_line import parse


@pytest.fixture
def package(tmp_path):
    (tmp_path / "dist").mkdir()
    (tmp_path / "package.json").write_text(json.dumps({"name": PACKAGE, "version": VERSION}))
    for name in (SCRIPT, GLUE, WASM):
        (tmp_path / "dist" / name).write_text("something")
    return tmp_path


def test_a_folder_is_taken(package):
    with runtime_folder(package) as folder:
        assert folder == package / "dist"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda package: (package / "package.json").unlink(),
            "package.json: there is no such file; expected the unpacked",
        ),
        (lambda package: (package / "dist" / WASM).unlink(), f"{WASM}: there is no such file"),
        (lambda package: (package / "package.json").write_text("[1]"), r"is \[1\]; expected the unpacked npm package"),
        (
            lambda package: (package / "package.json").write_text(json.dumps({"name": PACKAGE, "version": "1.0.0"})),
            "is onnxruntime-web 1.0.0; expected the unpacked npm package onnxruntime-web 1.30.0",
        ),
    ],
)
def test_another_folder_is_refused(package, change, message):
    change(package)
    with pytest.raises(InputError, match=message), runtime_folder(package):
        pass


def fake_npm(folder, script):
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)


def test_npm_fetches(package, monkeypatch, tmp_path_factory):
    binaries, made = tmp_path_factory.mktemp("bin"), tmp_path_factory.mktemp("made")
    shutil.copytree(package, made / "package")
    archive = shutil.make_archive(str(made / "it"), "gztar", made, "package")
    fake_npm(binaries, f'echo "$@" > {made}/asked; /bin/cp {archive} ./{PACKAGE}.tgz')
    monkeypatch.setenv("PATH", str(binaries))
    with runtime_folder(None) as folder:
        assert (folder / WASM).read_text() == "something"
    assert (made / "asked").read_text().startswith(f"pack {PACKAGE}@{VERSION} ")
    assert not folder.exists()


def test_npm_that_fails_or_is_not_there_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"there is no npm .*; --onnxruntime takes"), runtime_folder(None):
        pass
    fake_npm(tmp_path, "echo 'npm error network' >&2; exit 1")
    with (
        pytest.raises(InputError, match=r"npm did not fetch onnxruntime-web \(npm error network\)"),
        runtime_folder(None),
    ):
        pass


def test_the_program_refuses_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "precious").mkdir()
    for arguments, message in [
        ([], "expected the folder of the page"),
        ([str(tmp_path / "precious")], "exists already"),
        ([f"--output={tmp_path / 'precious'}", "--overwrite"], "is not a browser demo, so it is not overwritten"),
        ([str(tmp_path / "out")], "there is no npm"),
        ([str(tmp_path / "out"), "--model=nowhere.npz"], "nowhere.npz: there is no such file"),
    ]:
        with pytest.raises(InputError, match=message):
            demo.main(parse(demo.Options, ["demo", *arguments]))
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
