"""The detached process that starts the servers, watches them, and stops them when it is told to.

Run by `Servers.start()` only. SIGTERM stops everything; SIGUSR1 makes it look at the folder at once.
It holds the lock on launcher.lock, inherited from its starter, until it ends.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from . import _account, _commands, _leftovers, _postgres, _redis, _state
from ._files import Files
from ._plan import Plan, load
from ._service import Program, Service
from .errors import EmbeddedError

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
LOOK_EVERY_WHILE_AWAITING = 0.02


class Launcher:
    """Supervises the services of one plan."""

    def __init__(self, plan: Plan, *, lock: int) -> None:
        self.plan = plan
        self.services: list[Service] = []
        self.phase: _state.Phase = "starting"
        self._lock = lock
        self._told_to_stop = False
        self._written: _state.State | None = None
        self._wake_up_reader, self._wake_up_writer = os.pipe()
        os.set_blocking(self._wake_up_writer, False)

    def run(self, *, patience: float) -> int:
        """Do everything; return the exit code. Nothing that was started here is left when it returns."""
        self._listen_to_signals()
        error = ""
        try:
            self._tell()
            self._start_all(time.monotonic() + patience)
            self._watch()
        except EmbeddedError as failure:
            error = str(failure)
            log.error("%s", error)
        finally:
            self.phase = "stopping"
            self._stop_all()
        if error:
            self.phase = "failed"
            self._tell(error)
        log.info("all stopped")
        return 1 if error else 0

    def _listen_to_signals(self) -> None:
        signal.set_wakeup_fd(self._wake_up_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_stop)
        for number in (signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(number, self._on_look)  # the wake-up is all that is wanted of them
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self._told_to_stop = True

    def _on_look(self, number: int, frame: FrameType | None) -> None:
        log.debug("woken by signal %s", number)

    def _start_all(self, deadline: float) -> None:
        _leftovers.end(self.plan)
        # PostgreSQL comes last because making its data takes time, in which the others get ready.
        for name in ("redis", *self.plan.commands, "postgres"):
            if self._told_to_stop:
                return
            try:
                self.services.append(service := Service(self._program(name)))
                service.start()
            except (OSError, subprocess.SubprocessError) as error:
                where = self.plan.files.log("launcher")
                raise EmbeddedError(f"{name} cannot be started: {error}; see {where}") from error
        self._await_first_answers(deadline)

    def _program(self, name: str) -> Program:
        if name == "postgres":
            return _postgres.program(self.plan, _account.for_postgres())
        return _redis.program(self.plan) if name == "redis" else _commands.program(self.plan, name)

    def _await_first_answers(self, deadline: float) -> None:
        while not self._told_to_stop and not all(service.up for service in self.services):
            for service in self.services:
                service.look_for_first_answer()
                if time.monotonic() > deadline and not service.up:
                    raise service.failure("did not answer in time")
            self._sleep(LOOK_EVERY_WHILE_AWAITING)

    def _watch(self) -> None:
        self.phase = "running"
        while not self._told_to_stop and self._folder_is_ours():
            for service in self.services:
                service.away = self.plan.files.away(service.name).exists()
                service.look()
            self._tell()
            waiting = any(service.is_awaited for service in self.services)
            self._sleep(LOOK_EVERY_WHILE_AWAITING if waiting else LOOK_EVERY)

    def _folder_is_ours(self) -> bool:
        """Say whether the folder is still there: who deletes it wants an end of what ran in it."""
        try:
            return os.path.samestat(os.stat(self.plan.files.launcher_lock), os.fstat(self._lock))
        except FileNotFoundError:
            log.warning("%s has been deleted", self.plan.folder)
            return False

    def _stop_all(self) -> None:
        self._tell()
        for service in self.services:
            service.ask_to_stop()
        for service in self.services:
            service.stop()

    def _tell(self, error: str = "") -> None:
        state = self._state(error)
        if state == self._written or not self.plan.files.folder.exists():
            return
        try:
            _state.write(self.plan.files, state)
        except OSError:  # a full disk is no reason to end the servers; it is tried again at the next look
            log.exception("state.json cannot be written")
        else:
            self._written = state

    def _state(self, error: str) -> _state.State:
        return _state.State(
            launcher=os.getpid(),
            phase=self.phase,
            error=error,
            durable=self.plan.durable,
            sockets=self.plan.sockets,
            ports=self.plan.ports,
            commands=self.plan.commands,
            services={
                service.name: _state.ServiceState(service.pid, service.up, service.away, service.starts)
                for service in self.services
            },
        )

    def _sleep(self, seconds: float) -> None:
        """Sleep until a signal comes, at most that long."""
        if select.select([self._wake_up_reader], [], [], seconds)[0]:
            os.read(self._wake_up_reader, 4096)


def main(folder: str, lock: str, patience: str) -> int:
    """Run the launcher in the background; the process that was called ends at once.

    So nobody's child is left: whoever started the servers may end, and need not collect the launcher.
    """
    os.set_inheritable(int(lock), False)  # the servers must not keep the lock of a launcher that was killed
    if os.fork() != 0:
        return 0
    os.umask(0o077)
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True
    )
    plan = load(Path(folder))
    if plan is None:
        log.error("%s does not exist", Files(Path(folder)).plan)
        return 1
    log.info("launcher %s starts the servers of %s", os.getpid(), folder)
    try:
        return Launcher(plan, lock=int(lock)).run(patience=float(patience))
    except Exception:
        log.exception("the launcher has failed")
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
