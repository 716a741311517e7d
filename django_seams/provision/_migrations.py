"""Migrations of every alias, as the database's owner."""

from collections.abc import Iterator

from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from django_seams.provision._step import Step


def steps(alias: str) -> Iterator[Step]:
    """The one step that applies what is pending on ``alias``."""
    yield Step(
        title=f"migrations of {alias} are applied",
        is_done=lambda: not pending(alias),
        do=lambda: call_command("migrate", database=alias, verbosity=0, interactive=False),
    )


def pending(alias: str) -> list[str]:
    """The migrations that ``alias`` still lacks, as ``app.name``."""
    connections[alias].ensure_connection()
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
