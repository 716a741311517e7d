"""``manage.py audit``: does everything hold that must always hold?"""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from monolith.audit import report
from monolith.facts import LedgerUnreadableError, settled_facts


class Command(BaseCommand):
    help = "Compare orders, payments, stock and the provider's ledger; exit code 1 when something is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--settle",
            type=float,
            default=5.0,
            metavar="SECONDS",
            help="what is wrong counts if it still is after so long; below that it may be on its way (default 5)",
        )

    def handle(self, *args: Any, json: bool, settle: float, **options: Any) -> None:
        try:
            facts, violations = settled_facts(seconds=settle)
        except LedgerUnreadableError as error:
            raise CommandError(str(error), returncode=2) from error
        result = report(facts, violations)
        self.stdout.write(_as_json(result) if json else _as_text(result))
        if violations:
            sys.exit(1)


def _as_json(result: dict[str, Any]) -> str:
    return json.dumps(result, indent=2)


def _as_text(result: dict[str, Any]) -> str:
    orders = ", ".join(f"{count} {status}" for status, count in result["orders"].items())
    money = f"captured {result['captured_minor']}, refunded {result['refunded_minor']} (minor units)"
    lines = [
        f"orders: {orders}",
        f"{money}; {result['refund_due']} refunds due; {result['dead_letters']} dead letters",
        *(f"VIOLATED {violation['rule']}: {violation['detail']}" for violation in result["violations"]),
    ]
    return "\n".join([*lines, f"{len(result['violations'])} violations"])
