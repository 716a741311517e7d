"""The functions that cost most, per order."""

import pstats
import sys
from pathlib import Path
from typing import Any, Final

COUNT: Final = 25
_Function = tuple[str, int, str]


def top_functions(folder: Path, *, orders: int, count: int = COUNT) -> list[dict[str, Any]]:
    """The functions with most CPU time of their own, in milliseconds per order.

    Answers none when the profiled process has left nothing.
    """
    files = sorted(str(path) for path in folder.glob("*.prof"))
    if not files:
        return []
    stats: dict[_Function, tuple[int, int, float, float, Any]] = pstats.Stats(*files).stats  # type: ignore[attr-defined]
    by_own_time = sorted(stats.items(), key=lambda item: -item[1][2])
    return [
        {
            "function": _name(function),
            "calls": round(calls / orders, 2),
            "own_ms": round(own * 1000 / orders, 3),
            "total_ms": round(total * 1000 / orders, 3),
        }
        for function, (_, calls, own, total, _) in by_own_time[:count]
    ]


def _name(function: _Function) -> str:
    path, line, name = function
    if path == "~":
        return name.strip("<>")
    for folder in sorted(filter(None, sys.path), key=len, reverse=True):
        path = path.removeprefix(f"{folder}/")
    return f"{path}:{line} {name}"
