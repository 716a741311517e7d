"""The provider is away, slow or late: the order ends all the same, and no money is kept for it."""

import pytest
from django.utils import timezone

from modules.payments.jobs import drive_payments
from modules.payments.local.testing import Fault
from modules.payments.types import State
from tests.saga.shop import LONG, PRICE

pytestmark = pytest.mark.seams_db


class TestAProviderThatIsAway:
    def test_leaves_the_order_pending_until_it_answers_again(self, shop):
        shop.provider.outage = True
        order = shop.place()
        shop.rest()
        assert shop.end(order) == ("pending", None, 0)
        shop.provider.outage = False
        shop.wait_a_moment()
        assert shop.end(order) == ("confirmed", None, 0)

    def test_does_not_keep_an_order_open_past_its_deadline(self, shop):
        shop.provider.outage = True
        order = shop.place()
        shop.wait()
        assert shop.end(order) == ("cancelled", "deadline", 0)

    def test_is_asked_again_and_voided_when_it_is_back(self, shop):
        shop.provider.outage = True
        order = shop.place()
        shop.wait()
        assert shop.payment(order).state is State.CHARGING
        shop.provider.outage = False
        shop.wait_a_moment()
        assert shop.payment(order).state is State.VOIDED
        assert shop.books(order) == (0, 0)
        assert shop.timeline(order) == [
            ("order_placed", "pending"),
            ("order_cancelled", "cancelled"),
            ("payment_failed", ""),
        ]

    def test_makes_no_dead_letter_however_long_it_lasts(self, shop):
        shop.provider.outage = True
        order = shop.place(TEA=11)
        for _ in range(20):
            shop.wait()
        shop.provider.outage = False
        shop.wait_a_moment()
        assert shop.end(order) == ("cancelled", "deadline", 0)
        assert shop.dead_letters() == []


class TestAPaymentThatComesTooLate:
    def test_is_given_back(self, shop):
        shop.provider.faults.append(Fault.TIMED_OUT)
        order = shop.place()
        shop.rest()
        shop.provider.outage = True
        shop.wait()
        assert shop.end(order) == ("cancelled", "deadline", 0)
        shop.provider.finish_in_flight()
        shop.provider.outage = False
        shop.wait_a_moment()
        assert shop.end(order) == ("cancelled", "deadline", PRICE)
        assert shop.books(order) == (PRICE, PRICE)
        assert shop.level() == (10, 0, 0)
        assert shop.timeline(order)[-2:] == [("payment_succeeded", ""), ("payment_refunded", "")]

    def test_is_not_begun_after_the_deadline(self, shop, wires):
        order = shop.place()
        wires.carry_and_work(("orders", "payments"))
        drive_payments(timezone.now() + LONG)  # the driver was away all the time
        assert shop.payment(order).state is State.VOIDED
        wires.carry_and_work(("payments", "orders"))
        assert shop.timeline(order) == [
            ("order_placed", "pending"),
            ("payment_failed", "cancelled"),
            ("order_cancelled", ""),
        ]
        assert shop.end(order) == ("cancelled", "deadline", 0)


class TestARefund:
    def test_is_tried_until_the_provider_is_back_and_made_once(self, shop, wires):
        order = shop.place(TEA=11)
        shop.pay(wires)
        shop.provider.outage = True
        for _ in range(10):
            shop.wait_a_moment()
        assert shop.end(order) == ("cancelled", "out_of_stock", 0)
        assert shop.books(order) == (11 * PRICE, 0)
        shop.provider.outage = False
        shop.provider.faults.append(Fault.RESPONSE_LOST)
        shop.wait_a_moment()
        shop.wait_a_moment()
        assert shop.end(order) == ("cancelled", "out_of_stock", 11 * PRICE)
        assert shop.books(order) == (11 * PRICE, 11 * PRICE)
