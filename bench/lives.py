"""After a load: wait until every order has ended, then read each one's timeline over the API."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

import httpx2

from bench.errors import BenchError
from bench.measures import Attempt, Life
from bench.system import System

_READERS = 4
_OPEN = ("pending", "paid")


def drain(system: System, *, patience: float, tick: Callable[[], None]) -> float:
    """Wait until no order is open; answers the seconds it took. Raises BenchError after ``patience``."""
    began = time.monotonic()
    with _client(system) as client:
        while any(_get(client, "/orders", status=status)["results"] for status in _OPEN):
            if time.monotonic() - began > patience:
                raise BenchError(f"Orders are still open {patience:.0f} s after the last one was placed.")
            system.check()
            tick()
            time.sleep(0.25)
    return time.monotonic() - began


def lives_of(system: System, attempts: Sequence[Attempt]) -> list[Life]:
    """Each attempt with the times of its order's events."""
    with _client(system) as client, ThreadPoolExecutor(max_workers=_READERS) as readers:
        return list(readers.map(partial(_life, client), attempts))


def _life(client: httpx2.Client, attempt: Attempt) -> Life:
    if not attempt.order_id:
        return Life(attempt=attempt, events={})
    entries = _get(client, f"/orders/{attempt.order_id}/timeline")["entries"]
    return Life(
        attempt=attempt,
        events={entry["type"]: datetime.fromisoformat(entry["occurred_at"]).timestamp() for entry in entries},
    )


def _client(system: System) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {system.token}"}
    return httpx2.Client(base_url=f"{system.url}/api/v1", headers=headers, timeout=15, trust_env=False)


def _get(client: httpx2.Client, path: str, **parameters: str) -> Any:
    try:
        return client.get(path, params=parameters).raise_for_status().json()
    except httpx2.HTTPError as error:
        raise BenchError(f"GET {path}: {error}") from error
