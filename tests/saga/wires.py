"""The relay by hand: every source's events in their order, but at any pace towards every module."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connections

from django_seams.bus import subscriptions
from django_seams.events import module_of
from django_seams.inbox import append, deliveries_of, work
from django_seams.modules import module_aliases, module_named

Wire = tuple[str, str]
WIRES: Sequence[Wire] = (
    ("orders", "payments"),
    ("orders", "inventory"),
    ("payments", "orders"),
    ("payments", "inventory"),
    ("inventory", "orders"),
)
"""(source, target): from one module's outbox to another's inbox, wherever somebody subscribes."""

_WRITTEN = "SELECT id, destination, body::text, headers::text FROM published WHERE seq > %s ORDER BY seq"


class Wires:
    """Starts with what is published from now on. One wire's order is that of the commits; between
    two wires there is none."""

    def __init__(self) -> None:
        assert set(WIRES) == {(module_of(wish.event_type), wish.module) for wish in subscriptions()}
        self._begin = {source: _last_seq(source) for source in module_aliases()}
        self._done = dict.fromkeys(WIRES, 0)

    def waiting(self) -> list[Wire]:
        """Wires with events that were not handed over yet."""
        return [wire for wire in WIRES if len(self._events(wire[0])) > self._done[wire]]

    def carry(self, source: str, target: str, *, count: int = 1_000) -> int:
        """Hand over the next events; answers how many there were."""
        events = self._events(source)[self._done[source, target] :][:count]
        for event in events:
            _append(source, target, event)
        self._done[source, target] += len(events)
        return len(events)

    def carry_again(self, source: str, target: str, *, back: int) -> None:
        """Hand the last ``back`` events over once more, as after a rewind."""
        done = self._done[source, target]
        for event in self._events(source)[max(0, done - back) : done]:
            _append(source, target, event)

    def carry_and_work(self, *wires: Wire) -> None:
        """Hand over all that waits on each wire in turn, and let its target handle it."""
        for source, target in wires:
            self.carry(source, target)
            handle(target)

    def _events(self, source: str) -> list[tuple[Any, ...]]:
        with connections[source].cursor() as cursor:
            cursor.execute(_WRITTEN, [self._begin[source]])
            return cursor.fetchall()


def handle(module: str) -> int:
    """Let a module's worker look once; what its handlers raise fails the test."""
    handled, failures = work(module=module)
    for failure in failures:
        raise failure.error
    return handled


def _append(source: str, target: str, event: tuple[Any, ...]) -> None:
    event_id, event_type, body, headers = event
    routes = [wish for wish in subscriptions() if wish.event_type == event_type and _alias(wish.module) == target]
    deliveries = deliveries_of(
        event_id=event_id,
        event_type=event_type,
        body=json.loads(body),
        headers=json.loads(headers),
        routes=routes,
    )
    with connections[target].cursor() as cursor:
        append(cursor, source=source, deliveries=list(deliveries))


def _alias(module: str) -> str:
    return module_named(module).alias


def _last_seq(source: str) -> int:
    with connections[source].cursor() as cursor:
        cursor.execute("SELECT coalesce(max(seq), 0) FROM published")
        return int(cursor.fetchone()[0])
