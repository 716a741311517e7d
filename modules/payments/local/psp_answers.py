"""What the provider's HTTP answers mean: each becomes one of the endings in `provider.py`.

What cannot be read leaves the outcome open, and so does whatever may be better a moment later.
"""

from typing import Literal

import httpx2
from pydantic import BaseModel, ValidationError

from modules.payments.local.provider import (
    Captured,
    Charge,
    ChargeOutcome,
    Declined,
    Found,
    InFlight,
    NoAnswer,
    NothingFound,
    Refund,
    Refunded,
    RefundOutcome,
    Refused,
    Trouble,
    Voided,
)


class _Capture(BaseModel):
    """The provider's record of a charge's key. A void knows no amount."""

    id: str
    status: Literal["captured", "declined", "voided"]
    idempotency_key: str
    merchant_reference: str
    amount_minor: int
    currency: str
    decline_code: str | None = None


class _Captures(BaseModel):
    captures: list[_Capture]


class _Refund(BaseModel):
    id: str
    status: Literal["refunded"]
    capture_id: str
    amount_minor: int
    currency: str


def charge_outcome(*, answer: httpx2.Response, charge: Charge) -> ChargeOutcome:
    if not answer.is_success:
        return _trouble(answer)
    try:
        return _bound_to(_Capture.model_validate_json(answer.content), charge)
    except ValidationError as error:
        return _unreadable(answer, error)


def void_outcome(*, answer: httpx2.Response, charge: Charge) -> ChargeOutcome:
    """409 says what the key is bound to, or that it is in flight."""
    if answer.status_code != 409:
        return charge_outcome(answer=answer, charge=charge)
    try:
        return _bound_to(_Capture.model_validate_json(answer.content), charge)
    except ValidationError:
        return InFlight()


def found(*, answer: httpx2.Response, charge: Charge) -> Found:
    if not answer.is_success:
        return _trouble(answer)
    try:
        records = _Captures.model_validate_json(answer.content).captures
    except ValidationError as error:
        return _unreadable(answer, error)
    ours = [record for record in records if record.idempotency_key == charge.key]
    return _bound_to(ours[0], charge) if ours else NothingFound()


def _bound_to(record: _Capture, charge: Charge) -> Captured | Declined | Voided | Refused:
    if (record.idempotency_key, record.merchant_reference) != (charge.key, charge.reference):
        return Refused(detail=f"the record {record.id} belongs to another charge")
    if record.status == "voided":
        return Voided()
    if (record.amount_minor, record.currency) != (charge.amount_minor, charge.currency):
        return Refused(detail=f"the record {record.id} is of {record.amount_minor} {record.currency}")
    if record.status == "declined":
        return Declined(code=record.decline_code or "")
    return Captured(capture_id=record.id)


def refund_outcome(*, answer: httpx2.Response, refund: Refund) -> RefundOutcome:
    if answer.status_code == 409:
        return InFlight()
    if not answer.is_success:
        return _trouble(answer)
    try:
        record = _Refund.model_validate_json(answer.content)
    except ValidationError as error:
        return _unreadable(answer, error)
    if (record.capture_id, record.amount_minor) != (refund.capture_id, refund.amount_minor):
        return Refused(detail=f"the record {record.id} is of another refund")
    return Refunded(refund_id=record.id)


def _trouble(answer: httpx2.Response) -> Trouble:
    """What is wrong for good, and what may be right a moment later."""
    is_passing = answer.is_server_error or answer.status_code in (408, 425, 429)
    return NoAnswer(detail=_what(answer)) if is_passing else Refused(detail=_what(answer))


def _unreadable(answer: httpx2.Response, error: ValidationError) -> NoAnswer:
    wrong = ", ".join(".".join(str(part) for part in item["loc"]) or item["type"] for item in error.errors())
    return NoAnswer(detail=f"{_what(answer)} with an unreadable body ({wrong})")


def _what(answer: httpx2.Response) -> str:
    return f"{answer.request.method} {answer.request.url.path}: HTTP {answer.status_code}"
