"""What the demo prints."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from monolith.demo.wishes import Wish


def outcomes(ends: Iterable[tuple[Wish, str, str | None]]) -> Table:
    """Stories and how their orders ended."""
    table = Table("what the customers did", "orders", "how it ended", title="Outcomes", title_justify="left")
    counts: dict[str, Counter[str]] = {}
    for wish, status, reason in ends:
        counts.setdefault(wish.story, Counter())[f"{status} ({reason})" if reason else status] += 1
    for story, seen in counts.items():
        how = ", ".join(f"{count} {end}" for end, count in sorted(seen.items()))
        table.add_row(story, str(seen.total()), how)
    return table


def timeline(order_id: str, story: str, entries: list[dict[str, Any]]) -> Table:
    """One order's life."""
    table = Table("time", "event", "changed", title=f"Order {order_id} ({story})", title_justify="left")
    for entry in entries:
        changes = (f"{field}: {before} → {after}" for field, (before, after) in entry["changed"].items())
        table.add_row(entry["recorded_at"][11:23], entry["type"], "\n".join(changes))
    return table


def audit(console: Console, result: dict[str, Any]) -> None:
    """The audit's numbers and verdict."""
    orders = ", ".join(f"{count} {status}" for status, count in result["orders"].items())
    console.print(f"[bold]Audit[/]  {orders}")
    console.print(
        f"       captured {result['captured_minor'] / 100:.2f} EUR, refunded {result['refunded_minor'] / 100:.2f} EUR, "
        f"{result['refund_due']} refunds due, {result['dead_letters']} dead letters"
    )
    for violation in result["violations"]:
        console.print(f"       [red]{violation['rule']}[/]: {violation['detail']}")
    console.print(f"       {len(result['violations'])} violations")
