"""Hypothesis decides what happens next, anywhere in the three modules; what must always hold, does.

Each wire from one module to another keeps its order and nothing else is ordered: any wire may lag,
any event may come again, any worker, driver or clock may be next, and the provider may fail in
every way it knows. When all is well again every order ends, by itself.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from random import Random

import pytest
from django.db import connections, transaction
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from django_seams.modules import declared_modules, module_aliases
from modules.inventory import api as inventory
from modules.orders import api as orders
from modules.orders.jobs import cancel_overdue_orders
from modules.payments import api as payments
from modules.payments.jobs import drive_payments
from modules.payments.local.testing import FakeProvider, Fault, driving_with
from tests.saga.shop import MOMENT, Shop
from tests.saga.wires import WIRES, Wires, handle

PIECES = 10
ORDERS = 6
TOKENS = ("tok_ok", "tok_ok", "tok_ok", "tok_declined", "tok_error_then_ok", "tok_lost_response")
FINAL_PAYMENTS = ("captured", "declined", "voided", "refunded")

_ENTRIES = "SELECT event_id FROM orders_timelineentry WHERE order_id = %s ORDER BY id"
_COMMITTED = "SELECT id FROM published WHERE headers->>'subject' = %s ORDER BY seq"


class Saga(RuleBasedStateMachine):
    placed = Bundle("placed")
    wires = st.sampled_from(WIRES)

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.shop, self.later, self.quantities = shop, timedelta(0), Counter[str]()
        self.undo = ExitStack()
        self.undo.enter_context(undone())
        self.provider = shop.provider = self.undo.enter_context(driving_with(FakeProvider()))
        self.relay = Wires()

    @precondition(lambda self: len(self.quantities) < ORDERS)
    @rule(target=placed, quantity=st.integers(1, 4), token=st.sampled_from(TOKENS))
    def place(self, quantity: int, token: str) -> str:
        order = self.shop.place(token=token, TEA=quantity)
        self.quantities[order] = quantity
        return order

    @rule(order=placed)
    def cancel(self, order: str) -> None:
        assert self.shop.cancel(order).status_code in (200, 409)

    @precondition(lambda self: self.relay.waiting())
    @rule(choice=st.randoms(use_true_random=False), count=st.integers(1, 2))
    def carry(self, choice: Random, count: int) -> None:
        self.relay.carry(*choice.choice(self.relay.waiting()), count=count)

    @precondition(lambda self: self.relay.waiting())
    @rule(choice=st.randoms(use_true_random=False), count=st.integers(1, 2))
    def carry_and_work(self, choice: Random, count: int) -> None:
        source, target = choice.choice(self.relay.waiting())
        self.relay.carry(source, target, count=count)
        handle(target)

    @rule(wire=wires, back=st.integers(1, 4))
    def carry_again(self, wire: tuple[str, str], back: int) -> None:
        self.relay.carry_again(*wire, back=back)

    @rule(module=st.sampled_from(list(declared_modules())))
    def work(self, module: str) -> None:
        handle(module)

    @rule(steps=st.integers(1, 3))
    def drive(self, steps: int) -> None:
        for _ in range(steps):
            drive_payments(self.now())

    @rule(fault=st.sampled_from(list(Fault)))
    def fail_next(self, fault: Fault) -> None:
        self.provider.faults.append(fault)

    @rule()
    def finish_what_the_provider_has_begun(self) -> None:
        self.provider.finish_in_flight()

    @rule(passes=st.sampled_from([MOMENT, MOMENT, timedelta(minutes=3)]))
    def let_time_pass(self, passes: timedelta) -> None:
        self.later += passes
        cancel_overdue_orders(self.now())

    @invariant()
    def no_piece_is_lost_or_sold_twice(self) -> None:
        [level] = inventory.stock_levels()
        assert min(level.on_hand, level.reserved, level.sold) >= 0
        assert level.on_hand + level.reserved + level.sold == PIECES

    @invariant()
    def no_more_is_refunded_than_captured(self) -> None:
        assert sum(self.provider.refunds.values()) <= sum(self.provider.captures.values())

    def teardown(self) -> None:
        with self.undo:
            self.come_to_rest()
            self.assert_every_order_ended()
            self.assert_money_agrees()
            self.assert_stock_agrees()
            self.assert_told_in_order_and_once()

    def now(self):
        return timezone.now() + self.later

    def come_to_rest(self) -> None:
        self.provider.faults.clear()
        self.provider.finish_in_flight()
        for _ in range(100):
            if not self.one_round() and all(p.state in FINAL_PAYMENTS for p in payments.payments()):
                return
        raise AssertionError("not at rest after 100 rounds")

    def one_round(self) -> int:
        moved = sum(self.relay.carry(*wire) for wire in WIRES)
        moved += sum(handle(module) for module in declared_modules())
        moved += drive_payments(self.now()) + cancel_overdue_orders(self.now())
        self.later += timedelta(0) if moved else MOMENT
        return moved

    def assert_every_order_ended(self) -> None:
        assert {str(order.order_id) for order in orders.orders()} == set(self.quantities)
        assert {order.status for order in orders.orders()} <= {"confirmed", "cancelled"}

    def assert_money_agrees(self) -> None:
        for order in orders.orders():
            captured, refunded = self.shop.books(str(order.order_id))
            if order.status == "confirmed":
                assert (captured, refunded) == (order.total_minor, 0)
            else:
                assert captured == refunded
                assert captured in (0, order.total_minor)

    def assert_stock_agrees(self) -> None:
        sold = sum(self.quantities[str(o.order_id)] for o in orders.orders() if o.status == "confirmed")
        assert self.shop.level() == (PIECES - sold, 0, sold)

    def assert_told_in_order_and_once(self) -> None:
        for order in self.quantities:
            [told] = _columns("orders", _ENTRIES, order)
            assert len(told) == len(set(told))
            for source in module_aliases():
                [committed] = _columns(source, _COMMITTED, order)
                assert [event for event in told if event in committed] == [
                    event for event in committed if event in told
                ]


@contextmanager
def undone() -> Iterator[None]:
    """Roll every module's database back at the end. Code inside does not see these transactions."""
    with ExitStack() as stack:
        for alias in module_aliases():
            block = transaction.atomic(using=alias)
            block._from_testcase = True  # type: ignore[attr-defined]  # as Django's TestCase marks its own
            stack.enter_context(block)
        yield
        for alias in module_aliases():
            transaction.set_rollback(True, using=alias)


def _columns(alias: str, query: str, parameter: str) -> list[list[object]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(query, [parameter])
        return [[row[0] for row in cursor.fetchall()]]


@pytest.mark.seams_db
class TestAnyInterleaving:
    def test_ends_every_order_with_money_and_stock_agreeing(self, shop):
        run_state_machine_as_test(
            lambda: Saga(shop), settings=settings(max_examples=30, stateful_step_count=50, deadline=None)
        )
