"""The saga's promises, for every order of arrival: shuffled, duplicated and late events."""

from datetime import timedelta
from itertools import pairwise
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.orders import services
from modules.orders.errors import OrderAlreadyConfirmedError
from modules.orders.models import Order
from modules.orders.tests.builders import TOKEN, deliver, place, published, timeline_of
from modules.orders.types import OrderDetails

pytestmark = pytest.mark.seams_db

# name -> event type, and what the order would end as if this came first (None: it does not end)
Ending = tuple[str, str | None] | None
EVENTS: dict[str, tuple[str, dict[str, object], Ending]] = {
    "paid": ("payments.payment_succeeded.v1", {}, None),
    "declined": ("payments.payment_failed.v1", {"reason": "declined"}, ("cancelled", "payment_failed")),
    "too_late": ("payments.payment_failed.v1", {"reason": "deadline"}, ("cancelled", "deadline")),
    "given_up": ("payments.payment_failed.v1", {"reason": "cancelled"}, ("cancelled", "payment_failed")),
    "refunded": ("payments.payment_refunded.v1", {"amount_minor": 700}, None),
    "reserved": ("inventory.stock_reserved.v1", {}, ("confirmed", None)),
    "rejected": ("inventory.stock_rejected.v1", {}, ("cancelled", "out_of_stock")),
}
OWN: dict[str, Ending] = {"customer": ("cancelled", "customer"), "deadline": ("cancelled", "deadline")}

# The same name with the same number is the same event, delivered again; with another number it is
# another event that says the same.
happenings = st.lists(st.tuples(st.sampled_from([*EVENTS, *OWN]), st.integers(0, 1)), max_size=14)


def happen(order: OrderDetails, name: str, number: int) -> UUID | None:
    """Let one thing happen; answers the id of the foreign event, if it was one."""
    if name == "customer":
        try:
            services.cancel_order(customer_id=order.customer_id, order_id=order.order_id)
        except OrderAlreadyConfirmedError:
            assert Order.objects.get(pk=order.order_id).status == "confirmed"
        return None
    if name == "deadline":
        services.cancel_overdue_orders(now=order.deadline_at + timedelta(seconds=1))
        return None
    event_type, facts, _ = EVENTS[name]
    event_id = uuid5(order.order_id, f"{name} {number}")
    return deliver(event_type, order.order_id, event_id=event_id, **facts)


def first_ending(names: list[str]) -> Ending:
    endings = [OWN[name] if name in OWN else EVENTS[name][2] for name in names]
    return next(ending for ending in endings if ending)


class TestEveryOrderOfArrival:
    @given(happenings)
    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_ends_once_as_the_first_ending_event_says_with_all_in_the_timeline(self, story):
        order = place()
        story = [*story, ("deadline", 0)]  # time always passes
        delivered = {event_id for name, number in story if (event_id := happen(order, name, number))}

        row = Order.objects.get(pk=order.order_id)
        assert (row.status, row.reason) == first_ending([name for name, _ in story])
        refunds = {number for name, number in story if name == "refunded"}
        assert row.refunded_minor == 700 * len(refunds)

        events = published(order.order_id)
        assert [event.type for event in events] == [
            "orders.order_placed.v1",
            f"orders.order_{row.status}.v1",
        ]
        assert events[1].body.get("reason") == row.reason

        entries = timeline_of(order.order_id)
        recorded = [entry.event_id for entry in entries]
        assert len(recorded) == len(set(recorded))
        assert set(recorded) == delivered | {event.id for event in events}
        assert TOKEN not in str([entry.facts for entry in entries])

        moves = [entry.changed["status"] for entry in entries if "status" in entry.changed]
        assert all(before[1] == after[0] for before, after in pairwise(moves))
        assert (moves[0][0], moves[-1][1]) == (None, row.status)
