"""One supervised program: started, watched, started again when it dies, stopped in steps."""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._files import roll, tail
from .errors import EmbeddedError

log = logging.getLogger(__name__)
LONG_ENOUGH = 10.0
"""Seconds after which a program that dies is not taken for one that cannot start."""
LONGEST_PAUSE = 5.0
CANNOT_START = (EmbeddedError, OSError, subprocess.SubprocessError)


@dataclass(frozen=True)
class Program:
    """What is run, and how one sees that it answers."""

    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    cwd: Path
    log: Path
    before: Callable[[], None]
    """Called before each start; raises EmbeddedError when a start would be in vain."""
    answers: Callable[[int], bool]
    """Given the process id, whether the program does its work by now."""
    advice: str
    """What to do when it does not start."""
    stop_steps: Sequence[tuple[signal.Signals, float]]
    """Signals and the seconds to wait after each; SIGKILL comes last by itself."""
    kill_signal: signal.Signals = signal.SIGKILL
    """What a fault test sends."""
    pause: float = 0.1
    """Seconds between a death and the next start; doubled with every start that does not last."""
    popen_options: Mapping[str, Any] = field(default_factory=dict)


class Service:
    """The running side of a program. All times are those of `time.monotonic`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.name = program.name
        self.up = False
        self.away = False
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._next_start_at = 0.0
        self._pause = program.pause
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_awaited(self) -> bool:
        """Whether it is worth looking again soon: it does not answer yet but may do so any moment."""
        return not (self.up or self.away) and time.monotonic() - self._started_at < LONG_ENOUGH

    def start(self) -> None:
        """Start the program; whether it answers is for `look` to find out."""
        self.program.before()
        roll(self.program.log)
        with self.program.log.open("ab") as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(
                self.program.argv,
                env=self.program.environ,
                cwd=self.program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **self.program.popen_options,
            )
        self.starts += 1
        self._started_at = time.monotonic()
        log.info("%s: started as process %s", self.name, self._process.pid)

    def look_for_first_answer(self) -> None:
        """See whether it answers for the first time; raise EmbeddedError if it has died instead."""
        if self._process is not None and self._process.poll() is not None:
            raise self.failure(f"ended with exit code {self._process.returncode}")
        self._see_whether_up()

    def failure(self, what: str) -> EmbeddedError:
        end = tail(self.program.log, since=self._log_start)
        return EmbeddedError(f"{self.name} {what} at its start: {self.program.advice}\n{end}")

    def look(self) -> None:
        """Do what is due: notice a death, start again, notice that it answers, keep it away."""
        self._notice_death()
        if self.away:
            self._keep_away()
        elif self._process is None:
            if time.monotonic() >= self._next_start_at:
                self._start_again()
        else:
            self._see_whether_up()

    def _notice_death(self) -> None:
        if self._process is None or self._process.poll() is None:
            return
        log.warning("%s: process %s ended (%s)", self.name, self._process.pid, self._process.returncode)
        self._process, self.up = None, False
        if time.monotonic() - self._started_at > LONG_ENOUGH:
            self._pause = self.program.pause
        self._postpone()

    def _postpone(self) -> None:
        self._next_start_at = time.monotonic() + self._pause
        self._pause = min(LONGEST_PAUSE, self._pause * 2)

    def _start_again(self) -> None:
        try:
            self.start()
        except CANNOT_START as error:
            log.warning("%s: cannot be started again, trying on: %s", self.name, error)
            self._postpone()

    def _keep_away(self) -> None:
        if self._process is not None:
            log.info("%s: kept away from now on", self.name)
            self._process.send_signal(self.program.kill_signal)
            self._wait(10)
            self._end_of_process()
        self._next_start_at, self._pause = 0.0, self.program.pause

    def _see_whether_up(self) -> None:
        if self._process is not None and not self.up and self.program.answers(self._process.pid):
            self.up = True
            log.info("%s: answers after %.2f s", self.name, time.monotonic() - self._started_at)

    def ask_to_stop(self) -> None:
        """Send the first stop signal, so that several services stop side by side."""
        if self._process is not None and self.program.stop_steps:
            self._process.send_signal(self.program.stop_steps[0][0])

    def stop(self) -> None:
        """Stop the program, step by step; return when it has ended."""
        for number, patience in self.program.stop_steps:
            if self._process is None or self._process.poll() is not None:
                break
            self._process.send_signal(number)
            if not self._wait(patience):
                log.warning("%s: still runs %s s after %s", self.name, patience, number.name)
        self._end_of_process()

    def _end_of_process(self) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()
            self._wait(10)
        log.info("%s: process %s stopped", self.name, self._process.pid)
        self._process, self.up = None, False

    def _wait(self, patience: float) -> bool:
        if self._process is None:
            return True
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            return False
        return True
