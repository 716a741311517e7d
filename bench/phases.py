"""What is measured, one phase after another. Each phase ends when every order of it has ended."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from bench import measures
from bench.cpu import cpu_seconds, cpu_since
from bench.lives import drain, lives_of
from bench.load import Load, arrivals, closed_load, open_load
from bench.measures import Life
from bench.system import System

Tick = Callable[[str], None]

_DRAIN = 90.0
_CONNECTIONS: Final = 16
_SETTLE = 1.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how hard. ``rates`` are tried in this order until one is not kept up with."""

    rate: float
    seconds: float
    rates: tuple[float, ...] = (10, 20, 30, 35, 40, 45, 50, 60, 70, 80, 100)
    rate_seconds: float = 12.0
    saturated_seconds: float = 10.0
    warm_seconds: float = 4.0
    idle_seconds: float = 5.0


def quick(plan: Plan) -> Plan:
    """A plan that shows that everything works; its numbers mean little."""
    return replace(
        plan,
        seconds=min(plan.seconds, 5.0),
        rates=(10.0, 40.0),
        rate_seconds=4.0,
        saturated_seconds=3.0,
        warm_seconds=2.0,
        idle_seconds=2.0,
    )


def measure(system: System, plan: Plan, tick: Tick) -> dict[str, Any]:
    """All phases; their results as JSON data. Raises BenchError."""
    idle = measure_idle(system, plan, tick)
    warm_up(system, plan, tick)
    return {
        "idle": idle,
        "latency": measure_latency(system, plan, tick, even=True),
        "latency_by_chance": measure_latency(system, plan, tick, even=False),
        "rates": list(search_rate(system, plan, tick)),
        "saturated": saturate(system, plan, tick),
    }


def measure_idle(system: System, plan: Plan, tick: Tick) -> dict[str, Any]:
    """What all processes use while nobody orders anything: looks, heartbeats, signs of life."""
    before = cpu_seconds(system.pids)
    tick("idle")
    time.sleep(plan.idle_seconds)
    used = cpu_since(before, system.pids)
    return {"cpu_ms_per_second": {name: round(spent * 1000 / plan.idle_seconds, 2) for name, spent in used.items()}}


def warm_up(system: System, plan: Plan, tick: Tick) -> None:
    """Every thread has its connections, every path was taken once; not measured."""
    closed_load(system, seconds=plan.warm_seconds, connections=_CONNECTIONS, seed=1, tick=lambda: tick("warming up"))
    drain(system, patience=_DRAIN, tick=lambda: tick("warming up"))
    offsets = arrivals(rate=plan.rate, seconds=plan.warm_seconds, seed=2, even=False)
    open_load(system, offsets=offsets, seed=2, tick=lambda: tick("warming up"))
    drain(system, patience=_DRAIN, tick=lambda: tick("warming up"))
    time.sleep(_SETTLE)


def measure_latency(system: System, plan: Plan, tick: Tick, *, even: bool) -> dict[str, Any]:
    """Open loop at one rate: how long an order takes while the system is not full."""
    run = _open_run(system, rate=plan.rate, seconds=plan.seconds, seed=3, even=even, tick=tick)
    return {
        "rate": plan.rate,
        "seconds": plan.seconds,
        "post_ms": measures.post(run.load.attempts).as_json(),
        "placed_to_confirmed_ms": measures.placed_to_confirmed(run.lives).as_json(),
        "due_to_confirmed_ms": measures.due_to_confirmed(run.lives).as_json(),
        "stages_ms": {name: spread.as_json() for name, spread in measures.stages(run.lives).items()},
        **run.common(),
    }


def search_rate(system: System, plan: Plan, tick: Tick) -> Iterator[dict[str, Any]]:
    """Open loop at growing rates, up to and including the first that is not kept up with."""
    for number, rate in enumerate(plan.rates):
        result = _try_rate(system, rate, seed=100 + number, plan=plan, tick=tick)
        yield result
        if not result["keeps_up"]:
            return


