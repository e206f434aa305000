"""What every script shares: flags without TensorFlow, and exit codes instead of tracebacks."""

import atexit
import gc
import os
import pathlib
import re
import sys
from collections.abc import Callable

from absl import app, flags, logging

from tf_wsgen.config import Config, load_config
from tf_wsgen.errors import InputError, NonFiniteLossError
from tf_wsgen.sections import SYNTHETIC

USER_MISTAKE, NOT_FINITE, INTERRUPTED = 2, 3, 130

_CONFIG = flags.DEFINE_string("config", None, "YAML file of the fields that differ from the defaults.")
_DATA = flags.DEFINE_string("data", None, 'Prepared HDF5 file, or "synthetic"; short for --set data.path=FILE.')
_SET = flags.DEFINE_multi_string("set", [], "A field, such as loss.weight_2d=20; may be given many times.")


def configured(default: Config = Config()) -> Config:
    """The configuration that --config, --data and --set describe, over `default`; its data file is there."""
    config = load_config(_CONFIG.value) if _CONFIG.value else default
    assignments = [f"data.path={_DATA.value}"] if _DATA.value else []
    config = config.override_from_flags(assignments + _SET.value)
    if config.data.path != SYNTHETIC:
        from tf_wsgen.data.prepared import KIND
        from tf_wsgen.files import existing_file

        existing_file(config.data.path, KIND)
    return config


def image_size(text: str | None) -> tuple[int, int] | None:
    """Width and height from "WIDTHxHEIGHT"."""
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text)
    if not match:
        raise InputError(f"--image_size is {text!r}; expected WIDTHxHEIGHT in pixels, such as 1920x1080.")
    return int(match[1]), int(match[2])


def new_file(path: str | None) -> pathlib.Path | None:
    """A path to write to, in a folder that is there (or is made)."""
    if path is None:
        return None
    file = pathlib.Path(path)
    if file.is_dir():
        raise InputError(f"{file}: is a folder; expected a file to write.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{file}: cannot be written ({error.strerror}).") from None
    return file


def run(main: Callable[[], int | None]) -> None:
    """Parses flags, runs `main`, and leaves: 2 for the user's mistake, 3 not finite, 130 after Ctrl-C."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Importing TensorFlow and tracing make millions of objects that stay: looking for garbage among them takes seconds,
    # now and then, and again at the end of the process.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)

    def guarded(arguments):
        logging.set_verbosity(logging.WARNING)
        if len(arguments) > 1:
            _leave(f"unexpected argument {arguments[1]!r}; see --help", USER_MISTAKE)
        try:
            sys.exit(main())
        except InputError as error:
            _leave(error, USER_MISTAKE)
        except NonFiniteLossError as error:
            _leave(error, NOT_FINITE)
        except OSError as error:
            _leave(f"{error.filename or 'input or output'}: {error.strerror or error}", USER_MISTAKE)
        except KeyboardInterrupt:
            _leave("interrupted", INTERRUPTED)

    def parsed(arguments):
        try:
            return flags.FLAGS(arguments)
        except flags.Error as error:
            _leave(f"{error}; see --help", USER_MISTAKE)

    if any(argument.lstrip("-") in ("help", "helpfull", "helpshort") for argument in sys.argv[1:]):
        app.run(guarded)
    app.run(guarded, flags_parser=parsed)


def _leave(message: object, code: int) -> None:
    print(f"{pathlib.Path(sys.argv[0]).name}: {message}", file=sys.stderr)
    sys.exit(code)
