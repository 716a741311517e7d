"""The values that travel between the wire, the rules and the ledger. Amounts are integer minor units."""

from __future__ import annotations

import hashlib
import json
from typing import Literal, NamedTuple

Kind = Literal["capture", "decline", "void", "refund"]

NO_CURRENCY = "XXX"
"""ISO 4217's code for "no currency involved": a void knows no amount and no currency."""


class Entry(NamedTuple):
    """One line of the ledger. `seq` is 0 until the ledger has numbered it."""

    seq: int
    kind: Kind
    id: str
    capture_id: str
    idempotency_key: str
    merchant_reference: str
    amount_minor: int
    currency: str
    at: str
    decline_code: str | None
    fingerprint: str


class CaptureRequest(NamedTuple):
    """What a merchant asks to be captured; `token` stands for the card and is never written down."""

    merchant_reference: str
    amount_minor: int
    currency: str
    token: str

    def fingerprint(self) -> str:
        """SHA-256 of the request: recognises the same body again after a restart, without the token."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()


class RefundRequest(NamedTuple):
    """What a merchant asks to be given back of one capture."""

    capture_id: str
    amount_minor: int
    currency: str