def _try_rate(system: System, rate: float, *, seed: int, plan: Plan, tick: Tick) -> dict[str, Any]:
    run = _open_run(system, rate=rate, seconds=plan.rate_seconds, seed=seed, even=False, tick=tick)
    backlog = measures.backlog_at(run.lives, run.end)
    steady = measures.confirmed_per_second(run.lives, start=run.end - plan.rate_seconds * 2 / 3, end=run.end)
    return {
        "rate": rate,
        "seconds": plan.rate_seconds,
        "keeps_up": measures.keeps_up(backlog=backlog, rate=rate) and not run.load.failures,
        "backlog_at_end": backlog,
        "confirmed_per_second": round(steady, 1),
        "post_ms": measures.post(run.load.attempts).as_json(),
        "placed_to_confirmed_ms": measures.placed_to_confirmed(run.lives).as_json(),
        **run.common(),
    }


def saturate(system: System, plan: Plan, tick: Tick) -> dict[str, Any]:
    """Closed loop, more than fits: what web and pipeline do when both are full, and how it drains."""
    before, began = cpu_seconds(system.pids), time.time()
    load = closed_load(
        system, seconds=plan.saturated_seconds, connections=_CONNECTIONS, seed=4, tick=lambda: tick("saturated")
    )
    end = began + plan.saturated_seconds
    run = _ended(system, load, before=before, began=began, end=end, tick=lambda: tick("draining"))
    steady = measures.confirmed_per_second(run.lives, start=began + plan.saturated_seconds / 3, end=end)
    last = max(life.confirmed for life in run.lives if life.confirmed)
    return {
        "connections": _CONNECTIONS,
        "seconds": plan.saturated_seconds,
        "answered_per_second": round(len(load.attempts) / plan.saturated_seconds, 1),
        "confirmed_per_second": round(steady, 1),
        "confirmed_per_second_to_the_last": round(len(run.lives) / (last - began), 1),
        "backlog_at_end": measures.backlog_at(run.lives, end),
        "post_ms": measures.post(load.attempts).as_json(),
        **run.common(),
    }


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A load that has ended, with its orders. ``end``: when the last order was due."""

    load: Load
    lives: list[Life]
    end: float
    drained_after: float
    cpu: dict[str, float]
    took: float

    def common(self) -> dict[str, Any]:
        """What every phase tells."""
        orders = len(self.lives) or 1
        total = sum(self.cpu.values()) + self.load.cpu_seconds
        return {
            "orders": len(self.lives),
            "refused_or_failed": len(self.load.failures),
            "errors": sorted({attempt.error for attempt in self.load.failures})[:5],
            "not_confirmed": sum(life.confirmed is None for life in self.lives),
            "drained_after_seconds": round(self.drained_after, 2),
            "cores_busy": round(total / self.took / len(os.sched_getaffinity(0)), 2),
            "cpu_ms_per_order": {name: round(spent * 1000 / orders, 2) for name, spent in self.cpu.items()},
            "client_cpu_ms_per_order": round(self.load.cpu_seconds * 1000 / orders, 2),
        }


def _open_run(system: System, *, rate: float, seconds: float, seed: int, even: bool, tick: Tick) -> _Run:
    offsets = arrivals(rate=rate, seconds=seconds, seed=seed, even=even)
    before, began = cpu_seconds(system.pids), time.time()
    load = open_load(system, offsets=offsets, seed=seed, tick=lambda: tick(f"{rate:g} orders/s"))
    end = max(attempt.due for attempt in load.attempts)
    return _ended(system, load, before=before, began=began, end=end, tick=lambda: tick(f"{rate:g} orders/s, draining"))


def _ended(
    system: System, load: Load, *, before: dict[str, float], began: float, end: float, tick: Callable[[], None]
) -> _Run:
    drained_after = drain(system, patience=_DRAIN, tick=tick)
    cpu, took = cpu_since(before, system.pids), time.time() - began
    lives = lives_of(system, load.attempts)
    time.sleep(_SETTLE)
    return _Run(load=load, lives=lives, end=end, drained_after=drained_after, cpu=cpu, took=took)
