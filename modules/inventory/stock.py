"""Moving pieces between on hand, reserved and sold. The SQL that keeps stock from being oversold.

Every move locks the rows of all its SKUs in SKU order first, so that two orders with the same
SKUs in another order wait for each other instead of deadlocking, and what was read stays true.
The move itself is guarded again, and the table's CHECK constraints are the last wall.
"""

from collections.abc import Sequence
from enum import Enum

from modules.inventory.errors import StockDisagreesError
from modules.inventory.models import Stock
from modules.inventory.types import ReservationLine, Shortage


class Move(Enum):
    """From which column of `Stock` to which other one pieces move."""

    HOLD = ("on_hand", "reserved")
    PUT_BACK = ("reserved", "on_hand")
    SELL_HELD = ("reserved", "sold")
    SELL_ON_HAND = ("on_hand", "sold")


# Guarantee: no line takes more than there is, whatever was read before. One statement for all
# lines; a line without enough pieces is left out of the answer, so the caller counts.
MOVE_LINES = """
    UPDATE inventory_stock AS stock
       SET {source} = stock.{source} - line.quantity,
           {target} = stock.{target} + line.quantity
      FROM unnest(%s::text[], %s::bigint[]) AS line (sku, quantity)
     WHERE stock.sku = line.sku
       AND stock.{source} >= line.quantity
 RETURNING stock.sku
"""

# Guarantee: whoever wants the same rows takes them in the same order, and waits instead of deadlocking.
LOCK_LINES = "SELECT sku, on_hand FROM inventory_stock WHERE sku = ANY(%s) ORDER BY sku FOR UPDATE"


def shortages(*, lines: Sequence[ReservationLine]) -> list[Shortage]:
    """Lock the lines' stock until the end of the transaction; answer what cannot be taken from on hand.

    An unknown SKU has 0 available. Needs an open transaction.
    """
    on_hand = lock(lines=lines)
    return [
        Shortage(sku=line.sku, requested=line.quantity, available=on_hand.get(line.sku, 0))
        for line in lines
        if on_hand.get(line.sku, 0) < line.quantity
    ]


def lock(*, lines: Sequence[ReservationLine]) -> dict[str, int]:
    """Lock the rows of all lines in SKU order; pieces on hand by SKU, without the unknown ones."""
    rows = Stock.objects.raw(LOCK_LINES, [[line.sku for line in lines]])
    return {row.pk: row.on_hand for row in rows}


def move(kind: Move, *, lines: Sequence[ReservationLine]) -> None:
    """Move all lines, whose rows are locked. Raises StockDisagreesError, which must roll back."""
    source, target = kind.value
    statement = MOVE_LINES.format(source=source, target=target)
    parameters = [[line.sku for line in lines], [line.quantity for line in lines]]
    moved = {row.pk for row in Stock.objects.raw(statement, parameters)}
    missed = [line.sku for line in lines if line.sku not in moved]
    if missed:
        raise StockDisagreesError(
            f"{', '.join(missed)}: fewer pieces in {source!r} than the reservation says; compare "
            "inventory.api.stock_levels() with reservations() before replaying this delivery."
        )
