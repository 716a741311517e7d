"""Steps that the driver's tests share."""

from datetime import UTC, datetime, timedelta
from typing import Any

from modules.payments.local.claims import Claim, claim_due
from modules.payments.local.driver import LONGEST_PAUSE, drive
from modules.payments.local.provider import PaymentProvider
from modules.payments.models import Payment
from modules.payments.tests.arrivals import a_placed_order, placed_arrives

SUCCEEDED, FAILED, REFUNDED = "payment_succeeded", "payment_failed", "payment_refunded"


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) + timedelta(seconds=1)

    def advance(self, pause: timedelta = timedelta(seconds=LONGEST_PAUSE)) -> None:
        self.now += pause


def place(token: str) -> dict[str, Any]:
    order = a_placed_order(payment_token=token)
    placed_arrives(order)
    return order


def claimed(clock: Clock) -> Claim:
    claim = claim_due(now=clock.now)
    assert claim is not None
    return claim


def drive_until_quiet(provider: PaymentProvider, clock: Clock, rounds: int = 20) -> int:
    """Let time pass until nothing is due any more; answers how many rounds that took."""
    for taken in range(rounds):
        if not Payment.objects.filter(next_at__isnull=False).exists():
            return taken
        while drive(now=clock.now, provider=provider):
            pass
        clock.advance()
    raise AssertionError(f"still not quiet: {list(Payment.objects.values('state', 'wanted', 'last_error'))}")
