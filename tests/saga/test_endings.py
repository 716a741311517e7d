"""The endings that an order comes to when nobody interferes."""

import pytest

from modules.payments.local.testing import Fault
from modules.payments.types import State
from tests.saga.shop import PRICE, offer

pytestmark = pytest.mark.seams_db


class TestAnOrderThatIsPaidAndInStock:
    def test_is_confirmed_captured_once_and_sold(self, shop):
        order = shop.place(TEA=3)
        shop.rest()
        assert shop.end(order) == ("confirmed", None, 0)
        assert shop.books(order) == (3 * PRICE, 0)
        assert shop.reservation(order) == "sold"
        assert shop.level() == (7, 0, 3)

    def test_has_a_timeline_that_shows_each_change_at_its_cause(self, shop):
        order = shop.place()
        shop.rest()
        assert shop.timeline(order) == [
            ("order_placed", "pending"),
            ("payment_succeeded", "paid"),
            ("stock_reserved", "confirmed"),
            ("order_confirmed", ""),
        ]

    def test_ends_as_well_after_an_error_of_the_provider(self, shop):
        order = shop.place(token="tok_error_then_ok")
        shop.rest()
        assert shop.end(order) == ("pending", None, 0)
        shop.wait_a_moment()
        assert shop.end(order) == ("confirmed", None, 0)
        assert shop.books(order) == (PRICE, 0)

    def test_is_not_captured_again_when_the_answer_was_lost(self, shop):
        order = shop.place(token="tok_lost_response")
        shop.rest()
        shop.wait_a_moment()
        assert shop.end(order) == ("confirmed", None, 0)
        assert shop.books(order) == (PRICE, 0)

    @pytest.mark.parametrize("fault", list(Fault))
    def test_is_captured_once_whatever_happens_to_the_first_call(self, shop, fault):
        shop.provider.faults.append(fault)
        order = shop.place()
        shop.rest()
        shop.provider.finish_in_flight()
        shop.wait_a_moment()
        assert shop.end(order) == ("confirmed", None, 0)
        assert shop.books(order) == (PRICE, 0)

    def test_needs_all_of_its_lines(self, shop):
        offer("CUP", pieces=1)
        order = shop.place(TEA=2, CUP=1)
        shop.rest()
        assert shop.end(order)[0] == "confirmed"
        assert (shop.level("TEA"), shop.level("CUP")) == ((8, 0, 2), (0, 0, 1))


class TestAnOrderThatCannotBePaid:
    @pytest.mark.parametrize("token", ["tok_declined", "tok_nobody_knows"])
    def test_is_cancelled_without_touching_stock(self, shop, token):
        order = shop.place(token=token)
        shop.rest()
        assert shop.end(order) == ("cancelled", "payment_failed", 0)
        assert shop.books(order) == (0, 0)
        assert shop.payment(order).state is State.DECLINED
        assert shop.reservation(order) == "cancelled"
        assert shop.level() == (10, 0, 0)

    def test_has_a_timeline_that_says_so(self, shop):
        order = shop.place(token="tok_declined")
        shop.rest()
        assert shop.timeline(order) == [
            ("order_placed", "pending"),
            ("payment_failed", "cancelled"),
            ("order_cancelled", ""),
        ]


class TestAnOrderThatIsOutOfStock:
    def test_is_cancelled_and_refunded(self, shop):
        order = shop.place(TEA=11)
        shop.rest()
        assert shop.end(order) == ("cancelled", "out_of_stock", 11 * PRICE)
        assert shop.books(order) == (11 * PRICE, 11 * PRICE)
        assert shop.payment(order).state is State.REFUNDED
        assert shop.level() == (10, 0, 0)

    def test_takes_no_line_when_one_is_missing(self, shop):
        offer("CUP", pieces=1)
        order = shop.place(TEA=2, CUP=2)
        shop.rest()
        assert shop.end(order) == ("cancelled", "out_of_stock", 4 * PRICE)
        assert (shop.level("TEA"), shop.level("CUP")) == ((10, 0, 0), (1, 0, 0))

    def test_has_a_timeline_down_to_the_refund(self, shop):
        order = shop.place(TEA=11)
        shop.rest()
        assert shop.timeline(order) == [
            ("order_placed", "pending"),
            ("payment_succeeded", "paid"),
            ("stock_rejected", "cancelled"),
            ("order_cancelled", ""),
            ("payment_refunded", ""),
        ]

    def test_leaves_the_last_pieces_to_those_who_paid_first(self, shop):
        orders = [shop.place(TEA=4) for _ in range(4)]
        shop.rest()
        ends = [shop.end(order)[:2] for order in orders]
        assert ends.count(("confirmed", None)) == 2
        assert ends.count(("cancelled", "out_of_stock")) == 2
        assert shop.level() == (2, 0, 8)
