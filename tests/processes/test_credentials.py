"""Who may open what: by what a process is given, and by PostgreSQL itself."""

from itertools import permutations

import psycopg
import pytest

ALIASES = ("default", "inventory", "orders", "payments")
SECRETS = ("DATABASE_URL", "PASSWORD", "SECRET_KEY", "REDIS_URL", "PSP_URL")

_SHELL = ("python", "manage.py", "shell", "--no-imports", "--command")
_OPEN = "from django.db import connections; connections['{}'].cursor()"


class TestTheWall:
    @pytest.mark.parametrize(("owner", "other"), list(permutations(ALIASES, 2)))
    def test_refuses_each_role_in_every_other_database(self, servers, owner, other):
        name = psycopg.conninfo.conninfo_to_dict(_url(servers, other))["dbname"]
        with pytest.raises(psycopg.OperationalError, match=f'permission denied for database "{name}"'):
            psycopg.connect(_url(servers, owner), dbname=name).close()

    @pytest.mark.parametrize("owner", ALIASES)
    def test_lets_each_role_into_its_own(self, servers, owner):
        with psycopg.connect(_url(servers, owner)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

    def test_refuses_the_relay_where_no_module_lives(self, servers):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            _as_relay(servers, "default").close()

    @pytest.mark.parametrize("module", ["inventory", "orders", "payments"])
    def test_keeps_the_relay_from_reading_what_a_module_knows(self, servers, module):
        table = {"inventory": "inventory_stock", "orders": "orders_order", "payments": "payments_payment"}[module]
        with _as_relay(servers, module) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"SELECT * FROM {table}")


class TestAWorker:
    @pytest.mark.parametrize(
        ("module", "given"),
        [
            ("inventory", {"INVENTORY_DATABASE_URL"}),
            ("orders", {"ORDERS_DATABASE_URL"}),
            ("payments", {"PAYMENTS_DATABASE_URL", "PSP_URL"}),
        ],
    )
    def test_is_given_its_own_address_only(self, system, module, given):
        environ = system.environ_of(f"worker-{module}")
        assert {name for name in environ if name.endswith(SECRETS)} == given

    def test_cannot_open_the_database_of_another_module(self, system):
        opened = system.run_as("worker-orders", *_SHELL, _OPEN.format("orders"))
        assert opened.returncode == 0, opened.stderr
        refused = system.run_as("worker-orders", *_SHELL, _OPEN.format("payments"))
        assert refused.returncode != 0
        assert "ImproperlyConfigured" in refused.stderr

    def test_of_no_module_is_refused_in_one_line(self, system):
        done = system.manage("seams", "worker", "nosuch")
        assert done.returncode == 1
        [line] = done.stderr.strip().splitlines()
        assert "No module 'nosuch' is declared" in line
        assert "orders" in line

    def test_without_its_address_is_refused_in_one_line(self, system):
        done = system.manage("seams", "worker", "orders", ORDERS_DATABASE_URL="")
        assert done.returncode == 1
        [line] = done.stderr.strip().splitlines()
        assert "needs the URL of database 'orders'" in line


def _url(servers, alias: str) -> str:
    return servers.environ["DATABASE_URL" if alias == "default" else f"{alias.upper()}_DATABASE_URL"]


def _as_relay(servers, alias: str) -> "psycopg.Connection[tuple[object, ...]]":
    environ = servers.environ
    return psycopg.connect(_url(servers, alias), user=environ["RELAY_USER"], password=environ["RELAY_PASSWORD"])
