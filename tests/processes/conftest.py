"""One cluster for all tests of processes, apart from that of the other tests because it is crashed."""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from django_seams.embedded import Command, Servers, open_existing, prepare
from tests.processes.customer import Customer, Provider
from tests.processes.system import NEEDED, ROOT, System, end_leftovers, until

_DATABASES = {
    "default": "DATABASE_URL",
    "inventory": "INVENTORY_DATABASE_URL",
    "orders": "ORDERS_DATABASE_URL",
    "payments": "PAYMENTS_DATABASE_URL",
}
_PSP = [sys.executable, "-m", "simulators.psp", "--port", "{port}", "--ledger", "{folder}/ledger.jsonl"]
_running: list[System] = []


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL with fsync on, Redis and the provider: new, provisioned, and gone at the end."""
    folder = Path(f"{os.environ['SEAMS_EMBEDDED']}-processes").absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one test run at a time uses the folder
        end_leftovers(folder)
        if old := open_existing(folder):
            old.remove()
        servers = prepare(
            folder=folder,
            databases=_DATABASES,
            commands={"psp": Command(argv=_PSP, url_env="PSP_URL")},
            durable=True,
            cwd=ROOT,
        )
        try:
            servers.start()
            provisioned = System(servers).manage("seams", "provision")
            assert provisioned.returncode == 0, provisioned.stderr
            yield servers
        finally:
            servers.remove()


@pytest.fixture(scope="module")
def system(servers: Servers) -> Iterator[System]:
    """The processes that orders need, running. Every test leaves them as they were."""
    system = System(servers)
    _running.append(system)
    try:
        system.start(*NEEDED)
        system.wait_until_ready()
        yield system
    finally:
        _running.remove(system)
        system.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Put the processes' last words into a failed test's report."""
    report = yield
    for system in _running if report.failed else []:
        for name in NEEDED:
            report.sections.append((f"log of {name}", "\n".join(system.log(name).splitlines()[-25:])))
    return report


@pytest.fixture(scope="module")
def customer(system: System) -> Customer:
    seeded = system.manage("seed_demo", "--timeout", "45")
    assert seeded.returncode == 0, seeded.stderr
    [token] = [line.split()[1] for line in seeded.stdout.splitlines() if line.startswith("token:")]
    return Customer(system, token)


@pytest.fixture(scope="module")
def provider(system: System) -> Provider:
    return Provider(system)


@pytest.fixture
def audit(system: System) -> Any:
    """Call it when all orders have ended: every rule must hold, and no refund be due."""

    def audit() -> dict[str, Any]:
        found: dict[str, Any] = {}

        def is_clean() -> bool:
            result = system.manage("audit", "--json")
            found.update(json.loads(result.stdout))
            return not found["violations"] and not found["refund_due"]

        until(is_clean, what=f"audit is clean: {found}")
        assert found["dead_letters"] == 0
        return found

    return audit
