"""Orders at a rate or as fast as they are answered, and how each of them fared."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.errors import BenchError
from bench.measures import Attempt
from bench.system import SKUS, System

_PATIENCE = 90.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a client did. ``cpu_seconds`` is what the client itself has used up."""

    attempts: list[Attempt]
    cpu_seconds: float

    @property
    def failures(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.status != 201]


def arrivals(*, rate: float, seconds: float, seed: int, even: bool) -> list[float]:
    """When orders are sent, in seconds from the start: by chance, as customers do, or evenly spaced."""
    chance = random.Random(seed)
    offsets, at = [], 0.0
    while at < seconds:
        offsets.append(at)
        at += 1 / rate if even else chance.expovariate(rate)
    return offsets


def open_load(
    system: System, *, offsets: list[float], connections: int = 24, seed: int, tick: Callable[[], None]
) -> Load:
    """Send orders at these times, whether or not earlier ones are answered. Raises BenchError."""
    return _run(system, {"offsets": offsets, "connections": connections}, seed, offsets[-1], tick)


def closed_load(system: System, *, seconds: float, connections: int, seed: int, tick: Callable[[], None]) -> Load:
    """Keep ``connections`` orders unanswered for some seconds. Raises BenchError."""
    return _run(system, {"offsets": [], "seconds": seconds, "connections": connections}, seed, seconds, tick)


def _run(system: System, work: dict[str, Any], seed: int, seconds: float, tick: Callable[[], None]) -> Load:
    shop = {"host": "127.0.0.1", "port": system.port, "token": system.token, "skus": list(SKUS), "seed": seed}

    def meanwhile() -> None:
        system.check()
        tick()

    client = subprocess.Popen(
        [sys.executable, "-m", "bench.client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        told = _talk(client, json.dumps(work | {"shop": shop}), seconds + _PATIENCE, meanwhile)
    finally:
        client.kill()
        client.wait()
    answer = json.loads(told)
    return Load(attempts=[Attempt(**each) for each in answer["attempts"]], cpu_seconds=answer["cpu_seconds"])


def _talk(client: "subprocess.Popen[str]", text: str, patience: float, meanwhile: Callable[[], object]) -> str:
    deadline, unsent = time.monotonic() + patience, text or None
    while time.monotonic() < deadline:
        try:
            told, _ = client.communicate(unsent, timeout=0.5)
        except subprocess.TimeoutExpired:
            unsent = None  # what is not sent yet, communicate() remembers by itself
            meanwhile()
            continue
        if client.returncode:
            raise BenchError(f"The client ended with {client.returncode}; what it said is above.")
        return str(told)
    raise BenchError(f"The client has not come to its end within {patience:.0f} s; the system does not answer.")
