"""Events of orders as they arrive here: through the real inbox, as plain data."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections

from django_seams.bus import handlers_of
from django_seams.inbox import HandlerFailure, append, deliveries_of, work
from modules.payments.models import Payment

TOKEN = "tok_ok"
DEADLINE = timedelta(seconds=120)


def a_placed_order(**changes: Any) -> dict[str, Any]:
    """The body of an ``orders.order_placed.v1``, as its publisher wrote it."""
    return {
        "order_id": str(uuid.uuid4()),
        "customer_id": str(uuid.uuid4()),
        "lines": [{"sku": "TEA", "quantity": 1, "unit_price_minor": 1999}],
        "total_minor": 1999,
        "currency": "EUR",
        "deadline_at": (datetime.now(UTC) + DEADLINE).isoformat(),
        "payment_token": TOKEN,
    } | changes


def placed_arrives(order: dict[str, Any]) -> None:
    """Another ``order_placed`` of this order: a new event, not a delivery that the inbox has seen."""
    _must_succeed(arrives("orders.order_placed.v1", order))


def cancelled_arrives(order: dict[str, Any]) -> None:
    """Another ``order_cancelled`` of this order."""
    body = {"order_id": order["order_id"], "reason": "customer"}
    _must_succeed(arrives("orders.order_cancelled.v1", body))


def arrives(event_type: str, body: dict[str, Any], *, event_id: UUID | None = None) -> list[HandlerFailure]:
    """Put one event into payments' inbox and work on it; answers what failed."""
    event_id = event_id or uuid.uuid4()
    headers = {"source": "/modules/orders", "subject": body["order_id"], "time": datetime.now(UTC).isoformat()}
    routes = [wish for wish in handlers_of("payments").values() if wish.event_type == event_type]
    assert routes, f"payments does not subscribe to {event_type}"
    deliveries = deliveries_of(event_id=event_id, event_type=event_type, body=body, headers=headers, routes=routes)
    with connections["payments"].cursor() as cursor:
        append(cursor, source="orders", deliveries=list(deliveries))
    return work(module="payments")[1]


def payment_of(order: dict[str, Any]) -> Payment:
    return Payment.objects.get(order_id=order["order_id"])


def published_about(order: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Type and body of all that payments published about the order, in order."""
    with connections["payments"].cursor() as cursor:
        cursor.execute(
            "SELECT destination, body::text FROM published WHERE body->>'order_id' = %s ORDER BY seq",
            [order["order_id"]],
        )
        return [(destination, json.loads(body)) for destination, body in cursor.fetchall()]


def types_about(order: dict[str, Any]) -> list[str]:
    return [event_type.split(".")[1] for event_type, _ in published_about(order)]


def _must_succeed(failures: list[HandlerFailure]) -> None:
    for failure in failures:
        raise failure.error
