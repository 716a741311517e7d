"""An append-only file of JSON lines that has every entry on disk before anybody hears of it.

Concurrent appends share one fsync ("group commit": Gray & Reuter, Transaction Processing, 9.4.6).
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from simulators.psp.errors import LedgerError
from simulators.psp.records import Entry

_log = logging.getLogger("psp")


class Ledger:
    """Entries numbered 1, 2, 3, … without gaps. Get one from `open_ledger`; safe to share between threads."""

    def __init__(self, *, fd: int, entries: list[Entry], sync: Callable[[int], None]) -> None:
        self._fd = fd
        self._sync = sync
        self._entries = entries
        self._queue: list[Entry] = []
        self._last_seq = len(entries)
        self._queue_lock = threading.Lock()
        self._file_lock = threading.Lock()
        self._failure: str | None = None
        self._is_closed = False

    def append(self, *, draft: Entry) -> Entry:
        """Number the draft, return it once it is on disk.

        Raises LedgerError when it could not be written; whether it is in the file is then unknown,
        and every later append is refused too, because after a failed fsync nothing can be trusted.
        """
        with self._queue_lock:
            self._last_seq += 1
            entry = draft._replace(seq=self._last_seq)
            self._queue.append(entry)
        self._make_durable(seq=entry.seq)
        return entry

    def entries(self, *, after: int = 0, limit: int | None = None) -> list[Entry]:
        """Durable entries with seq > `after`, oldest first. Slicing a list is atomic: no lock, no waiting."""
        return self._entries[after : None if limit is None else after + limit]

    def close(self) -> None:
        """Give the file and its lock back; later appends are refused."""
        with self._file_lock:
            if not self._is_closed:
                self._is_closed = True
                self._failure = "it is closed"
                os.close(self._fd)

    def _make_durable(self, *, seq: int) -> None:
        """Write all that is queued, unless whoever held the file before took this entry along."""
        with self._file_lock:
            if len(self._entries) >= seq:
                return
            if self._failure is not None:
                raise LedgerError(f"The ledger is out of use: {self._failure}. Start the provider again.")
            with self._queue_lock:
                batch, self._queue = self._queue, []
            self._write(batch=batch)
            self._entries.extend(batch)

    def _write(self, *, batch: list[Entry]) -> None:
        rest = b"".join(_encode(entry) for entry in batch)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            self._sync(self._fd)
        except OSError as error:
            self._failure = str(error)
            advice = "Make room, start the provider again."
            raise LedgerError(f"The ledger cannot be written: {error}. {advice}") from error


def open_ledger(*, path: Path, sync: Callable[[int], None] = os.fdatasync) -> Ledger:
    """Open or create the file, take its lock, cut off a torn last line.

    Raises LedgerError when another process has it, when it cannot be opened, or when it is damaged
    anywhere but in a last line without its newline (which was never acknowledged to anybody).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise LedgerError(f"The ledger {path} cannot be opened: {error.strerror}. Name another.") from error
    try:
        _lock(fd=fd, path=path)
        entries = _recover(fd=fd, path=path)
        # A killed process may have left lines that never reached the disk; from here on they are promises.
        os.fsync(fd)
        _sync_folder(path.parent)
    except OSError as error:
        os.close(fd)
        raise LedgerError(f"The ledger {path} cannot be read: {error}. Name another.") from error
    except LedgerError:
        os.close(fd)
        raise
    return Ledger(fd=fd, entries=entries, sync=sync)


def _lock(*, fd: int, path: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LedgerError(f"Another process has the ledger {path}. Stop it, or name another.") from error


def _recover(*, fd: int, path: Path) -> list[Entry]:
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    lines = data[:whole].split(b"\n")[:-1]
    entries = [_decode(line, seq=number, path=path) for number, line in enumerate(lines, start=1)]
    if whole < len(data):
        _log.warning(
            "The last line of %s is torn: its %d bytes were never acknowledged and are cut off: %r",
            path,
            len(data) - whole,
            data[whole : whole + 60],
        )
        os.ftruncate(fd, whole)
    return entries


def _encode(entry: Entry) -> bytes:
    return json.dumps(entry._asdict(), separators=(",", ":")).encode() + b"\n"


def _decode(line: bytes, *, seq: int, path: Path) -> Entry:
    advice = "Put a good copy in its place, or move it away to start with an empty one."
    try:
        entry = Entry(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise LedgerError(f"Line {seq} of the ledger {path} is damaged: {error}. {advice}") from error
    if entry.seq != seq:
        raise LedgerError(f"Line {seq} of the ledger {path} has seq {entry.seq}: lines are missing. {advice}")
    return entry


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
