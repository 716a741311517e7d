"""Orders' door: the only thing that code outside this module may call. Values in, frozen values out."""

from collections.abc import Iterator
from uuid import UUID

from modules.orders import queries
from modules.orders.errors import OrdersError, UnknownOrderError
from modules.orders.types import OrderDetails, OrderLine, OrderSummary, Reason, Status

__all__ = [
    "OrderDetails",
    "OrderLine",
    "OrderSummary",
    "OrdersError",
    "Reason",
    "Status",
    "UnknownOrderError",
    "catalogue_versions",
    "order",
    "orders",
]


def catalogue_versions() -> dict[str, int]:
    """SKU -> version of the catalogue as orders knows it: what can be ordered right now."""
    return queries.catalogue_versions()


def orders() -> Iterator[OrderSummary]:
    """Every order there is, oldest first."""
    return queries.summaries()


def order(*, order_id: UUID) -> OrderDetails:
    """One order with its lines. Raises UnknownOrderError."""
    return queries.order(order_id=order_id)
