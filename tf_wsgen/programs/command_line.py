"""What every program shares: options from flags, without TensorFlow, and exit codes instead of tracebacks.

A program is a module of this room: its docstring says what it does, its `Options` are a dataclass whose fields are its
flags (`option`), its `main` takes them and returns an exit code, or None for 0.
"""

import atexit
import dataclasses
import gc
import importlib
import os
import pathlib
import re
import signal
import sys
import types
import typing
from collections.abc import Sequence

from absl import flags, logging

import tf_wsgen
from tf_wsgen.config import Config, load_config
from tf_wsgen.errors import InputError, NonFiniteLossError, signal_of
from tf_wsgen.sections import SYNTHETIC

# Exit codes; after a signal SIGNALLED and its number, as shells have it.
USER_MISTAKE, NOT_FINITE, SIGNALLED = 2, 3, 128
PROGRAMS = (
    "quickstart",
    "prepare_data",
    "train",
    "evaluate",
    "predict",
    "export",
    "demo",
    "tune",
    "reproduce",
    "benchmark",
)
# In a wheel, and in a clone.
CONFIGS = tuple(pathlib.Path(tf_wsgen.__file__).parents[level] / "configs" for level in (0, 1))
Size = tuple[int, int]
_DEFINERS = {
    str: flags.DEFINE_string,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    bool: flags.DEFINE_boolean,
}


def option(
    text: str, default=None, *, required: bool = False, choices: Sequence[str] = (), least=None, most=None, bare=False
):
    """A field of `Options`: a flag of its name.

    Args:
        text: What --help says of it.
        default: Its value where it is not given; a tuple for a flag that may be given many times.
        required: It must be given.
        choices: What it may be, if not any text.
        least: Smallest number.
        most: Largest number.
        bare: It may be given without its name, as the one argument that is no flag.
    """
    about = {"text": text, "choices": choices, "least": least, "most": most, "bare": bare}
    return dataclasses.field(**({} if required else {"default": default}), metadata=about)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConfigOptions:
    """Options of programs that take a configuration."""

    config: str | None = option("YAML file of the fields that differ from the defaults, or a name such as posterior.")
    data: str | None = option('Prepared HDF5 file, or "synthetic"; short for --set data.path=FILE.')
    set: tuple[str, ...] = option("A field, such as loss.weight_2d=20; may be given many times.", ())

    def configured(self, default: Config | None = None) -> Config:
        """The configuration that the options describe, over `default`; its data file is there."""
        config = load_config(shipped(self.config)) if self.config else default or Config()
        assignments = [f"data.path={self.data}"] if self.data else []
        config = config.override_from_flags([*assignments, *self.set])
        if config.data.path != SYNTHETIC:
            from tf_wsgen.data.prepared import KIND
            from tf_wsgen.files import existing_file

            existing_file(config.data.path, KIND)
        return config


def shipped(name: str) -> pathlib.Path:
    """The configuration's file: a path, or a name of those that come with the package."""
    known = [folder / f"{name}.yaml" for folder in CONFIGS]
    return next((path for path in (pathlib.Path(name), *known) if path.is_file()), pathlib.Path(name))


def parse(options: type, arguments: Sequence[str]):
    """Options from a command line.

    Args:
        options: A dataclass of `option` fields.
        arguments: The program's name, then flags.

    Raises:
        InputError: A flag that is not known, lacks, or has a value that it cannot have; an argument that is none.
    """
    values, fields, hints = flags.FlagValues(), dataclasses.fields(options), typing.get_type_hints(options)
    for field in fields:
        _define(field, hints[field.name], values)
    try:
        rest = values(list(arguments))[1:]
    except flags.Error as error:
        raise InputError(f"{error}; see --help") from None
    given = {field.name: values[field.name].value for field in fields}
    bare = [field.name for field in fields if field.metadata["bare"] and given[field.name] is None]
    given |= {name: rest.pop(0) for name in bare if rest}
    if rest:
        raise InputError(f"unexpected argument {rest[0]!r}; see --help")
    for name, value in given.items():
        if hints[name] == Size | None:
            given[name] = image_size(value)
        elif typing.get_origin(hints[name]) is tuple:
            given[name] = tuple(value)
    return options(**given)


def image_size(text: str | None) -> Size | None:
    """Width and height from "WIDTHxHEIGHT"."""
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text)
    if not match:
        raise InputError(f"--image_size is {text!r}; expected WIDTHxHEIGHT in pixels, such as 1920x1080.")
    return int(match[1]), int(match[2])


