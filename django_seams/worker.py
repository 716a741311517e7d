"""A module's worker: handles its inbox and runs its timed jobs. Needs the module's database only."""

import logging
import threading
from collections.abc import Callable
from time import monotonic

import psycopg
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from django_seams.errors import frames, shown
from django_seams.inbox import LANES_AT_ONCE, work
from django_seams.liveness import BEAT, seen, worker_name
from django_seams.modules import module_named
from django_seams.timed import TimedJob, jobs_of

logger = logging.getLogger(__name__)

_LOOK_EVERY = 1.0
_LONGEST_PAUSE = 5.0
_DATABASE_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError)


def run_worker(module: str, stop: threading.Event) -> None:
    """Work for ``module`` until ``stop`` is set, through any restart of its database.

    Wakes up when the relay notifies and looks by itself once a second. Raises UnknownModuleError.
    """
    alias = module_named(module).alias
    threads = [
        threading.Thread(target=_run_job, args=(job, nth == 0, alias, stop), name=f"{job.name}-{nth}", daemon=True)
        for job in jobs_of(module)
        for nth in range(job.threads)
    ]
    for thread in threads:
        thread.start()
    logger.info("worker of %s: %d timed jobs", module, len(jobs_of(module)))
    _through_outages(lambda: _work_inbox(module, alias, stop), alias, stop)
    for job in jobs_of(module):
        for _ in range(job.threads):
            job.wake()  # a thread that waits out its interval would hold up the end
    for thread in threads:
        thread.join(timeout=10)


def _through_outages(call: Callable[[], None], alias: str, stop: threading.Event) -> None:
    """Call again whenever the database was away, after growing pauses."""
    pause = 0.25
    while not stop.is_set():
        started = monotonic()
        try:
            call()
            return
        except _DATABASE_AWAY as error:
            logger.warning("%s: the database does not answer: %s", alias, str(error).strip().partition("\n")[0])
        finally:
            connections[alias].close()
        pause = 0.25 if monotonic() - started > _LONGEST_PAUSE else min(_LONGEST_PAUSE, pause * 2)
        stop.wait(pause)


def _work_inbox(module: str, alias: str, stop: threading.Event) -> None:
    with _listen(module, alias) as bell:
        next_beat = 0.0
        while not stop.is_set():
            if monotonic() >= next_beat:
                seen(alias=alias, name=worker_name(module))
                next_beat = monotonic() + BEAT.total_seconds()
            handled, failures = work(module=module)
            if handled + len(failures) < LANES_AT_ONCE:  # else there may be more
                for _ in bell.notifies(timeout=_LOOK_EVERY, stop_after=1):
                    pass


def _listen(module: str, alias: str) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection of its own for LISTEN: direct, since a transaction pooler would not deliver."""
    parameters = connections[alias].get_connection_params()
    known = {name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if parameters.get(name)}
    connection = psycopg.connect(**known, autocommit=True, application_name=f"seams-{worker_name(module)}")
    connection.execute(f'LISTEN "seams_inbox_{module}"')
    return connection


def _run_job(job: TimedJob, keeps_time: bool, alias: str, stop: threading.Event) -> None:
    _through_outages(lambda: _repeat(job, keeps_time, stop), alias, stop)


def _repeat(job: TimedJob, keeps_time: bool, stop: threading.Event) -> None:
    """Run a job again and again; what it raises is logged, and the next interval tries again.

    One thread looks at the interval; the others sleep until woken, which a thread that finds more
    than one piece of work in a row does for them.
    """
    streak = 0
    while not stop.is_set():
        try:
            busy = job(timezone.now()) > 0
        except _DATABASE_AWAY:
            raise
        except Exception as error:
            logger.error(
                "timed job %s failed; it runs again in %s s: %s\n%s", job.name, job.every, shown(error), frames(error)
            )
            busy = False
        streak = streak + 1 if busy else 0
        if streak > 1:
            job.wake()
        elif not busy:
            job.wait(at_most=job.every if keeps_time else None)
