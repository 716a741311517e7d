"""Real transactions at the same time: nothing is oversold, nothing deadlocks."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connections

from modules.inventory import api
from modules.inventory.lifecycle import Fact
from modules.inventory.tests.shop import (
    REJECTED,
    RESERVED,
    assert_books_agree,
    level,
    lines_of,
    published,
    stocked,
    tell,
)

SECONDS = 60


def at_once(calls: Sequence[Callable[[], None]]) -> None:
    """Start all calls at the same moment, each in a thread of its own; raise what they raise."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], None]) -> None:
        try:
            barrier.wait(timeout=SECONDS)
            call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        for future in [pool.submit(run, call) for call in calls]:
            future.result(timeout=SECONDS)


@pytest.mark.seams_db(transaction=True)
class TestFiftyBuyersForTenPieces:
    def test_exactly_ten_get_one(self):
        stocked("LAST", 10)
        lines = lines_of({"LAST": 1})
        buyers = [uuid4() for _ in range(50)]

        def buy(order_id):
            tell(Fact.PLACED, order_id, lines)
            tell(Fact.PAID, order_id)

        at_once([partial(buy, order_id) for order_id in buyers])

        states = Counter(each.state.value for each in api.reservations())
        assert states == {"reserved": 10, "rejected": 40}
        assert level("LAST") == (0, 10, 0)
        winners = {str(each.order_id) for each in api.reservations() if each.state == "reserved"}
        assert {body["order_id"] for body in published(RESERVED)} == winners
        assert len(published(RESERVED)) == 10
        assert len(published(REJECTED)) == 40
        assert_books_agree()

    def test_exactly_ten_get_all_of_their_lines(self):
        """Two SKUs in opposite order, so that locks taken in the order of the lines would deadlock."""
        stocked("CUP", 10)
        stocked("TEA", 10)
        buyers = [uuid4() for _ in range(50)]
        lines = [lines_of({"CUP": 1, "TEA": 1}), lines_of({"TEA": 1, "CUP": 1})]
        for number, order_id in enumerate(buyers):
            tell(Fact.PLACED, order_id, lines[number % 2])

        at_once([partial(tell, Fact.PAID, order_id) for order_id in buyers])

        assert len(published(RESERVED)) == 10
        assert (level("CUP"), level("TEA")) == ((0, 10, 0), (0, 10, 0))
        assert_books_agree()

    def test_what_some_release_while_others_buy_is_neither_lost_nor_sold_twice(self):
        stocked("CUP", 20)
        stocked("TEA", 20)
        lines = lines_of({"CUP": 1, "TEA": 1})
        holders, buyers = [uuid4() for _ in range(20)], [uuid4() for _ in range(20)]
        for order_id in [*holders, *buyers]:
            tell(Fact.PLACED, order_id, lines)
        for order_id in holders:
            tell(Fact.PAID, order_id)
        ends = [Fact.CANCELLED, Fact.CONFIRMED]

        at_once(
            [partial(tell, ends[i % 2], o) for i, o in enumerate(holders)]
            + [partial(tell, Fact.PAID, o) for o in buyers]
        )

        states = Counter(each.state.value for each in api.reservations())
        assert states["sold"] == states["cancelled"] == 10
        assert states["reserved"] <= 10
        assert states["reserved"] + states["rejected"] == 20
        assert_books_agree()


@pytest.mark.seams_db(transaction=True)
class TestBothSourcesAtOnce:
    def test_order_and_payment_at_the_same_moment_reserve_once(self):
        stocked("CUP", 100)
        lines = lines_of({"CUP": 2})
        orders = [uuid4() for _ in range(20)]

        at_once([call for o in orders for call in (partial(tell, Fact.PLACED, o, lines), partial(tell, Fact.PAID, o))])

        assert Counter(each.state.value for each in api.reservations()) == {"reserved": 20}
        assert level("CUP") == (60, 40, 0)
        assert len(published(RESERVED)) == 20

    def test_payment_and_cancellation_at_the_same_moment_hold_nothing(self):
        stocked("CUP", 100)
        orders = [uuid4() for _ in range(20)]
        for order_id in orders:
            tell(Fact.PLACED, order_id, lines_of({"CUP": 2}))

        at_once([partial(tell, fact, o) for o in orders for fact in (Fact.PAID, Fact.CANCELLED)])

        assert Counter(each.state.value for each in api.reservations()) == {"cancelled": 20}
        assert level("CUP") == (100, 0, 0)
