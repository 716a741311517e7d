"""Redis: one configuration file, and seeing when it answers."""

from __future__ import annotations

import signal
import socket

from . import _leftovers, _ports, _programs
from ._files import write_private
from ._plan import Plan
from ._service import Program

# The password is here because a command line can be read by every user of the machine.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
save ""
appendonly no
maxmemory-policy noeviction
daemonize no
set-proc-title no
"""


def program(plan: Plan) -> Program:
    """Describe Redis; makes its folder."""
    plan.files.redis.mkdir(mode=0o700, exist_ok=True)
    configuration = plan.files.redis / "redis.conf"
    return Program(
        name="redis",
        argv=[str(_programs.redis_server()), str(configuration)],
        environ={"PATH": "/usr/bin:/bin", _leftovers.MARKER: plan.folder},
        cwd=plan.files.redis,
        log=plan.files.log("redis"),
        before=lambda: _before(plan),
        answers=lambda pid: _answers(plan.ports["redis"], plan.passwords["redis"]),
        advice="see its last words and start again",
        stop_steps=((signal.SIGTERM, 5.0),),
    )


def _before(plan: Plan) -> None:
    port = plan.ports["redis"]
    _ports.require_free(port, name="redis")
    text = CONFIGURATION.format(port=port, password=plan.passwords["redis"])
    write_private(plan.files.redis / "redis.conf", text)


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                answer += part
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"
