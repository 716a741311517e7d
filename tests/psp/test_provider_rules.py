"""Any sequence of requests and restarts keeps the two promises about money."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from simulators.psp.errors import (
    CaptureNotFoundError,
    KeyBoundError,
    KeyReusedError,
    ProviderFaultError,
    RefundRefusedError,
)
from simulators.psp.ledger import open_ledger
from simulators.psp.provider import Provider
from simulators.psp.records import CaptureRequest, Entry, RefundRequest
from simulators.psp.tokens import BEHAVIOURS

KEYS = st.sampled_from(["k1", "k2", "k3"])
REFERENCES = st.sampled_from(["order-1", "order-2"])
AMOUNTS = st.integers(1, 4)
CURRENCIES = st.sampled_from(["EUR", "EUR", "EUR", "USD"])
TOKENS = st.sampled_from([*BEHAVIOURS, "tok_unknown", "tok_ok", "tok_ok", "tok_ok"])


class ProviderRules(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._answered: dict[str, Entry] = {}
        self._open()

    def _open(self) -> None:
        self._ledger = open_ledger(path=Path(self._folder.name, "ledger.jsonl"), sync=lambda fd: None)
        self._provider = Provider(ledger=self._ledger, pause=lambda seconds: None)

    def teardown(self) -> None:
        self._ledger.close()
        self._folder.cleanup()

    def _remember(self, entry: Entry) -> None:
        """Whatever was once answered for a key is what is answered for ever."""
        what = "refund" if entry.kind == "refund" else "capture"
        assert self._answered.setdefault(f"{what} {entry.idempotency_key}", entry) == entry

    @rule(key=KEYS, reference=REFERENCES, amount=AMOUNTS, currency=CURRENCIES, token=TOKENS)
    def capture(self, key: str, reference: str, amount: int, currency: str, token: str) -> None:
        try:
            outcome = self._provider.capture(key=key, request=CaptureRequest(reference, amount, currency, token))
        except ProviderFaultError:
            assert f"capture {key}" not in self._answered
        except KeyReusedError:
            assert f"capture {key}" in self._answered
        else:
            self._remember(outcome.entry)

    @rule(key=KEYS, reference=REFERENCES)
    def void(self, key: str, reference: str) -> None:
        try:
            outcome = self._provider.void(key=key, merchant_reference=reference)
        except KeyBoundError as error:
            self._remember(error.entry)
            too_late = True
        except KeyReusedError:
            too_late = False
        else:
            self._remember(outcome.entry)
            too_late = False
        assert (self._answered[f"capture {key}"].kind != "void") == too_late

    @rule(key=KEYS, of_key=KEYS, amount=AMOUNTS, currency=CURRENCIES)
    def refund(self, key: str, of_key: str, amount: int, currency: str) -> None:
        capture = self._answered.get(f"capture {of_key}")
        request = RefundRequest(capture.id if capture else "cap_nope", amount, currency)
        try:
            outcome = self._provider.refund(key=key, request=request)
        except CaptureNotFoundError:
            assert capture is None
        except KeyReusedError:
            assert f"refund {key}" in self._answered
        except RefundRefusedError:
            assert f"refund {key}" not in self._answered
        else:
            self._remember(outcome.entry)

    @rule()
    def restart(self) -> None:
        before = self._ledger.entries()
        self._ledger.close()
        self._open()
        assert self._ledger.entries() == before

    @invariant()
    def the_ledger_is_what_was_answered(self) -> None:
        assert sorted(self._ledger.entries()) == sorted(self._answered.values())

    @invariant()
    def a_key_is_captured_at_most_once(self) -> None:
        captures = Counter(entry.idempotency_key for entry in self._ledger.entries() if entry.kind != "refund")
        assert all(count == 1 for count in captures.values())

    @invariant()
    def never_more_is_refunded_than_was_captured(self) -> None:
        left: Counter[str] = Counter()
        for entry in self._ledger.entries():
            if entry.kind == "capture":
                left[entry.id] += entry.amount_minor
            if entry.kind == "refund":
                left[entry.capture_id] -= entry.amount_minor
        assert all(amount >= 0 for amount in left.values())


TestProviderRules = ProviderRules.TestCase
TestProviderRules.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
