"""A random scheduler over all three modules: whatever goes next, what must always hold does.

Each wire from one module to another keeps its order and nothing else is ordered: any wire may lag,
any event may come again, any worker, driver or clock may be next, and the provider may fail in
every way it knows. When all is well again every order ends, by itself.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from django_seams.modules import declared_modules, module_aliases
from modules.inventory import api as inventory
from modules.orders import api as orders
from modules.orders.jobs import cancel_overdue_orders
from modules.payments import api as payments
from modules.payments.jobs import drive_payments
from modules.payments.local.testing import FakeProvider, Fault, driving_with
from tests.saga.shop import LONG, MOMENT, Shop
from tests.saga.wires import WIRES, Wires, handle

PIECES = 10
MOST_ORDERS = 5
STEPS = 140
TOKENS = ("tok_ok", "tok_ok", "tok_ok", "tok_declined", "tok_error_then_ok", "tok_lost_response")
FINAL_PAYMENTS = ("declined", "voided", "refunded")

_TOLD = "SELECT event_id FROM orders_timelineentry WHERE order_id = %s ORDER BY id"
_COMMITTED = "SELECT id FROM published WHERE headers->>'subject' = %s ORDER BY seq"


class Scheduler:
    """Lets one thing happen after another, by chance."""

    def __init__(self, shop: Shop, chance: Random) -> None:
        self.shop, self.chance = shop, chance
        self.relay, self.later = Wires(), timedelta(0)
        self.quantities: dict[str, int] = {}
        self.likely: dict[Callable[[], object], float] = {
            self.place: 2,
            self.cancel: 0.5,
            self.carry: 5,
            self.carry_again: 2,
            self.work: 6,
            self.drive: 6,
            self.fail_next: 1,
            self.finish_in_flight: 2,
            self.pass_a_moment: 2,
            self.pass_the_deadlines: 0.05,
        }

    def run(self) -> None:
        for _ in range(STEPS):
            [happens] = self.chance.choices(list(self.likely), weights=list(self.likely.values()))
            happens()
            assert_nothing_is_lost_or_given_away(self.shop.provider)

    def place(self) -> None:
        if len(self.quantities) < MOST_ORDERS:
            quantity = self.chance.randint(1, 4)
            self.quantities[self.shop.place(token=self.chance.choice(TOKENS), TEA=quantity)] = quantity

    def cancel(self) -> None:
        if self.quantities:
            assert self.shop.cancel(self.chance.choice(list(self.quantities))).status_code in (200, 409)

    def carry(self) -> None:
        if waiting := self.relay.waiting():
            self.relay.carry(*self.chance.choice(waiting), count=self.chance.randint(1, 3))

    def carry_again(self) -> None:
        self.relay.carry_again(*self.chance.choice(WIRES), back=self.chance.randint(1, 4))

    def work(self) -> None:
        handle(self.chance.choice(list(declared_modules())))

    def drive(self) -> None:
        drive_payments(self.now())

    def fail_next(self) -> None:
        self.shop.provider.faults.append(self.chance.choice(list(Fault)))

    def finish_in_flight(self) -> None:
        self.shop.provider.finish_in_flight()

    def pass_a_moment(self) -> None:
        self.later += MOMENT
        cancel_overdue_orders(self.now())

    def pass_the_deadlines(self) -> None:
        self.later += LONG
        cancel_overdue_orders(self.now())

    def now(self) -> datetime:
        return timezone.now() + self.later

    def come_to_rest(self) -> None:
        """All is well again, and nobody interferes any more."""
        self.shop.provider.faults.clear()
        self.shop.provider.finish_in_flight()
        for _ in range(100):
            if not self._round() and all(map(agrees_with_what_is_wanted, payments.payments())):
                return
        raise AssertionError("not at rest after 100 rounds")

    def _round(self) -> int:
        moved = sum(self.relay.carry(*wire) for wire in WIRES)
        moved += sum(handle(module) for module in declared_modules())
        moved += drive_payments(self.now()) + cancel_overdue_orders(self.now())
        self.later += timedelta(0) if moved else MOMENT
        return moved


def agrees_with_what_is_wanted(payment: payments.PaymentSummary) -> bool:
    """A refund that failed a moment ago is not due yet, but it is not done either."""
    return payment.state in FINAL_PAYMENTS or payment.state == payment.wanted == "captured"


def assert_nothing_is_lost_or_given_away(provider: FakeProvider) -> None:
    [level] = inventory.stock_levels()
    assert min(level.on_hand, level.reserved, level.sold) >= 0
    assert level.on_hand + level.reserved + level.sold == PIECES
    assert sum(provider.refunds.values()) <= sum(provider.captures.values())


def assert_every_order_ended(placed: dict[str, int]) -> None:
    assert {str(order.order_id) for order in orders.orders()} == set(placed)
    assert {order.status for order in orders.orders()} <= {"confirmed", "cancelled"}


def assert_money_agrees(shop: Shop) -> None:
    assert set(shop.provider.captures) <= {f"charge-{order.order_id}" for order in orders.orders()}
    for order in orders.orders():
        captured, refunded = shop.books(str(order.order_id))
        if order.status == "confirmed":
            assert (captured, refunded) == (order.total_minor, 0)
        else:
            assert captured == refunded
            assert captured in (0, order.total_minor)


def assert_stock_agrees(shop: Shop, placed: dict[str, int]) -> None:
    sold = sum(placed[str(order.order_id)] for order in orders.orders() if order.status == "confirmed")
    assert shop.level() == (PIECES - sold, 0, sold)


def assert_told_in_order_and_once(order: str) -> None:
    told = _ids("orders", _TOLD, order)
    assert len(told) == len(set(told))
    for source in module_aliases():
        committed = _ids(source, _COMMITTED, order)
        heard = [event for event in told if event in committed]
        assert heard == [event for event in committed if event in told]


def _ids(alias: str, query: str, order: str) -> list[object]:
    with connections[alias].cursor() as cursor:
        cursor.execute(query, [order])
        return [row[0] for row in cursor.fetchall()]


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


@pytest.mark.seams_db
class TestAnyInterleaving:
    # Nothing is shrunk: a shorter run has other chances, and every step costs a dozen statements.
    @settings(
        max_examples=30,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example is rolled back
    )
    @given(chance=st.randoms(use_true_random=True))
    def test_ends_every_order_with_money_and_stock_agreeing(self, shop, chance):
        with undone(), driving_with(FakeProvider()) as shop.provider:
            scheduler = Scheduler(shop, chance)
            scheduler.run()
            scheduler.come_to_rest()
            assert_every_order_ended(scheduler.quantities)
            assert_money_agrees(shop)
            assert_stock_agrees(shop, scheduler.quantities)
            for order in scheduler.quantities:
                assert_told_in_order_and_once(order)
