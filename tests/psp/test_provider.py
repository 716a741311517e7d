from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

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
from simulators.psp.ledger import Ledger, open_ledger
from simulators.psp.provider import Outcome, Provider
from simulators.psp.records import CaptureRequest, Entry, RefundRequest
from tests.psp.conftest import WAIT_SECONDS, Gate


def asked(token: str = "tok_ok", *, reference: str = "order-1", amount: int = 500) -> CaptureRequest:
    return CaptureRequest(reference, amount, "EUR", token)


def captured(provider: Provider, *, amount: int = 500) -> Entry:
    return provider.capture(key="k", request=asked(amount=amount)).entry


class TestCapture:
    @pytest.mark.parametrize(
        ("token", "kind", "decline_code"),
        [
            ("tok_ok", "capture", None),
            ("tok_lost_response", "capture", None),
            ("tok_declined", "decline", "card_declined"),
            ("tok_whatever", "decline", "unknown_token"),
        ],
    )
    def test_ends_as_its_token_says(self, provider: Provider, token: str, kind: str, decline_code: str | None) -> None:
        entry = provider.capture(key="k", request=asked(token)).entry
        assert (entry.kind, entry.decline_code, entry.amount_minor) == (kind, decline_code, 500)

    @pytest.mark.parametrize("token", ["tok_ok", "tok_declined", "tok_lost_response"])
    def test_answers_the_same_key_with_the_same_record(self, provider: Provider, ledger: Ledger, token: str) -> None:
        first = provider.capture(key="k", request=asked(token))
        again = provider.capture(key="k", request=asked(token))
        assert (first.is_new, again.is_new, again.is_response_lost) == (True, False, False)
        assert again.entry == first.entry
        assert ledger.entries() == [first.entry]

    @pytest.mark.parametrize(
        "other",
        [asked("tok_slow"), asked(reference="order-2"), asked(amount=501), asked()._replace(currency="USD")],
    )
    def test_refuses_the_same_key_with_another_body(self, provider: Provider, other: CaptureRequest) -> None:
        captured(provider)
        with pytest.raises(KeyReusedError):
            provider.capture(key="k", request=other)

    def test_binds_nothing_by_an_error(self, provider: Provider, ledger: Ledger) -> None:
        with pytest.raises(ProviderFaultError):
            provider.capture(key="k", request=asked("tok_error_then_ok"))
        assert ledger.entries() == []
        assert provider.capture(key="k", request=asked("tok_error_then_ok")).entry.kind == "capture"

    def test_lets_a_key_be_voided_after_an_error(self, provider: Provider) -> None:
        with pytest.raises(ProviderFaultError):
            provider.capture(key="k", request=asked("tok_error_then_ok"))
        assert provider.void(key="k", merchant_reference="order-1").is_new

    def test_refuses_a_key_in_flight_and_shows_it_to_nobody(self, provider: Provider, gate: Gate) -> None:
        with ThreadPoolExecutor() as pool:
            slow = pool.submit(provider.capture, key="k", request=asked("tok_slow"))
            assert gate.reached.wait(WAIT_SECONDS)
            with pytest.raises(KeyInFlightError):
                provider.capture(key="k", request=asked("tok_slow"))
            with pytest.raises(KeyInFlightError):
                provider.void(key="k", merchant_reference="order-1")
            assert provider.captures_of(merchant_reference="order-1") == []
            gate.opened.set()
            entry = slow.result(WAIT_SECONDS).entry
        assert provider.captures_of(merchant_reference="order-1") == [entry]
        assert provider.capture(key="k", request=asked("tok_slow")).entry == entry

    def test_captures_once_when_many_ask_at_once(self, provider: Provider, ledger: Ledger) -> None:
        barrier = threading.Barrier(16)

        def ask() -> bool | None:
            barrier.wait(WAIT_SECONDS)
            try:
                return provider.capture(key="k", request=asked()).is_new
            except KeyInFlightError:
                return None

        with ThreadPoolExecutor(16) as pool:
            answers = Counter(pool.map(lambda _: ask(), range(16)))
        assert answers[True] == 1
        assert len(ledger.entries()) == 1

    def test_never_writes_the_token_down(self, provider: Provider, ledger_path: Path) -> None:
        provider.capture(key="k", request=asked("tok_very_secret"))
        assert b"tok_very_secret" not in ledger_path.read_bytes()

    def test_says_nothing_when_the_ledger_fails_and_the_next_start_knows(self, ledger_path: Path) -> None:
        def sync(fd: int) -> None:
            raise OSError(5, "I/O error")

        ledger = open_ledger(path=ledger_path, sync=sync)
        with pytest.raises(LedgerError):
            Provider(ledger=ledger).capture(key="k", request=asked())
        ledger.close()
        # The line was written, only its sync failed: after the restart it is there, and bound.
        ledger = open_ledger(path=ledger_path)
        assert not Provider(ledger=ledger).capture(key="k", request=asked()).is_new
        ledger.close()


