"""What may be read of payments; nothing here changes anything."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import QuerySet

from modules.payments.models import Payment
from modules.payments.types import PaymentSummary, Route, State, Wanted


def payments_of(*, customer_id: UUID) -> QuerySet[Payment]:
    """A customer's own payments. Tombstones belong to nobody. The token stays in the database."""
    return Payment.objects.filter(customer_id=customer_id).defer("payment_token")


def payment_summaries() -> Iterator[PaymentSummary]:
    """All payments, oldest first."""
    rows = Payment.objects.order_by("created_at", "id").defer("payment_token")
    for payment in rows.iterator(chunk_size=1000):
        yield _summary(payment)


def _summary(payment: Payment) -> PaymentSummary:
    return PaymentSummary(
        payment_id=payment.pk,
        order_id=payment.order_id,
        state=State(payment.state),
        wanted=Wanted(payment.wanted),
        route=Route(payment.route),
        amount_minor=payment.amount_minor,
        captured_minor=payment.captured_minor,
        refunded_minor=payment.refunded_minor,
        currency=payment.currency,
    )
