"""The errors that a user can cause, each said in one sentence; and what stopped a program."""

import signal
from collections.abc import Collection


class InputError(ValueError):
    """A mistake in a file, a flag or an argument: what, where, and what was expected.

    Scripts print its message and leave with exit code 2.
    """


def signal_of(stop: KeyboardInterrupt) -> int:
    """The number of the signal that raised it: its argument, or Ctrl-C's."""
    return stop.args[0] if stop.args else signal.SIGINT


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Refuses an option's value that is none of the choices."""
    if value not in choices:
        raise InputError(f"{name} is {value!r}; expected one of {list(choices)}.")


def check_stride(name: str, stride: object) -> None:
    """Refuses a stride that is no whole number from 1."""
    if isinstance(stride, bool) or not isinstance(stride, int) or stride < 1:
        raise InputError(f"{name} is {stride!r}; expected a whole number from 1.")


class NonFiniteLossError(RuntimeError):
    """Training met a loss that is not finite; scripts leave with exit code 3."""
