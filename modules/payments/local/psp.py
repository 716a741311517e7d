"""The payment provider over HTTP, as the simulator in `simulators/psp` speaks it.

Every way in which a call can fail is turned into a value of `provider.py`. Bodies are never logged
nor put into messages: requests carry the payment token.
"""

import threading
from typing import Any, Literal

import httpx2
from django.conf import settings
from pydantic import BaseModel, ValidationError

from modules.payments.errors import ProviderNotConfiguredError
from modules.payments.local.provider import (
    Captured,
    Charge,
    ChargeOutcome,
    Declined,
    Found,
    InFlight,
    NoAnswer,
    NothingFound,
    NotSent,
    PaymentProvider,
    Refund,
    Refunded,
    RefundOutcome,
    Refused,
    Trouble,
    Voided,
)

# Seconds per phase. Together below `claims.LEASE`; reading is where a slow bank is waited for.
TIMEOUT = httpx2.Timeout(connect=2.0, write=2.0, read=6.0, pool=1.0)

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)

_of_thread = threading.local()


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


class PspClient:
    """A PaymentProvider over one httpx2 client, which keeps its connection alive; one per thread."""

    def __init__(self, *, client: httpx2.Client) -> None:
        self._client = client

    def capture(self, *, charge: Charge) -> ChargeOutcome:
        body = {
            "merchant_reference": charge.reference,
            "amount_minor": charge.amount_minor,
            "currency": charge.currency,
            "token": charge.token,
        }
        answer = self._send("POST", "/v1/captures", headers={"Idempotency-Key": charge.key}, json=body)
        if isinstance(answer, httpx2.Response):
            return InFlight() if answer.status_code == 409 else _charge_outcome(answer, charge)
        return answer

    def find(self, *, charge: Charge) -> Found:
        answer = self._send("GET", "/v1/captures", params={"merchant_reference": charge.reference})
        return _found(answer, charge) if isinstance(answer, httpx2.Response) else answer

    def void(self, *, charge: Charge) -> ChargeOutcome:
        body = {"idempotency_key": charge.key, "merchant_reference": charge.reference}
        answer = self._send("POST", "/v1/voids", json=body)
        if isinstance(answer, httpx2.Response):
            return _void_outcome(answer, charge)
        return answer

    def refund(self, *, refund: Refund) -> RefundOutcome:
        body = {
            "capture_id": refund.capture_id,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
        }
        answer = self._send("POST", "/v1/refunds", headers={"Idempotency-Key": refund.key}, json=body)
        return _refund_outcome(answer, refund) if isinstance(answer, httpx2.Response) else answer

    def _send(self, method: str, path: str, **request: Any) -> httpx2.Response | NotSent | NoAnswer:
        try:
            return self._client.request(method, path, **request)
        except _NEVER_SENT as error:
            return NotSent(detail=f"{method} {path}: {type(error).__name__}")
        except httpx2.RequestError as error:
            return NoAnswer(detail=f"{method} {path}: {type(error).__name__}")


def connect(*, url: str) -> PspClient:
    """A client of the provider at `url`. It trusts no environment: proxies are not for payment tokens."""
    return PspClient(client=httpx2.Client(base_url=url, timeout=TIMEOUT, trust_env=False))


def provider_of_this_thread() -> PaymentProvider:
    """This thread's client of the provider at PSP_URL. Raises ProviderNotConfiguredError."""
    if not settings.PSP_URL:
        raise ProviderNotConfiguredError
    if getattr(_of_thread, "url", None) != settings.PSP_URL:
        _of_thread.client, _of_thread.url = connect(url=settings.PSP_URL), settings.PSP_URL
    client: PspClient = _of_thread.client
    return client


def _charge_outcome(answer: httpx2.Response, charge: Charge) -> ChargeOutcome:
    if not answer.is_success:
        return _trouble(answer)
    try:
        return _bound_to(_Capture.model_validate_json(answer.content), charge)
    except ValidationError as error:
        return _unreadable(answer, error)


def _void_outcome(answer: httpx2.Response, charge: Charge) -> ChargeOutcome:
    """409 says what the key is bound to, or that it is in flight."""
    if answer.status_code != 409:
        return _charge_outcome(answer, charge)
    try:
        return _bound_to(_Capture.model_validate_json(answer.content), charge)
    except ValidationError:
        return InFlight()


def _found(answer: httpx2.Response, charge: Charge) -> Found:
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


def _refund_outcome(answer: httpx2.Response, refund: Refund) -> RefundOutcome:
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
