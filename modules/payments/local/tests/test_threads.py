"""Several drivers at once on a real database, and the wake-up in process."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.utils import timezone

from django_seams.modules import atomic
from modules.payments import services
from modules.payments.jobs import drive_payments
from modules.payments.local.driver import drive
from modules.payments.local.testing import FakeProvider
from modules.payments.models import Payment
from modules.payments.tests.arrivals import a_placed_order, cancelled_arrives, placed_arrives, types_about
from modules.payments.types import State

pytestmark = pytest.mark.seams_db(transaction=True)


class TestSeveralDrivers:
    def test_capture_every_order_once(self):
        orders = [a_placed_order() for _ in range(30)]
        for order in orders:
            placed_arrives(order)
        provider, start = FakeProvider(), threading.Barrier(6)

        def drive_all(_):
            try:
                start.wait(timeout=30)
                while drive(now=timezone.now(), provider=provider):
                    pass
            finally:
                connections["payments"].close()

        with ThreadPoolExecutor(6) as threads:
            list(threads.map(drive_all, range(6)))
        assert provider.calls == ["capture"] * 30
        assert set(Payment.objects.values_list("state", flat=True)) == {State.CAPTURED}
        assert [types_about(order) for order in orders] == [["payment_succeeded"]] * 30


class TestTwoHandlersAtOnce:
    def test_make_one_payment_that_is_not_wanted(self):
        order_ids, start = [uuid.uuid4() for _ in range(20)], threading.Barrier(2)

        def wish(want):
            try:
                for order_id in order_ids:
                    start.wait(timeout=30)
                    with atomic("payments"):
                        want(order_id)
            finally:
                connections["payments"].close()

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(wish, [_want_capture, _want_refund]))
        found = Payment.objects.values_list("state", "wanted", "amount_minor", "payment_token")
        assert list(found) == [("requested", "refunded", 1999, "")] * 20


def _want_capture(order_id):
    services.want_capture(
        order_id=order_id,
        customer_id=uuid.uuid4(),
        amount_minor=1999,
        currency="EUR",
        payment_token="tok_ok",
        deadline_at=timezone.now(),
        now=timezone.now(),
    )


def _want_refund(order_id):
    services.want_refund(order_id=order_id, now=timezone.now())


class TestWakeUp:
    @pytest.fixture
    def wakes(self, monkeypatch):
        wakes = []
        monkeypatch.setattr(drive_payments, "wake", lambda: wakes.append(1))
        return wakes

    def test_follows_the_commit_of_every_wish(self, wakes):
        order = a_placed_order()
        placed_arrives(order)
        assert len(wakes) == 1
        cancelled_arrives(order)
        assert len(wakes) == 2

    def test_does_not_follow_what_is_no_news(self, wakes):
        order = a_placed_order()
        cancelled_arrives(order)
        cancelled_arrives(order)
        assert wakes == []
