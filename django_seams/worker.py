"""A module's worker: handles its inbox and runs its timed jobs. Needs the module's database only."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Final

import psycopg
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from django_seams.errors import frames, shown
from django_seams.inbox import LANES_AT_ONCE, ClaimedLane, claim, serve
from django_seams.liveness import BEAT, seen, worker_name
from django_seams.modules import module_named
from django_seams.timed import TimedJob, jobs_of

logger = logging.getLogger(__name__)

_LOOK_EVERY: Final = 1.0
_LONGEST_PAUSE: Final = 5.0
# A delivery mostly waits for its database: one more hand keeps the lanes moving meanwhile.
_EXTRA_HANDS: Final = 1
_DATABASE_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError)

Lanes = SimpleQueue[ClaimedLane]


def run_worker(module: str, stop: threading.Event) -> None:
    """Work for ``module`` until ``stop`` is set, through any restart of its database.

    Wakes up when the relay notifies and looks by itself once a second. Raises UnknownModuleError.
    """
    alias = module_named(module).alias
    lanes: Lanes = SimpleQueue()
    tasks = {f"{module}-hand-{nth}": partial(_lend_a_hand, lanes, stop) for nth in range(_EXTRA_HANDS)}
    for job in jobs_of(module):
        tasks |= {f"{job.name}-{nth}": partial(_repeat, job, nth == 0, stop) for nth in range(job.threads)}
    threads = [_start(name, partial(_through_outages, task, alias, stop)) for name, task in tasks.items()]
    logger.info("worker of %s: %d timed jobs", module, len(jobs_of(module)))
    _through_outages(partial(_work_inbox, module, alias, lanes, stop), alias, stop)
    for job in jobs_of(module):
        for _ in range(job.threads):
            job.wake()  # a thread that waits out its interval would hold up the end
    for thread in threads:
        thread.join(timeout=10)


def _start(name: str, task: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=task, name=name, daemon=True)
    thread.start()
    return thread


def _through_outages(task: Callable[[], None], alias: str, stop: threading.Event) -> None:
    """Begin again whenever the database was away, after growing pauses."""
    pause = 0.25
    while not stop.is_set():
        started = monotonic()
        try:
            task()
            return
        except _DATABASE_AWAY as error:
            reason = str(error).strip().partition("\n")[0]
            logger.warning("%s: the database does not answer: %s", alias, reason)
        finally:
            connections[alias].close()
        pause = 0.25 if monotonic() - started > _LONGEST_PAUSE else min(_LONGEST_PAUSE, pause * 2)
        stop.wait(pause)


def _work_inbox(module: str, alias: str, lanes: Lanes, stop: threading.Event) -> None:
    """Claim, share out what was claimed, work on it too, and sleep when there is no more."""
    with _listen(module, alias) as bell:
        next_beat = 0.0
        while not stop.is_set():
            if monotonic() >= next_beat:
                seen(alias=alias, name=worker_name(module))
                next_beat = monotonic() + BEAT.total_seconds()
            claimed = claim(module=module)
            for lane in claimed[1:]:
                lanes.put(lane)
            for lane in claimed[:1]:
                serve(lane)
            _serve_rest(lanes)
            if len(claimed) < LANES_AT_ONCE:  # else there may be more
                for _ in bell.notifies(timeout=_LOOK_EVERY, stop_after=1):
                    pass


def _serve_rest(lanes: Lanes) -> None:
    while True:
        try:
            lane = lanes.get_nowait()
        except Empty:
            return
        serve(lane)


def _lend_a_hand(lanes: Lanes, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            lane = lanes.get(timeout=_LOOK_EVERY)
        except Empty:
            continue
        serve(lane)


def _listen(module: str, alias: str) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection of its own for LISTEN: direct, since a transaction pooler would not deliver."""
    parameters = connections[alias].get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    known = {name: parameters[name] for name in names if parameters.get(name)}
    connection = psycopg.connect(**known, autocommit=True, application_name=f"seams-{worker_name(module)}")
    connection.execute(f'LISTEN "seams_inbox_{module}"')
    return connection


def _repeat(job: TimedJob, keeps_time: bool, stop: threading.Event) -> None:
    """Run a job again and again; what it raises is logged, and the next interval tries again.

    One thread looks at the interval; the others sleep until woken, which a thread that finds more
    than one piece of work in a row does for them.
    """
    streak = 0
    while not stop.is_set():
        streak = streak + 1 if _is_busy(job) else 0
        if streak == 0:
            job.wait(at_most=job.every if keeps_time else None)
        elif streak > 1 and job.threads > 1:
            job.wake()


def _is_busy(job: TimedJob) -> bool:
    try:
        return job(timezone.now()) > 0
    except _DATABASE_AWAY:
        raise
    except Exception as error:
        logger.error(
            "timed job %s failed; it runs again in %s s: %s\n%s", job.name, job.every, shown(error), frames(error)
        )
        return False
