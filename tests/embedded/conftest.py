"""Sets of servers in temporary folders; whatever a test leaves running is stopped and deleted."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from django_seams import embedded

DATABASES = {"default": "DATABASE_URL", "orders": "ORDERS_DATABASE_URL"}
LONG = "a folder whose path is long and has spaces " * 4
TELLER = """\
import http.server, os, pathlib, sys
pathlib.Path(sys.argv[2], "teller.txt").write_text(os.getcwd())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""

Prepare = Callable[..., embedded.Servers]


def make_prepare(root: Path, made: list[embedded.Servers]) -> Prepare:
    """Return a `prepare` for folders below `root`, where a project with the command `teller` is written."""
    (root / "teller").mkdir()
    (root / "teller" / "__main__.py").write_text(TELLER)

    def prepare(name: str = LONG.strip(), *, argv: list[str] | None = None) -> embedded.Servers:
        argv = argv or [sys.executable, "-m", "teller", "{port}", "{folder}"]
        servers = embedded.prepare(
            folder=root / ".local" / name,
            databases=DATABASES,
            commands={"teller": embedded.Command(argv=argv, url_env="TELLER_URL")},
            durable=False,
            cwd=root,
        )
        made.append(servers)
        return servers

    return prepare


@pytest.fixture(scope="module")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepare]:
    """Return a function that prepares servers, by default always the same ones.

    Making PostgreSQL's data is what takes long, so the tests of a file share it. Each begins by starting or
    stopping what it needs, and takes a folder of its own if it breaks something.
    """
    made: list[embedded.Servers] = []
    yield make_prepare(tmp_path_factory.mktemp("project"), made)
    for servers in {servers.folder: servers for servers in made}.values():
        servers.remove()


@pytest.fixture
def running(prepare: Prepare) -> embedded.Servers:
    """Return the shared servers, and see to it that they run."""
    servers = prepare()
    servers.start()
    return servers
