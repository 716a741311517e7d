"""Reads what the audit judges: the modules' doors, one after another, and the provider's ledger."""

import time
from typing import Any

import httpx2
from django.conf import settings
from django.utils import timezone

from django_seams.inbox import dead_letter_count
from django_seams.modules import module_aliases
from modules.inventory import api as inventory
from modules.orders import api as orders
from modules.payments import api as payments
from monolith.audit import Facts, LedgerEntry, Violation, find_violations


class LedgerUnreadableError(Exception):
    """The provider's ledger cannot be read; check PSP_URL and that the provider runs."""


def read_facts() -> Facts:
    """Everything, read one after another and not at one moment. Raises LedgerUnreadableError."""
    return Facts(
        now=timezone.now(),
        orders=list(orders.orders()),
        payments=list(payments.payments()),
        stock=inventory.stock_levels(),
        reservations=list(inventory.reservations()),
        ledger=_read_ledger(settings.PSP_URL),
        dead_letters=sum(dead_letter_count(alias) for alias in module_aliases()),
    )


def settled_facts(*, seconds: float) -> tuple[Facts, list[Violation]]:
    """Facts and what is wrong, read again for up to ``seconds`` while anything is.

    The readings are not of one moment, so what is under way may look wrong: it counts only if it is
    still there, word for word, in the last reading. Raises LedgerUnreadableError.
    """
    give_up_at = time.monotonic() + seconds
    facts = read_facts()
    violations = find_violations(facts)
    while violations and time.monotonic() < give_up_at:
        time.sleep(0.5)
        facts = read_facts()
        violations = [violation for violation in find_violations(facts) if violation in violations]
    return facts, violations


def _read_ledger(url: str) -> list[LedgerEntry]:
    try:
        answer = httpx2.get(f"{url}/v1/ledger", timeout=10, trust_env=False).raise_for_status()
    except httpx2.HTTPError as error:
        raise LedgerUnreadableError(f"{LedgerUnreadableError.__doc__} ({error})") from error
    return [_entry(entry) for entry in answer.json()["entries"]]


def _entry(entry: dict[str, Any]) -> LedgerEntry:
    return LedgerEntry(**{name: entry[name] for name in LedgerEntry.__dataclass_fields__})
