"""The inbox: deliveries waiting in the subscriber's database, worked on lane by lane."""

from django_seams.inbox._append import Advance, NewDelivery, append, compare_and_append, deliveries_of
from django_seams.inbox._dead import (
    DeadLetter,
    UnknownDeadLetterError,
    dead_letter_count,
    dead_letters,
    discard,
    replay,
)
from django_seams.inbox._work import (
    LANES_AT_ONCE,
    LEASE,
    MAX_ATTEMPTS,
    ClaimedLane,
    HandlerFailure,
    claim,
    serve,
    work,
)

__all__ = [
    "LANES_AT_ONCE",
    "LEASE",
    "MAX_ATTEMPTS",
    "Advance",
    "ClaimedLane",
    "DeadLetter",
    "HandlerFailure",
    "NewDelivery",
    "UnknownDeadLetterError",
    "append",
    "claim",
    "compare_and_append",
    "dead_letter_count",
    "dead_letters",
    "deliveries_of",
    "discard",
    "replay",
    "serve",
    "work",
]
