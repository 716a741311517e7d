"""One order's stock, whatever is heard about it and in whatever order."""

from itertools import permutations
from uuid import uuid4

import pytest

from modules.inventory import api
from modules.inventory.errors import ConfirmedButMissingError, ContradictedOrderError
from modules.inventory.lifecycle import Fact
from modules.inventory.tests.shop import (
    REJECTED,
    RESERVED,
    level,
    lines_of,
    published,
    reservation,
    stocked,
    tell,
)
from modules.inventory.types import ReservationLine

PLACED, PAID, CONFIRMED, CANCELLED = Fact.PLACED, Fact.PAID, Fact.CONFIRMED, Fact.CANCELLED
TWO_CUPS = lines_of({"CUP": 2})

# What was heard, in this order → state, (on hand, reserved, sold) of 5 cups, times stock_reserved
# was published. Written down by hand, not derived from the table of transitions.
HISTORIES = [
    ([PLACED], "placed", (5, 0, 0), 0),
    ([PAID], "paid", (5, 0, 0), 0),
    ([CONFIRMED], "promised", (5, 0, 0), 0),
    ([CANCELLED], "cancelled", (5, 0, 0), 0),
    ([PLACED, PAID], "reserved", (3, 2, 0), 1),
    ([PAID, PLACED], "reserved", (3, 2, 0), 1),
    ([PLACED, PAID, CONFIRMED], "sold", (3, 0, 2), 1),
    ([PAID, PLACED, CONFIRMED], "sold", (3, 0, 2), 1),
    ([PLACED, CONFIRMED, PAID], "sold", (3, 0, 2), 0),
    ([PAID, CONFIRMED, PLACED], "sold", (3, 0, 2), 0),
    ([CONFIRMED, PAID, PLACED], "sold", (3, 0, 2), 0),
    ([CONFIRMED, PLACED, PAID], "sold", (3, 0, 2), 0),
    ([PLACED, CANCELLED], "cancelled", (5, 0, 0), 0),
    ([PLACED, CANCELLED, PAID], "cancelled", (5, 0, 0), 0),
    ([PLACED, PAID, CANCELLED], "cancelled", (5, 0, 0), 1),
    ([PAID, PLACED, CANCELLED], "cancelled", (5, 0, 0), 1),
    ([PAID, CANCELLED, PLACED], "cancelled", (5, 0, 0), 0),
    ([CANCELLED, PLACED, PAID], "cancelled", (5, 0, 0), 0),
    ([CANCELLED, PAID, PLACED], "cancelled", (5, 0, 0), 0),
]


def name_of(history: object) -> str | None:
    return "-".join(history) if isinstance(history, list) else None


def hear(order_id, history, lines=TWO_CUPS):
    for fact in history:
        tell(fact, order_id, lines)


@pytest.mark.seams_db
class TestOrdersOfArrival:
    @pytest.mark.parametrize(("history", "state", "cups", "announced"), HISTORIES, ids=name_of)
    def test_ends_where_it_must(self, history, state, cups, announced):
        order_id = uuid4()
        stocked("CUP", 5)

        hear(order_id, history)

        assert reservation(order_id).state == state
        assert level("CUP") == cups
        assert published(RESERVED) == [{"order_id": str(order_id)}] * announced
        assert published(REJECTED) == []

    @pytest.mark.parametrize(("history", "state", "cups", "announced"), HISTORIES, ids=name_of)
    def test_ends_there_when_everything_comes_twice_at_once_and_again_later(self, history, state, cups, announced):
        order_id = uuid4()
        stocked("CUP", 5)

        hear(order_id, [twice for fact in history for twice in (fact, fact)])
        hear(order_id, history)

        assert reservation(order_id).state == state
        assert level("CUP") == cups
        assert len(published(RESERVED)) == announced

    def test_no_order_of_arrival_was_left_out(self):
        facts = [{PLACED, PAID, CONFIRMED}, {PLACED, PAID, CANCELLED}]
        every = {order for each in facts for order in permutations(each)}

        assert every == {tuple(history) for history, *_ in HISTORIES if len(history) == 3}


