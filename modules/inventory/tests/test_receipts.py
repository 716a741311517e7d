"""What comes in: booking receipts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from modules.inventory import api
from modules.inventory.errors import InvalidReceiptError, ReceiptConflictError, UnknownSkuError
from modules.inventory.tests.shop import level, stocked


@pytest.mark.seams_db
class TestReceiveStock:
    def test_puts_the_pieces_on_hand(self):
        stocked("CUP")

        answer = api.receive_stock(sku="CUP", quantity=7, reference="note 1")

        assert (answer.on_hand, answer.reserved, answer.sold, answer.received) == (7, 0, 0, 7)
        assert api.stock_levels() == [answer]

    def test_books_a_reference_once(self):
        stocked("CUP")
        first = api.receive_stock(sku="CUP", quantity=7, reference="note 1")

        assert api.receive_stock(sku="CUP", quantity=7, reference="note 1") == first

    def test_books_every_sku_of_one_reference(self):
        stocked("CUP")
        stocked("TEA")
        api.receive_stock(sku="CUP", quantity=7, reference="note 1")
        api.receive_stock(sku="TEA", quantity=3, reference="note 1")

        assert level("CUP") == (7, 0, 0)
        assert level("TEA") == (3, 0, 0)

    def test_adds_up_over_references(self):
        stocked("CUP")
        api.receive_stock(sku="CUP", quantity=7, reference="note 1")

        assert api.receive_stock(sku="CUP", quantity=5, reference="note 2").received == 12

    def test_refuses_a_reference_that_was_booked_with_another_quantity(self):
        stocked("CUP")
        api.receive_stock(sku="CUP", quantity=7, reference="note 1")

        with pytest.raises(ReceiptConflictError, match="'note 1' booked 7 of CUP before"):
            api.receive_stock(sku="CUP", quantity=8, reference="note 1")

        assert level("CUP") == (7, 0, 0)

    def test_refuses_an_unknown_sku_and_says_what_to_do(self):
        with pytest.raises(UnknownSkuError, match=r"No product has SKU 'GHOST'.*put it first"):
            api.receive_stock(sku="GHOST", quantity=1, reference="note 1")

    @pytest.mark.parametrize("quantity", [0, -1, 10**9 + 1])
    def test_refuses_a_quantity_that_cannot_be(self, quantity):
        stocked("CUP")

        with pytest.raises(InvalidReceiptError, match=f"not {quantity}"):
            api.receive_stock(sku="CUP", quantity=quantity, reference="note 1")

        assert level("CUP") == (0, 0, 0)

    @pytest.mark.parametrize("reference", ["", "x" * 201, "nul \x00"])
    def test_refuses_a_reference_that_nobody_could_find_again(self, reference):
        stocked("CUP")

        with pytest.raises(InvalidReceiptError, match="1 to 200 printable characters"):
            api.receive_stock(sku="CUP", quantity=1, reference=reference)


@pytest.mark.seams_db(transaction=True)
class TestReceiveStockAtOnce:
    def test_one_reference_from_eight_sides_is_booked_once(self):
        stocked("CUP")

        def receive(_: int) -> int:
            try:
                return api.receive_stock(sku="CUP", quantity=7, reference="note 1").on_hand
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(receive, range(8), timeout=60))

        assert answers == [7] * 8
        assert level("CUP") == (7, 0, 0)
