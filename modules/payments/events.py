"""What payments publishes. Free of Django; `contracts/events/` holds the schemas made from this."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from django_seams.events import Event

AmountMinor = Annotated[int, Field(gt=0, description="in minor units of the currency")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]


class PaymentSucceeded(Event, type="payments.payment_succeeded.v1", key="order_id"):
    """The order's money was captured, once and in full; perhaps after the order was cancelled."""

    order_id: UUID
    payment_id: UUID
    amount_minor: AmountMinor
    currency: Currency


class PaymentFailed(Event, type="payments.payment_failed.v1", key="order_id"):
    """Nothing was captured for the order, and nothing ever will be.

    `declined`: the provider said no. `deadline`: it was not captured in time. `cancelled`: the
    order was cancelled before its money was captured.
    """

    order_id: UUID
    payment_id: UUID
    reason: Literal["declined", "deadline", "cancelled"]


class PaymentRefunded(Event, type="payments.payment_refunded.v1", key="order_id"):
    """All that was captured for the cancelled order was given back."""

    order_id: UUID
    payment_id: UUID
    amount_minor: AmountMinor
    currency: Currency
