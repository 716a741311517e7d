"""How stock is moved: the guards beneath the code, and what a handler costs."""

from uuid import uuid4

import pytest
from django.db import IntegrityError

from django_seams.modules import atomic
from modules.inventory.errors import StockDisagreesError
from modules.inventory.lifecycle import Fact
from modules.inventory.models import Stock
from modules.inventory.stock import Move, move
from modules.inventory.tests.shop import assert_books_agree, level, lines_of, stocked, tell

PLACED, PAID, CONFIRMED, CANCELLED = Fact.PLACED, Fact.PAID, Fact.CONFIRMED, Fact.CANCELLED
_SAVEPOINTS = 2  # of the test's own `tell` inside `atomic`


@pytest.mark.seams_db
class TestTheDatabase:
    """The last wall: what the code must never try is refused by the tables."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"on_hand": -1, "reserved": 6},
            {"reserved": -1, "on_hand": 6},
            {"sold": -1, "on_hand": 6},
            {"on_hand": 4},
            {"received": 6},
        ],
        ids=str,
    )
    def test_refuses_negative_and_lost_pieces(self, wrong):
        stocked("CUP", 5)

        with pytest.raises(IntegrityError), atomic("inventory"):
            Stock.objects.filter(pk="CUP").update(**wrong)

    def test_a_move_of_more_than_there_is_moves_nothing(self):
        stocked("CUP", 5)
        stocked("TEA", 5)

        with pytest.raises(StockDisagreesError, match="TEA: fewer pieces in 'on_hand'"), atomic("inventory"):
            move(Move.HOLD, lines=lines_of({"CUP": 1, "TEA": 6}))

        assert (level("CUP"), level("TEA")) == ((5, 0, 0), (5, 0, 0))


@pytest.mark.seams_db
class TestStatements:
    """Handlers are the hot path: what they cost must not grow with the lines. Publishing takes one."""

    @pytest.mark.parametrize("skus", [1, 40])
    @pytest.mark.parametrize(
        ("before", "fact", "statements"),
        [
            ([], PLACED, 1),
            ([], PAID, 1),
            ([], CANCELLED, 1),
            ([PLACED], PAID, 4 + 1),
            ([PAID], PLACED, 4 + 1),
            ([PLACED, PAID], CONFIRMED, 4),
            ([PLACED, PAID], CANCELLED, 4),
            ([PLACED, PAID], PAID, 1),
        ],
    )
    def test_are_few(self, skus, before, fact, statements, django_assert_num_queries):
        order_id = uuid4()
        lines = lines_of({stocked(f"SKU-{number}", 3): 2 for number in range(skus)})
        for earlier in before:
            tell(earlier, order_id, lines)

        with atomic("inventory"), django_assert_num_queries(statements + _SAVEPOINTS, using="inventory"):
            tell(fact, order_id, lines)

        assert_books_agree()

    def test_lock_all_rows_in_sku_order_before_one_is_moved(self, django_assert_num_queries):
        order_id = uuid4()
        lines = lines_of({stocked(sku, 3): 2 for sku in ("TEA", "CUP")})
        tell(PLACED, order_id, lines)

        with atomic("inventory"), django_assert_num_queries(4 + 1 + _SAVEPOINTS, using="inventory") as captured:
            tell(PAID, order_id)

        _, _, lock, move, *_ = [query["sql"] for query in captured.captured_queries]
        assert "'{CUP,TEA}'" in lock
        assert lock.endswith("ORDER BY sku FOR UPDATE")
        assert "UPDATE inventory_stock" in move
