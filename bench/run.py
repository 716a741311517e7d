"""From an empty folder to results: start, measure, audit, stop."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import machine
from bench.environment import FOLDER, PSP_DELAY_MS
from bench.errors import BenchError
from bench.lives import drain
from bench.load import arrivals, open_load
from bench.phases import Plan, measure, warm_up
from bench.profile import hook, summary
from bench.system import running
from bench.targets import judge
from monolith.audit import report as audit_report
from monolith.facts import settled_facts
from monolith.processes import procfile

_AUDIT_SECONDS = 10.0
_PROFILE_DRAIN = 120.0

Say = Callable[[str], None]


def measured(plan: Plan, say: Say) -> dict[str, Any]:
    """Everything that bench/results.json holds. Raises BenchError, ProcessError or SeamsError."""
    where = machine.machine()  # before we make the machine busy ourselves
    with running(say=say, extra_environ={}) as system:
        postgres = machine.postgres()
        numbers = measure(system, plan, say)
        say("auditing")
        facts, violations = settled_facts(seconds=_AUDIT_SECONDS)
    return {
        "targets": judge(numbers),
        "measured": numbers,
        "audit": audit_report(facts, violations),
        "plan": asdict(plan),
        "psp_delay_ms": PSP_DELAY_MS,
        "machine": where,
        "versions": machine.versions(),
        "postgres": postgres,
        "source": machine.source(),
    }


def profiled(process: str, plan: Plan, say: Say) -> dict[str, Any]:
    """Where the Python code of one process of the Procfile spends its CPU time at ``plan.rate``.

    Raises BenchError, ProcessError or SeamsError.
    """
    commands = procfile()
    if process not in commands:
        raise BenchError(f"deploy/Procfile has no {process!r}; choose one of {', '.join(commands)}.")
    into = FOLDER / "profile"
    with running(say=say, extra_environ=hook(command=commands[process], into=into)) as system:
        warm_up(system, plan, say)
        _tell(into / "begin")
        offsets = arrivals(rate=plan.rate, seconds=plan.seconds, seed=3, even=True)
        load = open_load(system, offsets=offsets, seed=3, tick=lambda: say(f"profiling {process}"))
        drain(system, patience=_PROFILE_DRAIN, tick=lambda: say("draining"))
        _tell(into / "end")
    profile = summary(into, orders=len(load.attempts))
    if not profile:
        raise BenchError(f"{process} has left no profile in {into}; its log is in {FOLDER / 'logs'}.")
    return {
        "rate": plan.rate,
        "orders": len(load.attempts),
        "commit": machine.source()["commit"],
        **profile,
    }


def _tell(file: Path) -> None:
    """Make the file that the profiled process waits for, and give it the time to see it."""
    file.touch()
    time.sleep(2.0)
