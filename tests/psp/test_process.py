from __future__ import annotations

import contextlib
import http.client
import random
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.psp.client import Client
from tests.psp.conftest import WAIT_SECONDS, StartPsp
from tests.psp.process import PspProcess

THREADS = 8
KILLS = 4


class Merchant:
    """Posts captures from many threads until the provider goes away; keeps what was acknowledged."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.acknowledged: dict[str, str] = {}
        self._enough = threading.Event()
        self._wanted = 0

    def post_until_killed(self, psp: PspProcess, *, after: int) -> None:
        self._enough.clear()
        self._wanted = len(self.acknowledged) + after
        with ThreadPoolExecutor(THREADS) as pool:
            posting = [pool.submit(self._post, psp.port, f"{psp.port}-{number}") for number in range(THREADS)]
            assert self._enough.wait(WAIT_SECONDS)
            psp.kill()
            for future in posting:
                future.result(WAIT_SECONDS)

    def _post(self, port: int, name: str) -> None:
        with Client(port=port) as client:
            for number in range(100_000):
                key = f"{name}-{len(self.sent)}-{number}"
                self.sent.add(key)
                try:
                    reply = client.capture(key=key, reference=key)
                except (OSError, http.client.HTTPException):
                    return
                assert reply.status == 201
                self.acknowledged[key] = reply.content["id"]
                if len(self.acknowledged) >= self._wanted:
                    self._enough.set()


class TestKill:
    def test_loses_no_acknowledged_capture_and_doubles_none(self, start_psp: StartPsp) -> None:
        merchant = Merchant()
        for _ in range(KILLS):
            psp = start_psp()
            merchant.post_until_killed(psp, after=random.randint(1, 150))
        psp = start_psp()
        with Client(port=psp.port) as client:
            self._compare(client, merchant)
            unknown = merchant.sent - merchant.acknowledged.keys()
            for key in unknown:
                reply = client.capture(key=key, reference=key)
                assert reply.status in (200, 201)
                merchant.acknowledged[key] = reply.content["id"]
            self._compare(client, merchant)
            assert Counter(e["idempotency_key"] for e in client.ledger()).keys() == merchant.sent
        assert psp.stop() == 0

    def _compare(self, client: Client, merchant: Merchant) -> None:
        entries = client.ledger()
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
        assert max(Counter(entry["idempotency_key"] for entry in entries).values()) == 1
        ids = {entry["idempotency_key"]: entry["id"] for entry in entries}
        lost = {key for key, id_ in merchant.acknowledged.items() if ids.get(key) != id_}
        assert lost == set()

    def test_leaves_a_slow_key_free_that_was_in_flight(self, start_psp: StartPsp) -> None:
        psp = start_psp(options=("--slow-seconds", "60"))
        put_in_flight(psp, key="k")
        psp.kill()
        psp = start_psp()
        with Client(port=psp.port) as client:
            assert client.void(key="k").status == 200
            assert client.capture(key="k", token="tok_slow").content["status"] == "voided"
        psp.stop()

    def test_says_loudly_that_a_line_was_torn(self, start_psp: StartPsp, ledger_path: Path) -> None:
        psp = start_psp()
        with Client(port=psp.port) as client:
            captured = client.capture(key="k").content
        psp.kill()
        with ledger_path.open("ab") as file:
            file.write(b'{"seq":2,"kind":"capt')
        psp = start_psp()
        assert "torn" in psp.log
        with Client(port=psp.port) as client:
            assert client.capture(key="k").content == captured
            assert client.void(key="k2").status == 200
            assert [entry["seq"] for entry in client.ledger()] == [1, 2]
        psp.stop()


def put_in_flight(psp: PspProcess, *, key: str) -> None:
    """Ask, give up waiting, and ask again until the answer is that the first request is in flight."""
    deadline = time.monotonic() + WAIT_SECONDS
    with Client(port=psp.port, timeout=0.3) as client:
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                assert client.capture(key=key, token="tok_slow").status == 409
                return
    raise AssertionError(f"{key} was never in flight")


class TestStart:
    def test_refuses_a_ledger_that_another_process_writes(self, start_psp: StartPsp) -> None:
        psp = start_psp()
        with pytest.raises(AssertionError, match=r"exit code 1, psp: Another process has the ledger"):
            start_psp()
        assert psp.stop() == 0

    def test_refuses_a_port_that_is_taken(self, start_psp: StartPsp) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(AssertionError, match=rf"exit code 1, psp: Port {port} cannot be used"):
                start_psp(port=port)

    def test_refuses_options_that_make_no_sense(self, start_psp: StartPsp) -> None:
        for options in (("--port", "70000"), ("--delay-ms", "-1"), ("--slow-seconds", "soon")):
            with pytest.raises(AssertionError, match=r"exit code 2"):
                start_psp(options=options)

    def test_answers_on_the_loopback_interface_only(self, start_psp: StartPsp) -> None:
        psp = start_psp()
        listening = [
            line.split()[1]
            for line in Path("/proc/net/tcp").read_text().splitlines()
            if line.split()[1].endswith(f":{psp.port:04X}") and line.split()[3] == "0A"
        ]
        assert listening == [f"0100007F:{psp.port:04X}"]
        psp.stop()


class TestStop:
    def test_ends_cleanly_with_connections_open_and_can_start_again_on_its_port(self, start_psp: StartPsp) -> None:
        psp = start_psp()
        with Client(port=psp.port) as idle:
            captured = idle.capture(key="k").content
            assert psp.stop() == 0
        psp = start_psp(port=psp.port)
        with Client(port=psp.port) as client:
            assert client.capture(key="k").content == captured
        assert psp.stop() == 0
