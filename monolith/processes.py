"""The processes of deploy/Procfile: what they are, what they see, and running them under supervision."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx2
from django.conf import settings
from honcho.environ import parse_procfile

_STOP_PATIENCE = 5.0


class ProcessError(Exception):
    """A process of deploy/Procfile did not come up or ended by itself; its last lines follow."""


def procfile() -> dict[str, str]:
    """Name → command line, as deploy/Procfile has them; the shell that reads it gives way to the program."""
    lines = parse_procfile((settings.BASE_DIR / "deploy" / "Procfile").read_text()).processes
    return {name: f"exec {command}" for name, command in lines.items()}


def environ_of_processes(*, port: int) -> dict[str, str]:
    """The environment that deploy/only picks from: every server's address, and this Python first in PATH."""
    servers = settings.EMBEDDED
    local = {**servers.environ, "BEAT_SCHEDULE": str(servers.folder / "celerybeat-schedule")} if servers else {}
    return {
        **os.environ,
        **local,
        "PORT": str(port),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        "SECURE_COOKIES": os.environ.get("SECURE_COOKIES", "0"),  # plain HTTP on 127.0.0.1
    }


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_port_taken(port: int, *, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def wait_until_ready(url: str, *, timeout: float, check: Callable[[], None] = lambda: None) -> None:
    """Ask ``/readyz`` until it answers 200; ``check`` may raise. Raises ProcessError with what is missing."""
    deadline = time.monotonic() + timeout
    said = "no answer"
    while time.monotonic() < deadline:
        check()
        try:
            answer = httpx2.get(f"{url}/readyz", timeout=5, trust_env=False)
            if answer.status_code == httpx2.codes.OK:
                return
            said = answer.json().get("detail", answer.text)
        except (httpx2.HTTPError, ValueError) as error:
            said = str(error)
        time.sleep(0.2)
    raise ProcessError(f"Not ready after {timeout:.0f} s. {said}")


class Processes:
    """The Procfile's processes, each in a session of its own with a log file of its own."""

    def __init__(self, *, environ: dict[str, str], logs: Path) -> None:
        self._commands = procfile()
        self._environ = environ
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    @property
    def names(self) -> list[str]:
        return list(self._commands)

    def start(self, names: Iterable[str] | None = None) -> None:
        """Start these processes, or all."""
        for name in names if names is not None else self._commands:
            with (self._logs / f"{name}.log").open("ab") as log:
                self._running[name] = subprocess.Popen(
                    ["/bin/sh", "-c", self._commands[name]],
                    cwd=settings.BASE_DIR,
                    env=self._environ,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

    def kill(self, name: str) -> int:
        """SIGKILL to one process and its children; answers the pid it had."""
        process = self._running.pop(name)
        _signal(process, signal.SIGKILL)
        process.wait()
        return process.pid

    def check(self) -> None:
        """Raise ProcessError if a process ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ProcessError(f"{name} ended with {process.returncode}:\n{self.last_lines(name)}")

    def last_lines(self, name: str, *, count: int = 15) -> str:
        """The end of a process's log."""
        return "\n".join((self._logs / f"{name}.log").read_text(errors="replace").splitlines()[-count:])

    def stop(self) -> None:
        """SIGTERM to all, SIGKILL to those that are still there after some seconds."""
        for process in self._running.values():
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_PATIENCE
        for process in self._running.values():
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(process, signal.SIGKILL)
                process.wait()
        self._running.clear()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return  # it has ended already
