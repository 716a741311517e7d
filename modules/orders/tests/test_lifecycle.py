from itertools import product

import pytest

from modules.orders.lifecycle import OPEN, TRANSITIONS, Trigger, step
from modules.orders.types import Reason, Status


class TestTheTable:
    def test_never_leaves_a_final_status(self):
        assert {status for status, _ in TRANSITIONS} == set(OPEN)

    def test_gives_a_reason_exactly_when_it_cancels(self):
        for taken in TRANSITIONS.values():
            assert (taken.reason is not None) == (taken.status == Status.CANCELLED)

    @pytest.mark.parametrize(
        ("trigger", "reason"),
        [
            (Trigger.PAYMENT_FAILED, Reason.PAYMENT_FAILED),
            (Trigger.STOCK_REJECTED, Reason.OUT_OF_STOCK),
            (Trigger.CUSTOMER_CANCELLED, Reason.CUSTOMER),
            (Trigger.DEADLINE_PASSED, Reason.DEADLINE),
        ],
    )
    def test_cancels_a_pending_and_a_paid_order(self, trigger, reason):
        for status in OPEN:
            taken = step(status=status, trigger=trigger)
            assert taken is not None
            assert (taken.status, taken.reason) == (Status.CANCELLED, reason)

    def test_confirms_also_from_pending(self):
        for status in OPEN:
            taken = step(status=status, trigger=Trigger.STOCK_RESERVED)
            assert taken is not None
            assert taken.status == Status.CONFIRMED

    def test_changes_nothing_for_what_it_does_not_list(self):
        unlisted = set(product(Status, Trigger)) - set(TRANSITIONS)
        assert (Status.PAID, Trigger.PAYMENT_SUCCEEDED) in unlisted
        assert all(step(status=status, trigger=trigger) is None for status, trigger in unlisted)

    def test_takes_the_text_that_the_database_answers(self):
        assert step(status="pending", trigger=Trigger.PAYMENT_SUCCEEDED) is not None
