"""The row that joins what orders and payments tell about one order, in whatever order it comes."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from django.db.models.functions import Now

from modules.inventory.models import Reservation as Row
from modules.inventory.types import Reservation, ReservationLine, ReservationState

# Guarantee: one row per order, made by whatever is heard first, and locked until the end of the
# transaction; whoever waited for the lock sees what the other one wrote. The lines stay the first.
JOIN = """
    INSERT INTO inventory_reservation AS known (order_id, state, lines)
    VALUES (%s, %s, %s::jsonb)
        ON CONFLICT (order_id)
        DO UPDATE SET lines = coalesce(known.lines, excluded.lines)
 RETURNING known.order_id, known.state, known.lines
"""


def join(*, order_id: UUID, first: ReservationState, lines: Sequence[ReservationLine] | None = None) -> Reservation:
    """Lock the order's row, made in state ``first`` if there was none, and answer it.

    ``lines`` are written unless the row already has some.
    """
    text = None if lines is None else json.dumps([asdict(line) for line in lines])
    [row] = Row.objects.raw(JOIN, [order_id, first.value, text])
    return from_row(row)


def enter(state: ReservationState, *, order_id: UUID) -> None:
    """Put the order's row, which is locked, into ``state``."""
    Row.objects.filter(pk=order_id).update(state=state, changed_at=Now())


def from_row(row: Row) -> Reservation:
    """The row as a value."""
    return Reservation(
        order_id=row.order_id,
        state=ReservationState(row.state),
        lines=tuple(ReservationLine(**line) for line in row.lines or ()),
    )
