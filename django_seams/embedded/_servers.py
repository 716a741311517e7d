"""The servers of one folder, as their users see them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import _home, _leftovers, _locks, _programs, _state
from ._files import make_private, roll, tail
from ._plan import Plan, load
from .errors import EmbeddedError

STOPPING = 60.0
"""Seconds that the launcher may take to stop everything before it is killed."""
TURN = 180.0
"""Seconds to wait for another process that is starting or stopping the same servers."""


class Servers:
    """The servers of one folder. Any number of processes may hold one of these for the same folder."""

    def __init__(self, plan: Plan) -> None:
        self.folder = Path(plan.folder)
        self.environ = plan.environ()
        """Settings under which the servers are reached: URLs, the relay's role, a secret key."""
        self._plan = plan
        self._files = plan.files

    def __repr__(self) -> str:
        return f"<Servers in {self.folder}>"

    def start(self, *, timeout: float = 60.0) -> None:
        """Start what does not run and return when everything answers.

        Ends what a killed run has left. Raises EmbeddedError when a server does not answer within
        `timeout` seconds; nothing that was started by this call is left running then.
        """
        _programs.require()
        make_private(self.folder)
        with _locks.locked(self._files.turn_lock, patience=TURN):
            for away in self.folder.glob("*.away"):
                away.unlink()
            if self._launcher_lives() and not self._launcher_fits():
                self._stop_launcher()
            if not self._launcher_lives():
                self._launch(timeout)
            self._wake_launcher()
            self._await_all_up(timeout)

    def stop(self) -> None:
        """Stop everything, also what a killed launcher has left; does nothing when nothing runs."""
        if not self.folder.exists():
            return
        with _locks.locked(self._files.turn_lock, patience=TURN):
            self._stop_launcher()

    def is_running(self) -> bool:
        """Say whether everything answered when the launcher last looked, which is within a second."""
        state = self.state()
        return state is not None and state.all_up

    def state(self) -> _state.State | None:
        """Return what the launcher last told; None when no launcher lives."""
        return _state.read(self._files) if _locks.is_locked(self._files.launcher_lock) else None

    def remove(self) -> None:
        """Stop everything and delete the folder, all data, and what is kept elsewhere for root."""
        self.stop()
        _home.remove(self._plan)

    # For fault tests only.

    def kill(self, name: str) -> None:
        """Kill ``postgres`` (immediate shutdown), ``redis`` or a command; the launcher starts it again.

        Returns when that process has ended. `start()` then waits until everything answers again.
        """
        pid = self._service(name).pid
        if pid is None:
            return
        _send(pid, signal.SIGQUIT if name == "postgres" else signal.SIGKILL)
        self._await(lambda: self._service(name).pid != pid, f"{name} has not ended", timeout=30)

    def pause(self, name: str) -> None:
        """Kill a service and keep it away until `resume` or `start`; returns when it has ended."""
        self._service(name)
        self._files.away(name).touch()
        self._wake_launcher()
        self._await(lambda: self._service(name).away, f"{name} is not away", timeout=30)
        self._await(lambda: self._service(name).pid is None, f"{name} has not ended", timeout=30)

    def resume(self, name: str) -> None:
        """Let a paused service come back; returns when it answers."""
        self._files.away(name).unlink(missing_ok=True)
        self._wake_launcher()
        self._await(lambda: self._service(name).up, f"{name} does not answer", timeout=60)

    def _service(self, name: str) -> _state.ServiceState:
        state = self.state()
        if state is None or name not in state.services:
            raise EmbeddedError(f"{name} is not run by a launcher in {self.folder}: call start() first")
        return state.services[name]

    def _launcher_lives(self) -> bool:
        """Say whether there is a launcher to work with; one that is ending is waited for."""
        state = self.state()
        if state is not None and state.phase in ("failed", "stopping"):
            self._await_end_of_launcher(STOPPING)
        return _locks.is_locked(self._files.launcher_lock)

    def _launcher_fits(self) -> bool:
        """Say whether the launcher runs what we want; that it runs more does no harm."""
        state = self.state()
        plan = self._plan
        return (
            state is not None
            and (state.durable, state.sockets) == (plan.durable, plan.sockets)
            and all(state.ports.get(name) == plan.ports[name] for name in ("redis", *plan.commands))
            and all(state.commands.get(name) == command for name, command in plan.commands.items())
        )

    def _launch(self, timeout: float) -> None:
        roll(self._files.log("launcher"))
        self._files.state.unlink(missing_ok=True)
        self._save_plan()
        lock = _locks.lock(self._files.launcher_lock, patience=5)
        try:
            self._run_launcher(lock, timeout)
        except BaseException:
            _leftovers.end(self._plan)
            raise
        finally:
            os.close(lock)  # the launcher has inherited it

    def _save_plan(self) -> None:
        """Write what we want to servers.json, beside what others have added since we read it."""
        with _locks.locked(self._files.plan_lock, patience=10):
            kept = load(self.folder)
            if kept is not None and kept.identity != self._plan.identity:
                raise EmbeddedError(f"{self.folder} has been made anew since: run the same command again")
            if kept is not None:
                self._plan.passwords = kept.passwords | self._plan.passwords
                self._plan.ports = kept.ports | self._plan.ports
            self._plan.save()

    def _run_launcher(self, lock: int, timeout: float) -> None:
        with self._files.log("launcher").open("ab") as output:
            done = subprocess.run(
                [sys.executable, "-m", _leftovers.LAUNCHER, str(self.folder), str(lock), str(timeout)],
                cwd=Path(__file__).parents[2],  # where this package is found, installed or not
                env={**os.environ, _leftovers.MARKER: str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for whoever called us
                pass_fds=(lock,),
                timeout=30,
            )
        if done.returncode != 0:
            raise EmbeddedError(f"the launcher cannot be started\n{tail(self._files.log('launcher'))}")

    def _await_all_up(self, timeout: float) -> None:
        try:
            self._await(self._is_up_or_failed, "the servers do not answer", timeout=timeout + 15)
        except BaseException:
            self._stop_launcher()
            raise
        state = _state.read(self._files)
        if state is None or not state.all_up:
            self._stop_launcher()
            told = state.error if state is not None else ""
            raise EmbeddedError(told or f"the launcher has ended\n{tail(self._files.log('launcher'))}")

    def _is_up_or_failed(self) -> bool:
        return not _locks.is_locked(self._files.launcher_lock) or self.is_running()

    def _await(self, condition: Callable[[], bool], otherwise: str, *, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                log = self._files.log("launcher")
                raise EmbeddedError(f"{otherwise} after {timeout:.0f} s; see {log}\n{tail(log)}")
            time.sleep(0.02)

    def _wake_launcher(self) -> None:
        state = self.state()
        if state is not None:
            _send(state.launcher, signal.SIGUSR1)

    def _stop_launcher(self) -> None:
        state = self.state()
        if state is not None:
            _send(state.launcher, signal.SIGTERM)
            self._await_end_of_launcher(STOPPING)
        _leftovers.end(self._plan)

    def _await_end_of_launcher(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while _locks.is_locked(self._files.launcher_lock) and time.monotonic() < deadline:
            time.sleep(0.02)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself, which is what we would wait for
        os.kill(pid, number)
