"""The provider's rules. No HTTP, no files: it decides, the ledger remembers.

A key is bound by a capture, a decline or a void, for ever, and never by an error. A key that is
being worked on is in flight. Nothing is shown to anybody before the ledger has it on disk.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from simulators.psp.errors import (
    CaptureNotFoundError,
    KeyBoundError,
    KeyInFlightError,
    KeyReusedError,
    LedgerError,
    ProviderFaultError,
    RefundRefusedError,
)
from simulators.psp.ledger import Ledger
from simulators.psp.records import NO_CURRENCY, CaptureRequest, Entry, Kind, RefundRequest
from simulators.psp.tokens import behaviour_of

SLOW_SECONDS = 3.0


class Outcome(NamedTuple):
    """The record a key is bound to; `is_new` when this very request bound it."""

    entry: Entry
    is_new: bool
    is_response_lost: bool = False


class Provider:
    """Captures, voids and refunds over one ledger; safe to share between threads."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        slow_seconds: float = SLOW_SECONDS,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._slow_seconds = slow_seconds
        self._pause = pause
        self._lock = threading.Lock()
        self._in_flight: set[tuple[str, str]] = set()
        self._failed_once: set[str] = set()
        self._captures: dict[str, Entry] = {}
        self._capture_of_key: dict[str, Entry] = {}
        self._captures_of_reference: dict[str, list[Entry]] = {}
        self._refund_of_key: dict[str, Entry] = {}
        self._refunded_minor: dict[str, int] = {}
        for entry in ledger.entries():
            self._replay(entry)

    def capture(self, *, key: str, request: CaptureRequest) -> Outcome:
        """Capture or decline, once per key.

        Raises KeyInFlightError, KeyReusedError (same key, other request), ProviderFaultError, LedgerError.
        """
        fingerprint = request.fingerprint()
        with self._lock:
            bound = self._capture_of_key.get(key)
            if bound is None:
                self._claim("capture", key)
        if bound is not None:
            return Outcome(_same_capture(bound, request, fingerprint), is_new=False)
        try:
            behaviour = behaviour_of(token=request.token)
            self._fail_first_attempt(key, applies=behaviour.fails_first_attempt)
            if behaviour.is_slow:
                self._pause(self._slow_seconds)
            draft = _capture_draft(key, request, fingerprint, decline_code=behaviour.decline_code)
            entry = self._record(draft)
        finally:
            self._release("capture", key)
        return Outcome(entry, is_new=True, is_response_lost=behaviour.loses_first_response)

    def void(self, *, key: str, merchant_reference: str) -> Outcome:
        """Bind the key to nothing, so that no capture with it can ever happen; again → the same record.

        Raises KeyInFlightError, KeyBoundError (captured or declined: too late), KeyReusedError, LedgerError.
        """
        with self._lock:
            bound = self._capture_of_key.get(key)
            if bound is None:
                self._claim("capture", key)
        if bound is not None:
            return Outcome(_same_void(bound, merchant_reference), is_new=False)
        try:
            entry = self._record(_draft(kind="void", key=key, reference=merchant_reference))
        finally:
            self._release("capture", key)
        return Outcome(entry, is_new=True)

    def refund(self, *, key: str, request: RefundRequest) -> Outcome:
        """Give back part or all of a capture, once per key; never more than was captured.

        Raises KeyInFlightError, KeyReusedError, CaptureNotFoundError, RefundRefusedError, LedgerError.
        """
        with self._lock:
            bound = self._refund_of_key.get(key)
            if bound is None:
                capture = self._refundable(request)
                self._claim("refund", key)
                # Counted before it is on disk: two refunds at once must not both find room.
                self._count_refund(capture.id, request.amount_minor)
        if bound is not None:
            return Outcome(_same_refund(bound, request), is_new=False)
        try:
            entry = self._record(
                _draft(
                    kind="refund",
                    key=key,
                    reference=capture.merchant_reference,
                    capture_id=capture.id,
                    amount_minor=request.amount_minor,
                    currency=request.currency,
                )
            )
        finally:
            self._release("refund", key)
        return Outcome(entry, is_new=True)

    def capture_with_id(self, *, capture_id: str) -> Entry:
        """The capture, decline or void with this id. Raises CaptureNotFoundError."""
        entry = self._captures.get(capture_id)
        if entry is None:
            raise CaptureNotFoundError(CaptureNotFoundError.__doc__)
        return entry

    def captures_of(self, *, merchant_reference: str) -> list[Entry]:
        """Captures, declines and voids of one reference, oldest first; what is in flight is not there."""
        return list(self._captures_of_reference.get(merchant_reference, ()))

    def ledger_entries(self, *, after: int, limit: int | None) -> list[Entry]:
        """The ledger's entries with seq > `after`, oldest first."""
        return self._ledger.entries(after=after, limit=limit)

    def _claim(self, what: str, key: str) -> None:
        if (what, key) in self._in_flight:
            raise KeyInFlightError(KeyInFlightError.__doc__)
        self._in_flight.add((what, key))

    def _release(self, what: str, key: str) -> None:
        with self._lock:
            self._in_flight.discard((what, key))

    def _fail_first_attempt(self, key: str, *, applies: bool) -> None:
        if applies and key not in self._failed_once:
            self._failed_once.add(key)
            raise ProviderFaultError(ProviderFaultError.__doc__)

    def _record(self, draft: Entry) -> Entry:
        entry = self._ledger.append(draft=draft)
        with self._lock:
            self._bind(entry)
        return entry

    def _bind(self, entry: Entry) -> None:
        if entry.kind == "refund":
            self._refund_of_key[entry.idempotency_key] = entry
            return
        self._capture_of_key[entry.idempotency_key] = entry
        self._captures[entry.id] = entry
        self._captures_of_reference.setdefault(entry.merchant_reference, []).append(entry)

    def _replay(self, entry: Entry) -> None:
        keys = self._refund_of_key if entry.kind == "refund" else self._capture_of_key
        if entry.idempotency_key in keys:
            raise LedgerError(f"Ledger entry {entry.seq} binds a key again: put a good copy in its place.")
        self._bind(entry)
        if entry.kind == "refund":
            self._count_refund(entry.capture_id, entry.amount_minor)

    def _count_refund(self, capture_id: str, amount_minor: int) -> None:
        self._refunded_minor[capture_id] = self._refunded_minor.get(capture_id, 0) + amount_minor

    def _refundable(self, request: RefundRequest) -> Entry:
        capture = self.capture_with_id(capture_id=request.capture_id)
        if capture.kind != "capture":
            raise RefundRefusedError(field="capture_id", detail="Nothing was captured here.")
        if capture.currency != request.currency:
            raise RefundRefusedError(field="currency", detail=f"Use {capture.currency}, as captured.")
        left = capture.amount_minor - self._refunded_minor.get(capture.id, 0)
        if request.amount_minor > left:
            raise RefundRefusedError(field="amount_minor", detail=f"At most {left} can be refunded.")
        return capture


