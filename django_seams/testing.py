"""For tests: move events synchronously, and open every database.

In the root ``conftest.py``::

    from django_seams.testing import *
"""

import fcntl
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone
from psycopg import sql

from django_seams.bus import subscriptions
from django_seams.errors import SeamsError
from django_seams.inbox import HandlerFailure, append, deliveries_of, work
from django_seams.modules import declared_modules, module_aliases, module_named
from django_seams.timed import TimedJob

__all__ = ["django_db_setup", "drain", "pytest_collection_modifyitems", "pytest_configure"]

_MAX_PASSES = 1_000
_UNDRAINED = "SELECT id, destination, body, headers, seq FROM published WHERE seq > %s ORDER BY seq"

_drained: dict[str, int] = {}


class DrainError(SeamsError):
    """drain() did not come to rest, or a handler raised."""


def drain(*, now: datetime | None = None, jobs: Iterable[TimedJob] = (), back_off: bool = False) -> int:
    """Move everything from outboxes through inboxes and handlers, and run ``jobs``, until quiet.

    Reads the tables, so it works inside a test's transaction. ``now`` stands in for the clock of
    lanes and jobs. Raises the error of the first handler that fails, unless ``back_off`` lets it
    wait for its next attempt, and DrainError after 1,000 passes. Answers what was handled.
    """
    total, jobs = 0, list(jobs)
    for _ in range(_MAX_PASSES):
        moved = sum(_append_published(alias, now) for alias in module_aliases())
        handled, failures = _work_everywhere(now)
        if failures and not back_off:
            raise failures[0].error
        busy = sum(job(now or timezone.now()) for job in jobs)
        total += handled
        if not (moved or handled or busy or failures):
            return total
    raise DrainError(f"Still not quiet after {_MAX_PASSES} passes; does a handler publish what it handles?")


def _append_published(alias: str, now: datetime | None) -> int:
    """What the relay does, for everything in this outbox since the last call."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT coalesce(max(seq), 0) FROM published")
        if cursor.fetchone()[0] < _drained.get(alias, 0):
            _drained[alias] = 0  # the sequence was set back by a flush
        cursor.execute(_UNDRAINED, [_drained.get(alias, 0)])
        rows = cursor.fetchall()
    for id_, destination, body, headers, seq in rows:
        _append_one(alias, id_, destination, _loaded(body), _loaded(headers), now)
        _drained[alias] = seq
    return len(rows)


def _append_one(source: str, event_id: Any, event_type: str, body: Any, headers: Any, now: datetime | None) -> None:
    for target in module_aliases():
        routes = [wish for wish in subscriptions() if wish.event_type == event_type and _alias(wish.module) == target]
        deliveries = deliveries_of(event_id=event_id, event_type=event_type, body=body, headers=headers, routes=routes)
        with connections[target].cursor() as cursor:
            append(cursor, source=source, deliveries=list(deliveries), now=now)


def _alias(module: str) -> str:
    return module_named(module).alias


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _work_everywhere(now: datetime | None) -> tuple[int, list[HandlerFailure]]:
    handled, failures = 0, []
    for module in declared_modules():
        done, failed = work(module=module, now=now)
        handled += done
        failures += failed
    return handled, failures


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "seams_db(transaction=False): the test uses every database of the project")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Turn ``seams_db`` into ``django_db`` with every alias, which plain ``django_db`` refuses."""
    for item in items:
        marker = item.get_closest_marker("seams_db")
        if marker is not None:
            item.add_marker(pytest.mark.django_db(databases=list(settings.DATABASES), **marker.kwargs), append=False)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Provision ``test_…`` databases with the real roles, so that the wall between them is tested too.

    One test run at a time uses the servers; a second one waits. Embedded servers are stopped at the end.
    """
    from django_seams.provision import provision

    with ExitStack() as stack:
        stack.enter_context(_servers())
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(_test_names())
        _drop_databases()
        provision(slots=False)
        yield
        for connection in connections.all(initialized_only=True):
            connection.close()
        _drop_databases()


@contextmanager
def _servers() -> Iterator[None]:
    embedded = settings.SEAMS.get("EMBEDDED")
    if embedded is None:
        yield
        return
    with (embedded.folder / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        embedded.start()
        try:
            yield
        finally:
            embedded.stop()


@contextmanager
def _test_names() -> Iterator[None]:
    names = {alias: connections[alias].settings_dict["NAME"] for alias in settings.DATABASES}
    for alias, name in names.items():
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = f"test_{name}"
    try:
        yield
    finally:
        for alias, name in names.items():
            connections[alias].settings_dict["NAME"] = name


def _drop_databases() -> None:
    """Drop this project's test databases, also what a killed run has left, with their slots."""
    with psycopg.connect(settings.SEAMS["PROVISION_DATABASE_URL"], autocommit=True) as admin:
        for alias in settings.DATABASES:
            drop_database(admin, name=connections[alias].settings_dict["NAME"])


def drop_database(admin: "psycopg.Connection[Any]", *, name: str) -> None:
    """Drop a database together with its replication slots, which would otherwise forbid it."""
    slots = admin.execute("SELECT slot_name FROM pg_replication_slots WHERE database = %s", [name]).fetchall()
    for (slot,) in slots:
        admin.execute("SELECT pg_drop_replication_slot(%s)", [slot])
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
