"""Is this process alive, and can the system take orders? Open to everybody: probes have no token."""

from collections.abc import Iterator

from django.conf import settings
from django.db import Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from django_seams import liveness
from django_seams.modules import is_configured, module_aliases
from monolith.problems import problem

_migrated: set[str] = set()  # aliases that had nothing pending; code does not change under a running process


def livez(request: HttpRequest) -> HttpResponse:
    """200 while this process answers at all."""
    return JsonResponse({"status": "alive"})


def readyz(request: HttpRequest) -> HttpResponse:
    """200, or 503 with what is missing: a database, migrations, the relay, a worker."""
    errors = [
        {"field": alias, "detail": text}
        for alias in settings.DATABASES
        for text in database_lacks(alias) or _processes_absent(alias)
    ]
    if not errors:
        return JsonResponse({"status": "ready"})
    detail = "Missing: " + "; ".join(f"{error['field']}: {error['detail']}" for error in errors)
    return problem(request, status=503, code="not_ready", detail=detail, errors=errors)


def database_lacks(alias: str) -> list[str]:
    """What keeps this database from being used, with what to do; nothing when it is fit."""
    if not is_configured(alias):
        return [f"no URL; set {settings.DATABASE_VARIABLES[alias]}"]
    try:
        return list(_pending(alias))
    except Error as error:
        reason = " ".join(str(error).split())
        return [f"database does not answer ({reason})"]


def _processes_absent(alias: str) -> list[str]:
    return [f"{name} not seen" for name in liveness.missing(alias)] if alias in module_aliases() else []


def _pending(alias: str) -> Iterator[str]:
    if alias in _migrated:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
        return
    executor = MigrationExecutor(connections[alias])
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield f"{len(plan)} migrations pending; run `python manage.py seams provision`"
    else:
        _migrated.add(alias)
