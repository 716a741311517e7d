"""What the relay knows of events and subscribers: rows that ``seams provision`` wrote, not code."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

ROUTES_CHANGED = "seams_routes"


@dataclass(frozen=True, kw_only=True)
class RouteRow:
    """A handler's wish for an event type, and the database it lives in."""

    type: str
    target: str
    module: str
    handler: str
    fields: list[str]
    compensates: bool


class Routes:
    """The routes of one source, read at the start and again whenever provision says so."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        connection.execute(f"LISTEN {ROUTES_CHANGED}")
        self.load()

    def load(self) -> None:
        self.types = {row[0] for row in self._connection.execute("SELECT type FROM seams_event_type")}
        by_type: dict[str, dict[str, list[RouteRow]]] = defaultdict(lambda: defaultdict(list))
        with self._connection.cursor(row_factory=class_row(RouteRow)) as cursor:
            query = "SELECT type, target, module, handler, fields, compensates FROM seams_subscription ORDER BY handler"
            for route in cursor.execute(query):
                by_type[route.type][route.target].append(route)
        self._by_type = by_type

    def changed(self) -> bool:
        """Whether provision has announced new routes since the last look."""
        return any(True for _ in self._connection.notifies(timeout=0))

    def knows(self, event_type: str) -> bool:
        """Whether the type is declared; looks it up once more before saying no."""
        if event_type not in self.types:
            self.load()
        return event_type in self.types

    def of(self, event_type: str, target: str) -> list[RouteRow]:
        """Who in ``target`` subscribes to ``event_type``."""
        return self._by_type[event_type][target] if event_type in self._by_type else []
