"""Processes that a killed launcher left behind: found by what marks them as this folder's, then ended."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from ._plan import POSTGRES_PORT, Plan

log = logging.getLogger(__name__)
MARKER = "DJANGO_SEAMS_EMBEDDED_FOLDER"
"""Set to the folder in the environment of the launcher and of everything it starts."""
LAUNCHER = "django_seams.embedded._launcher"


def find(plan: Plan) -> list[psutil.Process]:
    """Return the processes of this folder, except the one that asks and its parent.

    The launcher's parent is the process that has just made it, and is about to end.
    """
    found, spared = [], (os.getpid(), os.getppid())
    for process in psutil.process_iter(["cmdline", "cwd", "environ", "status"]):
        if process.pid in spared or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        if (process.info["environ"] or {}).get(MARKER) == plan.folder or _is_postgres_of(plan, process):
            found.append(process)
    return found


def _is_postgres_of(plan: Plan, process: psutil.Process) -> bool:
    # PostgreSQL's children overwrite their environment, but all of them work in the data folder. Another
    # user's command line can be read where the rest cannot (root in a container without SYS_PTRACE).
    return process.info["cwd"] == str(plan.data) or _is_postmaster(plan, process)


def _is_postmaster(plan: Plan, process: psutil.Process) -> bool:
    cmdline = process.info["cmdline"] or []
    return "-D" in cmdline and str(plan.data) in cmdline and Path(cmdline[0]).name == "postgres"


def _is_launcher(process: psutil.Process) -> bool:
    return LAUNCHER in (process.info["cmdline"] or [])


def end(plan: Plan) -> None:
    """End the leftovers: PostgreSQL by a fast shutdown if it obeys, and remove its stale lock files."""
    found = find(plan)
    if found:
        log.info("ending what an earlier run left: %s", ", ".join(f"{_name(p)} ({p.pid})" for p in found))
    launchers = [process for process in found if _is_launcher(process)]
    _end(launchers, (signal.SIGKILL,), patience=5)  # before the rest, or it would start them again
    postmasters = [process for process in found if _is_postmaster(plan, process)]
    _end(postmasters, (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL), patience=8)
    _end(find(plan), (signal.SIGTERM, signal.SIGKILL), patience=5)
    remove_stale_locks(plan)


def end_backends(plan: Plan) -> None:
    """End what a dead postmaster left of itself: it cannot start again while one of its children lives."""
    children = [process for process in find(plan) if _is_postgres_of(plan, process)]
    _end(children, (signal.SIGQUIT, signal.SIGKILL), patience=5)
    remove_stale_locks(plan)


def remove_stale_locks(plan: Plan) -> None:
    """Remove lock files whose process id is no PostgreSQL any more.

    PostgreSQL refuses to start when another process of its user has got the id that is noted there, which
    happens after a restart of the machine. A live PostgreSQL is left to PostgreSQL's own check.
    """
    socket = Path(plan.sockets) / f".s.PGSQL.{POSTGRES_PORT}"
    for lock in (plan.data / "postmaster.pid", socket.with_name(socket.name + ".lock")):
        if lock.exists() and not _names_postgres(lock):
            log.info("removing the stale %s", lock)
            lock.unlink()


def _names_postgres(lock: Path) -> bool:
    first = lock.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    try:
        process = psutil.Process(int(first))
        return process.name() == "postgres" and not _is_gone(process)
    except (ValueError, psutil.NoSuchProcess):
        return False


def _end(processes: Sequence[psutil.Process], signals: Iterable[int], *, patience: float) -> None:
    alive = list(processes)
    for number in signals:
        for process in alive:
            _send(process, number)
        alive = _wait(alive, patience=patience)
    if alive:
        log.error("could not end %s", ", ".join(f"{_name(p)} ({p.pid})" for p in alive))


def _wait(alive: list[psutil.Process], *, patience: float) -> list[psutil.Process]:
    """Wait until the processes have ended; return those that have not."""
    # Not psutil.wait_procs: it takes a zombie for alive, and orphans stay zombies until process 1 collects
    # them, which in many containers is late or never.
    deadline = time.monotonic() + patience
    while (alive := [process for process in alive if not _is_gone(process)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return alive


def _send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        log.debug("%s has ended by itself", process.pid)


def _is_gone(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _name(process: psutil.Process) -> str:
    return str((process.info["cmdline"] or ["?"])[0]).rpartition("/")[2]