class TestVoid:
    def test_binds_a_key_nobody_has_used_so_that_a_late_capture_is_voided(self, provider: Provider) -> None:
        void = provider.void(key="k", merchant_reference="order-1")
        late = provider.capture(key="k", request=asked())
        assert (void.entry.kind, void.is_new) == ("void", True)
        assert (late.entry, late.is_new) == (void.entry, False)

    def test_answers_the_same_again(self, provider: Provider) -> None:
        void = provider.void(key="k", merchant_reference="order-1")
        assert provider.void(key="k", merchant_reference="order-1") == void._replace(is_new=False)

    @pytest.mark.parametrize("token", ["tok_ok", "tok_declined"])
    def test_comes_too_late_for_a_bound_key(self, provider: Provider, token: str) -> None:
        entry = provider.capture(key="k", request=asked(token)).entry
        with pytest.raises(KeyBoundError) as caught:
            provider.void(key="k", merchant_reference="order-1")
        assert caught.value.entry == entry

    def test_refuses_another_reference(self, provider: Provider) -> None:
        provider.void(key="k", merchant_reference="order-1")
        with pytest.raises(KeyReusedError):
            provider.void(key="k", merchant_reference="order-2")
        with pytest.raises(KeyReusedError):
            provider.capture(key="k", request=asked(reference="order-2"))

    def test_and_a_capture_at_the_same_time_agree_on_one_outcome(self, provider: Provider, ledger: Ledger) -> None:
        with ThreadPoolExecutor(2) as pool:
            for number in range(40):
                key = f"k{number}"
                barrier = threading.Barrier(2)
                void = pool.submit(after, barrier, provider.void, key=key, merchant_reference="order-1")
                capture = pool.submit(after, barrier, provider.capture, key=key, request=asked())
                wait_for = {void.exception(WAIT_SECONDS), capture.exception(WAIT_SECONDS)}
                assert all(error is None or isinstance(error, PspError) for error in wait_for)
                final = provider.capture(key=key, request=asked()).entry
                if void.exception() is None:
                    assert final.kind == "void"
                else:
                    assert final == capture.result().entry
        assert len(ledger.entries()) == 40


def after(barrier: threading.Barrier, call: Callable[..., Outcome], **arguments: object) -> Outcome:
    barrier.wait(WAIT_SECONDS)
    return call(**arguments)


