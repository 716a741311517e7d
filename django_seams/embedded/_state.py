"""What the launcher tells everybody else, in state.json: which services run and whether they answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ._files import Files, write_private

Phase = Literal["starting", "running", "failed", "stopping"]


@dataclass(frozen=True)
class ServiceState:
    pid: int | None
    up: bool
    away: bool
    starts: int


@dataclass(frozen=True)
class State:
    """One look at the servers. Only as true as the launcher is alive."""

    launcher: int
    phase: Phase
    error: str = ""
    durable: bool = True
    sockets: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    commands: Mapping[str, Any] = field(default_factory=dict)
    services: Mapping[str, ServiceState] = field(default_factory=dict)

    @property
    def all_up(self) -> bool:
        return self.phase == "running" and all(service.up for service in self.services.values())


def write(files: Files, state: State) -> None:
    write_private(files.state, json.dumps(asdict(state), indent=2) + "\n")


def read(files: Files) -> State | None:
    """Return the last state that was written; None when there is none, or one of another version."""
    try:
        found = json.loads(files.state.read_text(encoding="utf-8"))
        services = {name: ServiceState(**service) for name, service in found.pop("services").items()}
        return State(services=services, **found)
    except (FileNotFoundError, KeyError, TypeError):
        return None
