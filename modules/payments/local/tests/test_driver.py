"""The driver with a provider that misbehaves on demand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from django_seams.modules import atomic
from modules.payments.errors import OpenTransactionError
from modules.payments.jobs import drive_payments
from modules.payments.local.claims import LEASE, claim_due
from modules.payments.local.driver import LONGEST_PAUSE, call, drive, pause_after, settle
from modules.payments.local.provider import InFlight, NothingFound, Refused
from modules.payments.local.steps import AFTER, Step, state_after
from modules.payments.local.testing import FakeProvider, Fault, driving_with
from modules.payments.models import Payment
from modules.payments.tests.arrivals import (
    DEADLINE,
    a_placed_order,
    cancelled_arrives,
    payment_of,
    placed_arrives,
    published_about,
    types_about,
)
from modules.payments.types import State

pytestmark = pytest.mark.seams_db

SUCCEEDED, FAILED, REFUNDED = "payment_succeeded", "payment_failed", "payment_refunded"


class Clock:
    """Time that passes when told to."""

    def __init__(self):
        self.now = datetime.now(UTC) + timedelta(seconds=1)

    def advance(self, pause=timedelta(seconds=LONGEST_PAUSE)):
        self.now += pause


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def provider():
    return FakeProvider()


@pytest.fixture
def order():
    order = a_placed_order()
    placed_arrives(order)
    return order


def place(token):
    order = a_placed_order(payment_token=token)
    placed_arrives(order)
    return order


def claimed(clock):
    claim = claim_due(now=clock.now)
    assert claim is not None
    return claim


def drive_until_quiet(provider, clock, rounds=20):
    """Let time pass until nothing is due any more; answers how many rounds that took."""
    for taken in range(rounds):
        if not Payment.objects.filter(next_at__isnull=False).exists():
            return taken
        while drive(now=clock.now, provider=provider):
            pass
        clock.advance()
    raise AssertionError(f"still not quiet: {list(Payment.objects.values('state', 'wanted', 'last_error'))}")


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
        pauses = [pause_after(attempts).total_seconds() for attempts in range(1, 2000)]
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


class TestDeadline:
    def test_voids_the_key_instead_of_starting_a_capture(self, order, provider, clock):
        clock.advance(DEADLINE)
        drive_until_quiet(provider, clock)
        assert provider.calls == ["void"]
        assert payment_of(order).state == State.VOIDED
        assert types_about(order) == [FAILED]
        assert published_about(order)[0][1]["reason"] == "deadline"

    def test_is_a_success_if_an_unknown_outcome_from_before_was_a_capture(self, order, provider, clock):
        provider.faults.append(Fault.RESPONSE_LOST)
        drive(now=clock.now, provider=provider)
        clock.advance(DEADLINE)
        drive_until_quiet(provider, clock)
        assert provider.calls == ["capture", "find"]
        assert types_about(order) == [SUCCEEDED]

    def test_waits_for_a_capture_in_flight(self, order, provider, clock):
        provider.faults.append(Fault.TIMED_OUT)
        drive(now=clock.now, provider=provider)
        clock.advance(DEADLINE)
        for _ in range(4):
            drive(now=clock.now, provider=provider)
            clock.advance()
        assert "void" in provider.calls
        assert types_about(order) == []
        provider.finish_in_flight()
        drive_until_quiet(provider, clock)
        assert types_about(order) == [SUCCEEDED]
        assert provider.calls.count("capture") == 1

    def test_voids_what_an_outage_kept_from_being_started(self, order, provider, clock):
        provider.outage = True
        drive(now=clock.now, provider=provider)
        clock.advance(DEADLINE)
        drive(now=clock.now, provider=provider)
        provider.outage = False
        drive_until_quiet(provider, clock)
        assert provider.captures == {}
        assert published_about(order)[0][1]["reason"] == "deadline"


class TestCancel:
    def test_before_the_capture_voids_the_key(self, order, provider, clock):
        cancelled_arrives(order)
        drive_until_quiet(provider, clock)
        assert provider.calls == ["void"]
        assert types_about(order) == [FAILED]
        assert published_about(order)[0][1]["reason"] == "cancelled"

    def test_before_the_order_was_seen_voids_the_key(self, provider, clock):
        order = a_placed_order()
        cancelled_arrives(order)
        assert drive(now=clock.now, provider=provider) == 0
        placed_arrives(order)
        drive_until_quiet(provider, clock)
        assert provider.calls == ["void"]
        assert published_about(order)[0][1]["reason"] == "cancelled"

    def test_during_the_capture_refunds(self, order, provider, clock):
        claim = claimed(clock)
        outcome = call(claim=claim, provider=provider)
        cancelled_arrives(order)
        assert drive(now=clock.now, provider=provider) == 0, "the lease still holds"
        settle(claim=claim, outcome=outcome, now=clock.now)
        assert drive(now=clock.now, provider=provider) == 1, "due at once, not after a pause"
        assert payment_of(order).state == State.REFUNDED
        assert types_about(order) == [SUCCEEDED, REFUNDED]

    def test_during_a_capture_whose_outcome_is_unknown_refunds(self, order, provider, clock):
        provider.faults.append(Fault.RESPONSE_LOST)
        drive(now=clock.now, provider=provider)
        cancelled_arrives(order)
        drive_until_quiet(provider, clock)
        assert types_about(order) == [SUCCEEDED, REFUNDED]
        assert provider.refunds == {f"refund-{payment_of(order).pk}": 1999}

    def test_during_a_capture_that_never_arrived_voids_the_key(self, order, provider, clock):
        provider.faults.append(Fault.REQUEST_LOST)
        drive(now=clock.now, provider=provider)
        cancelled_arrives(order)
        drive_until_quiet(provider, clock)
        assert types_about(order) == [FAILED]
        assert provider.captures == {}

    def test_after_the_capture_refunds_once(self, order, provider, clock):
        drive_until_quiet(provider, clock)
        cancelled_arrives(order)
        cancelled_arrives(order)
        drive_until_quiet(provider, clock)
        cancelled_arrives(order)
        drive_until_quiet(provider, clock)
        payment = payment_of(order)
        assert (payment.state, payment.refunded_minor) == (State.REFUNDED, 1999)
        assert types_about(order) == [SUCCEEDED, REFUNDED]
        assert len(provider.refunds) == 1


class TestLease:
    def test_keeps_a_second_driver_away(self, order, clock):
        assert claim_due(now=clock.now) is not None
        assert claim_due(now=clock.now + LEASE - timedelta(microseconds=1)) is None

    def test_is_taken_over_when_the_provider_is_slower_than_it(self, order, provider, clock):
        slow = claimed(clock)
        provider.faults.append(Fault.TIMED_OUT)
        late = call(claim=slow, provider=provider)
        clock.advance(LEASE)
        drive(now=clock.now, provider=provider)
        provider.finish_in_flight()
        drive_until_quiet(provider, clock)
        settle(claim=slow, outcome=late, now=clock.now)
        assert len(provider.captures) == 1
        assert payment_of(order).state == State.CAPTURED
        assert types_about(order) == [SUCCEEDED]

    def test_lost_lets_nothing_be_written_or_published(self, order, provider, clock):
        slow = claimed(clock)
        clock.advance(LEASE)
        other = claimed(clock)
        settle(claim=slow, outcome=call(claim=slow, provider=provider), now=clock.now)
        assert types_about(order) == []
        assert payment_of(order).lease_token == other.lease_token
        settle(claim=other, outcome=call(claim=other, provider=provider), now=clock.now)
        assert types_about(order) == [SUCCEEDED]

    def test_of_a_driver_that_wakes_up_after_the_deadline_captures_nothing(self, order, provider, clock):
        sleeper = claimed(clock)
        clock.advance(DEADLINE)
        drive_until_quiet(provider, clock)
        settle(claim=sleeper, outcome=call(claim=sleeper, provider=provider), now=clock.now)
        assert provider.captures == {}
        assert types_about(order) == [FAILED]

    @pytest.mark.parametrize("is_sent", [True, False])
    def test_of_a_crashed_driver_leads_to_at_most_one_capture(self, order, provider, clock, is_sent):
        crashed = claimed(clock)
        if is_sent:
            call(claim=crashed, provider=provider)
        assert payment_of(order).state == State.CHARGING, "written down before the call"
        clock.advance(LEASE)
        drive_until_quiet(provider, clock)
        assert provider.calls == (["capture", "find"] if is_sent else ["find", "capture"])
        assert list(provider.captures.values()) == [1999]
        assert types_about(order) == [SUCCEEDED]


class TestOpenTransaction:
    @pytest.mark.parametrize("module", ["payments", "orders"])
    def test_keeps_the_provider_from_being_called(self, order, provider, clock, module):
        with atomic(module), pytest.raises(OpenTransactionError, match=module):
            drive(now=clock.now, provider=provider)
        assert provider.calls == []


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
