"""Where the numbers were measured: they mean nothing without it."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.db import connections

from bench.environment import ROOT

_LIBRARIES = ("django", "djangorestframework", "psycopg", "pydantic", "gunicorn", "django-outbox-pattern", "celery")
_POSTGRES_SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")


def machine() -> dict[str, Any]:
    """CPU, memory, kernel, and how busy it was just now (the load average of the last minute)."""
    return {
        "cpu": _field(Path("/proc/cpuinfo"), "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": int(_field(Path("/proc/meminfo"), "MemTotal").split()[0]) // 1024,
        "kernel": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Of Python and of what takes part in an order's way."""
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}


def postgres() -> dict[str, str]:
    """PostgreSQL's version, and the settings that make it durable."""
    found = {}
    with connections["orders"].cursor() as cursor:
        for name in _POSTGRES_SETTINGS:
            cursor.execute("SELECT current_setting(%s)", [name])
            found[name] = str(cursor.fetchone()[0])
    return found


def source() -> dict[str, Any]:
    """When this was, and which commit; ``changed`` if the tree has changes that are not committed."""
    commit = _git("rev-parse", "HEAD")
    ours = (":!bench/results.json", ":!bench/report.md")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *ours)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit or "unknown",
        "changed": bool(changed),
    }


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10)
    except FileNotFoundError:
        return ""  # an unpacked archive on a machine without git: the commit is unknown
    return done.stdout.strip() if done.returncode == 0 else ""


def _field(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
