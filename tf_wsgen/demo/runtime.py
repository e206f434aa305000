"""onnxruntime-web, the runtime of the browser demo: from npm, or from a folder where npm is not."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator

from tf_wsgen.errors import InputError
from tf_wsgen.files import existing_file, load_json

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
SCRIPT, GLUE, WASM = "ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"
# Seconds for 33 MB.
PATIENCE = 600


@contextlib.contextmanager
def runtime_folder(folder: str | os.PathLike | None) -> Iterator[pathlib.Path]:
    """The folder of the runtime's three files: of an unpacked npm package, or a temporary one that npm fills.

    Args:
        folder: An unpacked package of npm's `onnxruntime-web`, or None to let npm fetch it (npm keeps a copy).

    Raises:
        InputError: The folder holds another package or another version; there is no npm, or it fails.
    """
    if folder is not None:
        yield _checked(pathlib.Path(folder))
        return
    check_runtime(None)
    with tempfile.TemporaryDirectory() as temporary:
        command = [
            "npm",
            "pack",
            f"{PACKAGE}@{VERSION}",
            "--prefer-offline",
            "--silent",
            "--pack-destination",
            temporary,
        ]
        try:
            ran = subprocess.run(command, cwd=temporary, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"npm did not fetch {PACKAGE} ({error}); --onnxruntime takes its folder.") from None
        archives = list(pathlib.Path(temporary).glob("*.tgz"))
        if ran.returncode or not archives:
            reason = (ran.stderr.strip().splitlines() or ["it says nothing"])[0]
            raise InputError(f"npm did not fetch {PACKAGE} ({reason}); --onnxruntime takes its folder.")
        package = pathlib.Path(temporary) / "package"
        (package / "dist").mkdir(parents=True)
        with tarfile.open(archives[0]) as archive:
            for name in ("package.json", *(f"dist/{file}" for file in (SCRIPT, GLUE, WASM))):
                # What is not there, or is no file, is told below.
                with contextlib.suppress(KeyError):
                    if content := archive.extractfile(f"package/{name}"):
                        (package / name).write_bytes(content.read())
        yield _checked(package)


def check_runtime(folder: str | os.PathLike | None) -> None:
    """Refuses what `runtime_folder` would refuse without asking npm; arguments are its."""
    if folder is not None:
        _checked(pathlib.Path(folder))
    elif shutil.which("npm") is None:
        raise InputError(f"there is no npm to fetch {PACKAGE} {VERSION}; --onnxruntime takes its unpacked package.")


def _checked(package: pathlib.Path) -> pathlib.Path:
    kind = f"the unpacked npm package {PACKAGE} {VERSION}"
    about = load_json(package / "package.json", kind)
    found = f"{about.get('name')} {about.get('version')}" if isinstance(about, dict) else json.dumps(about)[:40]
    if found != f"{PACKAGE} {VERSION}":
        raise InputError(f"{package}: is {found}; expected {kind}.")
    for name in (SCRIPT, GLUE, WASM):
        existing_file(package / "dist" / name, kind)
    return package / "dist"
