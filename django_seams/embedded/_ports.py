"""Loopback ports: chosen once, then kept, unless somebody else has taken one."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection

from .errors import EmbeddedError

# Below the ranges that systems hand out to outgoing connections (Linux: from 32768; IANA: from 49152),
# so that a port is still ours after a restart.
CHOICE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections are no listener
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(*, taken: Collection[int]) -> int:
    """Pick a random free port on 127.0.0.1 that is not in `taken`."""
    for port in random.sample(CHOICE, 200):
        if port not in taken and is_free(port):
            return port
    raise EmbeddedError("no free port found on 127.0.0.1 between 20000 and 32000; end what listens there")


def require_free(port: int, *, name: str) -> None:
    if not is_free(port):
        raise EmbeddedError(
            f"port {port}, chosen for {name}, has been taken by another program: "
            "run the same command again, it chooses another port"
        )


def answers(port: int) -> bool:
    """Say whether something accepts connections on 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
