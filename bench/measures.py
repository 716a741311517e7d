"""What is computed from an order's times. Pure: no clock, no files, no network."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Final

MAY_LAG: Final = 0.5
"""Seconds' worth of orders that may be under way when a rate counts as kept up with."""

STAGES: Final = (
    "orders.order_placed.v1",
    "payments.payment_succeeded.v1",
    "inventory.stock_reserved.v1",
    "orders.order_confirmed.v1",
)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One order as its customer saw it. Times in seconds since 1970; ``due`` is when it should have
    been sent, whether or not the client was free. ``status`` 0: no answer, see ``error``.
    """

    due: float
    sent: float
    answered: float
    status: int
    order_id: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Life:
    """An attempt, and when the events of its order were published, by type; empty without an order."""

    attempt: Attempt
    events: dict[str, float]

    @property
    def placed(self) -> float | None:
        return self.events.get(STAGES[0])

    @property
    def confirmed(self) -> float | None:
        return self.events.get(STAGES[-1])


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How durations are spread, in milliseconds."""

    count: int
    p50: float
    p90: float
    p95: float
    p99: float
    max: float

    def as_json(self) -> dict[str, float]:
        return asdict(self)


def spread(seconds: Iterable[float]) -> Spread:
    """The spread of durations given in seconds; nearest rank, so that each number was really seen.

    Raises ValueError without any.
    """
    sorted_ms = sorted(each * 1000 for each in seconds)
    if not sorted_ms:
        raise ValueError("Nothing was measured: no order came to its end.")

    def at(share: float) -> float:
        return round(sorted_ms[math.ceil(share * len(sorted_ms)) - 1], 2)

    return Spread(
        count=len(sorted_ms), p50=at(0.5), p90=at(0.9), p95=at(0.95), p99=at(0.99), max=round(sorted_ms[-1], 2)
    )


def placed_to_confirmed(lives: Iterable[Life]) -> Spread:
    """From publishing order_placed to publishing order_confirmed."""
    return spread(life.confirmed - life.placed for life in lives if life.confirmed and life.placed)


def due_to_confirmed(lives: Iterable[Life]) -> Spread:
    """From when the customer meant to send the order: waiting for the web processes counts."""
    return spread(life.confirmed - life.attempt.due for life in lives if life.confirmed)


def post(attempts: Iterable[Attempt]) -> Spread:
    """From when the POST should have been sent to its answer's last byte."""
    return spread(attempt.answered - attempt.due for attempt in attempts if attempt.status == 201)


def stages(lives: Sequence[Life]) -> dict[str, Spread]:
    """How long each part of the way took, from one event's publishing to the next one's."""
    whole = [life for life in lives if all(stage in life.events for stage in STAGES)]
    return {
        f"{before} → {after}": spread(life.events[after] - life.events[before] for life in whole)
        for before, after in pairwise(STAGES)
    }


def backlog_at(lives: Iterable[Life], moment: float) -> int:
    """Orders that were due by ``moment`` and not confirmed by then, whatever held them up."""
    return sum(life.attempt.due <= moment and (life.confirmed is None or life.confirmed > moment) for life in lives)


def confirmed_per_second(lives: Iterable[Life], *, start: float, end: float) -> float:
    """Orders confirmed per second between two moments."""
    return sum(life.confirmed is not None and start < life.confirmed <= end for life in lives) / (end - start)


def keeps_up(*, backlog: int, rate: float) -> bool:
    """Whether a rate is sustained: at its end only what is on its way anyhow is still open.

    By Little's law orders under way = rate times the time each takes; a backlog that grows exceeds it.
    """
    return backlog <= rate * MAY_LAG
