"""The house's rules, read from the syntax tree of every module; each checker is shown to fail on a small offender."""

import ast
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = "tf_wsgen"

# A room may import itself and rooms of lower ranks; the ranks count from 0.
RANKED_ROOMS = (
    ("errors",),
    ("pickles", "apart"),
    ("files", "skeleton", "numerics", "batches"),
    ("simulation", "sections"),
    ("config", "geometry"),
    ("data", "networks", "losses", "metrics"),
    ("datasets", "hypotheses"),
    ("lifting", "video"),
    ("evaluation", "export", "viewer", "writers"),
    ("demo",),
    ("training",),
    ("tuning", "reproduction", "benchmarks"),
    ("programs",),
)
RANKS = {room: rank for rank, rooms in enumerate(RANKED_ROOMS) for room in rooms}
# The only rooms where a third party, by dotted name, may be used.
HOMES = {
    "tensorflow_probability": {"losses", "metrics"},
    "keras_tuner": {"tuning"},
    "h5py": {"data", "datasets", "files"},
    "scipy.io": {"datasets", "files"},
    "tensorflow.distribute": {"training"},
    "absl": {"programs"},
    "matplotlib": {"evaluation"},
    "ezc3d": {"writers"},
    "av": {"video"},
    "PIL": {"video"},
    "ai_edge_litert": {"video"},
    "rtmlib": {"video"},
    "ray.data": {"programs"},
}
WITHOUT_TENSORFLOW = ("skeleton", "errors", "sections", "config")
MOST_LINES = 400

MODULES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / PACKAGE).rglob("*.py")}


def room_of(path: str) -> str:
    """The room of a file by its path from the root: "losses", "export", or "" for the package itself."""
    return pathlib.PurePosixPath(path).with_suffix("").parts[1].replace("__init__", "")


def imports(source: str, path: str) -> Iterator[str]:
    """Dotted names of all that a module imports, at its top or anywhere inside; relative ones made absolute."""
    package = pathlib.PurePosixPath(path).parent.parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            base += [node.module] if node.module else []
            yield from (".".join([*base, alias.name]) for alias in node.names)


def attributes(source: str) -> Iterator[str]:
    """Dotted attribute accesses such as "tensorflow.distribute", with `tf` and other aliases written out."""
    tree = ast.parse(source)
    alias_of = {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            yield f"{alias_of.get(first, first)}.{rest}"


def begins(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def imports_upwards(source: str, path: str) -> list[str]:
    """Imports of a room of the same rank or a higher one; a room without a rank is an offence too."""
    room = room_of(path)
    rank = RANKS.get(room) if room else -1  # The package's own __init__ imports no room but one.
    if rank is None:
        return [f"{path}: room {room!r} has no rank"]
    targets = {name.split(".")[1] for name in imports(source, path) if begins(name, PACKAGE) and "." in name}
    # The package itself offers `load`, and imports it when asked.
    targets -= {room, "__version__"} | (set() if room else {"lifting"})
    return [f"{path}: {room} ({rank}) imports {t}" for t in sorted(targets) if RANKS.get(t, sys.maxsize) >= rank]


def strangers(source: str, path: str) -> list[str]:
    """Third parties outside their homes."""
    used = {*imports(source, path), *attributes(source)}
    return [
        f"{path}: uses {party}"
        for party, homes in HOMES.items()
        if room_of(path) not in homes and any(begins(name, party) for name in used)
    ]


def uses_tensorflow(source: str, path: str) -> list[str]:
    """Imports of TensorFlow or Keras."""
    return [name for name in imports(source, path) if name.split(".")[0] in ("tensorflow", "keras", "tf_keras")]


def without_docstring(source: str, path: str) -> list[str]:
    """The module, and public functions, classes and methods, that say nothing about themselves."""

    def missing(node, name):
        if not ast.get_docstring(node):
            yield f"{path}: {name}"
        for child in node.body if isinstance(node, ast.Module | ast.ClassDef) else ():
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if named and not child.name.startswith("_"):
                yield from missing(child, child.name)

    return list(missing(ast.parse(source), "module"))


@pytest.mark.parametrize("checker", [imports_upwards, strangers, without_docstring])
def test_the_houses_rules(checker):
    assert [offence for path, source in MODULES.items() for offence in checker(source, path)] == []


def test_modules_are_short():
    assert {path: lines for path, source in MODULES.items() if (lines := len(source.splitlines())) > MOST_LINES} == {}


def test_flags_and_configurations_do_not_wait_for_tensorflow():
    wanted = [PACKAGE, *(f"{PACKAGE}.{room}" for room in WITHOUT_TENSORFLOW)]
    for room in WITHOUT_TENSORFLOW:
        assert uses_tensorflow(MODULES[f"{PACKAGE}/{room}.py"], room) == []
    code = f"import sys, {', '.join(wanted)}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert loaded >= set(wanted)
    assert not loaded & {"tensorflow", "keras", "tf_keras"}


DOCUMENTED = '"""Module."""\n'
OFFENDERS = [
    (imports_upwards, "losses/x.py", "from tf_wsgen import hypotheses, metrics, numerics", 2),  # upwards, of one rank
    (imports_upwards, "losses/x.py", "def f():\n    from ..evaluation import tables", 1),  # relative, inside
    (imports_upwards, "attic.py", "import os", 1),  # an unknown room
    (imports_upwards, "losses/x.py", "from . import mmd\nfrom tf_wsgen import __version__, numerics, losses", 0),
    (strangers, "networks/x.py", "import tensorflow_probability as tfp", 1),
    (strangers, "metrics/x.py", "import tensorflow_probability as tfp", 0),
    (strangers, "evaluation/x.py", "import scipy.stats, h5py\nscipy.io.loadmat('x')", 2),
    (strangers, "data/x.py", "import tensorflow as tf\ns = tf.distribute.get_strategy()", 1),
    (strangers, "data/x.py", "import tensorflow as tf\nn = model.distribute_strategy", 0),
    (uses_tensorflow, "config.py", "def f():\n    import tensorflow as tf", 1),
    (without_docstring, "config.py", DOCUMENTED + "def f(): pass\nclass C:\n    def g(self): pass", 3),
    (without_docstring, "config.py", DOCUMENTED + "def _f(): pass\nclass _C:\n    def g(self): pass", 0),
]


@pytest.mark.parametrize(("checker", "path", "source", "count"), OFFENDERS)
def test_checkers_find_what_they_look_for(checker, path, source, count):
    assert len(checker(source, f"{PACKAGE}/{path}")) == count
