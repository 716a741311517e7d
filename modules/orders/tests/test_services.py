from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError

from django_seams.modules import atomic
from django_seams.outbox import PublishOutsideTransactionError
from modules.orders import api, jobs, services
from modules.orders.errors import OrderAlreadyConfirmedError, UnknownOrderError
from modules.orders.models import Order
from modules.orders.tests.builders import (
    NOW,
    TOKEN,
    deliver,
    place,
    published,
    sell,
    status_of,
    timeline_of,
    types_published,
)
from modules.orders.types import Status, WantedLine

pytestmark = pytest.mark.seams_db

AFTER_THE_DEADLINE = NOW + settings.ORDER_DEADLINE + timedelta(seconds=1)


class TestPlaceOrder:
    def test_writes_a_pending_order_and_its_event(self):
        order = place(quantity=3)
        assert status_of(order.order_id) == ("pending", None)
        (row,) = published(order.order_id)
        assert row.type == "orders.order_placed.v1"
        assert row.body == {
            "order_id": str(order.order_id),
            "customer_id": str(order.customer_id),
            "lines": [{"sku": "TEA", "quantity": 3, "unit_price_minor": 1250}],
            "total_minor": 3750,
            "currency": "EUR",
            "deadline_at": (NOW + settings.ORDER_DEADLINE).isoformat().replace("+00:00", "Z"),
            "payment_token": TOKEN,
        }

    def test_is_due_when_the_setting_says(self, settings):
        settings.ORDER_DEADLINE = timedelta(seconds=7)
        assert place().deadline_at == NOW + timedelta(seconds=7)

    def test_keeps_the_token_out_of_every_table_of_its_own(self):
        order = place()
        (entry,) = timeline_of(order.order_id)
        assert "payment_token" not in entry.facts
        assert TOKEN not in str(entry.facts)
        assert TOKEN not in str(list(Order.objects.filter(pk=order.order_id).values()))

    def test_writes_nothing_outside_a_transaction(self):
        sell()
        with pytest.raises(PublishOutsideTransactionError):
            services.place_order(
                customer_id=uuid4(),
                lines=[WantedLine(sku="TEA", quantity=1)],
                currency="EUR",
                payment_token=TOKEN,
                now=NOW,
            )
        assert not Order.objects.exists()

    def test_opens_the_timeline(self):
        (entry,) = timeline_of(place().order_id)
        assert (entry.module, entry.type) == ("orders", "orders.order_placed.v1")
        assert entry.changed == {"status": [None, "pending"]}


class TestCancelOrder:
    @pytest.mark.parametrize("is_paid", [False, True])
    def test_cancels_an_open_order(self, is_paid):
        order = place()
        if is_paid:
            deliver("payments.payment_succeeded.v1", order.order_id)
        cancelled = services.cancel_order(customer_id=order.customer_id, order_id=order.order_id)
        assert (cancelled.status, cancelled.reason) == ("cancelled", "customer")
        assert published(order.order_id)[-1].body == {"order_id": str(order.order_id), "reason": "customer"}

    def test_answers_a_cancelled_order_again(self):
        order = place()
        first = services.cancel_order(customer_id=order.customer_id, order_id=order.order_id)
        assert services.cancel_order(customer_id=order.customer_id, order_id=order.order_id) == first
        assert types_published(order.order_id).count("orders.order_cancelled.v1") == 1

    def test_refuses_a_confirmed_order(self):
        order = place()
        deliver("inventory.stock_reserved.v1", order.order_id)
        with pytest.raises(OrderAlreadyConfirmedError):
            services.cancel_order(customer_id=order.customer_id, order_id=order.order_id)
        assert status_of(order.order_id) == ("confirmed", None)

    def test_does_not_know_the_orders_of_others(self):
        order = place()
        with pytest.raises(UnknownOrderError):
            services.cancel_order(customer_id=uuid4(), order_id=order.order_id)
        assert status_of(order.order_id) == ("pending", None)

    def test_shows_the_change_at_its_own_event(self):
        order = place()
        services.cancel_order(customer_id=order.customer_id, order_id=order.order_id)
        last = timeline_of(order.order_id)[-1]
        assert last.type == "orders.order_cancelled.v1"
        assert last.changed == {"status": ["pending", "cancelled"], "reason": [None, "customer"]}


class TestCancelOverdueOrders:
    def test_cancels_pending_and_paid_orders_only(self):
        pending, paid, confirmed = place(), place(), place()
        deliver("payments.payment_succeeded.v1", paid.order_id)
        deliver("inventory.stock_reserved.v1", confirmed.order_id)
        assert jobs.cancel_overdue_orders(AFTER_THE_DEADLINE) == 2
        assert status_of(pending.order_id) == ("cancelled", "deadline")
        assert status_of(paid.order_id) == ("cancelled", "deadline")
        assert status_of(confirmed.order_id) == ("confirmed", None)

    def test_leaves_orders_whose_time_has_not_come(self):
        order = place()
        assert jobs.cancel_overdue_orders(order.deadline_at - timedelta(microseconds=1)) == 0
        assert status_of(order.order_id) == ("pending", None)

    def test_works_in_batches_and_says_when_it_is_done(self):
        orders = [place() for _ in range(5)]
        batches = [services.cancel_overdue_orders(now=AFTER_THE_DEADLINE, limit=2) for _ in range(4)]
        assert batches == [2, 2, 1, 0]
        assert all(status_of(order.order_id) == ("cancelled", "deadline") for order in orders)

    def test_publishes_and_records_each_cancellation(self):
        orders = [place(), place()]
        jobs.cancel_overdue_orders(AFTER_THE_DEADLINE)
        for order in orders:
            placed, cancelled = published(order.order_id)
            assert cancelled.body == {"order_id": str(order.order_id), "reason": "deadline"}
            assert [entry.event_id for entry in timeline_of(order.order_id)] == [placed.id, cancelled.id]


class TestTheTables:
    def test_refuse_a_cancelled_order_without_a_reason(self):
        order = place()
        with pytest.raises(IntegrityError, match="reason_iff_cancelled"), atomic("orders"):
            Order.objects.filter(pk=order.order_id).update(status=Status.CANCELLED)

    def test_refuse_a_reason_without_a_cancellation(self):
        order = place()
        with pytest.raises(IntegrityError, match="reason_iff_cancelled"), atomic("orders"):
            Order.objects.filter(pk=order.order_id).update(reason="customer")


class TestTheDoor:
    def test_lists_every_order_as_a_frozen_summary(self):
        first, second = place(now=NOW), place(now=NOW + timedelta(seconds=1))
        services.cancel_order(customer_id=second.customer_id, order_id=second.order_id)
        summaries = list(api.orders())
        assert [summary.order_id for summary in summaries] == [first.order_id, second.order_id]
        assert [summary.status for summary in summaries] == [api.Status.PENDING, api.Status.CANCELLED]
        assert summaries[1].reason is api.Reason.CUSTOMER

    def test_answers_one_order_as_it_was_placed(self):
        order = place()
        assert api.order(order_id=order.order_id) == order

    def test_refuses_an_order_that_is_not_there(self):
        with pytest.raises(api.UnknownOrderError):
            api.order(order_id=uuid4())
