"""What crosses orders' door: frozen values, free of Django.

Money is integer minor units beside an ISO 4217 code; times are aware.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Status(StrEnum):
    """Where an order stands. The last two are final."""

    PENDING = "pending"
    PAID = "paid"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why an order was cancelled."""

    PAYMENT_FAILED = "payment_failed"
    OUT_OF_STOCK = "out_of_stock"
    CUSTOMER = "customer"
    DEADLINE = "deadline"


@dataclass(frozen=True, kw_only=True)
class WantedLine:
    """What a customer asks for; the price is not theirs to name."""

    sku: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class OrderLine:
    """One line of an order, with the price that was frozen at placing."""

    sku: str
    quantity: int
    unit_price_minor: int


@dataclass(frozen=True, kw_only=True)
class OrderSummary:
    """An order without its lines: what bulk readers, such as the audit, need."""

    order_id: UUID
    customer_id: UUID
    status: Status
    reason: Reason | None
    total_minor: int
    currency: str
    deadline_at: datetime
    placed_at: datetime


@dataclass(frozen=True, kw_only=True)
class OrderDetails:
    """One order with its lines. ``refunded_minor`` is what payments reports as given back so far."""

    order_id: UUID
    customer_id: UUID
    status: Status
    reason: Reason | None
    lines: tuple[OrderLine, ...]
    total_minor: int
    currency: str
    refunded_minor: int
    placed_at: datetime
    deadline_at: datetime


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One event of an order's life, in the order in which orders came to know of them.

    ``occurred_at`` is the publisher's clock, ``recorded_at`` ours. ``changed`` maps a field of the
    order to ``[before, after]`` and is empty when the event changed nothing; ``facts`` is the
    event's body without its key and its sensitive fields.
    """

    event_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    module: str
    type: str
    changed: dict[str, list[Any]]
    facts: dict[str, Any]
