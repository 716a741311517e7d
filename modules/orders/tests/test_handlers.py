from uuid import uuid4

import pytest

from django_seams.bus import handlers_of
from modules.orders.errors import UnknownOrderError
from modules.orders.models import Order
from modules.orders.tests.builders import (
    FOREIGN,
    deliver,
    place,
    published,
    status_of,
    timeline_of,
    types_published,
)

pytestmark = pytest.mark.seams_db

PAID, FAILED, REFUNDED, RESERVED, REJECTED = FOREIGN


class TestForeignEvents:
    def test_take_an_order_from_pending_over_paid_to_confirmed(self):
        order_id = place().order_id
        deliver(PAID, order_id)
        assert status_of(order_id) == ("paid", None)
        deliver(RESERVED, order_id)
        assert status_of(order_id) == ("confirmed", None)
        assert types_published(order_id) == ["orders.order_placed.v1", "orders.order_confirmed.v1"]

    def test_confirm_even_when_inventory_overtakes_payments(self):
        order_id = place().order_id
        deliver(RESERVED, order_id)
        deliver(PAID, order_id)
        assert status_of(order_id) == ("confirmed", None)
        assert timeline_of(order_id)[-1].changed == {}

    @pytest.mark.parametrize(
        ("event_type", "facts", "reason"),
        [
            (FAILED, {"reason": "declined"}, "payment_failed"),
            (FAILED, {"reason": "deadline"}, "deadline"),
            (REJECTED, {}, "out_of_stock"),
        ],
    )
    def test_cancel_with_the_reason_that_fits(self, event_type, facts, reason):
        order_id = place().order_id
        deliver(event_type, order_id, **facts)
        assert status_of(order_id) == ("cancelled", reason)
        assert published(order_id)[-1].body == {"order_id": str(order_id), "reason": reason}

    def test_show_a_refund_on_the_order(self):
        order_id = place().order_id
        deliver(REJECTED, order_id)
        deliver(REFUNDED, order_id, amount_minor=2000)
        deliver(REFUNDED, order_id, amount_minor=500)
        assert Order.objects.get(pk=order_id).refunded_minor == 2500
        assert timeline_of(order_id)[-1].changed == {"refunded_minor": [2000, 2500]}

    @pytest.mark.parametrize("event_type", FOREIGN)
    def test_fail_loudly_for_an_order_that_is_not_there(self, event_type):
        with pytest.raises(UnknownOrderError, match="check the id"):
            deliver(event_type, uuid4())

    @pytest.mark.parametrize("event_type", FOREIGN)
    def test_do_nothing_when_delivered_again(self, event_type):
        order_id = place().order_id
        event_id = deliver(event_type, order_id)
        before = Order.objects.filter(pk=order_id).values().get(), len(published(order_id))
        deliver(event_type, order_id, event_id=event_id)
        assert (Order.objects.filter(pk=order_id).values().get(), len(published(order_id))) == before
        assert [entry.event_id for entry in timeline_of(order_id)].count(event_id) == 1

    def test_have_one_handler_each(self):
        types = [wish.event_type for wish in handlers_of("orders").values()]
        assert sorted(types) == sorted([*FOREIGN, "inventory.product_updated.v1"])


class TestTheTimeline:
    def test_shows_late_events_that_change_nothing(self):
        order_id = place().order_id
        deliver(FAILED, order_id)
        deliver(PAID, order_id)
        late = timeline_of(order_id)[-1]
        assert (late.module, late.type, late.changed) == ("payments", PAID, {})
        assert status_of(order_id) == ("cancelled", "payment_failed")

    def test_shows_the_change_at_its_cause_and_once(self):
        order_id = place().order_id
        deliver(RESERVED, order_id)
        _, cause, announcement = timeline_of(order_id)
        assert (cause.type, cause.changed) == (RESERVED, {"status": ["pending", "confirmed"]})
        assert (announcement.type, announcement.changed) == ("orders.order_confirmed.v1", {})

    def test_keeps_the_facts_of_an_event(self):
        order_id = place().order_id
        deliver(REJECTED, order_id)
        assert timeline_of(order_id)[1].facts == {"missing": [{"sku": "TEA", "requested": 2, "available": 0}]}

    def test_says_which_event_caused_an_announcement(self):
        order_id = place().order_id
        cause = deliver(RESERVED, order_id)
        assert published(order_id)[-1].headers["causationid"] == str(cause)
