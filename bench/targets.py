"""What the numbers should be, and by how much they miss it."""

from typing import Any, Final

P50_MS: Final = 25.0
P99_MS: Final = 100.0
SUSTAINED: Final = 40.0
AIM: Final = 60.0


def judge(measured: dict[str, Any]) -> list[dict[str, Any]]:
    """Each target with what was measured. ``missed_by`` is a share of the target; 0 when it is met."""
    latency = measured["latency"]["placed_to_confirmed_ms"]
    sustained = sustained_rate(measured)
    return [
        _at_most("placed → confirmed, p50", latency["p50"], P50_MS, "ms"),
        _at_most("placed → confirmed, p99", latency["p99"], P99_MS, "ms"),
        _at_least("sustained", sustained, SUSTAINED, "orders/s"),
        _at_least("sustained, the aim", sustained, AIM, "orders/s"),
    ]


def sustained_rate(measured: dict[str, Any]) -> float:
    """The highest rate that was kept up with; 0 if none was."""
    return max((each["rate"] for each in measured["rates"] if each["keeps_up"]), default=0.0)


def _at_most(name: str, found: float, target: float, unit: str) -> dict[str, Any]:
    return _verdict(name, found, f"≤ {target:g}", unit, (found - target) / target)


def _at_least(name: str, found: float, target: float, unit: str) -> dict[str, Any]:
    return _verdict(name, found, f"≥ {target:g}", unit, (target - found) / target)


def _verdict(name: str, found: float, target: str, unit: str, miss: float) -> dict[str, Any]:
    return {
        "name": name,
        "target": target,
        "measured": found,
        "unit": unit,
        "met": miss <= 0,
        "missed_by": round(max(0.0, miss), 3),
    }
