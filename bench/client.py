"""The customers: a process of its own that places orders, as cheaply as Python can.

    python -m bench.client < work.json > attempts.json

Imports the standard library only, and nothing of the system. Its CPU time is told with the answer,
because it is taken from the same cores that serve the orders.
"""

import http.client
import json
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

_TIMEOUT = 30.0
_IDLE = 1.5  # gunicorn closes a connection that was idle for 2 s
_LEAD = 0.2


class Shop:
    """Places orders over a small pool of persistent connections; the last one used is used again first."""

    def __init__(self, *, host: str, port: int, token: str, skus: list[str], seed: int) -> None:
        self._address = (host, port)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._skus = skus
        self._random = random.Random(seed)
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []

    def place(self, due: float) -> dict[str, Any]:
        """Place one order of one or two lines. Answers an attempt as in `bench.measures.Attempt`."""
        body, headers = self._body(), {**self._headers, "Idempotency-Key": str(uuid.uuid4())}
        sent = time.time()
        attempt: dict[str, Any] = {"due": due, "sent": sent, "status": 0}
        try:
            status, answer = self._post(body, headers)
            attempt["status"] = status
            if status == http.client.CREATED:
                attempt["order_id"] = json.loads(answer)["id"]
            else:
                attempt["error"] = answer[:300].decode("utf-8", "replace")
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            attempt["error"] = f"{type(error).__name__}: {error}"
        attempt["answered"] = time.time()
        return attempt

    def _body(self) -> bytes:
        chosen = self._random.sample(self._skus, self._random.choice((1, 1, 2)))
        lines = [{"sku": sku, "quantity": 1} for sku in chosen]
        return json.dumps({"lines": lines, "payment_token": "tok_ok", "currency": "EUR"}).encode()

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        with self._connection() as connection:
            connection.request("POST", "/api/v1/orders", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    @contextmanager
    def _connection(self) -> Iterator[http.client.HTTPConnection]:
        """A connection that was used lately, or a new one; given back only after a whole answer."""
        connection = self._lately_used() or http.client.HTTPConnection(*self._address, timeout=_TIMEOUT)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append((time.monotonic(), connection))

    def _lately_used(self) -> http.client.HTTPConnection | None:
        while self._idle:
            used_at, connection = self._idle.pop()
            if time.monotonic() - used_at < _IDLE:
                return connection
            connection.close()
        return None


def open_loop(place: Callable[[float], dict[str, Any]], offsets: list[float], connections: int) -> list[dict[str, Any]]:
    """Send each order at its time, whether or not earlier ones are answered."""
    start = time.time() + _LEAD
    with ThreadPoolExecutor(max_workers=connections) as pool:
        running = []
        for offset in offsets:
            time.sleep(max(0.0, start + offset - time.time()))
            running.append(pool.submit(place, start + offset))
        return [each.result() for each in running]


def closed_loop(place: Callable[[float], dict[str, Any]], seconds: float, connections: int) -> list[dict[str, Any]]:
    """Every connection sends its next order as soon as the one before is answered."""
    end = time.time() + seconds

    def repeat(_: int) -> list[dict[str, Any]]:
        attempts = []
        while time.time() < end:
            attempts.append(place(time.time()))
        return attempts

    with ThreadPoolExecutor(max_workers=connections) as pool:
        return [attempt for attempts in pool.map(repeat, range(connections)) for attempt in attempts]


def main() -> None:
    work = json.load(sys.stdin)
    shop = Shop(**work["shop"])
    if work["offsets"]:
        attempts = open_loop(shop.place, work["offsets"], work["connections"])
    else:
        attempts = closed_loop(shop.place, work["seconds"], work["connections"])
    json.dump({"attempts": attempts, "cpu_seconds": time.process_time()}, sys.stdout)


if __name__ == "__main__":
    main()
