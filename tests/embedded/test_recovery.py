"""Kills, deaths, and what is done about what they leave."""

import os
import shutil
import signal

import psutil
import pytest
import redis

from django_seams import embedded
from django_seams.embedded import _leftovers

from .conftest import Prepare
from .looking import ask_postgres, ask_redis, everything_answers, pid_of, processes_of, state_of


def kill_now(*pids: int) -> None:
    """Kill processes and wait until they are gone."""
    processes = [psutil.Process(pid) for pid in pids]
    for process in processes:
        process.kill()
    assert _leftovers._wait(processes, patience=20) == []


class TestKilledLauncher:
    def test_leaves_servers_that_the_next_start_replaces(self, prepare: Prepare):
        servers = prepare()
        servers.start()
        ask_postgres(servers, "create table if not exists kept as select 42 as answer")
        left = {name: pid_of(servers, name) for name in ("postgres", "redis", "teller")}
        kill_now(state_of(servers).launcher)
        assert all(psutil.pid_exists(pid) for pid in left.values())

        again = prepare()
        again.start()
        assert again.environ == servers.environ
        assert everything_answers(again)
        assert ask_postgres(again, "select answer from kept") == "42"
        assert not left.items() & {name: pid_of(again, name) for name in left}.items()

    def test_leaves_servers_that_stop_ends(self, prepare: Prepare):
        servers = prepare()
        servers.start()
        kill_now(state_of(servers).launcher)
        servers.stop()
        assert processes_of(servers) == []

    def test_is_recovered_from_when_everything_was_killed_with_it(self, prepare: Prepare):
        servers = prepare()
        servers.start()
        kill_now(*(process.pid for process in processes_of(servers)))
        servers.start()
        assert everything_answers(servers)

    def test_is_recovered_from_when_its_process_ids_are_used_by_others(self, prepare: Prepare):
        servers = prepare()
        servers.start()
        data = servers._plan.data
        kill_now(*(process.pid for process in processes_of(servers)))
        lines = (data / "postmaster.pid").read_text().splitlines()
        with psutil.Popen(["sleep", "60"], **_like_owner_of(data)) as bystander:
            (data / "postmaster.pid").write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
            servers.start()
            assert everything_answers(servers)
            assert bystander.is_running()
            bystander.kill()

    def test_in_the_middle_of_making_the_data_is_recovered_from(self, prepare: Prepare):
        servers = prepare("half made")
        half = servers._plan.data.with_name("postgres.new")
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")
        servers.start()
        assert everything_answers(servers)


def _like_owner_of(path) -> dict[str, int]:
    owner = path.stat().st_uid
    return {"user": owner} if owner != os.geteuid() else {}


class TestDeletedFolder:
    def test_ends_its_servers_and_can_be_made_anew(self, prepare: Prepare):
        servers = prepare("deleted")
        servers.start()
        launcher = psutil.Process(state_of(servers).launcher)
        shutil.rmtree(servers.folder)
        assert _leftovers._wait([launcher], patience=30) == []
        assert processes_of(servers) == []

        again = prepare("deleted")
        again.start()
        assert again.environ["PROVISION_DATABASE_URL"] != servers.environ["PROVISION_DATABASE_URL"]
        assert everything_answers(again)

    def test_can_be_made_anew_while_its_old_servers_still_run(self, prepare: Prepare):
        servers = prepare("deleted")
        servers.start()
        os.kill(state_of(servers).launcher, signal.SIGSTOP)
        shutil.rmtree(servers.folder)
        again = prepare("deleted")
        again.start()
        assert everything_answers(again)


class TestDeath:
    @pytest.mark.parametrize("name", ["postgres", "redis", "teller"])
    def test_is_logged_and_followed_by_a_new_start(self, running: embedded.Servers, name: str):
        before = pid_of(running, name)
        running.kill(name)
        running.start()
        assert everything_answers(running)
        assert pid_of(running, name) != before
        assert f"{name}: process {before} ended" in (running.folder / "launcher.log").read_text()

    def test_of_a_postmaster_by_sigkill_is_survived(self, running: embedded.Servers):
        ask_postgres(running, "create table if not exists kept as select 42 as answer")
        ask_postgres(running, "checkpoint")
        running_since = state_of(running).services["postgres"].starts
        kill_now(pid_of(running, "postgres"))
        running._await(
            lambda: state_of(running).services["postgres"].starts > running_since, "no new start", timeout=30
        )
        running.start()
        assert ask_postgres(running, "select answer from kept") == "42"


class TestPause:
    def test_keeps_redis_away_until_it_is_resumed(self, running: embedded.Servers):
        running.pause("redis")
        with pytest.raises(redis.ConnectionError):
            ask_redis(running, "PING")
        assert not running.is_running()
        assert ask_postgres(running, "select 1") == "1"
        running.resume("redis")
        assert ask_redis(running, "PING") is True
        assert running.is_running()

    def test_ends_with_the_next_start(self, running: embedded.Servers):
        running.pause("postgres")
        running.start()
        assert everything_answers(running)
