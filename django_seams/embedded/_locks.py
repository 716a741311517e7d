"""File locks: whether a process lives is asked of the lock it holds, never of a process id."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import EmbeddedError


def try_lock(path: Path) -> int | None:
    """Lock a file and return its descriptor, or None when somebody else holds the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_locked(path: Path) -> bool:
    """Say whether somebody holds the lock, without creating the file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def lock(path: Path, *, patience: float) -> int:
    """Lock a file, waiting up to `patience` seconds; return its descriptor or raise EmbeddedError."""
    deadline = time.monotonic() + patience
    while (descriptor := try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"another process has held {path} for more than {patience:.0f} s; "
                "wait until it has started or stopped the servers, or end it, and try again"
            )
        time.sleep(0.02)
    return descriptor


@contextmanager
def locked(path: Path, *, patience: float) -> Iterator[None]:
    """Hold a lock for the length of a block."""
    descriptor = lock(path, patience=patience)
    try:
        yield
    finally:
        os.close(descriptor)
