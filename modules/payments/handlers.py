"""What payments hears. The handlers write what is wanted; a driver makes the provider agree."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.utils import timezone
from pydantic import Field

from django_seams.bus import subscribe
from django_seams.events import SENSITIVE, Envelope, View
from modules.payments import services


class OrderPlaced(View):
    """What payments needs of a placed order."""

    order_id: UUID
    customer_id: UUID
    total_minor: Annotated[int, Field(gt=0)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    deadline_at: datetime
    payment_token: Annotated[str, SENSITIVE]


class OrderCancelled(View):
    """What payments needs of a cancelled order."""

    order_id: UUID


@subscribe("orders.order_placed.v1")
def charge_order(event: OrderPlaced, envelope: Envelope) -> None:
    """The order's money is wanted, unless the order is known to be cancelled."""
    services.want_capture(
        order_id=event.order_id,
        customer_id=event.customer_id,
        amount_minor=event.total_minor,
        currency=event.currency,
        payment_token=event.payment_token,
        deadline_at=event.deadline_at,
        now=timezone.now(),
    )


@subscribe("orders.order_cancelled.v1", compensates=True)
def refund_order(event: OrderCancelled, envelope: Envelope) -> None:
    """The order's money is not wanted any more, whether it was taken, will be, or is not known yet."""
    services.want_refund(order_id=event.order_id, now=timezone.now())
