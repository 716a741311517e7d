"""The port: what payments does about an order, in the monolith's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from modules.payments.types import Route

if TYPE_CHECKING:
    from modules.payments.models import Payment


class PaymentsGateway(Protocol):
    """Somebody who makes the provider agree with what is wanted. One implementation per route."""

    def want(self, *, payment: Payment) -> None:
        """Hear that `payment.wanted` was written, in the transaction that wrote it.

        Only writes and publishes; calling out, and telling of the result, comes later.
        """


gateways: dict[Route, PaymentsGateway] = {}
"""Who does the work, by the route that a payment is pinned to. Filled by `apps.py`."""
