"""What must always hold of orders, money and stock, as rules over what the doors and the provider say.

Pure: nothing is read here, nothing is written. Each rule is a function of `Facts` that yields what
is wrong in sentences; its name is the rule's name in the report.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from modules.inventory.types import Reservation, ReservationState, StockLevel
from modules.orders.types import OrderSummary, Status
from modules.payments.types import PaymentSummary, State, Wanted

OVERDUE = timedelta(seconds=30)
_HELD = (ReservationState.RESERVED, ReservationState.SOLD)


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One line of the provider's ledger. ``kind``: capture, decline, void or refund."""

    kind: str
    id: str
    capture_id: str
    merchant_reference: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A rule that does not hold, and where."""

    rule: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the doors and the ledger said, read one after another: they may differ by what is under way."""

    now: datetime
    orders: list[OrderSummary]
    payments: list[PaymentSummary]
    reservations: list[Reservation]
    stock: list[StockLevel]
    ledger: list[LedgerEntry]
    dead_letters: int

    @cached_property
    def captures(self) -> dict[str, list[LedgerEntry]]:
        """Captures by merchant reference, which is the order's id."""
        found = defaultdict(list)
        for entry in self.ledger:
            if entry.kind == "capture":
                found[entry.merchant_reference].append(entry)
        return dict(found)

    @cached_property
    def _refunds(self) -> Counter[str]:
        refunds: Counter[str] = Counter()
        for entry in self.ledger:
            if entry.kind == "refund":
                refunds[entry.capture_id] += entry.amount_minor
        return refunds

    def refunded_of(self, capture: LedgerEntry) -> int:
        return self._refunds[capture.id]

    def captured(self, order_id: UUID) -> int:
        return sum(capture.amount_minor for capture in self.captures.get(str(order_id), []))

    def refunded(self, order_id: UUID) -> int:
        return sum(self.refunded_of(capture) for capture in self.captures.get(str(order_id), []))

    @cached_property
    def reservation_states(self) -> dict[UUID, ReservationState]:
        return {reservation.order_id: reservation.state for reservation in self.reservations}


def find_violations(facts: Facts) -> list[Violation]:
    """Everything that breaks a rule, in the order of `RULES`."""
    return [Violation(rule=rule.__name__, detail=detail) for rule in RULES for detail in rule(facts)]


def report(facts: Facts, violations: list[Violation]) -> dict[str, Any]:
    """The audit's answer. ``refund_due`` counts cancelled orders of which money is still held."""
    states = Counter(order.status for order in facts.orders)
    return {
        "orders": {str(status): states[status] for status in Status},
        "captured_minor": sum(entry.amount_minor for entry in facts.ledger if entry.kind == "capture"),
        "refunded_minor": sum(entry.amount_minor for entry in facts.ledger if entry.kind == "refund"),
        "refund_due": sum(_is_refund_due(order, facts) for order in facts.orders),
        "dead_letters": facts.dead_letters,
        "violations": [{"rule": violation.rule, "detail": violation.detail} for violation in violations],
    }


def _is_refund_due(order: OrderSummary, facts: Facts) -> bool:
    held = facts.captured(order.order_id) - facts.refunded(order.order_id)
    return order.status is Status.CANCELLED and held > 0


# --- Money ----------------------------------------------------------------------------------------


def one_capture_per_order(facts: Facts) -> Iterator[str]:
    for reference, captures in facts.captures.items():
        if len(captures) > 1:
            yield f"order {reference} was captured {len(captures)} times"


def refunded_at_most_captured(facts: Facts) -> Iterator[str]:
    for reference, captures in facts.captures.items():
        for capture in captures:
            if facts.refunded_of(capture) > capture.amount_minor:
                yield f"order {reference}: {facts.refunded_of(capture)} refunded of {capture.amount_minor} captured"


def captures_belong_to_an_order(facts: Facts) -> Iterator[str]:
    known = {str(order.order_id) for order in facts.orders}
    for reference in facts.captures.keys() - known:
        yield f"money was captured for {reference}, which is no order"


