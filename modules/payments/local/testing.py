"""A provider for tests, with the real one's rules and test tokens, and faults on demand.

It passes the same conformance suite as the adapter over the real simulator's process does
(`tests/conformance.py`), so a test that uses it is not fooled.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TypeVar
from unittest.mock import patch

from modules.payments.local import driver
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
    Refund,
    Refunded,
    RefundOutcome,
    Refused,
    Voided,
)

Answer = TypeVar("Answer")

_DECLINES = {"tok_declined": "card_declined"}
_GOOD = {"tok_ok", "tok_slow", "tok_error_then_ok", "tok_lost_response"}
_SLOW, _ERROR_FIRST, _LOST = {"tok_slow"}, {"tok_error_then_ok"}, {"tok_lost_response"}


class Fault(Enum):
    """What may go wrong with one call."""

    NOT_SENT = "no connection: nothing arrives"
    REQUEST_LOST = "nothing arrives, and the caller cannot know"
    RESPONSE_LOST = "it has its effect, and the caller does not hear"
    TIMED_OUT = "it is still being worked on when the caller gives up"


class FakeProvider:
    """A PaymentProvider in memory; safe to share between threads.

    ``faults`` happen to the next calls, one each. ``outage`` answers nothing to anybody.
    ``captures`` and ``refunds`` are its books: amounts by key, in the order in which they were made.
    """

    def __init__(self, *, slow_seconds: float = 0.0) -> None:
        self.outage = False
        self.faults: deque[Fault] = deque()
        self.calls: list[str] = []
        self.captures: dict[str, int] = {}
        self.refunds: dict[str, int] = {}
        self._slow_seconds = slow_seconds
        self._bound: dict[str, tuple[Charge, Captured | Declined | Voided]] = {}
        self._in_flight: dict[str, Charge] = {}
        self._failed_once: set[str] = set()
        self._left_of: dict[str, int] = {}
        self._lock = threading.Lock()

    def capture(self, *, charge: Charge) -> ChargeOutcome:
        return self._answer("capture", lambda: self._capture(charge), times_out=lambda: self._begin(charge))

    def find(self, *, charge: Charge) -> Found:
        return self._answer("find", lambda: self._find(charge))

    def void(self, *, charge: Charge) -> ChargeOutcome:
        return self._answer("void", lambda: self._void(charge))

    def refund(self, *, refund: Refund) -> RefundOutcome:
        return self._answer("refund", lambda: self._refund(refund))

    def finish_in_flight(self) -> None:
        """What timed out comes to its end, without anybody hearing."""
        with self._lock:
            for charge in list(self._in_flight.values()):
                self._bind(charge)

    def _answer(
        self, call: str, effect: Callable[[], Answer], times_out: Callable[[], object] | None = None
    ) -> Answer | NotSent | NoAnswer:
        with self._lock:
            self.calls.append(call)
            fault = self.faults.popleft() if self.faults else None
        if fault is Fault.NOT_SENT:
            return NotSent(detail="no connection")
        if self.outage or fault is Fault.REQUEST_LOST:
            return NoAnswer(detail="no answer")
        if fault is None:
            return effect()
        (times_out if times_out and fault is Fault.TIMED_OUT else effect)()
        return NoAnswer(detail="no answer")

    def _capture(self, charge: Charge) -> ChargeOutcome:
        early = self._begin(charge)
        if early is not None:
            return early
        time.sleep(self._slow_seconds if charge.token in _SLOW else 0)
        with self._lock:
            outcome = self._bind(charge)
        return NoAnswer(detail="the connection was closed") if charge.token in _LOST else outcome

    def _begin(self, charge: Charge) -> ChargeOutcome | None:
        """The answer if there is one already, else None with the key in flight."""
        with self._lock:
            if charge.key in self._in_flight:
                return InFlight()
            if charge.key in self._bound:
                first, outcome = self._bound[charge.key]
                is_same = first == charge or isinstance(outcome, Voided)
                return outcome if is_same else Refused(detail="same key, other body")
            if charge.token in _ERROR_FIRST and charge.key not in self._failed_once:
                self._failed_once.add(charge.key)
                return NoAnswer(detail="HTTP 500")
            self._in_flight[charge.key] = charge
            return None

    def _bind(self, charge: Charge) -> Captured | Declined:
        self._in_flight.pop(charge.key)
        outcome: Captured | Declined
        if charge.token in _GOOD:
            outcome = Captured(capture_id=f"{charge.key}-done")
            self.captures[charge.key] = self._left_of[outcome.capture_id] = charge.amount_minor
        else:
            outcome = Declined(code=_DECLINES.get(charge.token, "unknown_token"))
        self._bound[charge.key] = (charge, outcome)
        return outcome

    def _find(self, charge: Charge) -> Found:
        with self._lock:
            return self._bound[charge.key][1] if charge.key in self._bound else NothingFound()

    def _void(self, charge: Charge) -> ChargeOutcome:
        with self._lock:
            if charge.key in self._in_flight:
                return InFlight()
            return self._bound.setdefault(charge.key, (charge, Voided()))[1]

    def _refund(self, refund: Refund) -> RefundOutcome:
        with self._lock:
            if refund.key not in self.refunds:
                left = self._left_of.get(refund.capture_id, 0) - refund.amount_minor
                if left < 0:
                    return Refused(detail="more than is left of the capture")
                self._left_of[refund.capture_id] = left
                self.refunds[refund.key] = refund.amount_minor
            return Refunded(refund_id=f"{refund.key}-done")


@contextmanager
def driving_with(provider: FakeProvider) -> Iterator[FakeProvider]:
    """`drive_payments` talks to this provider inside the block, in whatever thread it runs."""
    with patch.object(driver, "provider_of_this_thread", return_value=provider):
        yield provider