def _same_capture(bound: Entry, request: CaptureRequest, fingerprint: str) -> Entry:
    """The first answer, if this is the same request; a voided key knows only its reference."""
    same = (
        bound.merchant_reference == request.merchant_reference
        if bound.kind == "void"
        else bound.fingerprint == fingerprint
    )
    if not same:
        raise KeyReusedError(KeyReusedError.__doc__)
    return bound


def _same_void(bound: Entry, merchant_reference: str) -> Entry:
    if bound.kind != "void":
        raise KeyBoundError(entry=bound)
    if bound.merchant_reference != merchant_reference:
        raise KeyReusedError(KeyReusedError.__doc__)
    return bound


def _same_refund(bound: Entry, request: RefundRequest) -> Entry:
    if (bound.capture_id, bound.amount_minor, bound.currency) != request:
        raise KeyReusedError(KeyReusedError.__doc__)
    return bound


def _capture_draft(key: str, request: CaptureRequest, fingerprint: str, *, decline_code: str | None) -> Entry:
    return _draft(
        kind="decline" if decline_code else "capture",
        key=key,
        reference=request.merchant_reference,
        amount_minor=request.amount_minor,
        currency=request.currency,
        decline_code=decline_code,
        fingerprint=fingerprint,
    )


def _draft(
    *,
    kind: Kind,
    key: str,
    reference: str,
    capture_id: str | None = None,
    amount_minor: int = 0,
    currency: str = NO_CURRENCY,
    decline_code: str | None = None,
    fingerprint: str = "",
) -> Entry:
    entry_id = f"{'ref' if kind == 'refund' else 'cap'}_{uuid.uuid4().hex}"
    return Entry(
        seq=0,
        kind=kind,
        id=entry_id,
        capture_id=capture_id or entry_id,
        idempotency_key=key,
        merchant_reference=reference,
        amount_minor=amount_minor,
        currency=currency,
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        decline_code=decline_code,
        fingerprint=fingerprint,
    )
