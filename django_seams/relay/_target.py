"""The inbox sink: append a source's commits to a subscriber's inbox, with the position beside them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import psycopg

from django_seams.errors import SeamsError
from django_seams.inbox import Advance, NewDelivery, compare_and_append
from django_seams.relay.stream import lsn_number, lsn_text

EPOCH: Final = 1

# Provision leaves a new position empty; it begins where the slot does.
_BEGIN = "UPDATE seams_position SET lsn = %(confirmed)s WHERE source = %(source)s AND lsn IS NULL"
_READ = "SELECT lsn::text FROM seams_position WHERE source = %(source)s AND epoch = %(epoch)s"

_WHAT_TO_DO = (
    "Nothing was appended. On embedded servers stop everything and delete the folder .local; "
    "on servers of your own compare both databases before you go on."
)


class PositionMismatchError(SeamsError):
    """The position stored at a sink is not the expected one: another relay, a loss, or a fork of history."""


class Target:
    """One subscriber's database, as seen from one source."""

    def __init__(self, conninfo: str, *, source: str, alias: str, confirmed: int) -> None:
        self.alias = alias
        self._source = source
        self._connection = psycopg.connect(conninfo, autocommit=True)
        self.position = self._begin(confirmed)

    def _begin(self, confirmed: int) -> int:
        values = {"source": self._source, "epoch": EPOCH, "confirmed": lsn_text(confirmed)}
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute(_BEGIN, values)
            row = cursor.execute(_READ, values).fetchone()
        if row is None:
            raise PositionMismatchError(
                f"{self.alias!r} has no position for {self._source!r} (epoch {EPOCH}); run `manage.py seams provision`."
            )
        return lsn_number(row[0])

    def append(self, *, end_lsn: int, commit_at: datetime | None, deliveries: Sequence[NewDelivery]) -> None:
        """Append the deliveries of all commits up to ``end_lsn``, or nothing at all.

        Raises PositionMismatchError, or psycopg's errors when the database is away.
        """
        advance = Advance(epoch=EPOCH, expected=lsn_text(self.position), end=lsn_text(end_lsn), commit_at=commit_at)
        with self._connection.cursor() as cursor:
            if not compare_and_append(cursor, source=self._source, advance=advance, deliveries=deliveries):
                raise PositionMismatchError(
                    f"The position of {self._source!r} in {self.alias!r} is no longer {lsn_text(self.position)}: "
                    f"another relay, a loss or a fork of history has moved it. {_WHAT_TO_DO}"
                )
        self.position = end_lsn

    def refuse_gap(self, *, confirmed: int, flushed: int) -> None:
        """At start the slot must not be ahead of the position, nor the position ahead of the log."""
        if confirmed > self.position:
            raise PositionMismatchError(
                f"The slot of {self._source!r} is at {lsn_text(confirmed)}, past what {self.alias!r} has stored "
                f"({lsn_text(self.position)}): events in between would be lost. {_WHAT_TO_DO}"
            )
        if self.position > flushed:
            raise PositionMismatchError(
                f"{self.alias!r} has stored {lsn_text(self.position)} of {self._source!r}, whose log ends at "
                f"{lsn_text(flushed)}: its history was set back. {_WHAT_TO_DO}"
            )

    def close(self) -> None:
        self._connection.close()
