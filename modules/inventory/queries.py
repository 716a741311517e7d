"""What may be read of inventory, as frozen values; `newest_products` is for the module's own views."""

import re
from collections.abc import Iterator

from django.db.models import QuerySet

from modules.inventory import models
from modules.inventory.errors import UnknownSkuError
from modules.inventory.reservations import from_row
from modules.inventory.types import SKU_PATTERN, Reservation, StockLevel

_ROWS_AT_A_TIME = 2_000


def newest_products() -> QuerySet[models.Product]:
    """Products with their stock in one query, for a paginator that orders them."""
    return models.Product.objects.select_related("stock")


def stock_level(*, sku: str) -> StockLevel:
    """Where the pieces of one SKU are. Raises UnknownSkuError."""
    # What cannot be a SKU may be something that PostgreSQL does not take as text, such as a NUL.
    row = models.Stock.objects.filter(pk=sku).first() if re.fullmatch(SKU_PATTERN, sku) else None
    if row is None:
        raise UnknownSkuError(f"No product has SKU {sku!r}; list the products, or put it first.")
    return _level(row)


def stock_levels() -> list[StockLevel]:
    """All levels in SKU order, from one statement: their sums are of one moment."""
    return [_level(row) for row in models.Stock.objects.order_by("pk")]


def reservations() -> Iterator[Reservation]:
    """Every order that inventory has heard of, a few thousand rows in memory at a time."""
    for row in models.Reservation.objects.iterator(chunk_size=_ROWS_AT_A_TIME):
        yield from_row(row)


def _level(row: models.Stock) -> StockLevel:
    return StockLevel(sku=row.pk, on_hand=row.on_hand, reserved=row.reserved, sold=row.sold, received=row.received)
