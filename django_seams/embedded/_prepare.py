"""Choosing what a folder's servers are, the first time; finding it again every other time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from . import _home, _leftovers, _locks, _ports
from ._files import Files, make_private
from ._plan import Command, Plan, load
from ._servers import Servers
from .errors import EmbeddedError


def prepare(
    *,
    folder: Path,
    databases: Mapping[str, str],
    commands: Mapping[str, Command] | None = None,
    durable: bool = True,
    cwd: Path | None = None,
) -> Servers:
    """Choose passwords, ports and places for the servers of a folder, or read what was chosen before.

    Starts nothing and takes milliseconds. `databases` maps an alias to the variable that gets its URL;
    roles and databases themselves are for `seams provision` to make. `commands` maps a name to what is
    run beside the servers, in the folder `cwd` (default: the current one). With ``durable=False`` a crash
    of the machine may lose data, and everything is quicker. Raises EmbeddedError.
    """
    folder = folder.resolve()
    make_private(folder)
    with _locks.locked(Files(folder).plan_lock, patience=10):
        plan = load(folder) or _new_plan(folder)
        before = plan.text()
        plan = _for_this_place(plan, folder)
        plan.ask(databases=databases, commands=commands or {}, durable=durable, cwd=(cwd or Path.cwd()).resolve())
        _choose_ports(plan)
        if plan.text() != before or not plan.files.plan.exists():
            plan.save()
    return Servers(plan)


def open_existing(folder: Path) -> Servers | None:
    """Return the servers that were prepared in a folder, or None."""
    plan = load(folder.resolve())
    return None if plan is None else Servers(plan)


def _new_plan(folder: Path) -> Plan:
    home = _home.choose_home(folder)
    return Plan(folder=str(folder), uid=os.geteuid(), home=str(home), sockets=str(_home.choose_sockets(folder)))


def _for_this_place(plan: Plan, folder: Path) -> Plan:
    """Refuse another user's plan; give a folder that was moved or copied sockets and ports of its own."""
    if plan.uid != os.geteuid():
        raise EmbeddedError(
            f"{folder} was made by user {plan.uid}, this is user {os.geteuid()}: "
            f"run this as that user, or delete {folder} and start afresh"
        )
    if plan.folder != str(folder):
        moved = _new_plan(folder)
        plan.folder, plan.home, plan.sockets, plan.ports = moved.folder, moved.home, moved.sockets, {}
    elif _home.is_foreign(Path(plan.sockets)):
        plan.sockets = str(_home.choose_sockets(folder))
    return plan


def _choose_ports(plan: Plan) -> None:
    for name in ("redis", *plan.commands):
        if name not in plan.ports or _is_taken_by_others(plan, plan.ports[name]):
            plan.ports[name] = _ports.choose(taken=plan.ports.values())


def _is_taken_by_others(plan: Plan, port: int) -> bool:
    # In this order: a launcher that starts its servers in between is then seen by its lock.
    return not _ports.is_free(port) and not _locks.is_locked(plan.files.launcher_lock) and not _leftovers.find(plan)
