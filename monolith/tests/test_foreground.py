"""``runserver`` and ``make run`` as a user starts and stops them, on servers of their own."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from django_seams.embedded import open_existing
from monolith.processes import free_port, wait_until_ready

ROOT = Path(__file__).parents[2]
BODY = {"lines": [{"sku": "cup", "quantity": 1}], "payment_token": "tok_ok", "currency": "EUR"}

pytestmark = pytest.mark.timeout(180)


def _hear_ctrl_c():
    """What runs in the background of a shell inherits a deaf ear for SIGINT; in a terminal nothing does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Foreground:
    """A program that a user has started, and the servers that come with it."""

    def __init__(self, folder):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.servers = folder / "servers"
        self.reloads = folder / "sitecustomize.py"  # imported by every Python here, so the reloader watches it
        self.reloads.write_text("")
        self.log = folder / "output"
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        mine = {"SEAMS_EMBEDDED": str(self.servers), "SEAMS_EMBEDDED_DURABLE": "0", "PYTHONPATH": str(folder)}
        self.environ = {**inherited, **mine, "PORT": str(self.port)}

    def start(self, *arguments):
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_hear_ctrl_c,
            )
        wait_until_ready(self.url, timeout=90)

    def manage(self, *arguments):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def buy(self, token):
        """Place an order and answer how it ended."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
        with httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=10) as client:
            location = client.post("/api/v1/orders", json=BODY).raise_for_status().headers["Location"]
            wait_for(lambda: client.get(location).json()["status"] in ("confirmed", "cancelled"))
            return client.get(location).json()["status"]

    def press_ctrl_c(self):
        """What a terminal does: SIGINT to all that is in the foreground. Answers the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=60)

    def output(self):
        return self.log.read_text(errors="replace")

    def everything_has_stopped(self):
        return not open_existing(self.servers).is_running() and not listens(self.url)


@pytest.fixture
def foreground(tmp_path):
    program = Foreground(tmp_path)
    yield program
    if program.process.poll() is None:
        os.killpg(program.process.pid, signal.SIGKILL)
        program.process.wait()
    if servers := open_existing(program.servers):
        servers.remove()


def wait_for(condition, *, timeout=30.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)
    return True


def listens(url):
    try:
        httpx2.get(f"{url}/livez", trust_env=False, timeout=2)
    except httpx2.ConnectError:
        return False
    return True


class TestRunserver:
    def test_alone_is_a_working_system_also_after_a_reload(self, foreground):
        foreground.start("manage.py", "runserver", str(foreground.port))
        token = re.search("token: (.*)", foreground.manage("seed_demo"))[1]
        assert foreground.buy(token) == "confirmed"
        starts = foreground.output().count("Starting development server")
        foreground.reloads.write_text("# changed\n")
        wait_for(lambda: foreground.output().count("Starting development server") > starts)
        wait_until_ready(foreground.url, timeout=30)
        assert foreground.buy(token) == "confirmed"
        assert foreground.press_ctrl_c() == 0
        assert foreground.everything_has_stopped()


class TestRun:
    def test_starts_everything_and_one_ctrl_c_stops_it(self, foreground):
        foreground.start("-m", "monolith.run")
        wait_for(lambda: "Ctrl-C stops all of it" in foreground.output())
        token = re.search(r"Token +(\S+)", foreground.output())[1]
        assert foreground.buy(token) == "confirmed"
        assert f"{foreground.url}/api/v1/" in foreground.output()
        assert foreground.press_ctrl_c() == 0
        assert foreground.everything_has_stopped()
        assert "All stopped." in foreground.output()
