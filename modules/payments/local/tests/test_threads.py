"""Several drivers at once on a real database, and the wake-up in process."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.utils import timezone

from django_seams.modules import atomic
from modules.payments import services
from modules.payments.jobs import drive_payments
from modules.payments.local.claims import claim_due
from modules.payments.local.driver import drive, settle
from modules.payments.local.provider import Captured
from modules.payments.local.testing import FakeProvider
from modules.payments.models import Payment
from modules.payments.tests.arrivals import a_placed_order, cancelled_arrives, payment_of, placed_arrives, types_about
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


class TestLockedRow:
    def test_is_passed_over_by_a_claim(self):
        first, second = a_placed_order(), a_placed_order()
        placed_arrives(first)
        placed_arrives(second)

        def claim():
            try:
                with connections["payments"].cursor() as cursor:
                    cursor.execute("SET lock_timeout = '5s'")
                return claim_due(now=timezone.now())
            finally:
                connections["payments"].close()

        with atomic("payments"), ThreadPoolExecutor(1) as threads:
            Payment.objects.select_for_update().get(order_id=first["order_id"])
            claimed = threads.submit(claim).result(timeout=30)
        assert claimed is not None
        assert claimed.charge.reference == second["order_id"]

    def test_is_waited_for_by_a_wish_so_that_neither_write_is_lost(self):
        order = a_placed_order()
        placed_arrives(order)
        claim = claim_due(now=timezone.now())
        assert claim is not None

        def cancel():
            try:
                with atomic("payments"):
                    _want_refund(order["order_id"])
            finally:
                connections["payments"].close()

        with ThreadPoolExecutor(1) as threads:
            with atomic("payments"):
                Payment.objects.select_for_update().get(order_id=order["order_id"])
                cancelled = threads.submit(cancel)
                _wait_until_somebody_waits_for_a_lock()
                settle(claim=claim, outcome=Captured(capture_id="capture"), now=timezone.now())
            cancelled.result(timeout=30)
        payment = payment_of(order)
        assert (payment.state, payment.wanted) == ("captured", "refunded")
        assert payment.next_at is not None


def _wait_until_somebody_waits_for_a_lock():
    give_up_at = time.monotonic() + 20
    with connections["payments"].cursor() as cursor:
        while time.monotonic() < give_up_at:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype IN ('tuple', 'transactionid')")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits for a lock")


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
