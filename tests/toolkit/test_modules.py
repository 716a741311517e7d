"""Modules are declared once; each app's tables live in its module's database only."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from django_seams.modules import (
    UnknownModuleError,
    declared_modules,
    load_modules,
    module_named,
    module_of_code,
    on_commit,
)


def tables(alias: str) -> set[str]:
    with connections[alias].cursor() as cursor:
        return set(connections[alias].introspection.table_names(cursor))


class TestDeclaration:
    def test_is_read_from_pyproject(self):
        assert set(declared_modules()) == {"orders", "inventory", "payments"}
        assert module_of_code("modules.orders.handlers") == module_named("orders")
        assert module_of_code("modules.orders_archive") is None

    def test_of_an_incomplete_module_names_what_it_needs(self, tmp_path):
        file = tmp_path / "pyproject.toml"
        file.write_text('[tool.seams.modules.shipping]\npath = "modules/shipping"\n')
        with pytest.raises(UnknownModuleError, match=r"\[tool.seams.modules.shipping\] needs alias, owner"):
            load_modules(file)

    def test_that_is_missing_is_an_error_that_names_the_others(self):
        with pytest.raises(UnknownModuleError, match="declared: inventory, orders, payments"):
            module_named("shipping")


@pytest.mark.seams_db
class TestTables:
    def test_of_a_module_are_in_its_database_and_in_no_other(self):
        for name in declared_modules():
            for other in ["default", *declared_modules()]:
                own = {table for table in tables(other) if table.startswith(f"{name}_")}
                assert bool(own) == (other == name), (name, other, own)

    def test_of_the_toolkit_are_wherever_modules_are(self):
        for name in declared_modules():
            assert {"published", "received", "seams_delivery", "seams_lane", "seams_position"} <= tables(name)
        assert not {table for table in tables("default") if table.startswith(("seams_", "published"))}

    def test_of_accounts_are_in_default(self):
        assert "accounts_user" in tables("default")
        assert "accounts_user" not in tables("orders")


@pytest.mark.seams_db
class TestOnCommit:
    def test_runs_at_the_commit_of_the_modules_own_database(self, django_capture_on_commit_callbacks):
        ran = []
        with django_capture_on_commit_callbacks(using="orders") as callbacks:
            on_commit("orders", lambda: ran.append("orders"))
        assert len(callbacks) == 1
        assert ran == []


@pytest.mark.seams_db
class TestCommands:
    def test_migrate_without_a_database_migrates_every_one(self, capsys):
        call_command("migrate", verbosity=1)
        said = capsys.readouterr().out
        assert [f"Database {alias}" in said for alias in ("default", "orders", "inventory", "payments")] == [True] * 4

    @pytest.mark.parametrize(("command", "instead"), [("publish", "seams relay"), ("subscribe", "seams worker MODULE")])
    def test_the_packages_own_commands_point_to_ours(self, command, instead):
        with pytest.raises(CommandError, match=instead):
            call_command(command)
