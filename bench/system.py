"""The whole system as real processes of deploy/Procfile, on servers of its own, durable, emptied first."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import django

from django_seams.embedded import Servers, open_existing

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / ".local" / "bench"
PSP_DELAY_MS: Final = 2
CURRENCY: Final = "EUR"
SKUS: Final = tuple(f"bench-{number:02d}" for number in range(20))
_PIECES = 1_000_000
_READY = 60.0


class BenchError(Exception):
    """The system could not be measured; the message says what happened."""


def use_own_servers() -> None:
    """Forget every setting that the environment has; must run before Django's settings are read."""
    for name in list(os.environ):
        if _is_setting(name.removesuffix("_FILE")):
            del os.environ[name]
    if servers := open_existing(FOLDER):
        servers.remove()
    os.environ |= {
        "SEAMS_EMBEDDED": str(FOLDER),
        "SEAMS_EMBEDDED_DURABLE": "1",
        "PSP_DELAY_MS": str(PSP_DELAY_MS),
        "DJANGO_SETTINGS_MODULE": "monolith.settings",
    }
    django.setup()


def _is_setting(name: str) -> bool:
    return name.endswith("DATABASE_URL") or name in {
        "DEBUG",
        "LOG_LEVEL",
        "ORDER_DEADLINE",
        "PSP_URL",
        "REDIS_URL",
        "RELAY_PASSWORD",
        "RELAY_SOURCE",
        "RELAY_USER",
        "SECRET_KEY",
    }


@dataclass(frozen=True, kw_only=True)
class System:
    """A running system. ``pids`` maps each process of the Procfile, and each server, to its process id."""

    port: int
    token: str
    pids: dict[str, int]
    logs: Path
    check: Callable[[], None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(*, say: Callable[[str], None], extra_environ: dict[str, str]) -> Iterator[System]:
    """Everything started, ready, with products in stock; stopped at the end, whatever happens.

    Raises BenchError, ProcessError or EmbeddedError.
    """
    from django.conf import settings

    from bench.processes import NamedProcesses
    from django_seams.provision import provision
    from monolith.processes import environ_of_processes, free_port, wait_until_ready

    servers, port = cast(Servers, settings.EMBEDDED), free_port()
    logs = servers.folder / "logs"
    processes = NamedProcesses(environ=environ_of_processes(port=port) | extra_environ, logs=logs)
    try:
        say("starting PostgreSQL, Redis and the payment provider")
        servers.start()
        say("provisioning databases, roles and slots")
        provision()
        say("starting web, relay, workers, celery and beat")
        processes.start()
        wait_until_ready(f"http://127.0.0.1:{port}", timeout=_READY, check=processes.check)
        say("receiving stock")
        token = _stock()
        pids = processes.pids() | _server_pids(servers)
        yield System(port=port, token=token, pids=pids, logs=logs, check=processes.check)
    finally:
        say("stopping everything")
        processes.stop()
        servers.stop()


def _server_pids(servers: Servers) -> dict[str, int]:
    state = servers.state()
    if state is None:
        raise BenchError("The servers' launcher has ended; see the logs of .local/bench.")
    return {name: service.pid for name, service in state.services.items() if service.pid is not None}


def _stock() -> str:
    """Products in stock and a customer; answers the customer's token. Raises BenchError."""
    from modules.inventory import api as inventory
    from monolith.accounts.tokens import ensure_demo_customer

    for sku in SKUS:
        inventory.put_product(sku=sku, name=f"Product {sku}", unit_price_minor=1250, currency=CURRENCY)
        inventory.receive_stock(sku=sku, quantity=_PIECES, reference="bench")
    _await_catalogue()
    _, token = ensure_demo_customer()
    return token


def _await_catalogue() -> None:
    import time

    from modules.orders import api as orders

    deadline = time.monotonic() + _READY
    while not orders.catalogue_versions().keys() >= set(SKUS):
        if time.monotonic() > deadline:
            raise BenchError(f"Orders' catalogue lacks products after {_READY:.0f} s: relay or worker do not work.")
        time.sleep(0.1)
