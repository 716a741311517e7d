"""What inventory does: offers products, books what comes in, and keeps stock for orders.

The functions about orders run inside the transaction of a delivery, which `handlers.py` is called
in, and open none of their own: a nested one costs two statements for a savepoint that nobody rolls
back to. Each takes four statements at most, besides publishing, whatever the number of lines.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import F
from pydantic import ValidationError

from django_seams.modules import atomic
from django_seams.outbox import publish
from modules.inventory import models, queries, reservations, stock
from modules.inventory.errors import (
    ConfirmedButMissingError,
    ContradictedOrderError,
    InvalidProductError,
    InvalidReceiptError,
    ReceiptConflictError,
)
from modules.inventory.events import MissingLine, ProductUpdated, StockRejected, StockReserved
from modules.inventory.lifecycle import FIRST, Fact, Step, step_for
from modules.inventory.types import (
    Product,
    Reservation,
    ReservationLine,
    ReservationState,
    Shortage,
    StockLevel,
)

MAX_RECEIPT = 10**9
MAX_REFERENCE = 200
_ANNOUNCED_AT_ONCE = 500


def put_product(*, sku: str, name: str, unit_price_minor: int, currency: str, announce: bool = False) -> Product:
    """Offer a product or change one; publishes product_updated when something changed or if asked to."""
    wanted = _described(sku=sku, name=name, unit_price_minor=unit_price_minor, currency=currency)
    with atomic("inventory"):
        row, is_new = models.Product.objects.select_for_update().get_or_create(
            sku=wanted.sku, defaults=wanted.model_dump()
        )
        if is_new:
            models.Stock.objects.create(product=row)
        if _change(row, wanted) or is_new or announce:
            publish(_event(row))
        return _product(row)


def _described(*, sku: str, name: str, unit_price_minor: int, currency: str) -> ProductUpdated:
    """The event of a new product: what it accepts is what a product may be. Raises InvalidProductError."""
    try:
        return ProductUpdated(sku=sku, name=name, unit_price_minor=unit_price_minor, currency=currency, version=1)
    except ValidationError as error:
        wrong = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
        raise InvalidProductError(f"Product {sku!r} was not put: {wrong}. Correct these fields.") from None


def _change(row: models.Product, wanted: ProductUpdated) -> bool:
    """Write what differs under the next version; the row is locked. Answers whether something did."""
    fields = wanted.model_dump(exclude={"sku", "version"})
    if all(getattr(row, name) == value for name, value in fields.items()):
        return False
    for name, value in fields.items():
        setattr(row, name, value)
    row.version += 1
    row.save(update_fields=[*fields, "version"])
    return True


def announce_products() -> int:
    """Publish product_updated for every product, in transactions of a few hundred; answers how many."""
    announced, last = 0, ""
    while skus := _announce_after(last):
        announced, last = announced + len(skus), skus[-1]
    return announced


def _announce_after(sku: str) -> list[str]:
    with atomic("inventory"):
        # Locked, so that no newer version is published before the one that is read here.
        rows = models.Product.objects.select_for_update().filter(sku__gt=sku).order_by("sku")
        events = [_event(row) for row in rows[:_ANNOUNCED_AT_ONCE]]
        publish(*events)
    return [event.sku for event in events]


def _event(row: models.Product) -> ProductUpdated:
    return ProductUpdated(
        sku=row.sku,
        name=row.name,
        unit_price_minor=row.unit_price_minor,
        currency=row.currency,
        version=row.version,
    )


def _product(row: models.Product) -> Product:
    return Product(**_event(row).model_dump())


def receive_stock(*, sku: str, quantity: int, reference: str) -> StockLevel:
    """Book pieces in, once per SKU and reference. Raises what `api.receive_stock` says."""
    if not 0 < quantity <= MAX_RECEIPT:
        raise InvalidReceiptError(f"A receipt books 1 to {MAX_RECEIPT} pieces, not {quantity}.")
    if not 0 < len(reference) <= MAX_REFERENCE or not reference.isprintable():
        raise InvalidReceiptError(f"A reference is 1 to {MAX_REFERENCE} printable characters: {reference!r}.")
    with atomic("inventory"):
        queries.stock_level(sku=sku)  # refuses an unknown SKU here; the foreign key would at commit
        receipt, is_new = models.Receipt.objects.get_or_create(
            product_id=sku, reference=reference, defaults={"quantity": quantity}
        )
        if receipt.quantity != quantity:
            raise ReceiptConflictError(
                f"{reference!r} booked {receipt.quantity} of {sku} before; "
                f"book these {quantity} under another reference."
            )
        if is_new:
            models.Stock.objects.filter(pk=sku).update(
                on_hand=F("on_hand") + quantity, received=F("received") + quantity
            )
        return queries.stock_level(sku=sku)


def want_stock(*, order_id: UUID, lines: Iterable[ReservationLine]) -> None:
    """An order was placed: hold its lines once it is paid. A SKU named twice counts as one line."""
    _hear(Fact.PLACED, order_id=order_id, lines=_merged(lines))


def note_payment(*, order_id: UUID) -> None:
    """An order was paid: hold its lines, all or none, once they are known."""
    _hear(Fact.PAID, order_id=order_id)


def sell_stock(*, order_id: UUID) -> None:
    """An order was confirmed: what is held for it is sold.

    Raises ConfirmedButMissingError when nothing is held and not enough is on hand, and
    ContradictedOrderError when the order was cancelled before.
    """
    _hear(Fact.CONFIRMED, order_id=order_id)


def release_stock(*, order_id: UUID) -> None:
    """An order was cancelled: put back what is held, and hold nothing for it ever again.

    Raises ContradictedOrderError when the order was confirmed before.
    """
    _hear(Fact.CANCELLED, order_id=order_id)


def _merged(lines: Iterable[ReservationLine]) -> list[ReservationLine]:
    quantities: dict[str, int] = {}
    for line in lines:
        quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
    return [ReservationLine(sku=sku, quantity=quantities[sku]) for sku in sorted(quantities)]


def _hear(fact: Fact, *, order_id: UUID, lines: Sequence[ReservationLine] | None = None) -> None:
    # A row that was made just now is in FIRST[fact], where the same fact is no news.
    order = reservations.join(order_id=order_id, first=FIRST[fact], lines=lines)
    step = step_for(order.state, fact)
    if step is not None:
        _STEPS[step](order)


def _hold(order: Reservation) -> None:
    missing = stock.shortages(lines=order.lines)
    if missing:
        reservations.enter(ReservationState.REJECTED, order_id=order.order_id)
        publish(_rejected(order, missing))
    else:
        stock.move(stock.Move.HOLD, lines=order.lines)
        reservations.enter(ReservationState.RESERVED, order_id=order.order_id)
        publish(StockReserved(order_id=order.order_id))


def _rejected(order: Reservation, missing: Iterable[Shortage]) -> StockRejected:
    lines = [MissingLine(sku=each.sku, requested=each.requested, available=each.available) for each in missing]
    return StockRejected(order_id=order.order_id, missing=lines)


def _sell_held(order: Reservation) -> None:
    stock.lock(lines=order.lines)
    stock.move(stock.Move.SELL_HELD, lines=order.lines)
    reservations.enter(ReservationState.SOLD, order_id=order.order_id)


def _sell_on_hand(order: Reservation) -> None:
    missing = stock.shortages(lines=order.lines)
    if missing:
        lacking = ", ".join(f"{each.requested - each.available} of {each.sku}" for each in missing)
        raise ConfirmedButMissingError(
            f"Order {order.order_id} is confirmed, but nothing is held for it and {lacking} are "
            "missing: receive them, then replay this delivery."
        )
    stock.move(stock.Move.SELL_ON_HAND, lines=order.lines)
    reservations.enter(ReservationState.SOLD, order_id=order.order_id)


def _promise(order: Reservation) -> None:
    reservations.enter(ReservationState.PROMISED, order_id=order.order_id)


def _release(order: Reservation) -> None:
    stock.lock(lines=order.lines)
    stock.move(stock.Move.PUT_BACK, lines=order.lines)
    reservations.enter(ReservationState.CANCELLED, order_id=order.order_id)


def _forget(order: Reservation) -> None:
    reservations.enter(ReservationState.CANCELLED, order_id=order.order_id)


def _refuse(order: Reservation) -> None:
    raise ContradictedOrderError(
        f"Order {order.order_id} is {order.state} here and was told the opposite: only one can be true. "
        "Look at the order, correct stock if it needs it, then discard this delivery."
    )


_STEPS = {
    Step.HOLD: _hold,
    Step.SELL_HELD: _sell_held,
    Step.SELL_ON_HAND: _sell_on_hand,
    Step.PROMISE: _promise,
    Step.RELEASE: _release,
    Step.FORGET: _forget,
    Step.REFUSE: _refuse,
}
