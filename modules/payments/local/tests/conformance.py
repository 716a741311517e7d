"""What every PaymentProvider must do; run against the fake and against the real process.

A subclass provides the fixtures `provider` (with `tok_slow` taking a moment) and `set_outage`.
"""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace

from modules.payments.local.provider import (
    Captured,
    Charge,
    Declined,
    InFlight,
    NoAnswer,
    NothingFound,
    PaymentProvider,
    Refund,
    Refunded,
    Refused,
    Voided,
)


def a_charge(token: str = "tok_ok") -> Charge:
    order_id = uuid.uuid4()
    return Charge(key=f"charge-{order_id}", reference=str(order_id), amount_minor=1999, currency="EUR", token=token)


def refund_of(captured: Captured, amount_minor: int = 1999) -> Refund:
    return Refund(
        key=f"refund-{uuid.uuid4()}", capture_id=captured.capture_id, amount_minor=amount_minor, currency="EUR"
    )


def captured_by(provider: PaymentProvider) -> Captured:
    outcome = provider.capture(charge=a_charge())
    assert isinstance(outcome, Captured)
    return outcome


class ProviderConformance:
    def test_captures(self, provider):
        assert isinstance(provider.capture(charge=a_charge()), Captured)

    def test_answers_the_same_charge_with_the_same_capture(self, provider):
        charge = a_charge()
        assert provider.capture(charge=charge) == provider.capture(charge=charge)

    def test_refuses_the_same_key_with_another_body(self, provider):
        charge = a_charge()
        provider.capture(charge=charge)
        assert isinstance(provider.capture(charge=replace(charge, amount_minor=1)), Refused)

    def test_declines_a_bad_card_and_says_why(self, provider):
        assert provider.capture(charge=a_charge("tok_declined")) == Declined(code="card_declined")

    def test_declines_a_token_it_does_not_know(self, provider):
        assert provider.capture(charge=a_charge("tok_of_nobody")) == Declined(code="unknown_token")

    def test_finds_nothing_before_a_capture(self, provider):
        assert provider.find(charge=a_charge()) == NothingFound()

    def test_finds_what_a_key_is_bound_to(self, provider):
        taken, refused, voided = a_charge(), a_charge("tok_declined"), a_charge()
        outcome = provider.capture(charge=taken)
        provider.capture(charge=refused)
        provider.void(charge=voided)
        assert provider.find(charge=taken) == outcome
        assert provider.find(charge=refused) == Declined(code="card_declined")
        assert provider.find(charge=voided) == Voided()

    def test_finds_without_the_token(self, provider):
        charge = a_charge()
        outcome = provider.capture(charge=charge)
        assert provider.find(charge=replace(charge, token="")) == outcome

    def test_does_not_take_the_record_of_another_key_for_ours(self, provider):
        charge = a_charge()
        provider.capture(charge=replace(charge, key=f"{charge.key}-other"))
        assert provider.find(charge=charge) == NothingFound()

    def test_voids_a_free_key_again_and_again(self, provider):
        charge = a_charge()
        assert provider.void(charge=charge) == provider.void(charge=charge) == Voided()

    def test_never_captures_with_a_voided_key(self, provider):
        charge = a_charge()
        provider.void(charge=charge)
        assert provider.capture(charge=charge) == Voided()

    def test_answers_a_void_with_what_the_key_is_bound_to(self, provider):
        taken, refused = a_charge(), a_charge("tok_declined")
        outcome = provider.capture(charge=taken)
        provider.capture(charge=refused)
        assert provider.void(charge=taken) == outcome
        assert provider.void(charge=refused) == Declined(code="card_declined")

    def test_captures_once_when_asked_twice_at_once(self, provider):
        charge = a_charge("tok_slow")
        with ThreadPoolExecutor(2) as threads:
            both = [threads.submit(provider.capture, charge=charge) for _ in range(2)]
        captured = provider.capture(charge=charge)
        assert isinstance(captured, Captured)
        assert {one.result() for one in both} <= {captured, InFlight()}

    def test_neither_captures_nor_voids_a_key_in_flight(self, provider):
        # Of two slow captures one is turned away at once, and then the other is in flight. On a very
        # busy machine the other may be done before anything else is sent: try again.
        for _ in range(20):
            charge = a_charge("tok_slow")
            with ThreadPoolExecutor(2) as threads:
                both = [threads.submit(provider.capture, charge=charge) for _ in range(2)]
                turned_away = next(as_completed(both, timeout=30)).result()
                voided = provider.void(charge=charge)
            if (turned_away, voided) == (InFlight(), InFlight()):
                return
            assert isinstance(voided, Captured)
        raise AssertionError("the slow capture was always done before the void")

    def test_leaves_a_lost_response_to_be_found(self, provider):
        charge = a_charge("tok_lost_response")
        assert isinstance(provider.capture(charge=charge), NoAnswer)
        found = provider.find(charge=charge)
        assert isinstance(found, Captured)
        assert provider.capture(charge=charge) == found

    def test_binds_nothing_on_an_error(self, provider):
        charge = a_charge("tok_error_then_ok")
        assert isinstance(provider.capture(charge=charge), NoAnswer)
        assert provider.find(charge=charge) == NothingFound()
        assert isinstance(provider.capture(charge=charge), Captured)

    def test_refunds_once_per_key(self, provider):
        refund = refund_of(captured_by(provider))
        first = provider.refund(refund=refund)
        assert isinstance(first, Refunded)
        assert provider.refund(refund=refund) == first

    def test_never_refunds_more_than_was_captured(self, provider):
        captured = captured_by(provider)
        assert isinstance(provider.refund(refund=refund_of(captured, 1000)), Refunded)
        assert isinstance(provider.refund(refund=refund_of(captured, 1000)), Refused)
        assert isinstance(provider.refund(refund=refund_of(captured, 999)), Refunded)

    def test_refuses_to_refund_a_capture_that_it_does_not_know(self, provider):
        assert isinstance(provider.refund(refund=refund_of(Captured(capture_id="nothing"))), Refused)

    def test_gives_no_answer_during_an_outage_and_does_nothing(self, provider, set_outage: Callable[[bool], None]):
        charge, refund = a_charge(), refund_of(captured_by(provider))
        set_outage(True)
        answers = [
            provider.capture(charge=charge),
            provider.find(charge=charge),
            provider.void(charge=charge),
            provider.refund(refund=refund),
        ]
        set_outage(False)
        assert [type(answer) for answer in answers] == [NoAnswer] * 4
        assert provider.find(charge=charge) == NothingFound()
        assert isinstance(provider.capture(charge=charge), Captured)
        assert isinstance(provider.refund(refund=refund), Refunded)
