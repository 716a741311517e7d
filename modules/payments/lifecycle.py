"""The rules of a payment that hold wherever the work is done. Pure, free of Django.

The two keys are derived before an order is routed, so whoever acts on it, here or elsewhere, acts
with the same ones, and the provider can never capture or refund twice.
"""

from uuid import UUID

from modules.payments.types import State, Wanted

FINAL = frozenset({State.DECLINED, State.VOIDED, State.REFUNDED})
"""Nothing leads out of these."""


def charge_key(*, order_id: UUID) -> str:
    """The only idempotency key that an order's charge is ever sent or voided with."""
    return f"charge-{order_id}"


def refund_key(*, payment_id: UUID) -> str:
    """The only idempotency key that a payment's refund is ever sent with."""
    return f"refund-{payment_id}"


def is_at_rest(*, state: State, wanted: Wanted) -> bool:
    """Whether nothing is left to do, unless something else comes to be wanted."""
    return state in FINAL or state is State.UNSEEN or (state is State.CAPTURED and wanted is Wanted.CAPTURED)


def needs_token(*, state: State, wanted: Wanted) -> bool:
    """Whether a capture may still have to be sent; if not, the payment token is erased."""
    return wanted is Wanted.CAPTURED and state in (State.REQUESTED, State.CHARGING)
