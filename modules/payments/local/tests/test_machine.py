"""Payment and provider as one state machine: any order of arrival, any fault, any moment to die.

Hypothesis chooses what happens; after every choice nothing may be wrong that can never be put
right, and once the provider is well and time has passed, all must agree.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from modules.payments.lifecycle import charge_key, is_at_rest, needs_token
from modules.payments.local.claims import LEASE, Claim, claim_due
from modules.payments.local.driver import LONGEST_PAUSE, call, drive, settle
from modules.payments.local.provider import Charge, NothingFound, Outcome
from modules.payments.local.steps import Step
from modules.payments.local.testing import FakeProvider, Fault
from modules.payments.models import Payment
from modules.payments.tests.arrivals import (
    DEADLINE,
    a_placed_order,
    cancelled_arrives,
    payment_of,
    placed_arrives,
    types_about,
)
from modules.payments.types import State, Wanted

A_PAUSE = timedelta(seconds=LONGEST_PAUSE)
TOKENS = ["tok_ok", "tok_ok", "tok_declined", "tok_error_then_ok", "tok_lost_response"]
EVENTS = {
    State.UNSEEN: [],
    State.REQUESTED: [],
    State.CHARGING: [],
    State.CAPTURED: ["payment_succeeded"],
    State.DECLINED: ["payment_failed"],
    State.VOIDED: ["payment_failed"],
    State.REFUNDED: ["payment_succeeded", "payment_refunded"],
}


faults = st.sampled_from([None, None, *Fault])


class PaymentMachine(RuleBasedStateMachine):
    """One order; several drivers that are each somewhere between claim, call and settle."""

    def __init__(self):
        super().__init__()
        self.now = datetime.now(UTC) + timedelta(seconds=1)
        self.provider = FakeProvider()
        self.claimed: list[Claim] = []
        self.called: list[tuple[Claim, Outcome]] = []
        self.was_placed = self.was_cancelled = False

    @initialize(token=st.sampled_from(TOKENS), starts_placed=st.booleans())
    def begin(self, token, starts_placed):
        self.order = a_placed_order(payment_token=token)
        self.deadline_at = datetime.fromisoformat(self.order["deadline_at"])
        if starts_placed:
            self.an_event_arrives("placed")

    # Weighted, here and below, so that most orders are charged before they are cancelled or too late.
    @rule(news=st.sampled_from(["placed"] * 3 + ["cancelled"]))
    def an_event_arrives(self, news):
        if news == "placed":
            placed_arrives(self.order)
            self.was_placed = True
        else:
            cancelled_arrives(self.order)
            self.was_cancelled = True

    @rule(fault=faults, halts=st.sampled_from([None, None, None, "claimed", "called"]))
    def a_driver_works(self, fault, halts):
        """One that halts may go on later, or never: then it is as good as dead."""
        self.now += A_PAUSE
        claim = claim_due(now=self.now)
        if claim is None:
            return
        if claim.step is Step.CAPTURE:
            assert self.now < self.deadline_at
            assert not self.was_cancelled
        if halts == "claimed":
            self.claimed.append(claim)
            return
        outcome = self._call(claim, fault)
        if halts == "called":
            self.called.append((claim, outcome))
        else:
            settle(claim=claim, outcome=outcome, now=self.now)

    @precondition(lambda self: bool(self.claimed or self.called))
    @rule(fault=faults)
    def a_halted_driver_goes_on(self, fault):
        if self.called:
            claim, outcome = self.called.pop(0)
        else:
            claim = self.claimed.pop(0)
            outcome = self._call(claim, fault)
        settle(claim=claim, outcome=outcome, now=self.now)

    def _call(self, claim, fault):
        if fault:
            self.provider.faults.append(fault)
        return call(claim=claim, provider=self.provider)

    @rule(pause=st.sampled_from([A_PAUSE] * 6 + [LEASE] * 3 + [DEADLINE]), ends=st.booleans())
    def time_passes(self, pause, ends):
        self.now += pause
        if ends:
            self.provider.finish_in_flight()

    @invariant()
    def money_is_taken_once_and_given_back_at_most_once(self):
        assert len(self.provider.captures) <= 1
        assert sum(self.provider.refunds.values()) <= sum(self.provider.captures.values())
        assert self.was_cancelled or not self.provider.refunds

    @invariant()
    def what_is_published_is_what_is_written_down(self):
        for payment in Payment.objects.all():
            assert types_about(self.order) == EVENTS[State(payment.state)]

    @invariant()
    def what_is_written_down_is_never_more_than_what_the_provider_did(self):
        for payment in Payment.objects.all():
            assert payment.captured_minor <= sum(self.provider.captures.values())
            assert payment.refunded_minor <= sum(self.provider.refunds.values())
            if payment.state in (State.VOIDED, State.DECLINED):
                assert not self.provider.captures

    @invariant()
    def a_token_is_kept_only_as_long_as_it_is_needed(self):
        for payment in Payment.objects.exclude(payment_token=""):
            assert needs_token(state=State(payment.state), wanted=Wanted(payment.wanted))

    def teardown(self):
        try:
            self._let_all_end_well()
            self._check_the_end()
        finally:
            Payment.objects.all().delete()

    def _let_all_end_well(self):
        self.provider.faults.clear()
        self.provider.finish_in_flight()
        self.now += LEASE
        for _ in range(12):
            if not Payment.objects.filter(next_at__isnull=False).exists():
                break
            drive(now=self.now, provider=self.provider)
            self.now += A_PAUSE
        # Whoever slept through all this must not be able to change anything any more.
        for claim in self.claimed:
            self.called.append((claim, call(claim=claim, provider=self.provider)))
        for claim, outcome in self.called:
            settle(claim=claim, outcome=outcome, now=self.now)
        self.money_is_taken_once_and_given_back_at_most_once()

    def _check_the_end(self):
        if not (self.was_placed or self.was_cancelled):
            assert not Payment.objects.exists()
            return
        payment = payment_of(self.order)
        assert payment.wanted == (Wanted.REFUNDED if self.was_cancelled else Wanted.CAPTURED)
        assert is_at_rest(state=State(payment.state), wanted=Wanted(payment.wanted))
        assert (payment.state == State.UNSEEN) == (not self.was_placed)
        assert payment.captured_minor == sum(self.provider.captures.values())
        assert payment.refunded_minor == sum(self.provider.refunds.values())
        if self.was_cancelled:
            assert payment.refunded_minor == payment.captured_minor
        if self.was_placed and not payment.captured_minor:
            charge = _charge_of(payment)
            assert not isinstance(self.provider.find(charge=charge), NothingFound), "the key is spent"
        assert types_about(self.order) == EVENTS[State(payment.state)]


def _charge_of(payment):
    key = charge_key(order_id=payment.order_id)
    return Charge(key=key, reference=str(payment.order_id), amount_minor=1999, currency="EUR")


@pytest.mark.seams_db
class TestPaymentMachine:
    def test_holds_its_promises_whatever_happens(self):
        run_state_machine_as_test(
            PaymentMachine,
            settings=settings(
                max_examples=150,
                stateful_step_count=10,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
