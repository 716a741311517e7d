"""Signs of life: which workers and relays were seen lately, kept in the databases that they serve."""

from datetime import timedelta
from typing import Final

from django.db import connections

from django_seams.modules import declared_modules, module_aliases

BEAT: Final = timedelta(seconds=2)
SILENCE: Final = timedelta(seconds=10)

_SEEN = """
INSERT INTO seams_process (name, seen_at) VALUES (%s, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET seen_at = EXCLUDED.seen_at
"""
_PROCESSES = "SELECT name FROM seams_process WHERE seen_at > clock_timestamp() - %s * interval '1 s'"
# The relay's sign of life is the position that it advances at every sink once a second.
_RELAYS = "SELECT source FROM seams_position WHERE appended_at > clock_timestamp() - %s * interval '1 s'"


def seen(*, alias: str, name: str) -> None:
    """Note that the process ``name`` is at work."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_SEEN, [name])


def worker_name(module: str) -> str:
    """How the worker of a module is called in signs of life and in /readyz."""
    return f"worker {module}"


def missing(alias: str) -> list[str]:
    """The workers and relays that ``alias`` needs and that were not seen for 10 s, by name."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_PROCESSES, [SILENCE.total_seconds()])
        processes = {name for (name,) in cursor.fetchall()}
        cursor.execute(_RELAYS, [SILENCE.total_seconds()])
        sources = {source for (source,) in cursor.fetchall()}
    workers = [worker_name(module.name) for module in declared_modules().values() if module.alias == alias]
    absent = [name for name in workers if name not in processes]
    return absent + [f"relay {source} → {alias}" for source in module_aliases() if source not in sources]
