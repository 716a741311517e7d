"""Where the settings' values come from: the environment, ``*_FILE`` secrets, or embedded servers."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dj_database_url
from environs import FileAwareEnv

from django_seams.embedded import Command, Servers, prepare
from django_seams.modules import DUMMY_ENGINE, Module


def database_variables(modules: Mapping[str, Module]) -> dict[str, str]:
    """Each alias with the variable that holds its URL: ``orders`` → ``ORDERS_DATABASE_URL``."""
    aliases = dict.fromkeys(module.alias for module in modules.values())
    return {"default": "DATABASE_URL"} | {alias: f"{alias.upper()}_DATABASE_URL" for alias in aliases}


def is_external(variables: Mapping[str, str]) -> bool:
    """Whether the environment names any server: then nothing embedded is started."""
    names = [*variables.values(), "PROVISION_DATABASE_URL", "REDIS_URL"]
    return any(map(_is_set, names))


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def local_servers(folder: Path, variables: Mapping[str, str]) -> Servers:
    """The embedded servers of ``folder``, prepared but not started; with ``PSP_URL`` unset also the simulator."""
    return prepare(
        folder=folder,
        databases=dict(variables),
        commands={} if _is_set("PSP_URL") else {"psp": _simulator()},
        durable=os.environ.get("SEAMS_EMBEDDED_DURABLE", "1") != "0",
        cwd=Path(__file__).resolve().parent.parent,  # where the simulator is found
    )


def _simulator() -> Command:
    delay = os.environ.get("PSP_DELAY_MS", "0")
    argv = [sys.executable, "-m", "simulators.psp", "--port", "{port}", "--ledger", "{folder}/psp-ledger.jsonl"]
    return Command(argv=[*argv, "--delay-ms", delay], url_env="PSP_URL")


class Environment(FileAwareEnv):
    """The process's environment, where ``NAME_FILE`` may name a file that holds NAME; then ``local``."""

    def __init__(self, local: Mapping[str, str]) -> None:
        super().__init__(strip_whitespace=True)
        self.local = local

    def server(self, name: str) -> str:
        """The address or password of a server; empty if neither the environment nor ``local`` has it."""
        return str(self.str(name, self.local.get(name, "")))

    def database(self, variable: str) -> dict[str, Any]:
        """Django's configuration of one database; without a URL the dummy backend, legal for a worker only."""
        url = self.server(variable)
        if not url:
            return {"ENGINE": DUMMY_ENGINE}
        config: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=None, conn_health_checks=True)}
        config["OPTIONS"] = {"connect_timeout": 5, **self._statements(), **config.get("OPTIONS", {})}
        return config

    def _statements(self) -> dict[str, Any]:
        """Statements that come again are planned once, which saves a quarter of the work of an order."""
        if not self.bool("PREPARED_STATEMENTS", True):
            return {}  # behind a pooler that hands out connections by transaction
        return {"server_side_binding": True, "prepare_threshold": 3}
