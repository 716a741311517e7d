"""Reads what the audit judges: the modules' doors, one after another, and the provider's ledger."""

from typing import Any

import httpx2
from django.conf import settings
from django.utils import timezone

from django_seams.inbox import dead_letter_count
from django_seams.modules import module_aliases
from modules.inventory import api as inventory
from modules.orders import api as orders
from modules.payments import api as payments
from monolith.audit import Facts, LedgerEntry


class LedgerUnreadableError(Exception):
    """The provider's ledger cannot be read; check PSP_URL and that the provider runs."""


def read_facts() -> Facts:
    """Everything, in the order in which it comes about backwards: no order is newer than its payment's reading.

    Raises LedgerUnreadableError.
    """
    return Facts(
        now=timezone.now(),
        orders=list(orders.orders()),
        payments=list(payments.payments()),
        stock=inventory.stock_levels(),
        reservations=list(inventory.reservations()),
        ledger=_read_ledger(settings.PSP_URL),
        dead_letters=sum(dead_letter_count(alias) for alias in module_aliases()),
    )


def _read_ledger(url: str) -> list[LedgerEntry]:
    try:
        answer = httpx2.get(f"{url}/v1/ledger", timeout=10, trust_env=False).raise_for_status()
    except httpx2.HTTPError as error:
        raise LedgerUnreadableError(f"{LedgerUnreadableError.__doc__} ({error})") from error
    return [_entry(entry) for entry in answer.json()["entries"]]


def _entry(entry: dict[str, Any]) -> LedgerEntry:
    return LedgerEntry(**{name: entry[name] for name in LedgerEntry.__dataclass_fields__})
