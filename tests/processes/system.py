"""All processes of deploy/Procfile on embedded servers of their own, for tests that kill them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from django_seams.embedded import Servers
from monolith.processes import free_port, procfile, wait_until_ready

ROOT = Path(__file__).parents[2]
RELAYED = ("relay", "worker-inventory", "worker-orders", "worker-payments")
NEEDED = ("web", *RELAYED)  # no order needs celery or beat
_PATIENCE = 15.0
_MARK = "SEAMS_TEST_SYSTEM"


class System:
    """Processes by name. Each sees just the variables that its line of the Procfile asks for."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.psp_url = servers.environ["PSP_URL"]
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._logs = servers.folder / "logs"
        self._logs.mkdir(exist_ok=True)

    def start(self, *names: str, like: str = "", **environ: str) -> None:
        """Start processes of the Procfile; ``like`` starts another one of that kind under a new name."""
        for name in names:
            assert name not in self._running, f"{name} runs already"
            with (self._logs / f"{name}.log").open("ab") as log:
                self._running[name] = subprocess.Popen(
                    ["/bin/sh", "-c", procfile()[like or name]],
                    cwd=ROOT,
                    env=self.environ(**environ),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

    def kill(self, name: str) -> None:
        """SIGKILL to the process and its children."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(_PATIENCE)

    def terminate(self, name: str) -> tuple[int, float]:
        """SIGTERM; answers the exit code and how many seconds it took. SIGKILL to what does not end."""
        process, began = self._running[name], time.monotonic()
        process.terminate()
        try:
            code = process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill(name)
            raise
        del self._running[name]
        return code, time.monotonic() - began

    def stop(self) -> None:
        """End everything that still runs."""
        for process in self._running.values():
            process.terminate()
        for name in list(self._running):
            self._end(name)

    def _end(self, name: str) -> None:
        try:
            self._running[name].wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill(name)
        self._running.pop(name, None)

    def wait_until_ready(self) -> None:
        """Web answers, and has seen the relay and every worker."""
        wait_until_ready(self.url, timeout=60, check=self.refuse_ended)

    def refuse_ended(self) -> None:
        codes = {name: process.poll() for name, process in self._running.items()}
        ended = {name: code for name, code in codes.items() if code is not None}
        assert not ended, f"ended by themselves, with exit codes: {ended}"

    def environ_of(self, name: str) -> dict[str, str]:
        """What the running process was given, as the kernel has it."""
        raw = Path(f"/proc/{self._running[name].pid}/environ").read_text(errors="replace")
        return dict(pair.split("=", 1) for pair in raw.split("\0") if "=" in pair)

    def log(self, name: str) -> str:
        return (self._logs / f"{name}.log").read_text(errors="replace")

    @contextmanager
    def new_lines(self, name: str) -> Iterator[Callable[[], str]]:
        """What the process logs from here on."""
        path = self._logs / f"{name}.log"
        begin = path.stat().st_size if path.exists() else 0
        yield lambda: path.read_bytes()[begin:].decode(errors="replace")

    def manage(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py`` with all credentials, or with others; an empty value takes one away."""
        return self.run(sys.executable, "manage.py", *arguments, **environ)

    def run(self, *argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, cwd=ROOT, env=self.environ(**environ), capture_output=True, text=True, timeout=60)

    def run_as(self, name: str, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program with the credentials of a process of the Procfile."""
        only, dashes, _ = procfile()[name].partition(" -- ")
        return self.run("/bin/sh", "-c", f'{only}{dashes}"$@"', name, *argv)

    def environ(self, **changes: str) -> dict[str, str]:
        """Every credential there is; deploy/only takes away what a process must not have."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        given = {"PATH": path, "PORT": str(self.port), "PYTHONUNBUFFERED": "1", "SECURE_COOKIES": "0"}
        given[_MARK] = str(self.servers.folder)
        merged = {**kept, **self.servers.environ, **given, **changes}
        return {name: value for name, value in merged.items() if value}

    def sql(self, alias: str, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """Ask a module's database, as its owner."""
        url = self.servers.environ[f"{alias.upper()}_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(query, parameters)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []


def end_leftovers(folder: Path) -> None:
    """Kill what a test run that was killed itself has left: processes that carry this folder's mark."""
    mark = f"{_MARK}={folder}".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # somebody else's, or it has just ended
            if mark in environ.read_bytes().split(b"\0"):
                os.kill(int(environ.parent.name), signal.SIGKILL)


def until(condition: Callable[[], object], *, timeout: float = 45.0, what: str = "") -> None:
    """Wait for something to come true; far longer than it ever takes, so that only a fault fails here."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not after {timeout:.0f} s: {what or condition}"
        time.sleep(0.05)
