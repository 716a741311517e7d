"""Stream one source database's outbox to every inbox that subscribes to it."""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg

from django_seams.errors import SeamsError
from django_seams.inbox import NewDelivery, deliveries_of
from django_seams.relay._routes import Routes
from django_seams.relay._target import Target
from django_seams.relay.pgoutput import Commit, Row
from django_seams.relay.stream import Stream, lsn_number

logger = logging.getLogger(__name__)

_TICK = 1.0


class NotDeclaredError(SeamsError):
    """An event type in the outbox is not declared in the routes; run `manage.py seams provision`."""


class TargetBackError(SeamsError):
    """A database that was away answers again; the stream restarts so that it misses nothing."""


class Source:
    """One pass of the relay over one source: opened, streamed from, closed.

    ``conninfo(alias)`` gives the relay's connection string. Every sink has its own transaction and
    position; one that is away is set aside while the others go on.
    """

    def __init__(self, alias: str, *, slot: str, targets: Sequence[str], conninfo: Callable[[str], str]) -> None:
        self._alias = alias
        self._slot = slot
        self._target_aliases = targets
        self._conninfo = conninfo
        self._live: dict[str, Target] = {}
        self._behind: dict[str, int] = {}
        self._last: Commit | None = None
        self._open = ExitStack()

    def run(self, stop: threading.Event) -> None:
        """Stream until ``stop``. Raises what ended it; the caller decides whether to start again."""
        with self._open:
            confirmed = self._connect()
            next_tick = monotonic() + _TICK
            while not stop.is_set():
                commits = self._stream.read(timeout=max(0.0, next_tick - monotonic()))
                self._hand_over(commits)
                if monotonic() >= next_tick:
                    self._tick()
                    next_tick = monotonic() + _TICK
                confirmed = max(confirmed, self._stored())
                self._stream.confirm(confirmed)

    def _connect(self) -> int:
        """Open everything and check that slot, positions and log agree; answers the confirmed LSN."""
        self._stream = Stream(self._conninfo(self._alias) + " replication=database", slot=self._slot)
        self._open.callback(self._stream.close)
        home = psycopg.connect(self._conninfo(self._alias), autocommit=True)
        self._open.callback(home.close)
        self._routes = Routes(home)
        confirmed = self._confirmed_lsn(home)
        for alias in self._target_aliases:
            self._open_target(alias, confirmed)
        flushed = _one(home, "SELECT pg_current_wal_flush_lsn()::text")
        for target in self._live.values():
            target.refuse_gap(confirmed=confirmed, flushed=flushed)
        logger.info("%s: streaming from slot %s to %s", self._alias, self._slot, ", ".join(self._live) or "nobody")
        return confirmed

    def _confirmed_lsn(self, home: "psycopg.Connection[Any]") -> int:
        return _one(
            home,
            "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = %s",
            self._slot,
        )

    def _open_target(self, alias: str, confirmed: int) -> None:
        try:
            target = Target(self._conninfo(alias), source=self._alias, alias=alias, confirmed=confirmed)
        except psycopg.OperationalError as error:
            self._set_aside(alias, confirmed, error)
        else:
            self._open.callback(target.close)
            self._live[alias] = target

    def _set_aside(self, alias: str, position: int, error: Exception) -> None:
        logger.warning("%s → %s: set aside, the database does not answer: %s", self._alias, alias, _line(error))
        self._behind[alias] = position
        self._live.pop(alias, None)

    def _stored(self) -> int:
        """Up to where every sink has everything."""
        return min([target.position for target in self._live.values()] + list(self._behind.values()))

    def _hand_over(self, commits: list[Commit]) -> None:
        """Append what has subscribers. A sink without rows learns at the next tick how far the log is read."""
        if not commits:
            return
        for commit in commits:
            for row in commit.rows:
                self._refuse_undeclared(row)
        self._last = commits[-1]
        for target in list(self._live.values()):
            fresh = [commit for commit in commits if commit.end_lsn > target.position]
            deliveries = [delivery for commit in fresh for delivery in self._deliveries(commit, target.alias)]
            if deliveries:
                self._append(target, commits[-1].end_lsn, deliveries)

    def _refuse_undeclared(self, row: Row) -> None:
        if not self._routes.knows(str(row["destination"])):
            raise NotDeclaredError(
                f"{self._alias}: {row['destination']} is in the outbox but not in the routes; nothing after it is "
                "relayed. Deploy the module that declares it, then run `manage.py seams provision`."
            )

    def _deliveries(self, commit: Commit, target: str) -> Iterator[NewDelivery]:
        for row in commit.rows:
            routes = self._routes.of(str(row["destination"]), target)
            if routes:
                yield from deliveries_of(
                    event_id=UUID(row["id"]),
                    event_type=str(row["destination"]),
                    body=json.loads(row["body"] or "{}"),
                    headers=json.loads(row["headers"] or "{}"),
                    routes=routes,
                )

    def _append(self, target: Target, end_lsn: int, deliveries: list[NewDelivery]) -> None:
        try:
            target.append(end_lsn=end_lsn, commit_at=self._last.at if self._last else None, deliveries=deliveries)
        except psycopg.OperationalError as error:
            self._set_aside(target.alias, target.position, error)

    def _tick(self) -> None:
        """Once a second: new routes, sinks that are back, and an empty append to each live sink."""
        if self._routes.changed():
            self._routes.load()
        for alias in self._behind:
            self._raise_if_back(alias)
        read = max(self._stream.wal_end, self._last.end_lsn if self._last else 0)
        for target in list(self._live.values()):
            self._append(target, max(target.position, read), [])

    def _raise_if_back(self, alias: str) -> None:
        try:
            psycopg.connect(self._conninfo(alias), connect_timeout=2).close()
        except psycopg.OperationalError:
            return
        raise TargetBackError(f"{self._alias} → {alias}: the database answers again.")


def _one(connection: "psycopg.Connection[Any]", query: str, *parameters: Any) -> int:
    row = connection.execute(query, parameters).fetchone()
    if row is None or row[0] is None:
        raise psycopg.OperationalError(f"no answer to {query}")
    return lsn_number(row[0])


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
