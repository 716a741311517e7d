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
    errors = [{"field": alias, "detail": text} for alias in settings.DATABASES for text in _missing(alias)]
    if not errors:
        return JsonResponse({"status": "ready"})
    detail = "Missing: " + "; ".join(f"{error['field']}: {error['detail']}" for error in errors)
    return problem(request, status=503, code="not_ready", detail=detail, errors=errors)


def _missing(alias: str) -> Iterator[str]:
    if not is_configured(alias):
        yield f"no URL; set {settings.DATABASE_VARIABLES[alias]}"
        return
    try:
        yield from _pending(alias)
        if alias in _migrated and alias in module_aliases():
            yield from liveness.missing(alias)
    except Error as error:
        reason = " ".join(str(error).split())
        yield f"database does not answer ({reason})"


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
