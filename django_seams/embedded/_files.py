"""Where things are in the folder of one set of servers, and how they are written and read."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedError

LOG_LIMIT_BYTES = 5_000_000


@dataclass(frozen=True)
class Files:
    """The names in one folder; making one touches no disk."""

    folder: Path

    @property
    def plan(self) -> Path:
        return self.folder / "servers.json"

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    @property
    def launcher_lock(self) -> Path:
        """Locked for as long as the launcher lives, whatever way it ends."""
        return self.folder / "launcher.lock"

    @property
    def turn_lock(self) -> Path:
        """Locked by whoever is starting or stopping the servers."""
        return self.folder / "turn.lock"

    @property
    def plan_lock(self) -> Path:
        return self.folder / "servers.lock"

    @property
    def where(self) -> Path:
        return self.folder / "where.txt"

    @property
    def redis(self) -> Path:
        return self.folder / "redis"

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def away(self, name: str) -> Path:
        """While this file exists the launcher keeps the service of that name stopped."""
        return self.folder / f"{name}.away"


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, or check that it is ours."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o777 != 0o700:
            folder.chmod(0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"it belongs to user {folder.stat().st_uid}, this is user {os.geteuid()}")
    except OSError as error:
        raise EmbeddedError(f"{folder} cannot be used ({error}): take a folder of your own") from error


def write_private(path: Path, text: str) -> None:
    """Replace `path` in one step by a file that only its owner may read."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp: mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def roll(log: Path) -> None:
    """Set a log aside that has grown beyond the limit, so that two files are all there ever is."""
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_name(log.name + ".1"))


def tail(log: Path, *, since: int = 0, lines: int = 15) -> str:
    """Return the last lines of a log, indented, beginning no earlier than the byte `since`."""
    if not log.exists():
        return f"{log} does not exist"
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(since if since <= size else 0, size - 64_000))
        found = file.read().decode("utf-8", "replace").splitlines()[-lines:]
    return "\n".join([f"The end of {log}:", *(f"  {line}" for line in found or ["(empty)"])])
