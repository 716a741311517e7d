"""What orders does. Every function writes on orders' database only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Exists, QuerySet

from django_seams.events import Envelope, Event, View
from django_seams.modules import atomic
from django_seams.outbox import publish
from modules.orders import catalogue, queries
from modules.orders.errors import OrderAlreadyConfirmedError, UnknownOrderError
from modules.orders.events import OrderCancelled, OrderConfirmed, OrderPlaced, PlacedLine
from modules.orders.lifecycle import OPEN, Trigger, step
from modules.orders.models import Order, OrderLine, TimelineEntry
from modules.orders.timeline import Changes, entry
from modules.orders.types import OrderDetails, Reason, Status, WantedLine

OVERDUE_BATCH: Final = 100


def place_order(
    *, customer_id: UUID, lines: Sequence[WantedLine], currency: str, payment_token: str, now: datetime
) -> OrderDetails:
    """Place an order at today's prices, due ``ORDER_DEADLINE`` after ``now``.

    Runs in the caller's transaction on orders, so that a record of the request can commit with it;
    without one, publishing fails before anything is written. The token goes into the event and is
    kept nowhere else. Raises OrderRefusedError.
    """
    priced = catalogue.price(lines=lines, currency=currency)
    order = Order(
        id=uuid4(),
        customer_id=customer_id,
        total_minor=catalogue.total_minor(lines=priced),
        currency=currency,
        placed_at=now,
        deadline_at=now + settings.ORDER_DEADLINE,
    )
    event = OrderPlaced(
        order_id=order.id,
        customer_id=customer_id,
        lines=tuple(PlacedLine(**vars(line)) for line in priced),
        total_minor=order.total_minor,
        currency=currency,
        deadline_at=order.deadline_at,
        payment_token=payment_token,
    )
    (envelope,) = publish(event)
    order.save(force_insert=True)
    OrderLine.objects.bulk_create(OrderLine(order=order, **vars(line)) for line in priced)
    entry(order=order, event=event, envelope=envelope, changed={"status": [None, order.status]}).save()
    return queries.details(order=order, lines=priced)


def cancel_order(*, customer_id: UUID, order_id: UUID) -> OrderDetails:
    """Cancel a customer's own order; one that is cancelled already is answered as it is.

    Raises UnknownOrderError, OrderAlreadyConfirmedError.
    """
    with atomic("orders"):
        order = _lock(Order.objects.filter(customer_id=customer_id), order_id)
        if order.status == Status.CONFIRMED:
            raise OrderAlreadyConfirmedError
        if order.status in OPEN:
            _cancel([order], Trigger.CUSTOMER_CANCELLED)
        return queries.details(order=order)


def cancel_overdue_orders(*, now: datetime, limit: int = OVERDUE_BATCH) -> int:
    """Cancel up to ``limit`` open orders whose deadline has passed; answers how many.

    Orders that somebody else is changing at this moment are left for the next call.
    """
    with atomic("orders"):
        overdue = Order.objects.filter(status__in=OPEN, deadline_at__lte=now).order_by("deadline_at")
        orders = list(overdue.select_for_update(skip_locked=True)[:limit])
        if orders:
            _cancel(orders, Trigger.DEADLINE_PASSED)
        return len(orders)


def follow_event(*, order_id: UUID, event: View, envelope: Envelope, trigger: Trigger) -> None:
    """Take a foreign event into the order's life: move the order if its state allows, tell of the
    move, and record the event either way, once.

    Runs in the worker's transaction. Raises UnknownOrderError.
    """
    order = _lock_unless_recorded(order_id, envelope.id)
    if order is None:
        return
    changed = _move(order, trigger)
    entries = [entry(order=order, event=event, envelope=envelope, changed=changed)]
    if changed:
        order.save(update_fields=["status", "reason"])
        entries += _announce([order])
    TimelineEntry.objects.bulk_create(entries)


def record_refund(*, order_id: UUID, amount_minor: int, event: View, envelope: Envelope) -> None:
    """Add a refund that payments reports to the order, once per event. Raises UnknownOrderError."""
    order = _lock_unless_recorded(order_id, envelope.id)
    if order is None:
        return
    before, order.refunded_minor = order.refunded_minor, order.refunded_minor + amount_minor
    order.save(update_fields=["refunded_minor"])
    changed: Changes = {"refunded_minor": [before, order.refunded_minor]}
    entry(order=order, event=event, envelope=envelope, changed=changed).save()


def _lock(orders: QuerySet[Order], order_id: UUID) -> Order:
    order = orders.select_for_update().filter(pk=order_id).first()
    if order is None:
        raise _unknown(order_id)
    return order


def _lock_unless_recorded(order_id: UUID, event_id: UUID) -> Order | None:
    """Lock the order; None when its timeline has the event already.

    Two deliveries of one event at the same moment can both find it missing, since the lock's wait
    does not renew the subquery's snapshot. The unique event id then fails the second, which finds
    the entry when it is tried again.
    """
    recorded = Exists(TimelineEntry.objects.filter(event_id=event_id))
    orders = Order.objects.annotate(is_recorded=recorded)
    order = orders.select_for_update().filter(pk=order_id).first()
    if order is None:
        raise _unknown(order_id)
    return None if order.is_recorded else order


def _unknown(order_id: UUID) -> UnknownOrderError:
    return UnknownOrderError(f"There is no order {order_id}; check the id.")


def _move(order: Order, trigger: Trigger) -> Changes:
    """Take the step that the lifecycle has for this trigger, in memory; answers what changed."""
    taken = step(status=order.status, trigger=trigger)
    if taken is None:
        return {}
    changed: Changes = {"status": [order.status, taken.status]}
    order.status = taken.status
    if taken.reason:
        changed["reason"] = [None, taken.reason]
        order.reason = taken.reason
    return changed


def _cancel(orders: Sequence[Order], trigger: Trigger) -> None:
    """Cancel locked open orders for our own reasons; no foreign event tells of it, so ours does."""
    changes = [_move(order, trigger) for order in orders]
    Order.objects.filter(pk__in=[order.pk for order in orders]).update(status=Status.CANCELLED, reason=orders[0].reason)
    entries = _announce(orders)
    for written, changed in zip(entries, changes, strict=True):
        written.changed = changed
    TimelineEntry.objects.bulk_create(entries)


def _announce(orders: Sequence[Order]) -> list[TimelineEntry]:
    """Publish the end of those orders that have ended; answers the unsaved entries of the events."""
    endings = [(order, event) for order in orders if (event := _ending(order))]
    envelopes = publish(*(event for _, event in endings)) if endings else []
    return [
        entry(order=order, event=event, envelope=envelope, changed={})
        for (order, event), envelope in zip(endings, envelopes, strict=True)
    ]


def _ending(order: Order) -> Event | None:
    if order.status == Status.CONFIRMED:
        return OrderConfirmed(order_id=order.pk)
    if order.status == Status.CANCELLED and order.reason:
        return OrderCancelled(order_id=order.pk, reason=Reason(order.reason))
    return None
