"""A customer changes their mind, at every moment at which they can."""

import pytest

from modules.payments.local.testing import Fault
from modules.payments.types import State
from tests.saga.shop import PRICE
from tests.saga.wires import handle

pytestmark = pytest.mark.seams_db


class TestCancellingBeforeTheCapture:
    def test_spends_the_key_so_that_nothing_can_be_captured(self, shop):
        order = shop.place()
        assert shop.cancel(order).status_code == 200
        shop.rest()
        assert shop.end(order) == ("cancelled", "customer", 0)
        assert shop.payment(order).state is State.VOIDED
        assert shop.books(order) == (0, 0)
        assert "capture" not in shop.provider.calls
        assert shop.level() == (10, 0, 0)

    def test_shows_in_the_timeline_before_the_failed_payment(self, shop):
        order = shop.place()
        shop.cancel(order)
        shop.rest()
        assert shop.timeline(order) == [
            ("order_placed", "pending"),
            ("order_cancelled", "cancelled"),
            ("payment_failed", ""),
        ]


class TestCancellingDuringTheCapture:
    def test_refunds_what_was_captured_in_the_meantime(self, shop):
        shop.provider.faults.append(Fault.TIMED_OUT)
        order = shop.place()
        shop.rest()
        assert shop.payment(order).state is State.CHARGING
        shop.cancel(order)
        shop.rest()
        shop.provider.finish_in_flight()
        shop.wait()
        assert shop.end(order) == ("cancelled", "customer", PRICE)
        assert shop.books(order) == (PRICE, PRICE)
        assert shop.level() == (10, 0, 0)

    def test_tells_of_the_late_payment_and_of_its_refund(self, shop):
        shop.provider.faults.append(Fault.TIMED_OUT)
        order = shop.place()
        shop.rest()
        shop.cancel(order)
        shop.provider.finish_in_flight()
        shop.wait()
        assert shop.timeline(order) == [
            ("order_placed", "pending"),
            ("order_cancelled", "cancelled"),
            ("payment_succeeded", ""),
            ("payment_refunded", ""),
        ]


class TestCancellingAfterTheCapture:
    def test_refunds_and_never_reserves(self, shop, wires):
        order = shop.place()
        shop.pay(wires)
        assert shop.end(order)[0] == "paid"
        shop.cancel(order)
        shop.rest()
        assert shop.end(order) == ("cancelled", "customer", PRICE)
        assert shop.books(order) == (PRICE, PRICE)
        assert shop.level() == (10, 0, 0)

    def test_puts_back_what_was_reserved_already(self, shop, wires):
        order = shop.place()
        shop.pay(wires)
        wires.carry("orders", "inventory")
        wires.carry_and_work(("payments", "inventory"))
        assert shop.level() == (9, 1, 0)
        shop.cancel(order)
        shop.rest()
        assert shop.end(order) == ("cancelled", "customer", PRICE)
        assert shop.level() == (10, 0, 0)
        assert shop.timeline(order) == [
            ("order_placed", "pending"),
            ("payment_succeeded", "paid"),
            ("order_cancelled", "cancelled"),
            ("stock_reserved", ""),
            ("payment_refunded", ""),
        ]


class TestCancellingWhatHasEnded:
    def test_is_refused_when_the_order_is_confirmed(self, shop):
        order = shop.place()
        shop.rest()
        assert shop.cancel(order).status_code == 409
        shop.rest()
        assert shop.end(order) == ("confirmed", None, 0)

    def test_changes_nothing_when_it_is_cancelled(self, shop):
        order = shop.place()
        shop.cancel(order)
        shop.rest()
        before = shop.timeline(order)
        assert shop.cancel(order).status_code == 200
        assert handle("payments") == 0
        shop.rest()
        assert shop.timeline(order) == before
