"""What orders' tests share: a catalogue, orders, and events as they come out of the inbox."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connections
from rest_framework.test import APIClient

from django_seams.bus import Handler, handling
from django_seams.events import Envelope, module_of
from django_seams.modules import atomic
from modules.orders import catalogue, handlers, services
from modules.orders.models import Order, TimelineEntry
from modules.orders.types import OrderDetails, WantedLine

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TOKEN = "tok_never_to_be_seen"

_PUBLISHED = """
SELECT id, destination, body::text, headers::text FROM published
WHERE %s::text IS NULL OR headers ->> 'subject' = %s ORDER BY seq
"""

# event type -> its handler and the view's fields besides order_id
FOREIGN: dict[str, tuple[Handler, type[handlers.OrderEvent], dict[str, Any]]] = {
    "payments.payment_succeeded.v1": (
        handlers.mark_order_paid,
        handlers.PaymentSucceeded,
        {"amount_minor": 2500, "currency": "EUR"},
    ),
    "payments.payment_failed.v1": (
        handlers.cancel_unpaid_order,
        handlers.PaymentFailed,
        {"reason": "declined"},
    ),
    "payments.payment_refunded.v1": (
        handlers.record_refund,
        handlers.PaymentRefunded,
        {"amount_minor": 2500, "currency": "EUR"},
    ),
    "inventory.stock_reserved.v1": (handlers.confirm_order, handlers.StockReserved, {}),
    "inventory.stock_rejected.v1": (
        handlers.cancel_out_of_stock_order,
        handlers.StockRejected,
        {"missing": [{"sku": "TEA", "requested": 2, "available": 0}]},
    ),
}


@dataclass(frozen=True, kw_only=True)
class PublishedEvent:
    """A row of the outbox."""

    id: UUID
    type: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True)
class Customer:
    """What a module knows of a user: an id, and that somebody vouched for it."""

    id: UUID = field(default_factory=uuid4)
    is_authenticated: bool = True

    @property
    def pk(self) -> UUID:
        return self.id


def client_of(customer: Customer) -> APIClient:
    client = APIClient()
    client.force_authenticate(user=customer)  # type: ignore[arg-type]
    return client


def sell(*, sku: str = "TEA", unit_price_minor: int = 1250, currency: str = "EUR", version: int = 1) -> None:
    with atomic("orders"):
        catalogue.keep_product(sku=sku, unit_price_minor=unit_price_minor, currency=currency, version=version)


def place(*, customer_id: UUID | None = None, quantity: int = 2, now: datetime = NOW) -> OrderDetails:
    """An order for TEA, which is on sale from now on if it was not before."""
    sell()
    with atomic("orders"):
        return services.place_order(
            customer_id=customer_id or uuid4(),
            lines=[WantedLine(sku="TEA", quantity=quantity)],
            currency="EUR",
            payment_token=TOKEN,
            now=now,
        )


def envelope(event_type: str, order_id: UUID, *, event_id: UUID | None = None) -> Envelope:
    return Envelope(
        id=event_id or uuid4(),
        type=event_type,
        source=f"/modules/{module_of(event_type)}",
        subject=str(order_id),
        time=NOW,
    )


def deliver(event_type: str, order_id: UUID, *, event_id: UUID | None = None, **facts: Any) -> UUID:
    """Hand one event to its handler as the worker does; answers the event's id."""
    handler, view, usual = FOREIGN[event_type]
    wrapped = envelope(event_type, order_id, event_id=event_id)
    with atomic("orders"), handling(wrapped):
        handler(view.model_validate({"order_id": order_id, **usual, **facts}), wrapped)
    return wrapped.id


def published(order_id: UUID | None = None) -> list[PublishedEvent]:
    """What orders published, about one order or at all, in commit order."""
    subject = str(order_id) if order_id else None
    with connections["orders"].cursor() as cursor:
        cursor.execute(_PUBLISHED, [subject, subject])
        return [
            PublishedEvent(id=row[0], type=row[1], body=json.loads(row[2]), headers=json.loads(row[3]))
            for row in cursor.fetchall()
        ]


def types_published(order_id: UUID) -> list[str]:
    return [event.type for event in published(order_id)]


def status_of(order_id: UUID) -> tuple[str, str | None]:
    order = Order.objects.get(pk=order_id)
    return order.status, order.reason


def timeline_of(order_id: UUID) -> list[TimelineEntry]:
    return list(TimelineEntry.objects.filter(order_id=order_id))
