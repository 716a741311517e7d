"""The door of payments: the only module of it that the roof may import, with `types.py`."""

from collections.abc import Iterator

from modules.payments import queries
from modules.payments.types import PaymentSummary, Route, State, Wanted

__all__ = ["PaymentSummary", "Route", "State", "Wanted", "payments"]


def payments() -> Iterator[PaymentSummary]:
    """All payments, oldest first; tombstones of orders not seen yet included. Reads as it is iterated."""
    return queries.payment_summaries()
