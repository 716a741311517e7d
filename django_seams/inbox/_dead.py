"""Dead letters: what failed too often, with its exception, and the two ways out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connections, transaction

from django_seams.errors import SeamsError
from django_seams.inbox import sql
from django_seams.models import Delivery


class UnknownDeadLetterError(SeamsError):
    """There is no dead letter with that id in this database; list them with `seams deadletters`."""


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A delivery that was given up. Its body is not shown: it may hold what is sensitive."""

    id: int
    module: str
    handler: str
    type: str
    key: str
    event_id: UUID
    attempts: int
    error: str
    dead_at: datetime | None


def dead_letter_count(alias: str) -> int:
    """How many dead letters wait for an operator in the database ``alias``."""
    return Delivery.objects.using(alias).filter(state=Delivery.State.DEAD).count()


def dead_letters(*, alias: str, module: str) -> Iterator[DeadLetter]:
    """The dead letters of one module, oldest first."""
    rows = Delivery.objects.using(alias).filter(state=Delivery.State.DEAD, module=module).order_by("id")
    for row in rows.iterator():
        yield DeadLetter(
            id=row.id,
            module=row.module,
            handler=row.handler,
            type=row.type,
            key=row.key,
            event_id=row.event_id,
            attempts=row.attempts,
            error=row.error,
            dead_at=row.dead_at,
        )


def replay(*, alias: str, id: int) -> None:
    """Let the lane try the delivery again, with all its attempts. Raises UnknownDeadLetterError."""
    with transaction.atomic(using=alias):
        letter = _hold(alias, id)
        letter.state, letter.attempts, letter.dead_at = Delivery.State.WAITING, 0, None
        letter.save(using=alias, update_fields=["state", "attempts", "dead_at"])
        _reopen(alias, letter)


def discard(*, alias: str, id: int) -> None:
    """Give the delivery up for good and let its lane go on. Raises UnknownDeadLetterError."""
    with transaction.atomic(using=alias):
        letter = _hold(alias, id)
        letter.delete(using=alias)
        _reopen(alias, letter)


def _hold(alias: str, id: int) -> Delivery:
    letter = Delivery.objects.using(alias).filter(state=Delivery.State.DEAD, id=id).select_for_update().first()
    if letter is None:
        raise UnknownDeadLetterError(f"No dead letter {id} in {alias!r}; list them with `seams deadletters`.")
    return letter


def _reopen(alias: str, letter: Delivery) -> None:
    lane = {"module": letter.module, "key": letter.key, "now": None, "delay": 0.0}
    with connections[alias].cursor() as cursor:
        cursor.execute(sql.REOPEN_LANE, lane)
        cursor.execute(sql.DELETE_IF_EMPTY, lane)
        if not cursor.rowcount:
            cursor.execute(sql.RELEASE, lane)
