"""A provider in a process of its own, for tests that kill it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class PspProcess:
    """Started and ready when made; `stop` or `kill` it. `log` is what it wrote before it was ready."""

    def __init__(self, *, ledger: Path, port: int = 0, options: tuple[str, ...] = ()) -> None:
        argv = [
            sys.executable,
            "-m",
            "simulators.psp",
            "--port",
            str(port),
            "--ledger",
            str(ledger),
            *options,
        ]
        self._process = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self.log = ""
        try:
            self.port = self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL; nothing happens when it has ended already."""
        self._process.kill()
        self._end()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self._process.terminate()
        return self._end()

    def _end(self) -> int:
        if self._process.returncode is None:
            self._process.communicate(timeout=20)
        return self._process.returncode

    def _wait_until_ready(self) -> int:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.log += line
            ready = re.search(r"http://127\.0\.0\.1:(\d+) is ready", line)
            if ready:
                return int(ready[1])
        raise AssertionError(f"exit code {self._end()}, {self.log}")
