"""What time does in a module: jobs that its worker runs at an interval, and sooner when woken."""

import threading
from collections.abc import Callable
from datetime import datetime

from django_seams.errors import SeamsError
from django_seams.modules import module_of_code

Job = Callable[[datetime], int]

_jobs: dict[str, "TimedJob"] = {}


class TimedJobError(SeamsError):
    """A timed job is declared outside every module."""


class TimedJob:
    """A job of one module: called with the present time, answers how many rows it worked on.

    More than zero means that there may be more at once. Jobs lease the rows they work on, so that
    any number of threads and workers can run the same one.
    """

    def __init__(self, call: Job, *, every: float, threads: int) -> None:
        module = module_of_code(call.__module__)
        if module is None:
            raise TimedJobError(f"{call.__module__}.{call.__qualname__} lies in no declared module.")
        self.call = call
        self.every = every
        self.threads = threads
        self.module = module.name
        self.name = f"{module.name}.{call.__qualname__}"
        self._wakes = threading.Semaphore(0)
        _jobs[self.name] = self

    def __call__(self, now: datetime) -> int:
        return self.call(now)

    def wake(self) -> None:
        """Let one waiting thread of this process run the job now. Safe from ``on_commit``."""
        self._wakes.release()

    def wait(self, *, at_most: float | None) -> None:
        """Sleep until woken, for ``at_most`` seconds if given."""
        self._wakes.acquire(timeout=at_most)


def timed(*, every: float = 1.0, threads: int = 1) -> Callable[[Job], TimedJob]:
    """Declare a job of the surrounding module, run every ``every`` seconds in ``threads`` threads."""

    def declare(call: Job) -> TimedJob:
        return TimedJob(call, every=every, threads=threads)

    return declare


def jobs_of(module: str) -> list[TimedJob]:
    """The timed jobs of one module."""
    return [job for job in _jobs.values() if job.module == module]
