from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulators.psp.errors import LedgerError
from simulators.psp.ledger import Ledger, open_ledger
from simulators.psp.provider import Provider
from simulators.psp.routes import Application
from simulators.psp.server import Server
from tests.psp.client import Client
from tests.psp.process import PspProcess

WAIT_SECONDS = 20.0

StartPsp = Callable[..., PspProcess]


class Gate:
    """Stands in for the pause of tok_slow: says that it was reached, and lasts until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def pause(self, seconds: float) -> None:
        self.reached.set()
        assert self.opened.wait(WAIT_SECONDS)


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def start_psp(ledger_path: Path) -> Iterator[StartPsp]:
    """Starts processes over one ledger; whatever a failing test leaves running is killed."""
    with contextlib.ExitStack() as leftovers:

        def start(*, port: int = 0, options: tuple[str, ...] = ()) -> PspProcess:
            psp = PspProcess(ledger=ledger_path, port=port, options=options)
            leftovers.callback(psp.kill)
            return psp

        yield start


@pytest.fixture
def ledger(ledger_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(path=ledger_path)
    yield ledger
    ledger.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def provider(ledger: Ledger, gate: Gate) -> Provider:
    return Provider(ledger=ledger, pause=gate.pause)


@pytest.fixture
def fatal() -> list[LedgerError]:
    """The errors for which the process would give up."""
    return []


@pytest.fixture
def server(provider: Provider, gate: Gate, fatal: list[LedgerError]) -> Iterator[Server]:
    server = Server(application=Application(provider=provider, on_fatal=fatal.append), port=0)
    server.start()
    yield server
    gate.opened.set()
    server.stop()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(port=server.port) as client:
        yield client


@pytest.fixture
def other_client(server: Server) -> Iterator[Client]:
    with Client(port=server.port) as client:
        yield client
