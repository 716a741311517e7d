"""What the tests of this folder look at."""

import urllib.request

import psutil
import psycopg
import redis

from django_seams.embedded import Servers, _leftovers
from django_seams.embedded._state import State


def state_of(servers: Servers) -> State:
    state = servers.state()
    assert state is not None, "no launcher runs"
    return state


def pid_of(servers: Servers, name: str) -> int:
    pid = state_of(servers).services[name].pid
    assert pid is not None, f"{name} does not run"
    return pid


def processes_of(servers: Servers) -> list[psutil.Process]:
    """Return all processes of these servers, asked of the system and not of the launcher."""
    return _leftovers.find(servers._plan)


def ask_postgres(servers: Servers, query: str) -> str:
    with psycopg.connect(servers.environ["PROVISION_DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(query)
        row = cursor.fetchone() if cursor.description else None
    return str(row[0]) if row else ""


def ask_redis(servers: Servers, *words: str) -> object:
    with redis.Redis.from_url(servers.environ["REDIS_URL"]) as client:
        return client.execute_command(*words)


def everything_answers(servers: Servers) -> bool:
    with urllib.request.urlopen(servers.environ["TELLER_URL"], timeout=5) as answer:
        return (answer.status, ask_postgres(servers, "select 1"), ask_redis(servers, "PING")) == (200, "1", True)
