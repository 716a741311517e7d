"""PostgreSQL 18: making its data folder, its settings, and seeing when it is ready."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from . import _home, _leftovers, _programs
from ._account import Account
from ._plan import POSTGRES_PORT, Plan
from ._service import Program
from .errors import EmbeddedError

SETTINGS = {
    "listen_addresses": "",
    "port": str(POSTGRES_PORT),
    "wal_level": "logical",  # the relay reads the write-ahead log
    "max_replication_slots": "60",  # one per database and sink, test databases too
    "max_wal_senders": "60",
    "max_connections": "200",
    "autovacuum": "on",  # the claim tables decay without it
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}
HASTE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def program(plan: Plan, account: Account | None) -> Program:
    """Describe PostgreSQL; makes the places of its files."""
    _home.open_home(plan, account)
    installation = _programs.postgres_for(account, home=Path(plan.home))
    return Program(
        name="postgres",
        argv=_argv(plan, installation),
        environ=_environ(plan),
        cwd=Path("/"),
        log=plan.files.log("postgres"),
        before=lambda: _before(plan, account, installation),
        answers=lambda pid: _is_ready(plan, pid),
        advice=f"see its last words; if the data may go, `{_remove(plan)}` and start again",
        stop_steps=((signal.SIGINT, 8.0), (signal.SIGQUIT, 5.0)),  # fast, then immediate
        kill_signal=signal.SIGQUIT,
        popen_options=account.popen_options() if account else {},
    )


def _argv(plan: Plan, installation: Path) -> list[str]:
    # Settings are given here rather than written to the data folder: they change with servers.json, and
    # root writes nothing into a folder that belongs to somebody else.
    settings = SETTINGS | {"unix_socket_directories": plan.sockets, "unix_socket_permissions": "0700"}
    if not plan.durable:
        settings |= HASTE
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(installation / "bin" / "postgres"), "-D", str(plan.data), *options]


def _environ(plan: Plan) -> dict[str, str]:
    """Little: PG… variables would change what it does, and root's secrets are not for another user."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"LC_ALL": "C", _leftovers.MARKER: plan.folder}


def _before(plan: Plan, account: Account | None, installation: Path) -> None:
    _home.open_sockets(plan, account)
    if plan.data.exists():
        _require_version(plan)
        _leftovers.end_backends(plan)
    else:
        _make_data(plan, account, installation)


def _require_version(plan: Plan) -> None:
    found = (plan.data / "PG_VERSION").read_text().strip()
    if found != _programs.POSTGRES_MAJOR:
        raise EmbeddedError(
            f"{plan.data} was made by PostgreSQL {found}, this is {_programs.POSTGRES_MAJOR}: "
            f"`{_remove(plan)}` and start again"
        )


def _make_data(plan: Plan, account: Account | None, installation: Path) -> None:
    """Run initdb beside the final place, so that a data folder that exists is always a whole one."""
    new = plan.data.with_name("postgres.new")
    if new.exists():
        shutil.rmtree(new)
    new.mkdir(mode=0o700)
    descriptor, password = tempfile.mkstemp(dir=plan.home, prefix=".password.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(plan.passwords["postgres"] + "\n")
        if account is not None:
            for path in (new, password):
                os.chown(path, account.uid, account.gid)
        _initdb(plan, account, installation, new=new, password=Path(password))
    finally:
        Path(password).unlink()
    new.rename(plan.data)


def _initdb(plan: Plan, account: Account | None, installation: Path, *, new: Path, password: Path) -> None:
    done = subprocess.run(
        [
            str(installation / "bin" / "initdb"),
            *("-D", str(new), "--username=postgres", f"--pwfile={password}"),
            *("--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--no-instructions"),
            # PostgreSQL's own C.UTF-8: the same on every system, whatever locales that one has.
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(() if plan.durable else ("--no-sync",)),
        ],
        env=_environ(plan),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        **(account.popen_options() if account else {}),
    )
    if done.returncode != 0:
        said = done.stdout.decode("utf-8", "replace").strip()
        raise EmbeddedError(
            f"initdb could not make {plan.data} (exit code {done.returncode}): free disk space, or use a "
            f"folder on a local disk, and start again\n{said}"
        )


def _is_ready(plan: Plan, pid: int) -> bool:
    """Read what pg_ctl reads: the eighth line of postmaster.pid, written by this very process."""
    try:
        lines = (plan.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _remove(plan: Plan) -> str:
    return f"python -m django_seams.embedded remove '{plan.folder}'"
