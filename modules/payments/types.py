"""What crosses payments' door: frozen values, free of Django."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Wanted(StrEnum):
    """What the order's owner wants of its payment. Goes from captured to refunded, never back."""

    CAPTURED = "captured"
    REFUNDED = "refunded"
    """Nothing may stay captured: void what has not begun, refund what was captured."""


class State(StrEnum):
    """What is known of one payment; `lifecycle.py` says which of them are at rest."""

    UNSEEN = "unseen"
    """The order was cancelled before it was seen here: a tombstone. At rest."""
    REQUESTED = "requested"
    """The provider knows nothing of the charge's key."""
    CHARGING = "charging"
    """A call with the charge's key may have reached the provider; how it ended is not known."""
    CAPTURED = "captured"
    """The money was taken. At rest, unless a refund is wanted."""
    DECLINED = "declined"
    """The provider refused the charge. Final."""
    VOIDED = "voided"
    """The charge's key is spent on nothing, so nothing can ever be captured with it. Final."""
    REFUNDED = "refunded"
    """The money was taken and given back. Final."""


class Route(StrEnum):
    """Who does the work of a payment; decided once per order and kept."""

    LOCAL = "local"


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentSummary:
    """One payment as the roof may see it. Amounts in minor units of `currency` (ISO 4217).

    A payment in state `unseen` has amount 0 and an empty currency.
    """

    payment_id: UUID
    order_id: UUID
    state: State
    wanted: Wanted
    route: Route
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
