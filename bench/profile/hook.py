"""Putting the profile into the environment of the processes."""

import os
import shutil
from pathlib import Path


def hook(*, command: str, into: Path) -> dict[str, str]:
    """Environment under which the process with this command line of deploy/Procfile profiles itself.

    ``into`` is emptied. What is counted begins when the file ``begin`` appears there, and is written
    beside it when ``end`` appears; both are looked for five times a second.
    """
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    path = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PYTHONPATH": os.pathsep.join(path),
        "SEAMS_BENCH_PROFILE": _arguments(command),
        "SEAMS_BENCH_PROFILE_INTO": str(into),
    }


def _arguments(command: str) -> str:
    """What the process sees of its Procfile line: after ``deploy/only … --`` and up to the first variable."""
    program = command.partition(" -- ")[2] or command
    return program.partition("$")[0].strip()
