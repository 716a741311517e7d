"""What one folder's servers are: chosen once, kept in servers.json, read by everybody after that."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ._files import Files, write_private
from .errors import EmbeddedError

POSTGRES_PORT = 5432  # only in the socket's file name: PostgreSQL listens on no network address
RELAY_USER = "relay"
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
RESERVED = ("postgres", "redis", "launcher")


@dataclass(frozen=True)
class Command:
    """A program that is run beside the servers, like a simulator of somebody else's system.

    `argv` may contain ``{port}`` (a free port of 127.0.0.1, on which it must listen) and ``{folder}`` (the
    servers' folder, for its files). `url_env` names the variable that gets ``http://127.0.0.1:<port>``.
    """

    argv: Sequence[str]
    url_env: str


@dataclass
class Plan:
    """The content of servers.json: everything about the servers but whether they run."""

    folder: str
    uid: int
    home: str
    """Where PostgreSQL keeps its files: the folder itself, or for root a place of its own."""
    sockets: str
    identity: str = field(default_factory=lambda: secrets.token_hex(8))
    """Tells the data of this servers.json from that of an earlier one in the same place."""
    cwd: str = "/"
    durable: bool = True
    databases: dict[str, str] = field(default_factory=dict)
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def files(self) -> Files:
        return Files(Path(self.folder))

    @property
    def data(self) -> Path:
        return Path(self.home) / "postgres"

    def argv(self, command: str) -> list[str]:
        values = {"{port}": str(self.ports[command]), "{folder}": self.folder}
        argv = list(self.commands[command]["argv"])
        for placeholder, value in values.items():
            argv = [part.replace(placeholder, value) for part in argv]
        return argv

    def environ(self) -> dict[str, str]:
        """Return the settings under which the servers are reached."""
        found = {
            "PROVISION_DATABASE_URL": self._database_url("postgres", "postgres", "postgres"),
            "RELAY_USER": RELAY_USER,
            "RELAY_PASSWORD": self.passwords["relay"],
            "REDIS_URL": f"redis://:{self.passwords['redis']}@127.0.0.1:{self.ports['redis']}/0",
            "SECRET_KEY": self.passwords["secret_key"],
        }
        for alias, variable in self.databases.items():
            # DEFAULT is a reserved word of SQL, so the alias `default` gets a name that needs no quotes.
            name = "django" if alias == "default" else alias
            found[variable] = self._database_url(name, f"database:{alias}", name)
        for name, command in self.commands.items():
            found[command["url_env"]] = f"http://127.0.0.1:{self.ports[name]}"
        return found

    def _database_url(self, user: str, password: str, database: str) -> str:
        # The port is spelled out because libpq would take another one from PGPORT.
        host = f"{self.sockets.replace('/', '%2F')}:{POSTGRES_PORT}"
        return f"postgresql://{user}:{self.passwords[password]}@{host}/{database}"

    def ask(self, *, databases: Mapping[str, str], commands: Mapping[str, Command], durable: bool, cwd: Path) -> None:
        """Take over what the caller wants and make the passwords that are missing; keep all others."""
        for name in (*databases, *commands):
            if not NAME.fullmatch(name) or (name in commands and name in RESERVED):
                raise EmbeddedError(f"{name!r} is no usable name: take lower case, digits, _; not {RESERVED}")
        self.databases = dict(databases)
        self.commands = {
            name: {"argv": [str(part) for part in command.argv], "url_env": command.url_env}
            for name, command in commands.items()
        }
        self.durable, self.cwd = durable, str(cwd)
        for name in (
            "postgres",
            "relay",
            "redis",
            "secret_key",
            *(f"database:{alias}" for alias in databases),
        ):
            self.passwords.setdefault(name, secrets.token_hex(24))

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    def save(self) -> None:
        write_private(self.files.plan, self.text())


def load(folder: Path) -> Plan | None:
    """Read a folder's servers.json; None when there is none, EmbeddedError when it cannot be used."""
    path = Files(folder).plan
    try:
        return Plan(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise EmbeddedError(
            f"{folder} belongs to another user: run this as that user, or have them delete {folder}"
        ) from error
    except (ValueError, TypeError) as error:
        raise EmbeddedError(f"{path} cannot be read ({error}): delete {folder} and start afresh") from error
