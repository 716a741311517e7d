"""What costs most, per order: by package, among our own functions, among all functions."""

import json
import sysconfig
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

COUNT: Final = 15
_ROOT: Final = f"{Path(__file__).resolve().parents[2]}/"
_LIBRARIES: Final = tuple(f"{path}/" for path in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
_STANDARD: Final = f"{sysconfig.get_path('stdlib')}/"


class Cost(NamedTuple):
    """CPU seconds of one function: its own, and with everything that it called."""

    path: str
    line: int
    name: str
    calls: int
    own: float
    total: float


def summary(folder: Path, *, orders: int) -> dict[str, Any]:
    """The profiles in a folder, in milliseconds per order; empty when the process has left none."""
    costs = _read(folder)
    if not costs:
        return {}
    ours = [
        cost for cost in costs if cost.path.startswith(_ROOT) and not cost.path.startswith((*_LIBRARIES, _STANDARD))
    ]
    return {
        "packages": _packages(costs, orders),
        "ours": _top(ours, orders, by=lambda cost: cost.total),
        "all": _top(costs, orders, by=lambda cost: cost.own),
    }


def _read(folder: Path) -> list[Cost]:
    """What `sitecustomize` has written, added up by function."""
    sums: dict[tuple[str, int, str], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for file in folder.glob("*.json"):
        for path, line, name, *values in json.loads(file.read_text()):
            for place, value in enumerate(values):
                sums[path, line, name][place] += value
    return [Cost(*function, int(calls), own, total) for function, (calls, own, total) in sums.items()]


def _packages(costs: Iterable[Cost], orders: int) -> dict[str, float]:
    own: Counter[str] = Counter()
    for cost in costs:
        own[_package(cost)] += cost.own  # type: ignore[assignment]  # a Counter of floats
    return {name: round(seconds * 1000 / orders, 2) for name, seconds in own.most_common(COUNT)}


def _package(cost: Cost) -> str:
    """``psycopg``, ``django.db``, ``modules.orders``; what is written in C has no file of its own."""
    if cost.path == "~":
        return "built in"
    if not cost.path.startswith((_ROOT, *_LIBRARIES)):
        return "standard library"
    parts = _short(cost.path).removesuffix(".py").split("/")
    return ".".join(parts[:2] if parts[0] in ("django", "modules", "django_seams", "monolith") else parts[:1])


def _top(costs: Iterable[Cost], orders: int, *, by: Callable[[Cost], float]) -> list[dict[str, Any]]:
    return [
        {
            "function": cost.name.strip("<>") if cost.path == "~" else f"{_short(cost.path)}:{cost.line} {cost.name}",
            "calls": round(cost.calls / orders, 1),
            "own_ms": round(cost.own * 1000 / orders, 3),
            "total_ms": round(cost.total * 1000 / orders, 3),
        }
        for cost in sorted(costs, key=by, reverse=True)[:COUNT]
    ]


def _short(path: str) -> str:
    for folder in (*_LIBRARIES, _STANDARD, _ROOT):  # libraries first: .venv lies inside the repository
        path = path.removeprefix(folder)
    return path
