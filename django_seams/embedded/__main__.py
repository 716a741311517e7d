"""``python -m django_seams.embedded status|stop|remove FOLDER``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ._prepare import open_existing
from ._servers import Servers
from .errors import EmbeddedError


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when it was done, or for `status` when everything runs; else 1."""
    parser = argparse.ArgumentParser(prog="python -m django_seams.embedded", description=__doc__)
    parser.add_argument("verb", choices=["status", "stop", "remove"])
    parser.add_argument("folder", type=Path, help="the folder with servers.json, like .local/dev")
    asked = parser.parse_args(arguments)
    try:
        servers = open_existing(asked.folder)
        if servers is None:
            _say(f"no servers were ever prepared in {asked.folder}")
            return int(asked.verb == "status")
        return _do(asked.verb, servers)
    except EmbeddedError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _do(verb: str, servers: Servers) -> int:
    if verb == "status":
        return _status(servers)
    if verb == "stop":
        servers.stop()
    else:
        servers.remove()
    _say(f"{servers.folder}: {'stopped' if verb == 'stop' else 'stopped and removed'}")
    return 0


def _status(servers: Servers) -> int:
    state = servers.state()
    if state is None:
        _say(f"{servers.folder}: stopped")
        return 1
    _say(f"{servers.folder}: {state.phase}, launcher {state.launcher}")
    for name, service in state.services.items():
        how = "up" if service.up else "away" if service.away else "not answering"
        _say(f"  {name:<12} {how:<14} process {service.pid}  started {service.starts}x")
    return 0 if state.all_up else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
