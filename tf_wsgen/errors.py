"""The errors that a user can cause, each said in one sentence; and what stopped a program."""

import signal


class InputError(ValueError):
    """A mistake in a file, a flag or an argument: what, where, and what was expected.

    Scripts print its message and leave with exit code 2.
    """


def signal_of(stop: KeyboardInterrupt) -> int:
    """The number of the signal that raised it: its argument, or Ctrl-C's."""
    return stop.args[0] if stop.args else signal.SIGINT


class NonFiniteLossError(RuntimeError):
    """Training met a loss that is not finite; scripts leave with exit code 3."""
