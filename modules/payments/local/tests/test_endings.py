"""Deadline and cancellation, before, during and after the capture."""

import pytest

from modules.payments.local.driver import call, drive, settle
from modules.payments.local.testing import Fault
from modules.payments.local.tests.driving import (
    FAILED,
    REFUNDED,
    SUCCEEDED,
    claimed,
    drive_until_quiet,
)
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
