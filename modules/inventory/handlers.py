"""What inventory does with the events of others: each becomes a command of its own in `services.py`.

Orders' events come in their order, payments' in theirs, the two in any; `lifecycle.py` copes.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from django_seams.bus import subscribe
from django_seams.events import Envelope, View
from modules.inventory import services
from modules.inventory.types import ReservationLine


class PlacedLine(View):
    sku: str
    quantity: Annotated[int, Field(gt=0)]


class OrderPlaced(View):
    order_id: UUID
    lines: list[PlacedLine]


class PaymentSucceeded(View):
    order_id: UUID


class OrderConfirmed(View):
    order_id: UUID


class OrderCancelled(View):
    order_id: UUID


@subscribe("orders.order_placed.v1")
def want_stock(event: OrderPlaced, envelope: Envelope) -> None:
    lines = [ReservationLine(sku=line.sku, quantity=line.quantity) for line in event.lines]
    services.want_stock(order_id=event.order_id, lines=lines)


@subscribe("payments.payment_succeeded.v1")
def reserve_stock(event: PaymentSucceeded, envelope: Envelope) -> None:
    services.note_payment(order_id=event.order_id)


@subscribe("orders.order_confirmed.v1")
def sell_stock(event: OrderConfirmed, envelope: Envelope) -> None:
    services.sell_stock(order_id=event.order_id)


@subscribe("orders.order_cancelled.v1", compensates=True)
def release_stock(event: OrderCancelled, envelope: Envelope) -> None:
    services.release_stock(order_id=event.order_id)
