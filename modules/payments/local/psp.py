"""The payment provider over HTTP, as the simulator in `simulators/psp` speaks it.

Every way in which a call can fail is turned into a value of `provider.py`. Bodies are never logged
nor put into messages: requests carry the payment token.
"""

import threading
from typing import Any

import httpx2
from django.conf import settings

from modules.payments.errors import ProviderNotConfiguredError
from modules.payments.local.provider import (
    Charge,
    ChargeOutcome,
    Found,
    InFlight,
    NoAnswer,
    NotSent,
    PaymentProvider,
    Refund,
    RefundOutcome,
)
from modules.payments.local.psp_answers import charge_outcome, found, refund_outcome, void_outcome

# Seconds per phase. Together below `claims.LEASE`; reading is where a slow bank is waited for.
TIMEOUT = httpx2.Timeout(connect=2.0, write=2.0, read=6.0, pool=1.0)

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)

_of_thread = threading.local()


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
            return InFlight() if answer.status_code == 409 else charge_outcome(answer=answer, charge=charge)
        return answer

    def find(self, *, charge: Charge) -> Found:
        answer = self._send("GET", "/v1/captures", params={"merchant_reference": charge.reference})
        return found(answer=answer, charge=charge) if isinstance(answer, httpx2.Response) else answer

    def void(self, *, charge: Charge) -> ChargeOutcome:
        body = {"idempotency_key": charge.key, "merchant_reference": charge.reference}
        answer = self._send("POST", "/v1/voids", json=body)
        if isinstance(answer, httpx2.Response):
            return void_outcome(answer=answer, charge=charge)
        return answer

    def refund(self, *, refund: Refund) -> RefundOutcome:
        body = {
            "capture_id": refund.capture_id,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
        }
        answer = self._send("POST", "/v1/refunds", headers={"Idempotency-Key": refund.key}, json=body)
        return refund_outcome(answer=answer, refund=refund) if isinstance(answer, httpx2.Response) else answer

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
