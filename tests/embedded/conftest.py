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


@pytest.fixture
def prepare(tmp_path: Path) -> Iterator[Prepare]:
    made: list[embedded.Servers] = []
    yield make_prepare(tmp_path, made)
    for servers in made:
        servers.remove()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Servers]:
    """Servers that run for all tests of a file, in a folder whose path is long and has spaces."""
    made: list[embedded.Servers] = []
    servers = make_prepare(tmp_path_factory.mktemp("running"), made)()
    servers.start()
    yield servers
    servers.remove()
