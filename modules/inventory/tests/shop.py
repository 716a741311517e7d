"""What the tests say to inventory and ask of it, in a few words."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import transaction
from django_outbox_pattern.models import Published

from django_seams.modules import atomic, module_named
from modules.inventory import api, queries, services
from modules.inventory.lifecycle import Fact
from modules.inventory.types import Reservation, ReservationLine, StockLevel

RESERVED = "inventory.stock_reserved.v1"
REJECTED = "inventory.stock_rejected.v1"
UPDATED = "inventory.product_updated.v1"


def stocked(sku: str, pieces: int = 0) -> str:
    """A product of that SKU with so many pieces on hand."""
    api.put_product(sku=sku, name=f"The {sku}", unit_price_minor=1250, currency="EUR")
    if pieces:
        api.receive_stock(sku=sku, quantity=pieces, reference="first delivery")
    return sku


@contextmanager
def empty_tables() -> Iterator[None]:
    """Undo everything on leaving, so that each example of a property starts from nothing."""
    alias = module_named("inventory").alias
    with atomic("inventory"):
        yield
        transaction.set_rollback(True, using=alias)


def lines_of(quantities: dict[str, int]) -> list[ReservationLine]:
    return [ReservationLine(sku=sku, quantity=quantity) for sku, quantity in quantities.items()]


def tell(fact: Fact, order_id: UUID, lines: Iterable[ReservationLine] = ()) -> None:
    """What a worker does with the event of that fact: the handler's command in a transaction."""
    with atomic("inventory"):
        if fact is Fact.PLACED:
            services.want_stock(order_id=order_id, lines=lines)
        else:
            _COMMANDS[fact](order_id=order_id)


_COMMANDS = {
    Fact.PAID: services.note_payment,
    Fact.CONFIRMED: services.sell_stock,
    Fact.CANCELLED: services.release_stock,
}


def level(sku: str) -> tuple[int, int, int]:
    """On hand, reserved, sold."""
    found = queries.stock_level(sku=sku)
    return found.on_hand, found.reserved, found.sold


def reservation(order_id: UUID) -> Reservation:
    [found] = [each for each in api.reservations() if each.order_id == order_id]
    return found


def published(event_type: str) -> list[dict[str, Any]]:
    """The bodies of that type in inventory's outbox."""
    rows = Published.objects.using(module_named("inventory").alias)
    return [row.body for row in rows.filter(destination=event_type)]


def assert_books_agree(levels: Iterable[StockLevel] | None = None) -> None:
    """Nothing is lost or negative, and stock holds exactly what the reservations say."""
    held = {state: Counter[str]() for state in ("reserved", "sold")}
    for each in api.reservations():
        for line in each.lines if each.state.value in held else ():
            held[each.state.value][line.sku] += line.quantity
    for found in api.stock_levels() if levels is None else levels:
        assert min(found.on_hand, found.reserved, found.sold) >= 0, found
        assert found.on_hand + found.reserved + found.sold == found.received, found
        assert found.reserved == held["reserved"][found.sku], found
        assert found.sold == held["sold"][found.sku], found
