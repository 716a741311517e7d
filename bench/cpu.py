"""CPU time that processes and their children have used, from Linux' /proc."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds used so far by each named process with all its descendants, dead ones included.

    PostgreSQL's are told apart by what they do: ``postgres: orders`` are the connections to that
    database, ``postgres: walsender`` decodes the log for the relay.
    """
    children = _children()
    used: Counter[str] = Counter()
    for name, root in pids.items():
        for pid in _tree(root, children):
            label = _postgres_label(pid) if name == "postgres" else name
            used[label] += _ticks(pid)
    return {name: ticks / _TICK for name, ticks in sorted(used.items())}


def cpu_since(before: Mapping[str, float], pids: Mapping[str, int]) -> dict[str, float]:
    """What has been used since ``before``, by name, most first."""
    spent = {name: now - before.get(name, 0.0) for name, now in cpu_seconds(pids).items()}
    return dict(sorted(spent.items(), key=lambda item: -item[1]))


def _children() -> dict[int, list[int]]:
    children = defaultdict(list)
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children[int(fields[1])].append(int(folder.name))
    return children


def _tree(root: int, children: Mapping[int, list[int]]) -> Iterator[int]:
    yield root
    for child in children.get(root, ()):
        yield from _tree(child, children)


def _ticks(pid: int) -> int:
    """User and system time of a process and of its children that have ended (fields 14 to 17 of stat)."""
    return sum(int(field) for field in _stat(pid)[11:15])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may hold anything; none if it has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _postgres_label(pid: int) -> str:
    """From the title: ``postgres: orders orders [local] idle``, ``postgres: walsender relay orders …``."""
    try:
        title = (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return "postgres: ended"
    words = title.removeprefix("postgres: ").split()
    if not title.startswith("postgres: ") or not words:
        return "postgres: postmaster and ended connections"
    if words[0] == "walsender":
        return "postgres: walsender"
    if "[local]" in words:
        return f"postgres: {words[1]}"
    return "postgres: background"
