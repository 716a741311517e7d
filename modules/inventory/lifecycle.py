"""The life of one order's stock: what may be heard about it, and what each news makes inventory do.

Orders tells of placing, then of either confirming or cancelling; payments tells of the payment.
Each source keeps its order, between the two there is none, and anything may come twice or late
(a rewind after a restore sends everything again). So the table has a row for every state, and
what it does not list is no news: heard before, or too late to matter.

A confirmed order was promised to the customer because stock was reserved here. When inventory
hears of the confirmation without remembering the reservation (its database was restored), it
sells what is on hand; if that is not enough the delivery fails, and says what to receive.
"""

from enum import Enum, StrEnum

from modules.inventory.types import ReservationState as State


class Fact(StrEnum):
    """What may be heard about an order."""

    PLACED = "order_placed"
    PAID = "payment_succeeded"
    CONFIRMED = "order_confirmed"
    CANCELLED = "order_cancelled"


class Step(Enum):
    """What news makes inventory do. The comment is the state that follows."""

    HOLD = "hold all lines, or none"  # reserved, or rejected when something is missing
    SELL_HELD = "turn what is held into sold"  # sold
    SELL_ON_HAND = "sell straight from what is on hand"  # sold, or ConfirmedButMissingError
    PROMISE = "remember that the order is confirmed"  # promised
    RELEASE = "put what is held back on hand"  # cancelled
    FORGET = "remember that the order is cancelled"  # cancelled
    REFUSE = "raise ContradictedOrderError"  # unchanged


FIRST: dict[Fact, State] = {
    Fact.PLACED: State.PLACED,
    Fact.PAID: State.PAID,
    Fact.CONFIRMED: State.PROMISED,
    Fact.CANCELLED: State.CANCELLED,
}
"""The state of an order that was not heard of before."""

TRANSITIONS: dict[State, dict[Fact, Step]] = {
    State.PLACED: {
        Fact.PAID: Step.HOLD,
        Fact.CONFIRMED: Step.SELL_ON_HAND,
        Fact.CANCELLED: Step.FORGET,
    },
    State.PAID: {
        Fact.PLACED: Step.HOLD,
        Fact.CONFIRMED: Step.PROMISE,
        Fact.CANCELLED: Step.FORGET,
    },
    State.PROMISED: {
        Fact.PLACED: Step.SELL_ON_HAND,
        Fact.CANCELLED: Step.REFUSE,
    },
    State.RESERVED: {
        Fact.CONFIRMED: Step.SELL_HELD,
        Fact.CANCELLED: Step.RELEASE,
    },
    State.REJECTED: {
        Fact.CONFIRMED: Step.SELL_ON_HAND,
        Fact.CANCELLED: Step.FORGET,
    },
    State.SOLD: {
        Fact.CANCELLED: Step.REFUSE,
    },
    State.CANCELLED: {
        Fact.CONFIRMED: Step.REFUSE,
    },
}


def step_for(state: State, fact: Fact) -> Step | None:
    """What ``fact`` makes inventory do in ``state``; None when it is no news."""
    return TRANSITIONS[state].get(fact)
