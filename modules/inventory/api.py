"""Inventory's door: the only module that others may import, and only the roof does.

Frozen values in and out. Everything refused raises an error from `errors.py`.
"""

from collections.abc import Iterator

from modules.inventory import queries, services
from modules.inventory.types import Product, Reservation, StockLevel

__all__ = ["announce_products", "put_product", "receive_stock", "reservations", "stock_levels"]


def put_product(*, sku: str, name: str, unit_price_minor: int, currency: str, announce: bool = False) -> Product:
    """Offer a product, or change one; the same again changes and publishes nothing.

    ``unit_price_minor`` in minor units of ``currency`` (ISO 4217). ``announce`` publishes
    product_updated even if nothing changed. Raises InvalidProductError.
    """
    return services.put_product(
        sku=sku, name=name, unit_price_minor=unit_price_minor, currency=currency, announce=announce
    )


def receive_stock(*, sku: str, quantity: int, reference: str) -> StockLevel:
    """Book ``quantity`` pieces in; a reference books each SKU once, so that a repeat is harmless.

    Raises InvalidReceiptError, UnknownSkuError, and ReceiptConflictError when the reference was
    booked for this SKU with another quantity.
    """
    return services.receive_stock(sku=sku, quantity=quantity, reference=reference)


def announce_products() -> int:
    """Publish product_updated for every product, for a replica that is empty; answers how many."""
    return services.announce_products()


def stock_levels() -> list[StockLevel]:
    """All levels in SKU order, read at one moment: ``on_hand + reserved + sold == received``."""
    return queries.stock_levels()


def reservations() -> Iterator[Reservation]:
    """What inventory knows of every order it has heard of, in no particular order."""
    return queries.reservations()
