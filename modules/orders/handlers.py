"""What orders does about the events of others: the order is the saga's process manager.

Orders is where every order begins, so an event about an unknown order is a fault of somebody and
ends as a dead letter. Events arrive in any order across their sources, twice, or late.
"""

from typing import Any
from uuid import UUID

from django_seams.bus import subscribe
from django_seams.events import Envelope, View
from modules.orders import catalogue, services
from modules.orders.lifecycle import Trigger


class ProductUpdated(View):
    sku: str
    unit_price_minor: int
    currency: str
    version: int


class OrderEvent(View):
    """What every event about an order has."""

    order_id: UUID


class StockReserved(OrderEvent):
    pass


class StockRejected(OrderEvent):
    missing: list[dict[str, Any]]


class PaymentSucceeded(OrderEvent):
    amount_minor: int
    currency: str


class PaymentFailed(OrderEvent):
    reason: str


class PaymentRefunded(OrderEvent):
    amount_minor: int
    currency: str


@subscribe("inventory.product_updated.v1")
def keep_product(event: ProductUpdated, envelope: Envelope) -> None:
    """Keep the replica of the catalogue up to date; an older version changes nothing."""
    catalogue.keep_product(**dict(event))


@subscribe("inventory.stock_reserved.v1")
def confirm_order(event: StockReserved, envelope: Envelope) -> None:
    """Stock is reserved only for what is paid: confirm."""
    _follow(event, envelope, Trigger.STOCK_RESERVED)


@subscribe("inventory.stock_rejected.v1")
def cancel_out_of_stock_order(event: StockRejected, envelope: Envelope) -> None:
    """Cancel; payments refunds when it learns of it."""
    _follow(event, envelope, Trigger.STOCK_REJECTED)


@subscribe("payments.payment_succeeded.v1")
def mark_order_paid(event: PaymentSucceeded, envelope: Envelope) -> None:
    """Note that the money is there."""
    _follow(event, envelope, Trigger.PAYMENT_SUCCEEDED)


@subscribe("payments.payment_failed.v1")
def cancel_unpaid_order(event: PaymentFailed, envelope: Envelope) -> None:
    """Cancel. A payment that only ran out of time ends the order for the reason our own clock would."""
    late = event.reason == "deadline"
    _follow(event, envelope, Trigger.DEADLINE_PASSED if late else Trigger.PAYMENT_FAILED)


@subscribe("payments.payment_refunded.v1")
def record_refund(event: PaymentRefunded, envelope: Envelope) -> None:
    """Show on the order what was given back."""
    services.record_refund(order_id=event.order_id, amount_minor=event.amount_minor, event=event, envelope=envelope)


def _follow(event: OrderEvent, envelope: Envelope, trigger: Trigger) -> None:
    services.follow_event(order_id=event.order_id, event=event, envelope=envelope, trigger=trigger)
