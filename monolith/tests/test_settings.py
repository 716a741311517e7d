import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, django
from django.conf import settings
django.setup()
print(json.dumps({
    "engines": {alias: value["ENGINE"].rpartition(".")[2] for alias, value in settings.DATABASES.items()},
    "passwords": {alias: value.get("PASSWORD") for alias, value in settings.DATABASES.items()},
    "embedded": str(settings.EMBEDDED.folder) if settings.EMBEDDED else None,
    "debug": settings.DEBUG,
    "psp": settings.PSP_URL,
    "redis": settings.REDIS_URL,
}))
"""


@pytest.fixture
def settings_under(tmp_path):
    def read(**environ):
        base = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "monolith.settings"}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**base, "SEAMS_EMBEDDED": str(tmp_path / "servers"), **environ},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return read


class TestSettings:
    def test_prepare_embedded_servers_when_nothing_is_set(self, settings_under, tmp_path):
        found = settings_under()
        assert found["embedded"] == str(tmp_path / "servers")
        assert set(found["engines"].values()) == {"postgresql"}
        assert found["psp"].startswith("http://127.0.0.1:")
        assert found["redis"].startswith("redis://")
        assert found["debug"]

    def test_start_nothing_embedded_when_one_database_is_named(self, settings_under):
        found = settings_under(ORDERS_DATABASE_URL="postgresql://orders:pw@db/orders")
        assert found["embedded"] is None
        assert found["engines"] == {
            "default": "dummy",
            "inventory": "dummy",
            "orders": "postgresql",
            "payments": "dummy",
        }
        assert not found["debug"]

    def test_start_nothing_embedded_when_the_broker_is_named(self, settings_under):
        found = settings_under(REDIS_URL="redis://broker/0")
        assert (found["embedded"], found["redis"]) == (None, "redis://broker/0")

    def test_read_a_secret_from_the_file_that_is_named(self, settings_under, tmp_path):
        secret = tmp_path / "url"
        secret.write_text("postgresql://orders:from-a-file@db/orders\n")
        found = settings_under(ORDERS_DATABASE_URL_FILE=str(secret))
        assert (found["embedded"], found["passwords"]["orders"]) == (None, "from-a-file")

    def test_take_another_provider_beside_embedded_servers(self, settings_under):
        found = settings_under(PSP_URL="http://psp.example")
        assert found["embedded"]
        assert found["psp"] == "http://psp.example"


class TestManage:
    def test_says_in_one_line_that_postgresql_is_away(self, tmp_path):
        done = subprocess.run(
            [sys.executable, "manage.py", "audit"],
            env={"PATH": os.environ["PATH"], "SEAMS_EMBEDDED": str(tmp_path / "servers")},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("PostgreSQL does not answer: ")
        assert done.stderr.count("\n") == 1
        assert "Traceback" not in done.stderr
