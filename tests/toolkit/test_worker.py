"""A worker's loop: jobs at their interval and when woken, a sign of life, a clean stop."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connections

from django_seams import timed as timing
from django_seams.inbox import append
from django_seams.liveness import missing, seen, worker_name
from django_seams.modules import atomic, on_commit
from django_seams.testing import drain
from django_seams.timed import TimedJob, TimedJobError, timed
from django_seams.worker import run_worker
from tests.toolkit.inboxes import arrive, delivery, handlers


def eventually(is_so, *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


@contextmanager
def job(call, *, every: float = 0.05, threads: int = 1) -> Iterator[TimedJob]:
    """A job of payments for the length of a ``with``; payments' own jobs rest meanwhile."""
    call.__module__ = "modules.payments.jobs"
    others = dict(timing._jobs)
    timing._jobs.clear()
    try:
        yield timed(every=every, threads=threads)(call)
    finally:
        timing._jobs.clear()
        timing._jobs.update(others)


@contextmanager
def worker(module: str = "payments") -> Iterator[threading.Thread]:
    stop = threading.Event()
    thread = threading.Thread(target=run_worker, args=(module, stop), daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(timeout=15)
        assert not thread.is_alive()
        with connections["payments"].cursor() as cursor:
            cursor.execute("DELETE FROM seams_process")


@pytest.mark.seams_db(transaction=True)
class TestWorker:
    def test_handles_what_arrives_and_shows_a_sign_of_life(self):
        handled = []

        def idle(now: datetime) -> int:
            return 0

        with job(idle), handlers(note=lambda event, _: handled.append(event.n)), worker():
            arrive(delivery(1))
            eventually(lambda: handled == [1])
            eventually(lambda: worker_name("payments") not in missing("payments"))

    def test_runs_a_job_again_at_once_while_it_finds_work(self):
        left = [5]

        def count_down(now: datetime) -> int:
            left[0] -= 1 if left[0] else 0
            return left[0]

        with job(count_down, every=30), worker():
            eventually(lambda: left == [0], seconds=5)

    def test_wakes_a_job_before_its_interval(self):
        runs = []

        def note(now: datetime) -> int:
            runs.append(now)
            return 0

        with job(note, every=30) as noted, worker():
            eventually(lambda: len(runs) == 1)
            with atomic("payments"):
                on_commit("payments", noted.wake)
                assert len(runs) == 1
            eventually(lambda: len(runs) == 2, seconds=5)

    def test_goes_on_after_a_job_that_raises(self, caplog):
        runs = []

        def fail(now: datetime) -> int:
            runs.append(now)
            raise ZeroDivisionError

        with job(fail), worker():
            eventually(lambda: len(runs) >= 3)
        assert "timed job payments." in caplog.text

    def test_goes_on_after_its_database_was_away(self):
        runs = []

        def fail_once(now: datetime) -> int:
            runs.append(now)
            if len(runs) == 1:
                raise OperationalError("the server closed the connection")
            return 0

        with job(fail_once), worker():
            eventually(lambda: len(runs) >= 2)


class TestTimedJob:
    def test_outside_every_module_is_refused(self):
        def nowhere(now: datetime) -> int:
            return 0

        with pytest.raises(TimedJobError, match="no declared module"):
            timed()(nowhere)

    def test_can_be_called_with_a_time_of_its_own(self):
        def year(now: datetime) -> int:
            return now.year

        with job(year) as years:
            assert years(datetime(2031, 1, 1, tzinfo=UTC)) == 2031


@pytest.mark.seams_db
class TestMissing:
    def test_names_workers_and_relays_that_were_not_seen(self):
        with connections["payments"].cursor() as cursor:
            cursor.execute("DELETE FROM seams_process")
            cursor.execute("UPDATE seams_position SET appended_at = NULL")
        assert "worker payments" in missing("payments")
        assert "relay orders → payments" in missing("payments")
        seen(alias="payments", name="worker payments")
        assert "worker payments" not in missing("payments")


@pytest.mark.seams_db
class TestDrain:
    def test_handles_at_the_given_time_what_is_published_meanwhile(self):
        handled = []
        with handlers(note=lambda event, _: handled.append(event.n)):
            now = datetime.now(UTC)
            with connections["payments"].cursor() as cursor:
                append(cursor, source="orders", deliveries=[delivery(1)], now=now)
            drain(now=now)
        assert handled == [1]
