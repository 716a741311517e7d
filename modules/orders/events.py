"""What orders publishes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from django_seams.events import SENSITIVE, Event
from modules.orders.types import Reason


class PlacedLine(BaseModel):
    """One line of a placed order, with the price that the customer was shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: str
    quantity: Annotated[int, Field(ge=1)]
    unit_price_minor: Annotated[int, Field(ge=0)]


class OrderPlaced(Event, type="orders.order_placed.v1", key="order_id"):
    """A customer placed an order; it ends confirmed or cancelled, cancelled at the latest at its deadline.

    Money is integer minor units of ``currency`` (ISO 4217). ``payment_token`` is the provider's
    single-use reference and is worth nothing after ``deadline_at``.
    """

    order_id: UUID
    customer_id: UUID
    lines: Annotated[tuple[PlacedLine, ...], Field(min_length=1)]
    total_minor: Annotated[int, Field(ge=0)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    deadline_at: datetime
    payment_token: Annotated[str, SENSITIVE]


class OrderConfirmed(Event, type="orders.order_confirmed.v1", key="order_id"):
    """The order is paid and its stock reserved; nothing cancels it any more."""

    order_id: UUID


class OrderCancelled(Event, type="orders.order_cancelled.v1", key="order_id"):
    """The order ended without delivery: what was reserved is free again, what was captured is due back."""

    order_id: UUID
    reason: Reason
