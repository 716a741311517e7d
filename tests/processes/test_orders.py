"""Orders over HTTP through real processes, and many who want the same few pieces."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.processes.system import until

BUYERS, PIECES = 50, 10

_OFFER = f"""
from modules.inventory import api
api.put_product(sku="rare", name="Rare", unit_price_minor=700, currency="EUR")
api.receive_stock(sku="rare", quantity={PIECES}, reference="the only delivery")
"""


class TestAnOrder:
    def test_is_confirmed(self, customer, provider):
        order = customer.place(quantity=2)
        assert customer.ends(order) == {"confirmed": 1}
        assert customer.timeline(order) == ["order_placed", "payment_succeeded", "stock_reserved", "order_confirmed"]
        assert provider.booked("capture", order) == [2500]

    @pytest.mark.parametrize("token", ["tok_error_then_ok", "tok_lost_response", "tok_slow"])
    def test_is_confirmed_and_captured_once_with_a_difficult_payment(self, customer, provider, token):
        order = customer.place(token=token)
        assert customer.ends(order) == {"confirmed": 1}
        assert provider.booked("capture", order) == [1250]

    def test_is_cancelled_when_its_payment_is_declined(self, customer):
        assert customer.ends(customer.place(token="tok_declined")) == {"payment_failed": 1}

    def test_is_refunded_when_its_customer_cancels_during_a_slow_payment(self, customer, provider, audit):
        order = customer.place(token="tok_slow")
        assert customer.cancel(order) == 200
        assert customer.ends(order) == {"customer": 1}
        audit()
        assert provider.booked("refund", order) == provider.booked("capture", order)


class TestContestedStock:
    @pytest.fixture
    def rare(self, system, customer):
        offered = system.manage("shell", "-c", _OFFER)
        assert offered.returncode == 0, offered.stderr
        known = "SELECT 1 FROM orders_catalogueproduct WHERE sku = 'rare'"
        until(lambda: system.sql("orders", known), what="orders knows the product")
        return "rare"

    def test_goes_to_as_many_buyers_as_there_are_pieces(self, customer, provider, audit, rare):
        with ThreadPoolExecutor(16) as threads:
            orders = list(threads.map(lambda _: customer.place(sku=rare), range(BUYERS)))
        assert customer.ends(*orders) == {"confirmed": PIECES, "out_of_stock": BUYERS - PIECES}
        stock = customer.stock(rare)
        assert (stock["on_hand"], stock["available"]) == (0, 0)
        audit()
        refunded = [order for order in orders if provider.booked("refund", order)]
        assert len(refunded) == BUYERS - PIECES
        assert customer.stock(rare)["sold"] == PIECES
