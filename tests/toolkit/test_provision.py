"""Provisioning is idempotent, reports drift, and says what to do about what it cannot change."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from django_seams import provision as provisioning
from django_seams.provision import ProvisionError, provision
from django_seams.relay import slot_of

ALIASES = ("default", "orders", "inventory", "payments")


@pytest.fixture
def admin(django_db_setup, django_db_blocker):
    url = settings.SEAMS["PROVISION_DATABASE_URL"]
    with django_db_blocker.unblock(), closing(psycopg.connect(url, autocommit=True)) as admin:
        yield admin
        provision(slots=False)
        for connection in connections.all(initialized_only=True):
            connection.close()


def database(alias: str) -> dict:
    return connections[alias].settings_dict


def login(role_of: str, database_of: str) -> psycopg.Connection:
    role = database(role_of)
    return psycopg.connect(
        host=role["HOST"],
        port=role["PORT"] or None,
        user=role["USER"],
        password=role["PASSWORD"],
        dbname=database(database_of)["NAME"],
    )


class TestWall:
    @pytest.mark.parametrize("other", ALIASES)
    @pytest.mark.parametrize("alias", ALIASES)
    def test_lets_each_role_into_its_own_database_only(self, admin, alias, other):
        if alias == other:
            login(alias, other).close()
        else:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                login(alias, other)

    @pytest.mark.parametrize("alias", ALIASES)
    def test_leaves_the_maintenance_databases_to_the_administrator(self, admin, alias):
        if settings.SEAMS["EMBEDDED"] is None:
            return  # a server that others may use too keeps its maintenance databases as they are
        for name in ("postgres", "template1"):
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(
                    host=database(alias)["HOST"],
                    user=database(alias)["USER"],
                    password=database(alias)["PASSWORD"],
                    dbname=name,
                )

    def test_gives_no_role_more_than_it_needs(self, admin):
        roles = [database(alias)["USER"] for alias in ALIASES]
        rows = admin.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND "
            "(rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)",
            [roles],
        ).fetchall()
        assert rows == []


class TestProvision:
    def test_does_nothing_the_second_time(self, admin):
        provision(slots=False)
        assert provision(slots=False) == []

    def test_finds_and_mends_drift(self, admin):
        name = database("payments")["NAME"]
        admin.execute(f'GRANT CONNECT ON DATABASE "{name}" TO PUBLIC')
        admin.execute(f'ALTER ROLE "{database("orders")["USER"]}" CREATEDB')
        with connections["inventory"].cursor() as cursor:
            cursor.execute("DELETE FROM seams_subscription")
            cursor.execute(f'REVOKE INSERT ON seams_delivery FROM "{settings.SEAMS["RELAY_USER"]}"')
        found = provision(check=True, slots=False)
        assert len(found) == 4
        assert provision(slots=False) == found
        assert provision(check=True, slots=False) == []

    def test_never_shows_a_password_to_the_server_log(self, admin):
        admin.execute(f'ALTER ROLE "{database("orders")["USER"]}" NOLOGIN')
        statements = []
        original = psycopg.Connection.execute

        def noting(self, query, *args, **kwargs):
            statements.append(query if isinstance(query, str) else query.as_string(self))
            return original(self, query, *args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psycopg.Connection, "execute", noting)
            provision(slots=False)
        assert any("SCRAM-SHA-256$" in statement for statement in statements)
        assert not any(database("orders")["PASSWORD"] in statement for statement in statements)

    def test_names_who_keeps_a_slot_from_being_made(self, admin, monkeypatch):
        monkeypatch.setattr(provisioning._outbox, "_SLOT_TIMEOUT_SECONDS", 1)
        with closing(login("inventory", "inventory")) as writer:
            writer.execute("CREATE TEMPORARY TABLE held (n int)")
            writer.execute("SELECT pg_current_xact_id()")
            with pytest.raises(ProvisionError, match=f"pid {writer.info.backend_pid}") as refused:
                provision()
        assert "End them and provision again" in str(refused.value)
        for alias in ("orders", "inventory", "payments"):
            admin.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
                [slot_of(alias)],
            )


class TestCommand:
    def test_check_of_servers_that_nobody_provisioned_reports_every_point(self, admin, capsys):
        with pytest.MonkeyPatch.context() as patch:
            for alias in ALIASES:
                patch.setitem(connections[alias].settings_dict, "NAME", f"nobody_made_{alias}")
                connections[alias].close()
            with pytest.raises(CommandError, match="points are not as declared; run `seams provision`"):
                call_command("seams", "provision", "--check")
        for alias in ALIASES:
            connections[alias].close()
        said = capsys.readouterr().out
        assert "missing  database nobody_made_orders belongs to" in said
        assert "missing  migrations of orders are applied" in said
        assert "missing  payments: routes equal" in said

    def test_check_reports_as_json_and_fails_when_something_is_missing(self, admin, capsys):
        with pytest.raises(CommandError, match="run `seams provision`"):
            call_command("seams", "provision", "--check", "--json")
        document = json.loads(capsys.readouterr().out)
        assert document["check"] is True
        assert [title for title in document["missing"] if "slot" in title]

    def test_without_an_administrator_says_which_setting_is_missing(self, admin):
        with administrator(""), pytest.raises(CommandError, match="PROVISION_DATABASE_URL"):
            call_command("seams", "provision", "--check")

    def test_with_a_server_that_does_not_answer_is_one_clear_line(self, admin):
        with administrator("postgresql://x@127.0.0.1:1/x"), pytest.raises(CommandError) as refused:
            call_command("seams", "provision", "--check")
        assert "PostgreSQL does not answer at PROVISION_DATABASE_URL" in str(refused.value)
        assert "\n" not in str(refused.value)


@contextmanager
def administrator(url: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(settings.SEAMS, "PROVISION_DATABASE_URL", url)
        yield
