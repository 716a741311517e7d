"""What the relay needs in each database: publication, grants, slot, positions, routes."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections, transaction

from django_seams.bus import subscriptions
from django_seams.events import declared_events, module_of
from django_seams.modules import module_named
from django_seams.provision._step import ProvisionError, Step
from django_seams.relay import connect_as_relay, slot_of
from django_seams.relay.stream import PUBLICATION

# The relay's role has just this. Nothing here lets it read a module's own tables.
_GRANTS = {
    "published": "SELECT",
    "seams_event_type": "SELECT",
    "seams_subscription": "SELECT",
    "seams_delivery": "SELECT, INSERT, UPDATE",
    "seams_lane": "SELECT, INSERT, UPDATE",
    "seams_position": "SELECT, UPDATE",
}
_SLOT_TIMEOUT_SECONDS = 15
_BLOCKERS = """
SELECT pid, usename, datname, left(query, 80) FROM pg_stat_activity
WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start
"""


def publication_steps(alias: str) -> Iterator[Step]:
    """The outbox is published, its owner's schema is closed, and the relay may do its work."""
    relay = settings.SEAMS["RELAY_USER"]
    yield Step(
        title=f"{alias}: schema public is closed to every other role",
        is_done=lambda: not _value(alias, "SELECT has_schema_privilege('public', 'public', 'CREATE, USAGE')"),
        do=lambda: _execute(alias, "REVOKE ALL ON SCHEMA public FROM PUBLIC"),
    )
    yield Step(
        title=f"{alias}: inserts into the outbox are published",
        is_done=lambda: bool(_value(alias, "SELECT 1 FROM pg_publication WHERE pubname = %s", PUBLICATION)),
        do=lambda: _execute(alias, f"CREATE PUBLICATION {PUBLICATION} FOR TABLE published WITH (publish = 'insert')"),
    )
    yield Step(
        title=f"{alias}: the relay may read the outbox and append to the inbox",
        is_done=lambda: _granted(alias, relay),
        do=lambda: _grant(alias, relay),
    )


def _granted(alias: str, relay: str) -> bool:
    if not _value(alias, "SELECT has_schema_privilege(%s, 'public', 'USAGE')", relay):
        return False
    return all(
        _value(alias, "SELECT has_table_privilege(%s, %s, %s)", relay, table, privilege)
        for table, privileges in _GRANTS.items()
        for privilege in privileges.split(", ")
    )


def _grant(alias: str, relay: str) -> None:
    role = connections[alias].ops.quote_name(relay)
    _execute(alias, f"GRANT USAGE ON SCHEMA public TO {role}")
    for table, privileges in _GRANTS.items():
        _execute(alias, f"GRANT {privileges} ON {table} TO {role}")


def slot_step(alias: str) -> Step:
    """The slot exists before the first event, or rows published earlier would be skipped in silence."""
    slot = slot_of(alias)
    return Step(
        title=f"{alias}: slot {slot} keeps what the relay has not read",
        is_done=lambda: bool(_value(alias, "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", slot)),
        do=lambda: _create_slot(alias, slot),
    )


def _create_slot(alias: str, slot: str) -> None:
    """As the relay's role. Creating a slot waits for every open writer of the whole cluster."""
    with closing(connect_as_relay(alias)) as relay:
        relay.execute(f"SET statement_timeout = '{_SLOT_TIMEOUT_SECONDS}s'")
        try:
            relay.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
        except psycopg.errors.QueryCanceled:
            raise ProvisionError(
                f"Slot {slot} could not be created within {_SLOT_TIMEOUT_SECONDS} s: it waits for open writing "
                f"transactions ({_blockers(relay)}). End them and provision again."
            ) from None


def _blockers(relay: "psycopg.Connection[Any]") -> str:
    rows = relay.execute(_BLOCKERS).fetchall()
    return "; ".join(f"pid {pid}, {user}@{database}" for pid, user, database, _ in rows) or "already gone"


def positions_step(target: str, *, sources: list[str]) -> Step:
    """An empty position for every source; the relay sets it to where its slot begins."""
    count = "SELECT count(*) FROM seams_position WHERE source = ANY(%s)"
    insert = "INSERT INTO seams_position (source) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
    return Step(
        title=f"{target}: has a position for {', '.join(sources)}",
        is_done=lambda: bool(_value(target, count, sources) == len(sources)),
        do=lambda: _execute(target, insert, sources),
    )


def routes_step(source: str) -> Step:
    """The routes equal the declared events and subscriptions; running relays are told."""
    return Step(
        title=f"{source}: routes equal the declared events and subscriptions",
        is_done=lambda: _stored_routes(source) == _declared_routes(source),
        do=lambda: _write_routes(source),
    )


Routes = tuple[set[tuple[str, bool]], set[tuple[Any, ...]]]


def _declared_routes(source: str) -> Routes:
    types = {
        (event_type, event.event_external)
        for event_type, event in declared_events().items()
        if module_named(module_of(event_type)).alias == source
    }
    names = {event_type for event_type, _ in types}
    wishes = {
        (
            wish.handler,
            wish.event_type,
            module_named(wish.module).alias,
            wish.module,
            tuple(wish.fields),
            wish.compensates,
        )
        for wish in subscriptions()
        if wish.event_type in names
    }
    return types, wishes


def _stored_routes(source: str) -> Routes:
    with connections[source].cursor() as cursor:
        cursor.execute("SELECT type, external FROM seams_event_type")
        types = set(cursor.fetchall())
        cursor.execute("SELECT handler, type, target, module, fields, compensates FROM seams_subscription")
        wishes = {(*row[:4], tuple(row[4]), row[5]) for row in cursor.fetchall()}
    return types, wishes


def _write_routes(source: str) -> None:
    types, wishes = _declared_routes(source)
    with transaction.atomic(using=source), connections[source].cursor() as cursor:
        cursor.execute("DELETE FROM seams_subscription")
        cursor.execute("DELETE FROM seams_event_type")
        cursor.executemany("INSERT INTO seams_event_type (type, external) VALUES (%s, %s)", sorted(types))
        cursor.executemany(
            "INSERT INTO seams_subscription (handler, type, target, module, fields, compensates) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            [(*wish[:4], list(wish[4]), wish[5]) for wish in sorted(wishes)],
        )
        cursor.execute("NOTIFY seams_routes")


def _execute(alias: str, statement: str, *parameters: Any) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters or None)


def _value(alias: str, query: str, *parameters: Any) -> Any:
    with connections[alias].cursor() as cursor:
        cursor.execute(query, parameters or None)
        row = cursor.fetchone()
    return row[0] if row else None
