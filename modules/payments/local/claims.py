"""Claiming payments for the driver, by lease and token. What this SQL guarantees is said beside it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from modules.payments.lifecycle import charge_key, refund_key
from modules.payments.local.provider import Charge, Refund
from modules.payments.local.steps import Step, next_step
from modules.payments.models import Payment
from modules.payments.types import State, Wanted

# Longer than a call can usually take (`psp.TIMEOUT`), so that a lease runs out only when its driver
# is dead or stopped; short enough that another one has finished within 30 s.
LEASE = timedelta(seconds=15)

# - One statement, hence one commit, before anything is sent: the write-ahead of the call. A row found
#   `requested` is `charging` from here on, because from here on a request may be on its way.
# - FOR UPDATE SKIP LOCKED: two drivers never claim the same row, and never wait for each other.
# - The new token ends the right of whoever held the row before, if its lease ran out (`still_held`).
# - The oldest first; leases are looked at apart from next_at, so that a handler may set next_at
#   while somebody works on the row without giving it to a second driver.
_CLAIM = """
WITH due AS (
    SELECT id, state FROM payments_payment
    WHERE route = 'local' AND next_at <= %(now)s AND (leased_until IS NULL OR leased_until <= %(now)s)
    ORDER BY next_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE payments_payment AS payment
SET lease_token = %(token)s,
    leased_until = %(until)s,
    attempts = payment.attempts + 1,
    state = CASE due.state WHEN 'requested' THEN 'charging' ELSE due.state END
FROM due
WHERE payment.id = due.id
RETURNING payment.*, due.state AS found_in
"""

# Locks the row, so that neither a claim nor a wish changes it before the outcome is committed; finds
# nothing when the row has been claimed again since, so that one outcome only is written and published.
_HELD = "SELECT * FROM payments_payment WHERE id = %(id)s AND lease_token = %(token)s FOR UPDATE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The right to take one step for one payment, and what that step needs."""

    payment_id: UUID
    lease_token: UUID
    step: Step
    charge: Charge
    refund: Refund


def claim_due(*, now: datetime) -> Claim | None:
    """The payment that has been due longest and nobody works on, with its next step; None without one."""
    token = uuid4()
    found = list(Payment.objects.raw(_CLAIM, {"now": now, "token": token, "until": now + LEASE}))
    return _claim(found[0], token, now) if found else None


def still_held(claim: Claim) -> Payment | None:
    """The claimed row, fresh and locked until the commit; None if somebody else has claimed it since."""
    held = list(Payment.objects.raw(_HELD, {"id": claim.payment_id, "token": claim.lease_token}))
    return held[0] if held else None


def _claim(payment: Payment, token: UUID, now: datetime) -> Claim:
    found_in: str = payment.found_in  # type: ignore[attr-defined]  # the claim's own column
    wanted = Wanted(payment.wanted)
    return Claim(
        payment_id=payment.pk,
        lease_token=token,
        step=next_step(state=State(found_in), wanted=wanted, deadline_at=payment.deadline_at, now=now),
        charge=Charge(
            key=charge_key(order_id=payment.order_id),
            reference=str(payment.order_id),
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            token=payment.payment_token,
        ),
        refund=Refund(
            key=refund_key(payment_id=payment.pk),
            capture_id=payment.provider_capture_id,
            amount_minor=payment.captured_minor,
            currency=payment.currency,
        ),
    )
