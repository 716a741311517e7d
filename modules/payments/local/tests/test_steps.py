"""The driver's two tables, read as rules."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.payments.lifecycle import FINAL, charge_key, is_at_rest, needs_token, refund_key
from modules.payments.local.provider import (
    Captured,
    ChargeOutcome,
    Declined,
    Found,
    InFlight,
    NoAnswer,
    NothingFound,
    NotSent,
    Refunded,
    RefundOutcome,
    Refused,
    Voided,
)
from modules.payments.local.steps import AFTER, STEPS, Step, next_step, state_after
from modules.payments.types import State, Wanted

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEFORE, AFTER_NOON = NOON - timedelta(microseconds=1), NOON + timedelta(hours=1)
POSSIBLE = [
    (state, wanted)
    for state, wanted in product(State, Wanted)
    if (state, wanted) not in {(State.UNSEEN, Wanted.CAPTURED), (State.REFUNDED, Wanted.CAPTURED)}
]


class TestNextStep:
    @pytest.mark.parametrize(
        ("state", "wanted", "now", "step"),
        [
            (State.REQUESTED, Wanted.CAPTURED, BEFORE, Step.CAPTURE),
            (State.REQUESTED, Wanted.CAPTURED, NOON, Step.VOID),
            (State.REQUESTED, Wanted.CAPTURED, AFTER_NOON, Step.VOID),
            (State.REQUESTED, Wanted.REFUNDED, BEFORE, Step.VOID),
            (State.CHARGING, Wanted.CAPTURED, BEFORE, Step.ASK),
            (State.CHARGING, Wanted.CAPTURED, AFTER_NOON, Step.ASK),
            (State.CHARGING, Wanted.REFUNDED, BEFORE, Step.ASK),
            (State.CAPTURED, Wanted.CAPTURED, BEFORE, Step.REST),
            (State.CAPTURED, Wanted.CAPTURED, AFTER_NOON, Step.REST),
            (State.CAPTURED, Wanted.REFUNDED, BEFORE, Step.REFUND),
            (State.CAPTURED, Wanted.REFUNDED, AFTER_NOON, Step.REFUND),
            (State.UNSEEN, Wanted.REFUNDED, AFTER_NOON, Step.REST),
        ],
    )
    def test_follows_the_table(self, state, wanted, now, step):
        assert next_step(state=state, wanted=wanted, deadline_at=NOON, now=now) is step

    def test_knows_every_payment_that_there_can_be(self):
        assert set(STEPS) == set(POSSIBLE)

    @given(facts=st.sampled_from(POSSIBLE), now=st.sampled_from([BEFORE, NOON, AFTER_NOON]))
    def test_rests_exactly_when_nothing_is_left_to_do(self, facts, now):
        state, wanted = facts
        step = next_step(state=state, wanted=wanted, deadline_at=NOON, now=now)
        assert (step is Step.REST) == is_at_rest(state=state, wanted=wanted)

    @given(
        facts=st.sampled_from(POSSIBLE),
        now=st.datetimes(timezones=st.just(UTC)),
        deadline_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    )
    def test_starts_a_capture_only_when_wanted_in_time_and_with_a_token(self, facts, now, deadline_at):
        state, wanted = facts
        if next_step(state=state, wanted=wanted, deadline_at=deadline_at, now=now) is Step.CAPTURE:
            assert wanted is Wanted.CAPTURED
            assert deadline_at is not None
            assert now < deadline_at
            assert needs_token(state=state, wanted=wanted)

    @pytest.mark.parametrize("state", sorted(FINAL))
    def test_leaves_a_final_payment_alone(self, state):
        assert next_step(state=state, wanted=Wanted.REFUNDED, deadline_at=NOON, now=BEFORE) is Step.REST


class TestStateAfter:
    @pytest.mark.parametrize(
        ("step", "outcomes"),
        [
            (Step.CAPTURE, ChargeOutcome),
            (Step.VOID, ChargeOutcome),
            (Step.ASK, Found),
            (Step.REFUND, RefundOutcome),
        ],
    )
    def test_knows_every_outcome_of_a_step(self, step, outcomes):
        assert set(AFTER[step]) == set(get_args(outcomes))

    @pytest.mark.parametrize("step", [Step.CAPTURE, Step.ASK, Step.VOID])
    def test_takes_the_provider_s_word_whatever_was_asked(self, step):
        assert state_after(step=step, outcome=Captured(capture_id="c")) is State.CAPTURED
        assert state_after(step=step, outcome=Declined(code="no")) is State.DECLINED
        assert state_after(step=step, outcome=Voided()) is State.VOIDED

    @pytest.mark.parametrize("step", [Step.CAPTURE, Step.VOID])
    @pytest.mark.parametrize("outcome", [InFlight(), NoAnswer(detail=""), Refused(detail="")])
    def test_leaves_an_open_outcome_to_be_asked_for(self, step, outcome):
        assert state_after(step=step, outcome=outcome) is State.CHARGING

    @pytest.mark.parametrize("step", [Step.CAPTURE, Step.VOID])
    def test_knows_that_what_was_not_sent_did_nothing(self, step):
        assert state_after(step=step, outcome=NotSent(detail="")) is State.REQUESTED

    @pytest.mark.parametrize("outcome", [NotSent(detail=""), NoAnswer(detail=""), Refused(detail="")])
    def test_learns_nothing_from_asking_in_vain(self, outcome):
        assert state_after(step=Step.ASK, outcome=outcome) is State.CHARGING

    def test_starts_again_when_the_provider_knows_of_nothing(self):
        assert state_after(step=Step.ASK, outcome=NothingFound()) is State.REQUESTED

    def test_ends_with_the_refund(self):
        assert state_after(step=Step.REFUND, outcome=Refunded(refund_id="r")) is State.REFUNDED

    @pytest.mark.parametrize("outcome", [InFlight(), NotSent(detail=""), NoAnswer(detail=""), Refused(detail="")])
    def test_keeps_a_refund_due_until_it_is_done(self, outcome):
        assert state_after(step=Step.REFUND, outcome=outcome) is State.CAPTURED


class TestKeys:
    @given(order_id=st.uuids(), payment_id=st.uuids())
    def test_depend_on_nothing_but_the_ids(self, order_id, payment_id):
        assert charge_key(order_id=order_id) == f"charge-{order_id}"
        assert refund_key(payment_id=payment_id) == f"refund-{payment_id}"
