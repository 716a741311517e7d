"""The driver with a provider that misbehaves on demand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from django_seams.modules import atomic
from modules.payments.errors import OpenTransactionError
from modules.payments.jobs import drive_payments
from modules.payments.local.driver import LONGEST_PAUSE, drive, pause_after, settle
from modules.payments.local.provider import InFlight, NothingFound, Refused
from modules.payments.local.steps import AFTER, Step, state_after
from modules.payments.local.testing import Fault, driving_with
from modules.payments.local.tests.driving import (
    FAILED,
    REFUNDED,
    SUCCEEDED,
    claimed,
    drive_until_quiet,
    place,
)
from modules.payments.models import Payment
from modules.payments.tests.arrivals import (
    DEADLINE,
    cancelled_arrives,
    payment_of,
    published_about,
    types_about,
)
from modules.payments.types import State

pytestmark = pytest.mark.seams_db


class TestCapture:
    def test_takes_one_call_and_one_event(self, order, provider, clock):
        assert drive(now=clock.now, provider=provider) == 1
        payment = payment_of(order)
        assert (payment.state, payment.captured_minor, payment.next_at) == (State.CAPTURED, 1999, None)
        assert (payment.lease_token, payment.leased_until, payment.attempts) == (None, None, 0)
        assert provider.calls == ["capture"]
        assert provider.captures == {f"charge-{order['order_id']}": 1999}
        assert published_about(order) == [
            (
                "payments.payment_succeeded.v1",
                {
                    "order_id": order["order_id"],
                    "payment_id": str(payment.pk),
                    "amount_minor": 1999,
                    "currency": "EUR",
                },
            )
        ]

    def test_has_nothing_to_do_without_payments(self, provider, clock):
        assert drive(now=clock.now, provider=provider) == 0
        assert provider.calls == []

    def test_takes_a_decline_for_final(self, provider, clock):
        order = place("tok_declined")
        drive_until_quiet(provider, clock)
        assert payment_of(order).state == State.DECLINED
        assert types_about(order) == [FAILED]
        assert published_about(order)[0][1]["reason"] == "declined"
        cancelled_arrives(order)
        drive_until_quiet(provider, clock)
        assert types_about(order) == [FAILED]
        assert provider.calls == ["capture"]

    def test_serves_the_one_first_that_is_due_longest(self, provider, clock):
        first, second = place("tok_ok"), place("tok_ok")
        Payment.objects.filter(order_id=second["order_id"]).update(next_at=clock.now - timedelta(minutes=1))
        drive(now=clock.now, provider=provider)
        assert payment_of(second).state == State.CAPTURED
        assert payment_of(first).state == State.REQUESTED

    def test_leaves_other_routes_alone(self, order, provider, clock):
        Payment.objects.update(route="elsewhere")
        assert drive(now=clock.now, provider=provider) == 0
        assert provider.calls == []

    def test_runs_as_a_timed_job_of_the_module(self, order, provider, clock):
        with driving_with(provider):
            assert drive_payments(clock.now) == 1
        assert drive_payments.module == "payments"
        assert drive_payments.threads > 1


class TestUnknownOutcome:
    @pytest.mark.parametrize("fault", [Fault.REQUEST_LOST, Fault.RESPONSE_LOST, Fault.TIMED_OUT])
    def test_is_asked_for_before_anything_is_sent_again(self, order, provider, clock, fault):
        provider.faults.append(fault)
        assert drive(now=clock.now, provider=provider) == 0
        assert payment_of(order).state == State.CHARGING
        assert payment_of(order).last_error
        clock.advance()
        drive(now=clock.now, provider=provider)
        assert provider.calls == ["capture", "find"]

    @pytest.mark.parametrize("token", ["tok_lost_response", "tok_error_then_ok"])
    @pytest.mark.parametrize("fault", [Fault.REQUEST_LOST, Fault.RESPONSE_LOST, Fault.NOT_SENT])
    def test_ends_with_one_capture(self, provider, clock, token, fault):
        order = place(token)
        provider.faults.append(fault)
        drive_until_quiet(provider, clock)
        assert list(provider.captures) == [f"charge-{order['order_id']}"]
        assert types_about(order) == [SUCCEEDED]

    def test_waits_for_a_capture_in_flight_and_sends_no_other(self, order, provider, clock):
        provider.faults.append(Fault.TIMED_OUT)
        for _ in range(10):
            drive(now=clock.now, provider=provider)
            clock.advance()
        assert provider.captures == {}
        assert types_about(order) == []
        provider.finish_in_flight()
        drive_until_quiet(provider, clock)
        assert list(provider.captures.values()) == [1999]
        assert types_about(order) == [SUCCEEDED]

    def test_of_a_refund_is_sent_again_with_the_same_key(self, order, provider, clock):
        drive_until_quiet(provider, clock)
        cancelled_arrives(order)
        provider.faults.extend([Fault.RESPONSE_LOST, Fault.REQUEST_LOST, Fault.NOT_SENT])
        drive_until_quiet(provider, clock)
        assert provider.refunds == {f"refund-{payment_of(order).pk}": 1999}
        assert provider.calls == ["capture"] + ["refund"] * 4
        assert types_about(order) == [SUCCEEDED, REFUNDED]


class TestOutage:
    def test_is_outlasted_without_a_limit_of_attempts(self, order, provider, clock):
        provider.outage = True
        Payment.objects.update(deadline_at=clock.now + timedelta(days=1))
        for _ in range(200):
            assert drive(now=clock.now, provider=provider) == 0
            clock.advance()
        assert payment_of(order).attempts == 200
        provider.outage = False
        assert drive_until_quiet(provider, clock) <= 2
        assert types_about(order) == [SUCCEEDED]

    def test_is_over_for_every_payment_within_30_s(self, provider, clock):
        orders = [place("tok_ok") for _ in range(5)]
        provider.outage = True
        for _ in range(40):
            drive(now=clock.now, provider=provider)
            clock.advance(timedelta(seconds=1))
        provider.outage, back_at = False, clock.now
        drive_until_quiet(provider, clock)
        assert clock.now - back_at <= timedelta(seconds=30)
        assert [types_about(order) for order in orders] == [[SUCCEEDED]] * 5

    def test_makes_longer_and_longer_pauses_that_never_get_long(self):
        pauses = [pause_after(attempts=attempts).total_seconds() for attempts in range(1, 2000)]
        assert all(0.05 <= pause <= LONGEST_PAUSE for pause in pauses)
        assert min(pauses[10:]) >= LONGEST_PAUSE / 2
        assert len(set(pauses[10:])) > 100


class TestRefusal:
    def test_is_logged_as_an_error_and_ended_by_the_deadline(self, order, provider, clock, caplog):
        claim = claimed(clock)
        settle(claim=claim, outcome=Refused(detail="POST /v1/captures: HTTP 400"), now=clock.now)
        assert [record.levelname for record in caplog.records if record.name.endswith("driver")] == ["ERROR"]
        assert payment_of(order).last_error == "POST /v1/captures: HTTP 400"
        clock.advance(DEADLINE)
        drive_until_quiet(provider, clock)
        assert published_about(order)[0][1]["reason"] == "deadline"


class TestSettle:
    @pytest.mark.parametrize("outcome", [InFlight(), NothingFound()])
    def test_gives_the_lease_back_without_a_word_when_nothing_is_decided(self, order, clock, outcome):
        claim = claimed(clock)
        step = Step.ASK if isinstance(outcome, NothingFound) else claim.step
        settle(claim=replace(claim, step=step), outcome=outcome, now=clock.now)
        payment = payment_of(order)
        assert payment.lease_token is None
        assert payment.state == state_after(step=step, outcome=outcome)
        assert types_about(order) == []

    @pytest.mark.parametrize(("step", "outcome_type"), [(step, outcome) for step in AFTER for outcome in AFTER[step]])
    def test_writes_the_state_that_the_table_names(self, order, clock, step, outcome_type):
        if step is Step.REFUND:
            Payment.objects.update(state=State.CAPTURED, captured_minor=1999, payment_token="", next_at=None)
            cancelled_arrives(order)
        claim = replace(claimed(clock), step=step)
        outcome = outcome_type(**dict.fromkeys(outcome_type.__dataclass_fields__, "some"))
        settle(claim=claim, outcome=outcome, now=clock.now)
        assert payment_of(order).state == state_after(step=step, outcome=outcome)


class TestOpenTransaction:
    @pytest.mark.parametrize("module", ["payments", "orders"])
    def test_keeps_the_provider_from_being_called(self, order, provider, clock, module):
        with atomic(module), pytest.raises(OpenTransactionError, match=module):
            drive(now=clock.now, provider=provider)
        assert provider.calls == []
