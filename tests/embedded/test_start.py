"""Starting, stopping, and what is found in between."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dj_database_url
import psycopg
import pytest
import redis

from django_seams import embedded

from .conftest import Prepare
from .looking import ask_postgres, ask_redis, everything_answers, processes_of, state_of


class TestStart:
    def test_returns_when_everything_answers(self, running: embedded.Servers):
        assert everything_answers(running)
        assert running.is_running()

    def test_leaves_running_what_runs(self, running: embedded.Servers):
        before = state_of(running)
        running.start()
        assert state_of(running) == before

    def test_runs_commands_in_the_root_of_the_project(self, running: embedded.Servers):
        root = running.folder.parent.parent
        assert (running.folder / "teller.txt").read_text() == str(root)

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("wal_level", "logical"),
            ("max_replication_slots", "60"),
            ("max_wal_senders", "60"),
            ("max_connections", "200"),
            ("server_encoding", "UTF8"),
            ("listen_addresses", ""),
            ("fsync", "off"),
            ("autovacuum", "on"),
        ],
    )
    def test_sets_up_postgres_for_the_relay(self, running: embedded.Servers, setting: str, value: str):
        assert ask_postgres(running, f"show {setting}") == value

    def test_takes_unicode_and_upper_cases_it(self, running: embedded.Servers):
        assert ask_postgres(running, "select upper('grün λ')") == "GRÜN Λ"

    def test_lets_nobody_in_without_the_password(self, running: embedded.Servers):
        wrong = running.environ["PROVISION_DATABASE_URL"].replace("postgresql://postgres:", "postgresql://postgres:0")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=running._plan.ports["redis"]).ping()

    def test_binds_redis_to_loopback_and_refuses_to_evict(self, running: embedded.Servers):
        assert ask_redis(running, "CONFIG", "GET", "bind") == {b"bind": b"127.0.0.1"}
        assert ask_redis(running, "CONFIG", "GET", "maxmemory-policy") == {b"maxmemory-policy": b"noeviction"}

    def test_shows_no_password_to_other_users(self, running: embedded.Servers):
        lines = "\n".join(" ".join(process.cmdline()) for process in processes_of(running))
        assert "redis.conf" in lines
        assert not [name for name, password in running._plan.passwords.items() if password in lines]
        assert stat.S_IMODE(running.folder.stat().st_mode) == 0o700
        for name in ("servers.json", "state.json", "redis/redis.conf"):
            assert stat.S_IMODE((running.folder / name).stat().st_mode) == 0o600

    def test_runs_two_folders_side_by_side(self, running: embedded.Servers, prepare: Prepare):
        other = prepare("other")
        other.start()
        assert everything_answers(other)
        assert everything_answers(running)
        other.stop()
        assert everything_answers(running)

    def test_of_several_at_once_makes_one_launcher(self, prepare: Prepare):
        several = [prepare() for _ in range(4)]
        several[0].stop()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(embedded.Servers.start, several))
        assert len({state_of(servers).launcher for servers in several}) == 1
        assert {service.starts for service in state_of(several[0]).services.values()} == {1}

    def test_replaces_a_launcher_whose_command_has_changed(self, running: embedded.Servers, prepare: Prepare):
        launcher = state_of(running).launcher
        second = prepare(argv=[*running._plan.commands["teller"]["argv"], "--new"])
        second.start()
        assert state_of(second).launcher != launcher
        assert everything_answers(second)


class TestStop:
    def test_ends_every_process_and_may_be_repeated(self, prepare: Prepare):
        servers = prepare()
        servers.start()
        servers.stop()
        assert processes_of(servers) == []
        assert not servers.is_running()
        servers.stop()

    def test_does_nothing_before_the_first_start(self, prepare: Prepare):
        servers = prepare("never started")
        servers.stop()
        assert not servers.is_running()

    def test_keeps_data_and_addresses(self, prepare: Prepare):
        servers = prepare("kept")
        servers.start()
        ask_postgres(servers, "create table kept as select 42 as answer")
        servers.stop()
        again = prepare("kept")
        again.start()
        assert again.environ == servers.environ
        assert ask_postgres(again, "select answer from kept") == "42"


class TestRemove:
    def test_leaves_neither_process_nor_file(self, prepare: Prepare):
        servers = prepare("kept")
        servers.start()
        servers.remove()
        plan = servers._plan
        assert processes_of(servers) == []
        assert not [place for place in (plan.folder, plan.home, plan.sockets) if Path(place).exists()]


class TestPrepare:
    def test_gives_every_process_the_same_settings(self, running: embedded.Servers):
        again = embedded.open_existing(running.folder)
        assert again is not None
        assert again.environ == running.environ

    def test_makes_urls_that_django_reads_like_libpq(self, running: embedded.Servers):
        read = dj_database_url.parse(running.environ["ORDERS_DATABASE_URL"])
        libpq = psycopg.conninfo.conninfo_to_dict(running.environ["ORDERS_DATABASE_URL"])
        assert (read["HOST"], read["USER"], read["NAME"]) == (libpq["host"], libpq["user"], libpq["dbname"])
        assert Path(read["HOST"]).is_dir()

    def test_gives_a_copied_folder_places_of_its_own(self, running: embedded.Servers, prepare: Prepare):
        copy = running.folder.with_name("copy")
        copy.mkdir()
        (copy / "servers.json").write_bytes((running.folder / "servers.json").read_bytes())
        copied = embedded.prepare(folder=copy, databases={}, durable=False)
        try:
            assert copied._plan.sockets != running._plan.sockets
            assert copied._plan.ports["redis"] != running._plan.ports["redis"]
        finally:
            copied.remove()
