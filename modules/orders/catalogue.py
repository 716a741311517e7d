"""Orders' replica of the catalogue: what may be ordered, and at which price."""

from collections.abc import Sequence
from typing import Final

from modules.orders.errors import CurrencyMismatchError, TotalTooLargeError, UnknownSkuError
from modules.orders.models import CatalogueProduct
from modules.orders.types import OrderLine, WantedLine

MAX_AMOUNT_MINOR: Final = 2**63 - 1
"""The largest amount that a bigint column holds."""


def keep_product(*, sku: str, unit_price_minor: int, currency: str, version: int) -> None:
    """Keep a product as of ``version``, unless that version or a later one is kept already."""
    facts = {"unit_price_minor": unit_price_minor, "currency": currency, "version": version}
    # Insert first: it waits for a concurrent insert of the same SKU, and the update after it then
    # sees what that one left. The other way round, the older of two versions could stay.
    CatalogueProduct.objects.bulk_create([CatalogueProduct(sku=sku, **facts)], ignore_conflicts=True)
    CatalogueProduct.objects.filter(sku=sku, version__lt=version).update(**facts)


def price(*, lines: Sequence[WantedLine], currency: str) -> tuple[OrderLine, ...]:
    """The lines with today's prices.

    Raises UnknownSkuError, CurrencyMismatchError or TotalTooLargeError, which name the field.
    """
    known = CatalogueProduct.objects.in_bulk([line.sku for line in lines])
    priced = tuple(
        _price_line(line, known.get(line.sku), currency=currency, field=f"lines.{number}.sku")
        for number, line in enumerate(lines)
    )
    if total_minor(lines=priced) > MAX_AMOUNT_MINOR:
        raise TotalTooLargeError(field="lines")
    return priced


def total_minor(*, lines: Sequence[OrderLine]) -> int:
    """What the lines cost together, in minor units."""
    return sum(line.quantity * line.unit_price_minor for line in lines)


def _price_line(line: WantedLine, product: CatalogueProduct | None, *, currency: str, field: str) -> OrderLine:
    if product is None:
        raise UnknownSkuError(
            f"The catalogue does not know SKU {line.sku!r}; choose one from the list of products.",
            field=field,
        )
    if product.currency != currency:
        raise CurrencyMismatchError(
            f"{line.sku} is sold in {product.currency}, not in {currency}; order it with currency {product.currency}.",
            field="currency",
        )
    return OrderLine(sku=line.sku, quantity=line.quantity, unit_price_minor=product.unit_price_minor)
