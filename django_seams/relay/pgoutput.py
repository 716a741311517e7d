"""Decode what ``pgoutput`` sends: inserts into the outbox, grouped by commit.

Source: PostgreSQL documentation, "Logical Replication Message Formats" (protocol version 1).
Pure: bytes in, values out.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from django_seams.errors import SeamsError

Row = dict[str, str | None]

_POSTGRES_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_IGNORED: Final = frozenset(b"YOTM")  # type, origin, truncate, message: nothing of an outbox row


class UnexpectedMessageError(SeamsError):
    """The server sent a replication message that an insert-only publication cannot produce."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A committed transaction: where it ends in the log, when it was, and what it inserted."""

    end_lsn: int
    at: datetime
    rows: list[Row] = field(repr=False)


class Decoder:
    """Feeds on messages in the order of the stream and gives a Commit at the end of each transaction."""

    def __init__(self) -> None:
        self._columns: dict[int, list[str]] = {}
        self._rows: list[Row] = []
        self.in_transaction = False

    def feed(self, message: bytes) -> Commit | None:
        """Take one message. Raises UnexpectedMessageError."""
        kind = message[0]
        if kind == ord("I"):
            self._rows.append(self._insert(message))
        elif kind == ord("B"):
            self._rows, self.in_transaction = [], True
        elif kind == ord("C"):
            return self._commit(message)
        elif kind == ord("R"):
            self._relation(message)
        elif kind not in _IGNORED:
            raise UnexpectedMessageError(
                f"Message {chr(kind)!r} in the stream; the publication must publish inserts only."
            )
        return None

    def _commit(self, message: bytes) -> Commit:
        _flags, _lsn, end_lsn, microseconds = struct.unpack_from("!bQQq", message, 1)
        rows, self._rows, self.in_transaction = self._rows, [], False
        return Commit(end_lsn=end_lsn, at=_POSTGRES_EPOCH + timedelta(microseconds=microseconds), rows=rows)

    def _relation(self, message: bytes) -> None:
        (relation,) = struct.unpack_from("!I", message, 1)
        _schema, at = _text(message, 5)
        _table, at = _text(message, at)
        _identity, count = struct.unpack_from("!bH", message, at)
        at += 3
        names = []
        for _ in range(count):
            name, at = _text(message, at + 1)  # one byte of flags before the name
            at += 8  # type's oid and modifier
            names.append(name)
        self._columns[relation] = names

    def _insert(self, message: bytes) -> Row:
        (relation,) = struct.unpack_from("!I", message, 1)
        return dict(zip(self._columns[relation], _values(message, at=6), strict=True))


def _text(message: bytes, at: int) -> tuple[str, int]:
    end = message.index(b"\0", at)
    return message[at:end].decode(), end + 1


def _values(message: bytes, at: int) -> Iterator[str | None]:
    (count,) = struct.unpack_from("!H", message, at)
    at += 2
    for _ in range(count):
        kind = message[at]
        at += 1
        if kind == ord("n"):
            yield None
            continue
        if kind != ord("t"):
            raise UnexpectedMessageError(f"A column came as {chr(kind)!r}; expected text or null.")
        (length,) = struct.unpack_from("!I", message, at)
        at += 4
        yield message[at : at + length].decode()
        at += length
