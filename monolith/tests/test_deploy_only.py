import re
import subprocess
from pathlib import Path

from monolith.processes import procfile

ROOT = Path(__file__).parents[2]
SECRETS = {
    "DATABASE_URL": "a",
    "ORDERS_DATABASE_URL": "b",
    "PAYMENTS_DATABASE_URL_FILE": "/c",
    "PROVISION_DATABASE_URL": "d",
    "RELAY_PASSWORD": "e",
    "RELAY_PASSWORD_FILE": "/f",
    "REDIS_URL": "g",
    "PSP_URL": "h",
    "SECRET_KEY": "i",
}


def run(*arguments):
    environ = {"PATH": "/usr/bin:/bin", "ORDER_DEADLINE": "5", **SECRETS}
    return subprocess.run(
        [str(ROOT / "deploy" / "only"), *arguments], env=environ, capture_output=True, text=True, timeout=10
    )


def seen(*names):
    lines = run(*names, "--", "env").stdout.splitlines()
    return {line.partition("=")[0] for line in lines} & {*SECRETS, "ORDER_DEADLINE"}


class TestOnly:
    def test_hides_every_secret_that_is_not_named(self):
        assert seen("ORDERS_DATABASE_URL") == {"ORDERS_DATABASE_URL", "ORDER_DEADLINE"}

    def test_hides_all_when_nothing_is_named(self):
        assert seen() == {"ORDER_DEADLINE"}

    def test_shows_a_secret_that_is_read_from_a_file(self):
        assert seen("PAYMENTS_DATABASE_URL") == {"PAYMENTS_DATABASE_URL_FILE", "ORDER_DEADLINE"}

    def test_hands_over_arguments_and_exit_code(self):
        done = run("PSP_URL", "--", "sh", "-c", 'echo "$1 $PSP_URL"; exit 3', "sh", "two words")
        assert (done.stdout, done.returncode) == ("two words h\n", 3)

    def test_says_how_it_is_used(self):
        assert run("ORDERS_DATABASE_URL").returncode == 2
        assert "usage" in run().stderr


class TestProcfile:
    def test_gives_each_worker_its_own_database_and_no_other(self):
        for module in ("inventory", "orders", "payments"):
            databases = re.findall(r"[A-Z_]*DATABASE_URL", procfile()[f"worker-{module}"])
            assert databases == [f"{module.upper()}_DATABASE_URL"]

    def test_lets_only_the_payments_worker_reach_the_provider(self):
        assert [name for name, command in procfile().items() if "PSP_URL" in command] == ["worker-payments"]

    def test_gives_the_relays_password_to_the_relay_alone(self):
        assert [name for name, command in procfile().items() if "RELAY_PASSWORD" in command] == ["relay"]

    def test_gives_the_administrators_url_to_nobody(self):
        assert not any("PROVISION" in command for command in procfile().values())
