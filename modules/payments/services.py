"""What changes a payment: wishes that come from orders, and facts that come from the provider.

Each function runs in the caller's transaction on payments' database. What it is given as `payment`
is locked by the caller; every fact is recorded and published once, because only one holder of the
row's lease can get here with it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django_seams.outbox import publish
from modules.payments.events import PaymentFailed, PaymentRefunded, PaymentSucceeded
from modules.payments.gateway import gateways
from modules.payments.lifecycle import is_at_rest, needs_token
from modules.payments.models import Payment
from modules.payments.types import Route, State, Wanted


def want_capture(
    *,
    order_id: UUID,
    customer_id: UUID,
    amount_minor: int,
    currency: str,
    payment_token: str,
    deadline_at: datetime,
    now: datetime,
) -> None:
    """Want an order's money, once; what is not news changes nothing.

    If the order was cancelled before it was seen, its money stays unwanted: the charge's key will
    be voided, and the payment fails as cancelled.
    """
    placed = Payment(
        order_id=order_id,
        customer_id=customer_id,
        amount_minor=amount_minor,
        currency=currency,
        payment_token=payment_token,
        deadline_at=deadline_at,
        wanted=Wanted.CAPTURED,
        state=State.REQUESTED,
        next_at=now,
    )
    payment = _insert_or_lock(placed)
    if payment is not placed:
        if payment.state != State.UNSEEN:
            return
        _fill(payment, placed, now)
    gateways[Route(payment.route)].want(payment=payment)


def want_refund(*, order_id: UUID, now: datetime) -> None:
    """Want that nothing of an order's money stays captured. Unknown so far: leaves a tombstone."""
    payment = _insert_or_lock(Payment(order_id=order_id, wanted=Wanted.REFUNDED, state=State.UNSEEN))
    if payment.wanted == Wanted.REFUNDED:
        return
    payment.wanted = Wanted.REFUNDED
    _write(payment, now)
    gateways[Route(payment.route)].want(payment=payment)


def record_capture(*, payment: Payment, capture_id: str, now: datetime) -> None:
    """The provider has captured the whole amount, wanted or not: it is told either way."""
    payment.captured_minor = payment.amount_minor
    payment.provider_capture_id = capture_id
    _move(payment, State.CAPTURED, now)
    publish(PaymentSucceeded(**_identity(payment), **_money(payment)))


def record_decline(*, payment: Payment, now: datetime) -> None:
    """The provider has refused the charge for good."""
    _move(payment, State.DECLINED, now)
    publish(PaymentFailed(**_identity(payment), reason="declined"))


def record_void(*, payment: Payment, now: datetime) -> None:
    """The charge's key is spent on nothing: the order was cancelled, or else its deadline passed."""
    _move(payment, State.VOIDED, now)
    reason = "cancelled" if payment.wanted == Wanted.REFUNDED else "deadline"
    publish(PaymentFailed(**_identity(payment), reason=reason))


def record_refund(*, payment: Payment, refund_id: str, now: datetime) -> None:
    """The provider has given back all that was captured."""
    payment.refunded_minor = payment.captured_minor
    payment.provider_refund_id = refund_id
    _move(payment, State.REFUNDED, now)
    publish(PaymentRefunded(**_identity(payment), **_money(payment)))


def _insert_or_lock(fresh: Payment) -> Payment:
    """``fresh`` itself if its order was not known, else the order's row, locked until the commit.

    ON CONFLICT DO NOTHING waits for whoever is inserting the same order, so that of two handlers at
    once one makes the row and the other finds it.
    """
    Payment.objects.bulk_create([fresh], ignore_conflicts=True)
    payment = Payment.objects.select_for_update().get(order_id=fresh.order_id)
    return fresh if payment.pk == fresh.pk else payment


def _fill(tombstone: Payment, placed: Payment, now: datetime) -> None:
    for field in ("customer_id", "amount_minor", "currency", "deadline_at", "state"):
        setattr(tombstone, field, getattr(placed, field))
    _write(tombstone, now)


def _move(payment: Payment, state: State, now: datetime) -> None:
    payment.state, payment.attempts, payment.last_error = state, 0, ""
    _write(payment, now)


def _write(payment: Payment, now: datetime) -> None:
    state, wanted = State(payment.state), Wanted(payment.wanted)
    payment.next_at = None if is_at_rest(state=state, wanted=wanted) else now
    if not needs_token(state=state, wanted=wanted):
        payment.payment_token = ""
    payment.save()


def _identity(payment: Payment) -> dict[str, UUID]:
    return {"order_id": payment.order_id, "payment_id": payment.pk}


def _money(payment: Payment) -> dict[str, Any]:
    return {"amount_minor": payment.amount_minor, "currency": payment.currency}