def confirmed_orders_are_paid_in_full(facts: Facts) -> Iterator[str]:
    for order in facts.orders:
        if order.status is Status.CONFIRMED:
            captured, refunded = facts.captured(order.order_id), facts.refunded(order.order_id)
            currencies = {capture.currency for capture in facts.captures.get(str(order.order_id), [])}
            if captured != order.total_minor or refunded or currencies - {order.currency}:
                found = f"{captured} {'/'.join(sorted(currencies))} captured and {refunded} refunded".replace("  ", " ")
                yield f"order {order.order_id} is confirmed over {order.total_minor} {order.currency}; {found}"


def payments_mirror_the_ledger(facts: Facts) -> Iterator[str]:
    for payment in filter(_is_at_rest, facts.payments):
        mirror = (payment.captured_minor, payment.refunded_minor)
        ledger = (facts.captured(payment.order_id), facts.refunded(payment.order_id))
        if mirror != ledger:
            yield f"payment {payment.payment_id} says captured, refunded = {mirror}; the ledger says {ledger}"


def _is_at_rest(payment: PaymentSummary) -> bool:
    if payment.state is State.CAPTURED:
        return payment.wanted is Wanted.CAPTURED
    return payment.state not in (State.REQUESTED, State.CHARGING)


# --- Stock ----------------------------------------------------------------------------------------


def stock_adds_up(facts: Facts) -> Iterator[str]:
    for level in facts.stock:
        parts = (level.on_hand, level.reserved, level.sold)
        if sum(parts) != level.received or min(parts) < 0:
            yield f"{level.sku}: on hand, reserved, sold = {parts} of {level.received} received"


def reservations_explain_the_stock(facts: Facts) -> Iterator[str]:
    pieces: Counter[tuple[str, ReservationState]] = Counter()
    for reservation in facts.reservations:
        for line in reservation.lines:
            pieces[line.sku, reservation.state] += line.quantity
    for level in facts.stock:
        held = tuple(pieces[level.sku, state] for state in _HELD)
        if held != (level.reserved, level.sold):
            yield f"{level.sku}: reserved, sold = {(level.reserved, level.sold)}; its reservations say {held}"


def confirmed_orders_are_sold(facts: Facts) -> Iterator[str]:
    for order in facts.orders:
        state = facts.reservation_states.get(order.order_id)
        if order.status is Status.CONFIRMED and state is not ReservationState.SOLD:
            yield f"order {order.order_id} is confirmed; its reservation is {state or 'missing'}"


def reservations_agree_with_orders(facts: Facts) -> Iterator[str]:
    statuses = {order.order_id: order.status for order in facts.orders}
    for reservation in facts.reservations:
        status = statuses.get(reservation.order_id)
        if status is None:
            yield f"a reservation is {reservation.state} for {reservation.order_id}, which is no order"
        elif status is Status.CANCELLED and reservation.state in _HELD:
            yield f"order {reservation.order_id} is cancelled; its reservation is {reservation.state}"
        elif status is not Status.CONFIRMED and reservation.state is ReservationState.SOLD:
            yield f"order {reservation.order_id} is {status}; its reservation is sold"


# --- Time -----------------------------------------------------------------------------------------


def no_order_is_overdue(facts: Facts) -> Iterator[str]:
    for order in facts.orders:
        is_open = order.status in (Status.PENDING, Status.PAID)
        if is_open and facts.now > order.deadline_at + OVERDUE:
            yield f"order {order.order_id} is {order.status}; its deadline was {order.deadline_at:%Y-%m-%d %H:%M:%S}"


RULES: tuple[Callable[[Facts], Iterator[str]], ...] = (
    one_capture_per_order,
    refunded_at_most_captured,
    captures_belong_to_an_order,
    confirmed_orders_are_paid_in_full,
    payments_mirror_the_ledger,
    stock_adds_up,
    reservations_explain_the_stock,
    confirmed_orders_are_sold,
    reservations_agree_with_orders,
    no_order_is_overdue,
)
