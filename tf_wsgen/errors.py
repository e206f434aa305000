"""The errors that a user can cause, each said in one sentence."""


class InputError(ValueError):
    """A mistake in a file, a flag or an argument: what, where, and what was expected.

    Scripts print its message and leave with exit code 2.
    """


class NonFiniteLossError(RuntimeError):
    """Training met a loss that is not finite; scripts leave with exit code 3."""
