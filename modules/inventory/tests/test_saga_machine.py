"""Hypothesis plays orders and payments against inventory, with stock that does not suffice for all.

Each source has a wire per order that keeps its order. Inventory is told the next thing from either
wire at any moment, or from an earlier place on it again. Orders hears inventory's answers sooner
or later and confirms or cancels. In the end both must agree on every order and every piece.
"""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from modules.inventory.lifecycle import Fact
from modules.inventory.tests.shop import (
    REJECTED,
    RESERVED,
    assert_books_agree,
    empty_tables,
    level,
    lines_of,
    published,
    reservation,
    stocked,
    tell,
)

SKUS = ("CUP", "TEA")
PIECES = 5


@dataclass
class Wire:
    """What one source told of one order; ``next`` is what inventory is told next."""

    facts: list[Fact] = field(default_factory=list)
    next: int = 0

    def take(self) -> Fact | None:
        if self.next == len(self.facts):
            return None
        self.next += 1
        return self.facts[self.next - 1]


@dataclass
class Order:
    """An order as orders sees it; the real one is the process manager of the saga."""

    id: UUID
    wanted: dict[str, int]
    status: str = "pending"
    orders: Wire = field(default_factory=Wire)
    payments: Wire = field(default_factory=Wire)

    def end(self, status: str, fact: Fact) -> None:
        if self.status == "pending":
            self.status = status
            self.orders.facts.append(fact)

    def hear_inventory(self) -> None:
        if any(body["order_id"] == str(self.id) for body in published(RESERVED)):
            self.end("confirmed", Fact.CONFIRMED)
        if any(body["order_id"] == str(self.id) for body in published(REJECTED)):
            self.end("cancelled", Fact.CANCELLED)

    def tell_inventory(self, wire: Wire) -> bool:
        fact = wire.take()
        if fact is not None:
            tell(fact, self.id, lines_of(self.wanted))
        return fact is not None


class Saga(RuleBasedStateMachine):
    orders = Bundle("orders")
    sources = st.sampled_from(["orders", "payments"])

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Order] = []
        self.undo = ExitStack()
        self.undo.enter_context(empty_tables())

    @initialize()
    def open_the_shop(self) -> None:
        for sku in SKUS:
            stocked(sku, PIECES)

    @rule(target=orders, wanted=st.dictionaries(st.sampled_from(SKUS), st.integers(1, 3), min_size=1))
    def place(self, wanted):
        order = Order(uuid4(), wanted)
        order.orders.facts.append(Fact.PLACED)
        self.all.append(order)
        return order

    @rule(order=orders)
    def pay(self, order):
        if not order.payments.facts:
            order.payments.facts.append(Fact.PAID)

    @rule(order=orders)
    def cancel(self, order):
        order.end("cancelled", Fact.CANCELLED)

    @rule(order=orders, source=sources)
    def tell_inventory(self, order, source):
        order.tell_inventory(getattr(order, source))

    @rule(order=orders, source=sources, place=st.integers(0, 1))
    def rewind(self, order, source, place):
        wire = getattr(order, source)
        wire.next = min(wire.next, place)

    @rule(order=orders)
    def hear_inventory(self, order):
        order.hear_inventory()

    @invariant()
    def books_agree(self) -> None:
        assert_books_agree()

    def teardown(self) -> None:
        with self.undo:
            self.come_to_rest()
            for order in self.all:
                order.end("cancelled", Fact.CANCELLED)  # the deadline
            self.come_to_rest()
            self.assert_agreed()

    def come_to_rest(self) -> None:
        for _ in range(5):
            for order in self.all:
                while order.tell_inventory(order.orders) or order.tell_inventory(order.payments):
                    pass
                order.hear_inventory()

    def assert_agreed(self) -> None:
        ends = {"confirmed": "sold", "cancelled": "cancelled"}
        sold = Counter[str]()
        for order in self.all:
            assert reservation(order.id).state == ends[order.status]
            sold.update(order.wanted if order.status == "confirmed" else {})
        assert_books_agree()
        for sku in SKUS:
            assert level(sku) == (PIECES - sold[sku], 0, sold[sku])


@pytest.mark.timeout(600)  # when it fails, finding the shortest story takes a while
@pytest.mark.seams_db
class TestTheSaga:
    def test_ends_with_orders_and_inventory_agreeing(self):
        run_state_machine_as_test(Saga, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))
