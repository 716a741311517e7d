"""The order of provisioning, and the connections it needs."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError

from django_seams.modules import is_configured, module_aliases
from django_seams.provision import _cluster, _migrations, _outbox
from django_seams.provision._step import ProvisionError, Step

Admin = psycopg.Connection[Any]


def provision(
    *, check: bool = False, slots: bool = True, report: Callable[[str, bool], None] = lambda title, done: None
) -> list[str]:
    """Bring the servers to the declared state; answers the titles of what was (or is still to be) done.

    ``check`` only looks. ``slots=False`` leaves out replication slots, for tests without processes.
    ``report(title, was_done_already)`` is called for every step. Raises ProvisionError with what to do.
    """
    aliases = _aliases()
    with closing(_admin()) as admin:
        steps = _steps(admin, aliases, slots=slots)
        return [step.title for step in steps if _take(step, check=check, report=report)]


def _aliases() -> list[str]:
    aliases = ["default", *(alias for alias in module_aliases() if alias != "default")]
    absent = [alias for alias in aliases if not is_configured(alias)]
    if absent:
        raise ProvisionError(f"No database URL is set for {', '.join(absent)}; provisioning needs all of them.")
    return aliases


def _admin() -> Admin:
    url = settings.SEAMS.get("PROVISION_DATABASE_URL")
    if not url:
        raise ProvisionError("Set PROVISION_DATABASE_URL to a role that may create roles and databases.")
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise ProvisionError(f"PostgreSQL does not answer at PROVISION_DATABASE_URL: {str(error).strip()}") from None


def _steps(admin: Admin, aliases: list[str], *, slots: bool) -> Iterator[Step]:
    """Lazily, since a later step can look only after the earlier ones are done."""
    inboxes = module_aliases()
    _cluster.refuse_unfit_server(admin, slots_needed=len(inboxes) if slots else 0)
    yield from _cluster.role_steps(admin, aliases)
    for alias in aliases:
        yield from _cluster.database_steps(admin, alias, relayed=alias in inboxes)
    yield from _cluster.wall_steps(admin)
    for alias in aliases:
        yield from _migrations.steps(alias)
    for alias in inboxes:
        yield from _outbox.publication_steps(alias)
        if slots:
            yield _outbox.slot_step(alias)
    for alias in inboxes:
        yield _outbox.positions_step(alias, sources=inboxes)
        yield _outbox.routes_step(alias)


def _take(step: Step, *, check: bool, report: Callable[[str, bool], None]) -> bool:
    try:
        done = step.is_done()
    except (psycopg.Error, DatabaseError):
        if not check:
            raise
        done = False  # what an earlier missing step would have made is not there to be looked at
    report(step.title, done)
    if not done and not check:
        step.do()
    return not done