def _define(field: dataclasses.Field, annotation, values: flags.FlagValues) -> None:
    about, required = field.metadata, field.default is dataclasses.MISSING
    settings = {"flag_values": values, "required": required}
    default = None if required else field.default
    kinds = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    kind = next(kind for kind in kinds if kind is not types.NoneType)
    if kind == Size:
        flags.DEFINE_string(field.name, default, about["text"], **settings)
    elif typing.get_origin(kind) is tuple:
        many = flags.DEFINE_multi_enum if about["choices"] else flags.DEFINE_multi_string
        many(field.name, default, *([about["choices"]] if about["choices"] else []), about["text"], **settings)
    elif kind is list:
        flags.DEFINE_list(field.name, default, about["text"], **settings)
    elif about["choices"]:
        flags.DEFINE_enum(field.name, default, list(about["choices"]), about["text"], **settings)
    else:
        bounds = {"lower_bound": about["least"], "upper_bound": about["most"]} if kind in (int, float) else {}
        _DEFINERS[kind](field.name, default, about["text"], **bounds, **settings)


def _help(module: types.ModuleType) -> str:
    lines = [module.__doc__ or "", "Options:"]
    for field in dataclasses.fields(module.Options):
        required = field.default is dataclasses.MISSING
        ends = [f"one of {', '.join(field.metadata['choices'])}"] if field.metadata["choices"] else []
        ends += ["required"] if required else [] if field.default in (None, ()) else [f"default: {field.default}"]
        lines.append(f"  --{field.name}: {field.metadata['text']}" + (f" ({'; '.join(ends)})" if ends else ""))
    return "\n".join(lines)


def run(name: str, arguments: Sequence[str] | None = None) -> typing.NoReturn:
    """Runs a program and leaves: 2 for the user's mistake, 3 not finite, 130 after Ctrl-C, 143 after SIGTERM.

    Args:
        name: One of `PROGRAMS`.
        arguments: How it was called, then flags; those of the process if not given.
    """
    arguments = list(sys.argv if arguments is None else arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Importing TensorFlow and tracing make millions of objects that stay: looking for garbage among them takes seconds,
    # now and then, and again at the end of the process.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    # Keras imports scikit-learn where it is installed, for wrappers that only a search uses: seconds. It does without a
    # module that is None.
    if name != "tune":
        sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]
    logging.set_verbosity(logging.WARNING)
    module = importlib.import_module(f"tf_wsgen.programs.{name}")
    if any(argument.lstrip("-") in ("help", "helpfull", "helpshort") for argument in arguments[1:]):
        print(_help(module))
        sys.exit()
    signal.signal(signal.SIGTERM, _stop)
    try:
        sys.exit(module.main(parse(module.Options, arguments)))
    except InputError as error:
        message, code = error, USER_MISTAKE
    except NonFiniteLossError as error:
        message, code = error, NOT_FINITE
    except OSError as error:
        message, code = f"{error.filename or 'input or output'}: {error.strerror or error}", USER_MISTAKE
    except KeyboardInterrupt as stop:
        message, code = "interrupted", SIGNALLED + signal_of(stop)
    print(f"{pathlib.Path(arguments[0]).name}: {message}", file=sys.stderr)
    sys.exit(code)


def _stop(number: int, frame) -> typing.NoReturn:
    raise KeyboardInterrupt(number)


def console() -> None:
    """The command `tf-wsgen PROGRAM …`."""
    name = sys.argv[1].replace("-", "_") if len(sys.argv) > 1 else "help"
    if name in PROGRAMS:
        run(name, [f"tf-wsgen {name}", *sys.argv[2:]])
    if name == "__version":
        print(f"tf_wsgen {tf_wsgen.__version__}")
    elif name in ("help", "__help"):
        modules = [importlib.import_module(f"tf_wsgen.programs.{program}") for program in PROGRAMS]
        abouts = [(module.__doc__ or "").splitlines()[0] for module in modules]
        print("tf-wsgen PROGRAM --help tells a program's options.\n")
        print("\n".join(f"  {program:13} {about}" for program, about in zip(PROGRAMS, abouts, strict=True)))
    else:
        print(f"tf-wsgen: {sys.argv[1]!r} is not a program; expected one of {', '.join(PROGRAMS)}.", file=sys.stderr)
        sys.exit(USER_MISTAKE)
