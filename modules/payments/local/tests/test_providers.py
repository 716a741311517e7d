"""The fake and the adapter over the real simulator's process, by one suite."""

import re
import signal
import subprocess
import sys

import httpx2
import pytest

from modules.payments.local.psp import connect
from modules.payments.local.testing import FakeProvider
from modules.payments.local.tests.conformance import ProviderConformance

SLOW_SECONDS = 0.3


@pytest.fixture(scope="module")
def psp_url(tmp_path_factory):
    """A simulator's process of this file's own."""
    ledger = tmp_path_factory.mktemp("psp") / "ledger.jsonl"
    argv = [sys.executable, "-m", "simulators.psp", "--port", "0", "--ledger", str(ledger)]
    process = subprocess.Popen([*argv, "--slow-seconds", str(SLOW_SECONDS)], stderr=subprocess.PIPE, text=True)
    try:
        yield _announced_url(process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def _announced_url(process):
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+(?= is ready)", line):
            return found.group()
    raise AssertionError("the simulator ended before it was ready")


class TestFakeProvider(ProviderConformance):
    @pytest.fixture
    def provider(self):
        return FakeProvider(slow_seconds=SLOW_SECONDS)

    @pytest.fixture
    def set_outage(self, provider):
        return lambda is_on: setattr(provider, "outage", is_on)


class TestPspAdapter(ProviderConformance):
    @pytest.fixture
    def provider(self, psp_url):
        return connect(url=psp_url)

    @pytest.fixture
    def set_outage(self, psp_url):
        with httpx2.Client(base_url=psp_url) as control:
            yield lambda is_on: control.post("/v1/control", json={"outage": is_on}).raise_for_status()
            control.post("/v1/control", json={"outage": False})
