"""The order's state machine: one table, free of Django and of the database.

What is not in the table changes nothing. That is what makes duplicated and late events harmless:
they find the order where the table has no row for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from modules.orders.types import Reason, Status


class Trigger(StrEnum):
    """What can happen to an order."""

    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_FAILED = "payment_failed"
    STOCK_RESERVED = "stock_reserved"
    STOCK_REJECTED = "stock_rejected"
    CUSTOMER_CANCELLED = "customer_cancelled"
    DEADLINE_PASSED = "deadline_passed"


@dataclass(frozen=True)
class Step:
    """Where a trigger takes an order."""

    status: Status
    reason: Reason | None = None


_PAYMENT_FAILED = Step(Status.CANCELLED, Reason.PAYMENT_FAILED)
_OUT_OF_STOCK = Step(Status.CANCELLED, Reason.OUT_OF_STOCK)
_BY_CUSTOMER = Step(Status.CANCELLED, Reason.CUSTOMER)
_BY_DEADLINE = Step(Status.CANCELLED, Reason.DEADLINE)

TRANSITIONS: Final[Mapping[tuple[str, Trigger], Step]] = {
    (Status.PENDING, Trigger.PAYMENT_SUCCEEDED): Step(Status.PAID),
    # Inventory reserves only what is paid, so its word is enough when it overtakes payments' own.
    (Status.PENDING, Trigger.STOCK_RESERVED): Step(Status.CONFIRMED),
    (Status.PENDING, Trigger.PAYMENT_FAILED): _PAYMENT_FAILED,
    (Status.PENDING, Trigger.STOCK_REJECTED): _OUT_OF_STOCK,
    (Status.PENDING, Trigger.CUSTOMER_CANCELLED): _BY_CUSTOMER,
    (Status.PENDING, Trigger.DEADLINE_PASSED): _BY_DEADLINE,
    (Status.PAID, Trigger.STOCK_RESERVED): Step(Status.CONFIRMED),
    (Status.PAID, Trigger.PAYMENT_FAILED): _PAYMENT_FAILED,
    (Status.PAID, Trigger.STOCK_REJECTED): _OUT_OF_STOCK,
    (Status.PAID, Trigger.CUSTOMER_CANCELLED): _BY_CUSTOMER,
    (Status.PAID, Trigger.DEADLINE_PASSED): _BY_DEADLINE,
}

OPEN: Final = (Status.PENDING, Status.PAID)
"""What the deadline and the customer may still cancel."""


def step(*, status: str, trigger: Trigger) -> Step | None:
    """Where ``trigger`` takes an order that stands at ``status``; None when it changes nothing."""
    return TRANSITIONS.get((status, trigger))
