"""Root, whose PostgreSQL runs as somebody else, and ordinary users."""

import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from django_seams import embedded
from django_seams.embedded import _programs

from .conftest import Prepare
from .looking import everything_answers, pid_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
ROOT = Path(embedded.__file__).parents[2]
SITE_PACKAGES = Path(psutil.__file__).parents[1]

ORDINARY_RUN = """\
import json, os, pathlib, signal, sys, time
from django_seams import embedded
import psycopg

def answer():
    with psycopg.connect(servers.environ["PROVISION_DATABASE_URL"]) as connection:
        return connection.execute("select current_user").fetchone()[0]

servers = embedded.prepare(folder=pathlib.Path(sys.argv[1]), databases={}, durable=True)
servers.start()
told = {"first": answer(), "data": str(servers._plan.data), "where": servers._files.where.exists()}
os.kill(servers.state().launcher, signal.SIGKILL)
while servers.state() is not None:
    time.sleep(0.01)
servers.start()
told["second"] = answer()
told["recovered"] = "ending what an earlier run left" in (servers.folder / "launcher.log").read_text()
servers.stop()
told["left"] = len(embedded._leftovers.find(servers._plan))
servers.remove()
print(json.dumps(told))
"""


def folders_above(path: Path) -> dict[Path, tuple[int, int]]:
    return {parent: (parent.stat().st_mode, parent.stat().st_uid) for parent in path.parents}


@as_root
class TestRoot:
    def test_keeps_the_data_where_no_folder_above_has_to_be_opened(self, tmp_path: Path, prepare: Prepare):
        before = folders_above(tmp_path / "x")
        servers = prepare()
        servers.start()
        data = servers._plan.data
        assert everything_answers(servers)
        assert folders_above(tmp_path / "x") == before
        assert str(data.parent) in (servers.folder / "where.txt").read_text()
        assert (data.stat().st_uid, stat.S_IMODE(data.stat().st_mode)) == (pwd.getpwnam("nobody").pw_uid, 0o700)
        assert psutil.Process(pid_of(servers, "postgres")).username() == "nobody"

    def test_copies_the_programs_that_the_other_user_cannot_reach(
        self, tmp_path: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
    ):
        private = tmp_path / "private"  # below a folder that only root may enter
        for name in (_programs.PACKAGE, _programs.LIBRARIES):
            shutil.copytree(SITE_PACKAGES / name, private / name, ignore=shutil.ignore_patterns("pginstall"))
        monkeypatch.setenv("PYTHONPATH", str(private))
        servers = prepare("copied programs")
        servers.start()
        program = Path(psutil.Process(pid_of(servers, "postgres")).cmdline()[0])
        assert program.is_relative_to(Path(servers._plan.home) / "programs")
        assert everything_answers(servers)

    def test_refuses_a_place_that_somebody_else_has_made(self, prepare: Prepare):
        servers = prepare("foreign place")
        home = Path(servers._plan.home)
        home.mkdir()
        os.chown(home, 4242, 4242)
        with pytest.raises(embedded.EmbeddedError, match=f"{home} belongs to somebody else"):
            servers.start()


@pytest.fixture
def folder_of_ordinary_user() -> Iterator[Path]:
    user = pwd.getpwnam("daemon")
    place = Path(tempfile.mkdtemp(prefix="ordinary user ", dir="/tmp"))
    os.chown(place, user.pw_uid, user.pw_gid)
    yield place / "a project" / ".local" / "dev"
    shutil.rmtree(place)


def python_for(user: str) -> str:
    """Return an interpreter of our version that the user can run with the packages that we have."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info[1]}"):
        try:
            done = run_as(user, python, "-c", "import psutil, psycopg, django_seams")
        except OSError:
            continue  # missing, or below a folder that is closed to them
        if done.returncode == 0:
            return python
    pytest.skip(f"neither our Python nor the system's can be run by {user} with our packages")


def run_as(user: str, *argv: str) -> subprocess.CompletedProcess[str]:
    entry = pwd.getpwnam(user)
    return subprocess.run(
        argv,
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{SITE_PACKAGES}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )


@as_root
class TestOrdinaryUser:
    def test_starts_recovers_and_stops(self, folder_of_ordinary_user: Path):
        done = run_as("daemon", python_for("daemon"), "-c", ORDINARY_RUN, str(folder_of_ordinary_user))
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told == {
            "first": "postgres",
            "second": "postgres",
            "recovered": True,
            "data": str(folder_of_ordinary_user / "postgres"),
            "where": False,
            "left": 0,
        }
        assert not folder_of_ordinary_user.exists()

    def test_is_told_that_a_folder_of_root_is_not_theirs(self, folder_of_ordinary_user: Path):
        folder_of_ordinary_user.mkdir(parents=True, mode=0o700)
        done = run_as("daemon", python_for("daemon"), "-c", ORDINARY_RUN, str(folder_of_ordinary_user))
        assert done.returncode == 1
        assert "take a folder of your own" in done.stderr.splitlines()[-1]
