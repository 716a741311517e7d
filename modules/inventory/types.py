"""What crosses inventory's door: frozen values, free of Django."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

SKU_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class ReservationState(StrEnum):
    """What inventory knows and does about one order; `lifecycle.py` says how it moves."""

    PLACED = "placed"
    """The order is known, its payment is not. Holds nothing."""
    PAID = "paid"
    """The payment is known, the order's lines are not. Holds nothing."""
    PROMISED = "promised"
    """The order is confirmed, its lines are not known. Holds nothing, sells once they are."""
    RESERVED = "reserved"
    """All lines are held."""
    REJECTED = "rejected"
    """Something was missing when the lines should have been held. Holds nothing."""
    SOLD = "sold"
    """All lines are sold. Final."""
    CANCELLED = "cancelled"
    """The order was cancelled, perhaps before it was seen here. Holds nothing. Final."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """Something on offer. ``unit_price_minor`` in minor units of ``currency`` (ISO 4217).

    ``version`` starts at 1 and grows with every change of the other fields.
    """

    sku: str
    name: str
    unit_price_minor: int
    currency: str
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StockLevel:
    """Where the pieces of one SKU are: ``on_hand + reserved + sold == received``, always."""

    sku: str
    on_hand: int
    reserved: int
    sold: int
    received: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReservationLine:
    """``quantity`` pieces of one SKU; an order names a SKU at most once here."""

    sku: str
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortage:
    """Why an order was rejected: fewer pieces of ``sku`` on hand (0 when unknown) than requested."""

    sku: str
    requested: int
    available: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """What inventory knows of one order; ``lines`` is empty while they are not known."""

    order_id: UUID
    state: ReservationState
    lines: tuple[ReservationLine, ...]
