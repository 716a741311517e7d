"""Delete what is past its retention: handled events, and published ones that every sink has."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connections
from django.utils import timezone
from django_outbox_pattern.models import Published, Received

from django_seams.errors import SeamsError
from django_seams.modules import module_aliases

_MARGIN: Final = timedelta(hours=1)
_OLDEST_POSITION = "SELECT commit_at FROM seams_position WHERE source = %s"


class RetentionError(SeamsError):
    """SEAMS["RECEIVED_RETENTION_DAYS"] is shorter than SEAMS["PUBLISHED_RETENTION_DAYS"]: events could be repeated."""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """How many rows went."""

    alias: str
    published: int
    received: int


def prune(*, alias: str, now: datetime | None = None) -> Pruned:
    """Delete old rows of one database's outbox and log of handled events.

    A published row goes when it is past retention *and* an hour older than the last commit that
    the slowest sink has stored. Raises RetentionError.
    """
    now = now or timezone.now()
    published_for, received_for = _retention()
    published = Published.objects.using(alias).filter(added__lt=min(now - published_for, _stored_everywhere(alias)))
    received = Received.objects.using(alias).filter(added__lt=now - received_for)
    return Pruned(alias=alias, published=published.delete()[0], received=received.delete()[0])


def _retention() -> tuple[timedelta, timedelta]:
    published = timedelta(days=settings.SEAMS.get("PUBLISHED_RETENTION_DAYS", 14))
    received = timedelta(days=settings.SEAMS.get("RECEIVED_RETENTION_DAYS", 30))
    if received < published:
        raise RetentionError
    return published, received


def _stored_everywhere(source: str) -> datetime:
    """The commit time up to which every sink has this source's events, less an hour."""
    times = [_commit_at(source, target) for target in module_aliases()]
    known = [time for time in times if time is not None]
    if len(known) < len(times):
        return datetime.fromtimestamp(0, tz=timezone.get_default_timezone())
    return min(known) - _MARGIN


def _commit_at(source: str, target: str) -> datetime | None:
    with connections[target].cursor() as cursor:
        cursor.execute(_OLDEST_POSITION, [source])
        row = cursor.fetchone()
    return row[0] if row else None
