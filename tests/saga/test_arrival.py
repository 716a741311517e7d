"""Events of different sources arrive in any order; what overtakes must not be lost or undone."""

from datetime import timedelta

import pytest

from modules.payments.types import State
from tests.saga.shop import PRICE

pytestmark = pytest.mark.seams_db


class TestStockReservedThatOvertakesPaymentSucceeded:
    def test_confirms_the_pending_order(self, shop, wires):
        order = shop.place()
        self._reserve(shop, wires)
        assert shop.end(order)[0] == "pending"
        wires.carry_and_work(("inventory", "orders"))
        assert shop.end(order)[0] == "confirmed"

    def test_leaves_the_payment_as_news_that_changes_nothing(self, shop, wires):
        order = shop.place()
        self._reserve(shop, wires)
        wires.carry_and_work(("inventory", "orders"), ("payments", "orders"))
        shop.rest()
        assert shop.end(order) == ("confirmed", None, 0)
        assert shop.level() == (9, 0, 1)
        assert shop.timeline(order) == [
            ("order_placed", "pending"),
            ("stock_reserved", "confirmed"),
            ("order_confirmed", ""),
            ("payment_succeeded", ""),
        ]

    def _reserve(self, shop, wires):
        """Payments and inventory do their part before orders hears of either."""
        wires.carry_and_work(("orders", "payments"))
        shop.drive()
        wires.carry_and_work(("payments", "inventory"), ("orders", "inventory"))
        assert shop.level() == (9, 1, 0)


class TestPaymentSucceededThatOvertakesOrderPlaced:
    def test_is_joined_at_inventory_when_the_order_comes(self, shop, wires):
        order = shop.place()
        shop.pay(wires)
        wires.carry_and_work(("payments", "inventory"))
        assert shop.reservation(order) == "paid"
        wires.carry_and_work(("orders", "inventory"))
        assert shop.reservation(order) == "reserved"
        shop.rest()
        assert shop.end(order) == ("confirmed", None, 0)


class TestOrderCancelledThatOvertakesOrderPlaced:
    """Possible when order_placed is a dead letter: what compensates passes it, and it is replayed later."""

    def test_leaves_a_tombstone_at_payments_so_that_nothing_is_captured(self, shop, broken):
        order = shop.place()
        with broken("payments", order):
            shop.give_up()
            shop.cancel(order)
            shop.rest()
            assert shop.payment(order).state is State.UNSEEN
        shop.replay_all()
        shop.rest()
        assert shop.payment(order).state is State.VOIDED
        assert shop.books(order) == (0, 0)
        assert shop.end(order) == ("cancelled", "deadline", 0)

    def test_leaves_a_tombstone_at_inventory_so_that_nothing_is_reserved(self, shop, broken):
        order = shop.place()
        with broken("inventory", order):
            shop.give_up()
            assert shop.end(order) == ("cancelled", "deadline", PRICE)
            assert shop.reservation(order) == "cancelled"
        shop.replay_all()
        shop.rest()
        assert shop.reservation(order) == "cancelled"
        assert shop.level() == (10, 0, 0)


class TestADeadLetter:
    def test_stops_its_own_lane_and_no_other(self, shop, broken):
        stuck, other = shop.place(), shop.place()
        with broken("payments", stuck):
            shop.rest(back_off=True)
            assert shop.end(other) == ("confirmed", None, 0)
            assert shop.end(stuck) == ("pending", None, 0)

    def test_says_what_its_handler_raised(self, shop, broken):
        order = shop.place()
        with broken("payments", order):
            shop.give_up()
        [letter] = shop.dead_letters()
        assert (letter.module, letter.key, letter.type) == ("payments", order, "orders.order_placed.v1")
        assert "RuntimeError: out of order" in letter.error
        assert letter.attempts == 8

    def test_is_replayed_and_the_order_ends(self, shop, broken, settings):
        settings.ORDER_DEADLINE = timedelta(days=1)
        order = shop.place()
        with broken("payments", order):
            shop.give_up()
            assert shop.end(order) == ("pending", None, 0)
        shop.replay_all()
        shop.rest()
        assert shop.end(order) == ("confirmed", None, 0)
        assert shop.books(order) == (PRICE, 0)
        assert shop.dead_letters() == []

    def test_does_not_keep_its_order_from_ending_at_the_deadline(self, shop, broken):
        order = shop.place()
        with broken("payments", order):
            shop.give_up()
            shop.wait()
            assert shop.end(order) == ("cancelled", "deadline", 0)
            assert shop.books(order) == (0, 0)


class TestWhatIsDeliveredTwice:
    def test_has_its_effects_once(self, shop, wires):
        order = shop.place()
        shop.pay(wires)
        shop.rest()  # drains from the beginning, so all that the wires carried comes again
        before = shop.timeline(order)
        for source, target in [("orders", "payments"), ("orders", "inventory"), ("payments", "orders")]:
            wires.carry(source, target)
            wires.carry_again(source, target, back=10)
        shop.rest()
        assert shop.timeline(order) == before
        assert shop.books(order) == (PRICE, 0)
        assert shop.level() == (9, 0, 1)
