"""The driver's rules as two tables: which step comes next, and which state follows from its outcome.

Whatever is sent with a charge's key is written down first: claiming turns `requested` into
`charging`, in the commit before the call. So a driver that dies, or loses its lease, leaves a
payment whose outcome is unknown, and an unknown outcome is asked for before anything else is done.
"""

from datetime import datetime
from enum import StrEnum

from modules.payments.local.provider import (
    Captured,
    Declined,
    InFlight,
    NoAnswer,
    NothingFound,
    NotSent,
    Outcome,
    Refunded,
    Refused,
    Voided,
)
from modules.payments.types import State, Wanted


class Step(StrEnum):
    """One thing to do about a payment; each is at most one call to the provider."""

    CAPTURE = "capture"
    ASK = "ask"
    VOID = "void"
    REFUND = "refund"
    REST = "rest"


STEPS: dict[tuple[State, Wanted], Step] = {
    (State.REQUESTED, Wanted.CAPTURED): Step.CAPTURE,  # before the deadline; from then on VOID
    (State.REQUESTED, Wanted.REFUNDED): Step.VOID,
    (State.CHARGING, Wanted.CAPTURED): Step.ASK,
    (State.CHARGING, Wanted.REFUNDED): Step.ASK,
    (State.CAPTURED, Wanted.CAPTURED): Step.REST,
    (State.CAPTURED, Wanted.REFUNDED): Step.REFUND,
    (State.UNSEEN, Wanted.REFUNDED): Step.REST,
    (State.DECLINED, Wanted.CAPTURED): Step.REST,
    (State.DECLINED, Wanted.REFUNDED): Step.REST,
    (State.VOIDED, Wanted.CAPTURED): Step.REST,
    (State.VOIDED, Wanted.REFUNDED): Step.REST,
    (State.REFUNDED, Wanted.REFUNDED): Step.REST,
}

AFTER: dict[Step, dict[type[Outcome], State]] = {
    Step.CAPTURE: {
        Captured: State.CAPTURED,
        Declined: State.DECLINED,
        Voided: State.VOIDED,
        InFlight: State.CHARGING,
        NotSent: State.REQUESTED,
        NoAnswer: State.CHARGING,
        Refused: State.CHARGING,
    },
    Step.ASK: {
        Captured: State.CAPTURED,
        Declined: State.DECLINED,
        Voided: State.VOIDED,
        NothingFound: State.REQUESTED,
        NotSent: State.CHARGING,
        NoAnswer: State.CHARGING,
        Refused: State.CHARGING,
    },
    Step.VOID: {
        Captured: State.CAPTURED,
        Declined: State.DECLINED,
        Voided: State.VOIDED,
        InFlight: State.CHARGING,
        NotSent: State.REQUESTED,
        NoAnswer: State.CHARGING,
        Refused: State.CHARGING,
    },
    # A refund that is not known to be done is sent again: its key makes that the same refund.
    Step.REFUND: {
        Refunded: State.REFUNDED,
        InFlight: State.CAPTURED,
        NotSent: State.CAPTURED,
        NoAnswer: State.CAPTURED,
        Refused: State.CAPTURED,
    },
}


def next_step(*, state: State, wanted: Wanted, deadline_at: datetime | None, now: datetime) -> Step:
    """What brings a payment closer to what is wanted. No capture is started at or after the deadline."""
    step = STEPS[state, wanted]
    if step is Step.CAPTURE and (deadline_at is None or now >= deadline_at):
        return Step.VOID
    return step


def state_after(*, step: Step, outcome: Outcome) -> State:
    """The state that follows when `step`, begun in its proper state, ended in `outcome`."""
    return AFTER[step][type(outcome)]