@pytest.mark.seams_db
class TestMissingStock:
    def test_rejects_with_what_is_missing_and_holds_nothing(self):
        order_id = uuid4()
        for sku, pieces in (("CUP", 5), ("TEA", 1), ("POT", 0)):
            stocked(sku, pieces)

        hear(order_id, [PLACED, PAID], lines_of({"TEA": 2, "CUP": 5, "POT": 1, "GHOST": 3}))

        assert reservation(order_id).state == "rejected"
        [body] = published(REJECTED)
        assert body["order_id"] == str(order_id)
        assert sorted(body["missing"], key=lambda each: each["sku"]) == [
            {"sku": "GHOST", "requested": 3, "available": 0},
            {"sku": "POT", "requested": 1, "available": 0},
            {"sku": "TEA", "requested": 2, "available": 1},
        ]
        assert published(RESERVED) == []
        assert [level(sku) for sku in ("CUP", "TEA", "POT")] == [(5, 0, 0), (1, 0, 0), (0, 0, 0)]

    def test_an_order_of_unknown_skus_only_is_rejected(self):
        order_id = uuid4()

        hear(order_id, [PAID, PLACED], lines_of({"GHOST": 10**12}))

        assert reservation(order_id).state == "rejected"
        [body] = published(REJECTED)
        assert body["missing"] == [{"sku": "GHOST", "requested": 10**12, "available": 0}]

    def test_what_is_held_for_others_is_not_available(self):
        first, second = uuid4(), uuid4()
        stocked("CUP", 5)

        hear(first, [PLACED, PAID], lines_of({"CUP": 4}))
        hear(second, [PLACED, PAID])

        [body] = published(REJECTED)
        assert body["missing"] == [{"sku": "CUP", "requested": 2, "available": 1}]

    def test_a_rejected_order_stays_rejected_when_stock_comes_in(self):
        order_id = uuid4()
        stocked("CUP", 1)
        hear(order_id, [PLACED, PAID])

        api.receive_stock(sku="CUP", quantity=10, reference="later")
        hear(order_id, [PAID, PLACED])

        assert reservation(order_id).state == "rejected"
        assert level("CUP") == (11, 0, 0)
        assert len(published(REJECTED)) == 1

    def test_a_rejected_order_is_cancelled_without_putting_anything_back(self):
        order_id = uuid4()
        stocked("CUP", 1)

        hear(order_id, [PLACED, PAID, CANCELLED])

        assert reservation(order_id).state == "cancelled"
        assert level("CUP") == (1, 0, 0)

    def test_what_a_cancelled_order_held_may_be_reserved_again(self):
        first, second = uuid4(), uuid4()
        stocked("CUP", 2)

        hear(first, [PLACED, PAID, CANCELLED])
        hear(second, [PLACED, PAID])

        assert reservation(second).state == "reserved"
        assert level("CUP") == (0, 2, 0)


@pytest.mark.seams_db
class TestLines:
    def test_all_lines_are_held_and_sold(self):
        order_id = uuid4()
        stocked("CUP", 5)
        stocked("TEA", 5)

        hear(order_id, [PLACED, PAID], lines_of({"TEA": 1, "CUP": 5}))
        assert (level("CUP"), level("TEA")) == ((0, 5, 0), (4, 1, 0))

        tell(CONFIRMED, order_id)
        assert (level("CUP"), level("TEA")) == ((0, 0, 5), (4, 0, 1))

    def test_a_sku_that_comes_twice_counts_together(self):
        order_id = uuid4()
        stocked("CUP", 5)

        hear(order_id, [PLACED, PAID], [*TWO_CUPS, *TWO_CUPS])

        assert reservation(order_id).lines == (ReservationLine(sku="CUP", quantity=4),)
        assert level("CUP") == (1, 4, 0)

    def test_a_sku_that_comes_twice_is_not_reserved_twice_from_too_little(self):
        order_id = uuid4()
        stocked("CUP", 3)

        hear(order_id, [PLACED, PAID], [*TWO_CUPS, *TWO_CUPS])

        assert reservation(order_id).state == "rejected"
        assert level("CUP") == (3, 0, 0)

    def test_the_lines_of_the_first_placing_stay(self):
        order_id = uuid4()
        stocked("CUP", 5)

        tell(PLACED, order_id, TWO_CUPS)
        tell(PLACED, order_id, lines_of({"CUP": 5}))
        tell(PAID, order_id)

        assert level("CUP") == (3, 2, 0)


@pytest.mark.seams_db
class TestConfirmedWithoutReservation:
    """Inventory's database was restored, and the stock has gone to others meanwhile."""

    @pytest.mark.parametrize("history", [[PLACED], [PLACED, PAID]], ids=["placed", "rejected"])
    def test_fails_loudly_until_the_missing_pieces_are_received(self, history):
        order_id = uuid4()
        stocked("CUP", 1)
        hear(order_id, history)
        before = reservation(order_id)

        with pytest.raises(ConfirmedButMissingError, match="1 of CUP are missing: receive them"):
            tell(CONFIRMED, order_id)
        assert reservation(order_id) == before
        assert level("CUP") == (1, 0, 0)

        api.receive_stock(sku="CUP", quantity=1, reference="found")
        tell(CONFIRMED, order_id)
        assert reservation(order_id).state == "sold"
        assert level("CUP") == (0, 0, 2)

    def test_also_when_the_lines_come_after_the_confirmation(self):
        order_id = uuid4()
        stocked("CUP", 1)
        tell(CONFIRMED, order_id)

        with pytest.raises(ConfirmedButMissingError):
            tell(PLACED, order_id, TWO_CUPS)

        assert reservation(order_id).state == "promised"


@pytest.mark.seams_db
class TestContradictions:
    @pytest.mark.parametrize(
        ("history", "contradiction"),
        [
            ([PLACED, PAID, CONFIRMED], CANCELLED),
            ([CONFIRMED], CANCELLED),
            ([PLACED, PAID, CANCELLED], CONFIRMED),
            ([CANCELLED], CONFIRMED),
        ],
        ids=name_of,
    )
    def test_are_refused_and_change_nothing(self, history, contradiction):
        order_id = uuid4()
        stocked("CUP", 5)
        hear(order_id, history)
        before = reservation(order_id), level("CUP")

        with pytest.raises(ContradictedOrderError, match=str(order_id)):
            tell(contradiction, order_id)

        assert (reservation(order_id), level("CUP")) == before
