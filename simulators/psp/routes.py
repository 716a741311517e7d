"""Which request goes to which rule of the provider, and which answer its outcome or its refusal is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from simulators.psp import messages
from simulators.psp.answers import Answer, ProblemError, json_answer, problem_answer
from simulators.psp.errors import (
    CaptureNotFoundError,
    KeyBoundError,
    KeyInFlightError,
    KeyReusedError,
    LedgerError,
    ProviderFaultError,
    PspError,
    RefundRefusedError,
)
from simulators.psp.provider import Outcome, Provider
from simulators.psp.records import Entry
from simulators.psp.wire import Request

_log = logging.getLogger("psp")

_ONE_CAPTURE = "/v1/captures/"
_ALWAYS_REACHABLE = ("/livez", "/v1/control")
_STATUSES = {"capture": "captured", "decline": "declined", "void": "voided", "refund": "refunded"}
_PROBLEMS: dict[type[PspError], tuple[int, str]] = {
    KeyReusedError: (422, "key-reused"),
    KeyInFlightError: (409, "in-flight"),
    CaptureNotFoundError: (404, "capture-not-found"),
    RefundRefusedError: (422, "refund-refused"),
    ProviderFaultError: (500, "provider-fault"),
}


class Application:
    """Answers requests; `outage` and `delay_ms` are its switches. Safe to share between threads."""

    def __init__(self, *, provider: Provider, on_fatal: Callable[[LedgerError], None], delay_ms: int = 0) -> None:
        self._provider = provider
        self._on_fatal = on_fatal
        self.outage = False
        self.delay_ms = delay_ms
        self._routes: dict[str, dict[str, Callable[[Request], Answer | None]]] = {
            "/v1/captures": {"POST": self._capture, "GET": self._find_captures},
            _ONE_CAPTURE: {"GET": self._show_capture},
            "/v1/voids": {"POST": self._void},
            "/v1/refunds": {"POST": self._refund},
            "/v1/ledger": {"GET": self._ledger},
            "/v1/control": {"GET": self._show_control, "POST": self._set_control},
            "/livez": {"GET": self._livez},
        }

    def answer(self, *, request: Request) -> Answer | None:
        """The answer, or None: close the connection without one. Raises nothing."""
        try:
            if request.path not in _ALWAYS_REACHABLE:
                self._misbehave()
            return self._handler(request)(request)
        except LedgerError as error:
            # Any answer would claim to know whether money moved; that is known at the next start.
            self._on_fatal(error)
            return None
        except ProblemError as problem:
            return problem_answer(problem=problem)
        except PspError as error:
            return problem_answer(problem=_as_problem(error))
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            fault = ProblemError(status=500, kind="fault", detail="A fault of the simulator: see its log.")
            return problem_answer(problem=fault)

    def _misbehave(self) -> None:
        if self.delay_ms:
            time.sleep(self.delay_ms / 1000)
        # Looked at after the delay: once the outage is on, nothing that was still on its way is begun.
        if self.outage:
            raise ProblemError(status=503, kind="outage", detail="Out of order. Try again later.")

    def _handler(self, request: Request) -> Callable[[Request], Answer | None]:
        methods = self._routes.get(_ONE_CAPTURE if request.path.startswith(_ONE_CAPTURE) else request.path)
        if methods is None:
            raise ProblemError(status=404, kind="not-found", detail=f"There is {', '.join(self._routes)}.")
        handler = methods.get(request.method)
        if handler is None:
            allowed = ", ".join(methods)
            raise ProblemError(
                status=405, kind="method", detail=f"Use {allowed} here.", headers=f"Allow: {allowed}\r\n"
            )
        return handler

    def _capture(self, request: Request) -> Answer | None:
        key = messages.idempotency_key(headers=request.headers)
        outcome = self._provider.capture(key=key, request=messages.capture_request(body=request.body))
        return None if outcome.is_response_lost else _created(outcome)

    def _find_captures(self, request: Request) -> Answer:
        reference = messages.text_parameter(query=request.query, name="merchant_reference")
        found = self._provider.captures_of(merchant_reference=reference)
        return json_answer(status=200, content={"captures": [_record(entry) for entry in found]})

    def _show_capture(self, request: Request) -> Answer:
        entry = self._provider.capture_with_id(capture_id=request.path.removeprefix(_ONE_CAPTURE))
        return json_answer(status=200, content=_record(entry))

    def _void(self, request: Request) -> Answer:
        wanted = messages.void_request(body=request.body)
        key = wanted["idempotency_key"]
        try:
            outcome = self._provider.void(key=key, merchant_reference=wanted["merchant_reference"])
        except KeyBoundError as error:
            return json_answer(status=409, content=_record(error.entry))
        except KeyInFlightError as error:
            return json_answer(
                status=409, content={"status": "in_flight", "idempotency_key": key, "detail": str(error)}
            )
        return json_answer(status=200, content=_record(outcome.entry))

    def _refund(self, request: Request) -> Answer:
        key = messages.idempotency_key(headers=request.headers)
        return _created(self._provider.refund(key=key, request=messages.refund_request(body=request.body)))

    def _ledger(self, request: Request) -> Answer:
        after, limit = messages.page(query=request.query)
        entries = self._provider.ledger_entries(after=after, limit=limit)
        return json_answer(status=200, content={"entries": [_ledger_line(entry) for entry in entries]})

    def _show_control(self, request: Request) -> Answer:
        return json_answer(status=200, content={"outage": self.outage, "delay_ms": self.delay_ms})

    def _set_control(self, request: Request) -> Answer:
        wanted = messages.control_request(body=request.body)
        self.outage = bool(wanted.get("outage", self.outage))
        self.delay_ms = wanted.get("delay_ms", self.delay_ms)
        return self._show_control(request)

    def _livez(self, request: Request) -> Answer:
        return json_answer(status=200, content={"status": "ok"})


def _created(outcome: Outcome) -> Answer:
    return json_answer(status=201 if outcome.is_new else 200, content=_record(outcome.entry))


def _record(entry: Entry) -> dict[str, object]:
    record: dict[str, object] = {
        "id": entry.id,
        "status": _STATUSES[entry.kind],
        "idempotency_key": entry.idempotency_key,
        "merchant_reference": entry.merchant_reference,
        "amount_minor": entry.amount_minor,
        "currency": entry.currency,
        "created_at": entry.at,
    }
    if entry.kind == "refund":
        record["capture_id"] = entry.capture_id
    else:
        record["decline_code"] = entry.decline_code
    return record


def _ledger_line(entry: Entry) -> dict[str, object]:
    """The fingerprint stays here: it could be used to guess a token."""
    line = entry._asdict()
    del line["fingerprint"], line["decline_code"]
    return line


def _as_problem(error: PspError) -> ProblemError:
    status, kind = _PROBLEMS[type(error)]
    errors = {error.field: str(error)} if isinstance(error, RefundRefusedError) else None
    return ProblemError(status=status, kind=kind, detail=str(error), errors=errors)
