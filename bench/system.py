"""The whole system as the real processes of deploy/Procfile, ready to take orders."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, cast

from django.conf import settings

from bench.errors import BenchError
from bench.processes import NamedProcesses
from django_seams.embedded import Servers
from django_seams.provision import provision
from modules.inventory import api as inventory
from modules.orders import api as orders
from monolith.accounts.tokens import ensure_demo_customer
from monolith.processes import environ_of_processes, free_port, wait_until_ready

SKUS: Final = tuple(f"bench-{number:02d}" for number in range(20))
_PIECES = 1_000_000
_READY = 60.0


@dataclass(frozen=True, kw_only=True)
class System:
    """A running system. ``pids`` has each process of the Procfile, and each server, by name."""

    port: int
    token: str = field(repr=False)
    pids: dict[str, int]
    check: Callable[[], None]
    """Raises ProcessError if a process has ended by itself."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(*, say: Callable[[str], None], extra_environ: dict[str, str]) -> Iterator[System]:
    """Everything started, ready, with products in stock; stopped at the end, whatever happens.

    Raises BenchError, ProcessError, or SeamsError when servers or provisioning fail.
    """
    servers, port = cast(Servers, settings.EMBEDDED), free_port()  # the bench has its own, always
    environ = environ_of_processes(port=port) | extra_environ
    processes = NamedProcesses(environ=environ, logs=servers.folder / "logs")
    try:
        say("starting PostgreSQL, Redis and the payment provider")
        servers.start()
        say("making roles, databases, slots")
        provision()
        say("starting web, relay, workers, celery, beat")
        processes.start()
        wait_until_ready(f"http://127.0.0.1:{port}", timeout=_READY, check=processes.check)
        token = _stock()
        pids = processes.pids() | _server_pids(servers)
        yield System(port=port, token=token, pids=pids, check=processes.check)
    finally:
        say("stopping everything")
        processes.stop()
        servers.stop()


def _server_pids(servers: Servers) -> dict[str, int]:
    state = servers.state()
    if state is None:
        raise BenchError("The servers' launcher has ended; see the logs in .local/bench.")
    return {name: service.pid for name, service in state.services.items() if service.pid is not None}


def _stock() -> str:
    """Products in stock and a customer; answers the customer's token. Raises BenchError."""
    for sku in SKUS:
        inventory.put_product(sku=sku, name=f"Product {sku}", unit_price_minor=1250, currency="EUR")
        inventory.receive_stock(sku=sku, quantity=_PIECES, reference="bench")
    _await_catalogue()
    _, token = ensure_demo_customer()
    return token


def _await_catalogue() -> None:
    deadline = time.monotonic() + _READY
    while not orders.catalogue_versions().keys() >= set(SKUS):
        if time.monotonic() > deadline:
            raise BenchError(f"Orders' catalogue lacks products after {_READY:.0f} s: relay or worker do not work.")
        time.sleep(0.1)
