"""Reading in a process of its own: what crashes, never ends or exhausts memory there is one sentence here."""

import os
import pathlib
import subprocess
import sys

from tf_wsgen.errors import InputError

# Seconds of computation, and a few times that of waiting, after which a reader is taken to never end.
LONGEST = 3
LONGEST_WAIT = 60
LIMITS = """
import contextlib, sys
with contextlib.suppress(ImportError):  # Windows has no limits.
    import resource
    for kind, limit in ((resource.RLIMIT_AS, int(sys.argv[2])), (resource.RLIMIT_CPU, int(sys.argv[3]))):
        resource.setrlimit(kind, (limit, limit))
"""


def read_apart(program: str, path: pathlib.Path, kind: str, memory: int, *arguments: str) -> bytes:
    """What a program writes of a file.

    Args:
        program: Python. `sys.argv[1]` is the file, `sys.argv[4:]` are the arguments; `sys.exit(reason)` refuses.
        path: The file.
        kind: What it should be, for the message.
        memory: Bytes that the program may take.
        *arguments: What else it is told.

    Raises:
        InputError: It refused, crashed, or took more time or memory than it may.
    """
    seconds = LONGEST + path.stat().st_size // 10_000_000
    command = [sys.executable, "-c", LIMITS + program, str(path), str(memory), str(seconds), *arguments]
    # Threads of the linear algebra that it does not use would take the memory that it may have.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    try:
        reader = subprocess.run(command, capture_output=True, env=environment, timeout=seconds + LONGEST_WAIT)
    except subprocess.TimeoutExpired:
        raise InputError(f"{path}: cannot be read as {kind} (its reader does not end).") from None
    if reader.returncode:
        told = reader.stderr.decode(errors="replace").strip().splitlines()
        reason = told[-1] if reader.returncode == 1 and told else "its reader crashes or does not end"
        raise InputError(f"{path}: cannot be read as {kind} ({reason}).")
    return reader.stdout