class TestRefund:
    def test_gives_back_in_parts_up_to_what_was_captured(self, provider: Provider) -> None:
        capture = captured(provider)
        for key, amount in (("r1", 200), ("r2", 300)):
            refund = provider.refund(key=key, request=RefundRequest(capture.id, amount, "EUR")).entry
            assert (refund.kind, refund.capture_id, refund.merchant_reference) == (
                "refund",
                capture.id,
                "order-1",
            )
        with pytest.raises(RefundRefusedError, match="At most 0"):
            provider.refund(key="r3", request=RefundRequest(capture.id, 1, "EUR"))

    def test_answers_the_same_key_with_the_same_refund(self, provider: Provider, ledger: Ledger) -> None:
        request = RefundRequest(captured(provider).id, 500, "EUR")
        first = provider.refund(key="r", request=request)
        assert provider.refund(key="r", request=request) == first._replace(is_new=False)
        assert len(ledger.entries()) == 2

    def test_refuses_the_same_key_with_another_body(self, provider: Provider) -> None:
        request = RefundRequest(captured(provider).id, 200, "EUR")
        provider.refund(key="r", request=request)
        with pytest.raises(KeyReusedError):
            provider.refund(key="r", request=request._replace(amount_minor=201))

    def test_binds_nothing_when_refused(self, provider: Provider) -> None:
        capture = captured(provider)
        with pytest.raises(RefundRefusedError):
            provider.refund(key="r", request=RefundRequest(capture.id, 501, "EUR"))
        assert provider.refund(key="r", request=RefundRequest(capture.id, 500, "EUR")).is_new

    @pytest.mark.parametrize("kind", ["decline", "void"])
    def test_refuses_where_nothing_was_captured(self, provider: Provider, kind: str) -> None:
        if kind == "void":
            entry = provider.void(key="k", merchant_reference="order-1").entry
        else:
            entry = provider.capture(key="k", request=asked("tok_declined")).entry
        with pytest.raises(RefundRefusedError, match="Nothing was captured"):
            provider.refund(key="r", request=RefundRequest(entry.id, 1, "XXX"))

    def test_refuses_another_currency_and_an_unknown_capture(self, provider: Provider) -> None:
        with pytest.raises(RefundRefusedError, match="EUR"):
            provider.refund(key="r", request=RefundRequest(captured(provider).id, 1, "USD"))
        with pytest.raises(CaptureNotFoundError):
            provider.refund(key="r", request=RefundRequest("cap_nope", 1, "EUR"))

    def test_never_gives_back_too_much_when_many_ask_at_once(self, provider: Provider, ledger: Ledger) -> None:
        capture = captured(provider, amount=100)
        barrier = threading.Barrier(16)

        def refund(number: int) -> bool:
            barrier.wait(WAIT_SECONDS)
            try:
                return provider.refund(key=f"r{number}", request=RefundRequest(capture.id, 10, "EUR")).is_new
            except RefundRefusedError:
                return False

        with ThreadPoolExecutor(16) as pool:
            answers = Counter(pool.map(refund, range(16)))
        assert answers == {True: 10, False: 6}
        assert sum(entry.amount_minor for entry in ledger.entries() if entry.kind == "refund") == 100


class TestStart:
    def test_refuses_a_ledger_that_binds_a_key_twice(self, provider: Provider, ledger: Ledger) -> None:
        ledger.append(draft=captured(provider))
        with pytest.raises(LedgerError, match="binds a key again"):
            Provider(ledger=ledger)

    def test_knows_every_key_and_what_is_left_to_refund(self, ledger_path: Path) -> None:
        before = open_ledger(path=ledger_path)
        provider = Provider(ledger=before)
        capture = provider.capture(key="a", request=asked()).entry
        decline = provider.capture(key="b", request=asked("tok_declined")).entry
        void = provider.void(key="c", merchant_reference="order-1").entry
        refund = provider.refund(key="r", request=RefundRequest(capture.id, 300, "EUR")).entry
        before.close()
        after = open_ledger(path=ledger_path)
        provider = Provider(ledger=after)
        assert provider.captures_of(merchant_reference="order-1") == [capture, decline, void]
        assert provider.capture(key="a", request=asked()) == (capture, False, False)
        assert provider.capture(key="b", request=asked("tok_declined")) == (decline, False, False)
        assert provider.capture(key="c", request=asked()) == (void, False, False)
        assert provider.refund(key="r", request=RefundRequest(capture.id, 300, "EUR")) == (refund, False, False)
        with pytest.raises(KeyReusedError):
            provider.capture(key="a", request=asked(amount=501))
        with pytest.raises(RefundRefusedError, match="At most 200"):
            provider.refund(key="r2", request=RefundRequest(capture.id, 201, "EUR"))
        after.close()
