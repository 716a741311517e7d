"""The project's own programs that run beside the servers."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from . import _leftovers, _ports
from ._plan import Plan
from ._service import Program


def program(plan: Plan, name: str) -> Program:
    """Describe the command of that name."""
    port = plan.ports[name]
    return Program(
        name=name,
        argv=plan.argv(name),
        environ={**os.environ, "PYTHONUNBUFFERED": "1", _leftovers.MARKER: plan.folder},
        cwd=Path(plan.cwd),
        log=plan.files.log(name),
        before=lambda: _ports.require_free(port, name=name),
        answers=lambda pid: _ports.answers(port),
        advice=f"it was run in {plan.cwd} and has to listen on 127.0.0.1:{port}; see its last words",
        stop_steps=((signal.SIGTERM, 5.0),),
        pause=0.3,
    )
