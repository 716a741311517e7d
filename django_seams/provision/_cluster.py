"""Roles, databases and the wall between them; done by the administrator."""

from collections.abc import Iterator
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from django_seams.provision._step import ProvisionError, Step

Admin = psycopg.Connection[Any]

_ROLE_FITS = """
SELECT rolcanlogin AND rolreplication = %s AND NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls)
FROM pg_roles WHERE rolname = %s
"""


def refuse_unfit_server(admin: Admin, *, slots_needed: int) -> None:
    """Raise ProvisionError when the server cannot stream what the relay needs."""
    level = _value(admin, "SHOW wal_level")
    if slots_needed and level != "logical":
        raise ProvisionError(f"wal_level is {level!r}; set wal_level = logical and restart PostgreSQL.")
    for name in ("max_replication_slots", "max_wal_senders"):
        if int(_value(admin, f"SHOW {name}")) < slots_needed:
            raise ProvisionError(f"{name} is too low for {slots_needed} relays; set it to 40 and restart PostgreSQL.")


def role_steps(admin: Admin, aliases: list[str]) -> Iterator[Step]:
    """A login role for every database, and the relay's."""
    for alias in aliases:
        database = connections[alias].settings_dict
        yield _role_step(admin, database["USER"], database["PASSWORD"], replication=False)
    yield _role_step(admin, settings.SEAMS["RELAY_USER"], settings.SEAMS["RELAY_PASSWORD"], replication=True)


def _role_step(admin: Admin, name: str, password: str, *, replication: bool) -> Step:
    def do() -> None:
        verb = "ALTER" if _value(admin, "SELECT 1 FROM pg_roles WHERE rolname = %s", name) else "CREATE"
        # Only the SCRAM verifier travels: a statement that is logged must not show the password.
        verifier = admin.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        admin.execute(
            sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS {} PASSWORD {}").format(
                sql.SQL(verb),
                sql.Identifier(name),
                sql.SQL("REPLICATION" if replication else "NOREPLICATION"),
                sql.Literal(verifier),
            )
        )

    kind = "role {} may log in and stream the log" if replication else "role {} may log in, and nothing else"
    return Step(title=kind.format(name), is_done=lambda: bool(_value(admin, _ROLE_FITS, replication, name)), do=do)


def database_steps(admin: Admin, alias: str, *, relayed: bool) -> Iterator[Step]:
    """A database that belongs to its role, and that nobody else may enter but the relay."""
    database = connections[alias].settings_dict
    name, owner, relay = database["NAME"], database["USER"], settings.SEAMS["RELAY_USER"]
    owned = "SELECT pg_get_userbyid(datdba) = %s FROM pg_database WHERE datname = %s"

    def create() -> None:
        if _value(admin, "SELECT 1 FROM pg_database WHERE datname = %s", name):
            admin.execute(_statement("ALTER DATABASE {} OWNER TO {}", name, owner))
        else:
            admin.execute(_statement("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'", name, owner))

    yield Step(
        title=f"database {name} belongs to {owner}",
        is_done=lambda: bool(_value(admin, owned, owner, name)),
        do=create,
    )
    yield _closed_step(admin, name)
    if relayed:
        yield Step(
            title=f"database {name} lets the relay in",
            is_done=lambda: bool(_value(admin, "SELECT has_database_privilege(%s, %s, 'CONNECT')", relay, name)),
            do=lambda: admin.execute(_statement("GRANT CONNECT ON DATABASE {} TO {}", name, relay)),
        )


def wall_steps(admin: Admin) -> Iterator[Step]:
    """On embedded servers the maintenance databases are closed too; on others they may serve somebody else."""
    if settings.SEAMS.get("EMBEDDED") is not None:
        for name in ("postgres", "template1"):
            yield _closed_step(admin, name)


def _closed_step(admin: Admin, name: str) -> Step:
    return Step(
        title=f"database {name} is closed to every other role",
        is_done=lambda: not _value(admin, "SELECT has_database_privilege('public', %s, 'CONNECT, TEMPORARY')", name),
        do=lambda: admin.execute(_statement("REVOKE ALL ON DATABASE {} FROM PUBLIC", name)),
    )


def _statement(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))


def _value(admin: Admin, query: str, *parameters: Any) -> Any:
    row = admin.execute(query, parameters or None).fetchone()
    return row[0] if row else None
