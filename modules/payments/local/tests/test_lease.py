"""Drivers that are slow, stopped or dead, and those that take over."""

from datetime import timedelta

import pytest

from modules.payments.local.claims import LEASE, claim_due
from modules.payments.local.driver import call, drive, settle
from modules.payments.local.testing import Fault
from modules.payments.local.tests.driving import (
    FAILED,
    SUCCEEDED,
    claimed,
    drive_until_quiet,
)
from modules.payments.tests.arrivals import (
    DEADLINE,
    payment_of,
    types_about,
)
from modules.payments.types import State

pytestmark = pytest.mark.seams_db


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
