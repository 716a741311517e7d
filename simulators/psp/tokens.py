"""What each test token makes the provider do."""

from __future__ import annotations

from typing import NamedTuple


class Behaviour(NamedTuple):
    """How a capture with a token ends: captured, unless there is a `decline_code`."""

    decline_code: str | None = None
    is_slow: bool = False
    fails_first_attempt: bool = False
    loses_first_response: bool = False


BEHAVIOURS = {
    "tok_ok": Behaviour(),
    "tok_declined": Behaviour(decline_code="card_declined"),
    "tok_slow": Behaviour(is_slow=True),
    "tok_error_then_ok": Behaviour(fails_first_attempt=True),
    "tok_lost_response": Behaviour(loses_first_response=True),
}

_UNKNOWN = Behaviour(decline_code="unknown_token")


def behaviour_of(*, token: str) -> Behaviour:
    """The behaviour of a test token; a token nobody knows is declined."""
    return BEHAVIOURS.get(token, _UNKNOWN)
