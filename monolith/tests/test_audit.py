from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from modules.inventory.types import Reservation, ReservationLine, ReservationState, StockLevel
from modules.orders.types import OrderSummary, Reason, Status
from modules.payments.types import PaymentSummary, Route, State, Wanted
from monolith.audit import RULES, Facts, LedgerEntry, find_violations, report

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
BOUGHT, CANCELLED, OPEN = UUID(int=1), UUID(int=2), UUID(int=3)


def order(order_id, status, reason=None, total_minor=500):
    return OrderSummary(
        order_id=order_id,
        customer_id=uuid4(),
        status=status,
        reason=reason,
        total_minor=total_minor,
        currency="EUR",
        deadline_at=NOW + timedelta(seconds=60),
        placed_at=NOW - timedelta(seconds=60),
    )


def payment(order_id, state, wanted=Wanted.CAPTURED, captured_minor=0, refunded_minor=0):
    return PaymentSummary(
        payment_id=uuid4(),
        order_id=order_id,
        state=state,
        wanted=wanted,
        route=Route.LOCAL,
        amount_minor=500,
        captured_minor=captured_minor,
        refunded_minor=refunded_minor,
        currency="EUR",
    )


def entry(kind, order_id, id, capture_id="", amount_minor=500, currency="EUR"):
    return LedgerEntry(
        kind=kind,
        id=id,
        capture_id=capture_id,
        merchant_reference=str(order_id),
        amount_minor=amount_minor,
        currency=currency,
    )


def reservation(order_id, state, quantity=1):
    return Reservation(order_id=order_id, state=state, lines=(ReservationLine(sku="TEA", quantity=quantity),))


RIGHT = Facts(
    now=NOW,
    orders=[
        order(BOUGHT, Status.CONFIRMED),
        order(CANCELLED, Status.CANCELLED, Reason.CUSTOMER),
        order(OPEN, Status.PENDING),
    ],
    payments=[
        payment(BOUGHT, State.CAPTURED, captured_minor=500),
        payment(CANCELLED, State.REFUNDED, Wanted.REFUNDED, captured_minor=500, refunded_minor=500),
        payment(OPEN, State.CHARGING),
    ],
    reservations=[
        reservation(BOUGHT, ReservationState.SOLD),
        reservation(CANCELLED, ReservationState.CANCELLED),
        reservation(OPEN, ReservationState.RESERVED, quantity=2),
    ],
    stock=[StockLevel(sku="TEA", on_hand=7, reserved=2, sold=1, received=10)],
    ledger=[
        entry("capture", BOUGHT, "cap_1"),
        entry("capture", CANCELLED, "cap_2"),
        entry("refund", CANCELLED, "ref_1", capture_id="cap_2"),
        entry("decline", OPEN, "dec_1"),
    ],
    dead_letters=0,
)


def broken(facts):
    return {violation.rule for violation in find_violations(facts)}


def with_order(index, **changes):
    orders = list(RIGHT.orders)
    orders[index] = replace(orders[index], **changes)
    return replace(RIGHT, orders=orders)


def with_payment(index, **changes):
    payments = list(RIGHT.payments)
    payments[index] = replace(payments[index], **changes)
    return replace(RIGHT, payments=payments)


def with_reservation(index, state):
    reservations = list(RIGHT.reservations)
    reservations[index] = replace(reservations[index], state=state)
    return replace(RIGHT, reservations=reservations)


def with_stock(**changes):
    return replace(RIGHT, stock=[replace(RIGHT.stock[0], **changes)])


def with_entry(new):
    return replace(RIGHT, ledger=[*RIGHT.ledger, new])


BREACHES = [
    ("one_capture_per_order", with_entry(entry("capture", BOUGHT, "cap_3", amount_minor=0))),
    ("refunded_at_most_captured", with_entry(entry("refund", CANCELLED, "ref_2", "cap_2", amount_minor=1))),
    ("captures_belong_to_an_order", with_entry(entry("capture", UUID(int=9), "cap_9"))),
    ("confirmed_orders_are_paid_in_full", with_order(0, total_minor=501)),
    ("confirmed_orders_are_paid_in_full", with_order(0, currency="USD")),
    ("confirmed_orders_are_paid_in_full", with_entry(entry("refund", BOUGHT, "ref_2", "cap_1", amount_minor=1))),
    ("confirmed_orders_are_paid_in_full", with_order(2, status=Status.CONFIRMED)),
    ("payments_mirror_the_ledger", with_payment(0, captured_minor=499)),
    ("payments_mirror_the_ledger", with_payment(0, state=State.DECLINED, captured_minor=0)),
    ("payments_mirror_the_ledger", with_payment(1, refunded_minor=0)),
    ("stock_adds_up", with_stock(on_hand=8)),
    ("stock_adds_up", with_stock(on_hand=-1, received=2)),
    ("reservations_explain_the_stock", with_stock(reserved=1, on_hand=8)),
    ("reservations_explain_the_stock", with_stock(sold=2, on_hand=6)),
    ("confirmed_orders_are_sold", with_reservation(0, ReservationState.RESERVED)),
    ("confirmed_orders_are_sold", replace(RIGHT, reservations=RIGHT.reservations[1:])),
    ("reservations_agree_with_orders", with_reservation(1, ReservationState.RESERVED)),
    ("reservations_agree_with_orders", with_reservation(2, ReservationState.SOLD)),
    ("reservations_agree_with_orders", replace(RIGHT, orders=RIGHT.orders[:2])),
    ("no_order_is_overdue", replace(RIGHT, now=NOW + timedelta(seconds=91))),
]


class TestRules:
    def test_find_nothing_where_nothing_is_wrong(self):
        assert find_violations(RIGHT) == []

    @pytest.mark.parametrize(("rule", "facts"), BREACHES, ids=lambda value: value if isinstance(value, str) else "")
    def test_find_what_breaks_them(self, rule, facts):
        assert rule in broken(facts)

    def test_are_all_seen_to_be_broken(self):
        assert {rule for rule, _ in BREACHES} == {rule.__name__ for rule in RULES}

    def test_leave_a_payment_alone_that_is_not_settled(self):
        on_its_way = with_payment(1, state=State.CAPTURED, refunded_minor=0)
        assert "payments_mirror_the_ledger" not in broken(on_its_way)
        assert broken(with_payment(2, state=State.REQUESTED)) == set()

    def test_allow_an_open_order_its_deadline_and_thirty_seconds(self):
        assert broken(replace(RIGHT, now=NOW + timedelta(seconds=90))) == set()

    def test_say_which_order_and_what_was_found(self):
        (violation,) = find_violations(with_order(0, total_minor=501))
        assert str(BOUGHT) in violation.detail
        assert "501 EUR; 500 EUR captured and 0 refunded" in violation.detail


class TestReport:
    def test_counts_orders_and_money(self):
        assert report(RIGHT, []) == {
            "orders": {"pending": 1, "paid": 0, "confirmed": 1, "cancelled": 1},
            "captured_minor": 1000,
            "refunded_minor": 500,
            "refund_due": 0,
            "dead_letters": 0,
            "violations": [],
        }

    def test_counts_a_refund_as_due_until_it_is_in_the_ledger(self):
        facts = replace(RIGHT, ledger=[line for line in RIGHT.ledger if line.kind != "refund"])
        assert report(facts, [])["refund_due"] == 1

    def test_carries_every_violation(self):
        facts = with_stock(on_hand=8)
        result = report(facts, find_violations(facts))
        assert Counter(violation["rule"] for violation in result["violations"]) == {"stock_adds_up": 1}
