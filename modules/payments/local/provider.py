"""The port to the payment provider: what it can be asked, and all the ways in which that can end.

A call never raises for what the provider or the network does: every ending is a value, and those
that leave something open say so. Messages in `detail` hold no part of a request's or answer's body.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """What is to be captured, once per `key`. Amount in minor units of `currency` (ISO 4217).

    `token` is the payment token; it is empty where nothing is to be captured any more.
    """

    key: str
    reference: str
    amount_minor: int
    currency: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refund:
    """What is to be given back of a capture, once per `key`."""

    key: str
    capture_id: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Captured:
    """The key is bound to a capture of the whole amount."""

    capture_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Declined:
    """The key is bound to a refusal of the card."""

    code: str


@dataclass(frozen=True, slots=True)
class Voided:
    """The key is bound to nothing: it will never capture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refunded:
    """The refund's key is bound to a refund of the whole amount."""

    refund_id: str


@dataclass(frozen=True, slots=True)
class NothingFound:
    """The provider has no record of the charge. A request may still be on its way or in flight."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """The provider is working on another request with this key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NotSent:
    """The provider could not be reached, and this request surely was not."""

    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NoAnswer:
    """The request may have arrived and may have had its effect: no answer, or none of any use."""

    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """The provider calls the request wrong, or answers with a record that is not ours: look into it."""

    detail: str


Trouble = NotSent | NoAnswer | Refused
ChargeOutcome = Captured | Declined | Voided | InFlight | Trouble
Found = Captured | Declined | Voided | NothingFound | Trouble
RefundOutcome = Refunded | InFlight | Trouble
Outcome = ChargeOutcome | Found | RefundOutcome


class PaymentProvider(Protocol):
    """A provider with idempotency keys that bind on captured, declined, voided, never on an error."""

    def capture(self, *, charge: Charge) -> ChargeOutcome:
        """Capture; the same charge again answers what its key is bound to."""

    def find(self, *, charge: Charge) -> Found:
        """Ask what the charge's key is bound to, looking it up by its reference. Changes nothing."""

    def void(self, *, charge: Charge) -> ChargeOutcome:
        """Bind the charge's key to nothing; if it is bound already, answers to what."""

    def refund(self, *, refund: Refund) -> RefundOutcome:
        """Give back; the same refund again answers the first one's record."""
