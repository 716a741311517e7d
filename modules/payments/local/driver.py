"""The driver: makes the provider agree with what is wanted, one leased payment at a time.

Three acts, each of which may be the last of a process that dies: claim (one commit), call (no
transaction open), settle (one commit, only if the claim still holds). There is no last attempt:
while the provider is away the driver goes on, a few seconds apart, and never gives up.
"""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connections

from django_seams.modules import atomic, in_transaction
from django_seams.timed import timed
from modules.payments import services
from modules.payments.errors import OpenTransactionError
from modules.payments.local.claims import Claim, claim_due, still_held
from modules.payments.local.provider import (
    Captured,
    Declined,
    NoAnswer,
    NothingFound,
    NotSent,
    Outcome,
    PaymentProvider,
    Refunded,
    Refused,
    Voided,
)
from modules.payments.local.psp import provider_of_this_thread
from modules.payments.local.steps import Step, state_after
from modules.payments.models import Payment

logger = logging.getLogger(__name__)

# Calls mostly wait for the provider: enough threads that some slow payments hold up no others.
THREADS = 8
LONGEST_PAUSE = 3.0  # seconds; far below the 30 s in which all is done after the provider is back

# Step.REST is not among them: a payment at rest has no next_at, so it is never claimed.
_CALLS: dict[Step, Callable[[PaymentProvider, Claim], Outcome]] = {
    Step.CAPTURE: lambda provider, claim: provider.capture(charge=claim.charge),
    Step.ASK: lambda provider, claim: provider.find(charge=claim.charge),
    Step.VOID: lambda provider, claim: provider.void(charge=claim.charge),
    Step.REFUND: lambda provider, claim: provider.refund(refund=claim.refund),
}


@timed(every=1.0, threads=THREADS)
def drive_payments(now: datetime) -> int:
    """Take one step for the payment that is due longest."""
    return drive(now=now, provider=provider_of_this_thread())


def drive(*, now: datetime, provider: PaymentProvider) -> int:
    """Claim, call, settle. Answers 1, or 0 when nothing is due or the provider is away.

    The 0 makes this thread wait for its next turn instead of trying the next payment at once: while
    the provider is away all payments together cause a few calls a second, not as many as fit.
    """
    claim = claim_due(now=now)
    if claim is None:
        return 0
    outcome = call(claim=claim, provider=provider)
    settle(claim=claim, outcome=outcome, now=now)
    return 0 if isinstance(outcome, NotSent | NoAnswer) else 1


def call(*, claim: Claim, provider: PaymentProvider) -> Outcome:
    """Take the claim's step at the provider. Raises OpenTransactionError."""
    _refuse_open_transactions()
    return _CALLS[claim.step](provider, claim)


def settle(*, claim: Claim, outcome: Outcome, now: datetime) -> None:
    """Write down what is known now, publish it if it is a fact, and give the lease back.

    If the lease was lost, nothing is written: whoever has the payment now asks the provider itself.
    """
    with atomic("payments"):
        payment = still_held(claim)
        if payment is None:
            logger.warning("Payment %s: lease lost during %s; dropped %s", claim.payment_id, claim.step, outcome)
            return
        payment.lease_token = payment.leased_until = None
        _write_down(payment, claim.step, outcome, now)
    logger.log(_level(outcome), "Payment %s: %s → %s: %s", payment.pk, claim.step, payment.state, outcome)


def pause_after(*, attempts: int) -> timedelta:
    """Exponential backoff with jitter between half and all of it, 3 s at most."""
    longest = min(LONGEST_PAUSE, 0.1 * 2 ** min(attempts, 10))
    return timedelta(seconds=longest * random.uniform(0.5, 1))


def _write_down(payment: Payment, step: Step, outcome: Outcome, now: datetime) -> None:
    match outcome:
        case Captured():
            services.record_capture(payment=payment, capture_id=outcome.capture_id, now=now)
        case Declined():
            services.record_decline(payment=payment, now=now)
        case Voided():
            services.record_void(payment=payment, now=now)
        case Refunded():
            services.record_refund(payment=payment, refund_id=outcome.refund_id, now=now)
        case _:
            _try_again(payment, step, outcome, now)


def _try_again(payment: Payment, step: Step, outcome: Outcome, now: datetime) -> None:
    payment.state = state_after(step=step, outcome=outcome)
    payment.next_at = now if isinstance(outcome, NothingFound) else now + pause_after(attempts=payment.attempts)
    payment.last_error = getattr(outcome, "detail", "")
    payment.save()


def _level(outcome: Outcome) -> int:
    if isinstance(outcome, Refused):
        return logging.ERROR  # trying again will not help: somebody has to look
    return logging.WARNING if isinstance(outcome, NotSent | NoAnswer) else logging.INFO


def _refuse_open_transactions() -> None:
    if open_on := [alias for alias in connections if in_transaction(alias)]:
        raise OpenTransactionError(aliases=open_on)
