"""Reading orders. Nothing here writes or locks."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import QuerySet

from modules.orders.errors import UnknownOrderError
from modules.orders.models import CatalogueProduct, Order
from modules.orders.types import OrderDetails, OrderLine, OrderSummary, Reason, Status, TimelineEntry


def orders_of(*, customer_id: UUID, status: Status | None = None) -> QuerySet[Order]:
    """A customer's orders with their lines, unordered; for pages inside this module."""
    orders = Order.objects.filter(customer_id=customer_id).prefetch_related("lines")
    return orders.filter(status=status) if status else orders


def order_of(*, customer_id: UUID, order_id: UUID) -> OrderDetails:
    """A customer's own order. Raises UnknownOrderError."""
    return _found(orders_of(customer_id=customer_id), order_id)


def order(*, order_id: UUID) -> OrderDetails:
    """Anybody's order. Raises UnknownOrderError."""
    return _found(Order.objects.prefetch_related("lines"), order_id)


def timeline_of(*, customer_id: UUID, order_id: UUID) -> tuple[TimelineEntry, ...]:
    """What happened to a customer's own order, oldest first. Raises UnknownOrderError."""
    found = Order.objects.filter(customer_id=customer_id, pk=order_id).prefetch_related("timeline").first()
    if found is None:
        raise UnknownOrderError
    return tuple(
        TimelineEntry(
            event_id=row.event_id,
            occurred_at=row.occurred_at,
            recorded_at=row.recorded_at,
            module=row.module,
            type=row.type,
            changed=row.changed,
            facts=row.facts,
        )
        for row in found.timeline.all()
    )


def summaries() -> Iterator[OrderSummary]:
    """Every order there is, read in chunks."""
    for row in Order.objects.order_by("placed_at", "id").iterator(chunk_size=2000):
        yield OrderSummary(
            order_id=row.pk,
            customer_id=row.customer_id,
            status=Status(row.status),
            reason=Reason(row.reason) if row.reason else None,
            total_minor=row.total_minor,
            currency=row.currency,
            deadline_at=row.deadline_at,
            placed_at=row.placed_at,
        )


def catalogue_versions() -> dict[str, int]:
    """SKU -> version of the replica of the catalogue."""
    return dict(CatalogueProduct.objects.values_list("sku", "version"))


def details(*, order: Order, lines: tuple[OrderLine, ...] | None = None) -> OrderDetails:
    """The frozen value of a row; ``lines`` saves reading them when they are at hand."""
    return OrderDetails(
        order_id=order.pk,
        customer_id=order.customer_id,
        status=Status(order.status),
        reason=Reason(order.reason) if order.reason else None,
        lines=_lines(order) if lines is None else lines,
        total_minor=order.total_minor,
        currency=order.currency,
        refunded_minor=order.refunded_minor,
        placed_at=order.placed_at,
        deadline_at=order.deadline_at,
    )


def _lines(order: Order) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(sku=line.sku, quantity=line.quantity, unit_price_minor=line.unit_price_minor)
        for line in order.lines.all()
    )


def _found(orders: QuerySet[Order], order_id: UUID) -> OrderDetails:
    found = orders.filter(pk=order_id).first()
    if found is None:
        raise UnknownOrderError
    return details(order=found)
