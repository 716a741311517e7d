"""Put events into a subscriber's inbox: one delivery for each handler that subscribes."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django_seams.inbox import sql


class Cursor(Protocol):
    """What Django's and psycopg's cursors have in common."""

    def execute(self, query: Any, params: Any = ..., /) -> Any: ...
    def fetchone(self) -> Any: ...


class Route(Protocol):
    """A subscription as the relay knows it: from its routes, not from code."""

    @property
    def module(self) -> str: ...
    @property
    def handler(self) -> str: ...
    @property
    def fields(self) -> Sequence[str]: ...
    @property
    def compensates(self) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class NewDelivery:
    """One event for one handler, its body cut down to the fields that the handler asked for."""

    event_id: UUID
    type: str
    module: str
    key: str
    handler: str
    body: dict[str, Any]
    headers: dict[str, Any]
    compensates: bool


def deliveries_of(
    *, event_id: UUID, event_type: str, body: dict[str, Any], headers: dict[str, Any], routes: Iterable[Route]
) -> Iterator[NewDelivery]:
    """The deliveries of one event, one for each of ``routes``."""
    for route in routes:
        yield NewDelivery(
            event_id=event_id,
            type=event_type,
            module=route.module,
            key=str(headers["subject"]),
            handler=route.handler,
            body={name: body[name] for name in route.fields if name in body},
            headers=headers,
            compensates=route.compensates,
        )


@dataclass(frozen=True, kw_only=True)
class Advance:
    """A step of a source's position: from where, to where (LSNs as text), and the last commit's time."""

    epoch: int
    expected: str
    end: str
    commit_at: datetime | None


def append(cursor: Cursor, *, source: str, deliveries: Sequence[NewDelivery], now: datetime | None = None) -> None:
    """Append to the inbox behind ``cursor``, and notify the workers at the commit.

    ``now`` stands in for the database's clock in tests.
    """
    cursor.execute(sql.APPEND, {"source": source, "deliveries": _document(deliveries), "now": now})


def compare_and_append(cursor: Cursor, *, source: str, advance: Advance, deliveries: Sequence[NewDelivery]) -> bool:
    """Advance the position and append, or do neither if the position is not the expected one: then False."""
    values = {"source": source, "deliveries": _document(deliveries), "now": None}
    cursor.execute(sql.COMPARE_AND_APPEND, values | vars(advance))
    return bool(cursor.fetchone()[0])


def _document(deliveries: Sequence[NewDelivery]) -> str:
    return json.dumps([vars(delivery) for delivery in deliveries], default=str, ensure_ascii=False)
