"""What happens to one order from several sides at once, in real transactions."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connections

from django_seams.modules import atomic
from modules.orders import services
from modules.orders.errors import OrderAlreadyConfirmedError
from modules.orders.models import Order
from modules.orders.tests.builders import deliver, place, status_of, timeline_of, types_published

pytestmark = pytest.mark.seams_db(transaction=True)


def in_threads(*calls):
    """Run the calls at the same moment, each on connections of its own; raises what they raise."""
    together = threading.Barrier(len(calls))

    def run(call):
        try:
            together.wait(timeout=30)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, call) for call in calls]]


def ask_for_cancellation(order):
    with suppress(OrderAlreadyConfirmedError):
        services.cancel_order(customer_id=order.customer_id, order_id=order.order_id)


class TestARace:
    def test_of_all_endings_is_won_by_exactly_one(self):
        for _ in range(8):
            order = place()
            in_threads(
                lambda order=order: ask_for_cancellation(order),
                lambda order=order: deliver("inventory.stock_reserved.v1", order.order_id),
                lambda order=order: deliver("payments.payment_failed.v1", order.order_id),
                lambda order=order: services.cancel_overdue_orders(
                    now=order.deadline_at + timedelta(seconds=1), limit=1
                ),
            )
            status, _ = status_of(order.order_id)
            endings = ["orders.order_placed.v1", f"orders.order_{status}.v1"]
            assert types_published(order.order_id) == endings
            later = timeline_of(order.order_id)[1:]
            assert (len(later), len([entry for entry in later if entry.changed])) == (3, 1)

    def test_of_two_workers_for_overdue_orders_is_won_once_per_order(self):
        orders = [place() for _ in range(6)]
        now = orders[0].deadline_at + timedelta(seconds=1)
        counts = in_threads(*[lambda: services.cancel_overdue_orders(now=now)] * 3)
        assert sum(counts) == len(orders)
        for order in orders:
            assert types_published(order.order_id).count("orders.order_cancelled.v1") == 1

    def test_with_the_deadline_does_not_make_the_job_wait_for_a_locked_order(self):
        busy, free = place(), place()
        now = busy.deadline_at + timedelta(seconds=1)
        with atomic("orders"):
            Order.objects.select_for_update().get(pk=busy.order_id)
            assert in_threads(lambda: services.cancel_overdue_orders(now=now)) == [1]
        assert (status_of(busy.order_id), status_of(free.order_id)) == (
            ("pending", None),
            ("cancelled", "deadline"),
        )
        assert services.cancel_overdue_orders(now=now) == 1
