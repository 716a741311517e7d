"""Payments' one table, for whatever does the work. The database refuses what must never be."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from modules.payments.types import Route, State, Wanted


class Payment(models.Model):
    """One row per order that was heard of. States: `types.State`; money in minor units, ISO 4217.

    `lease_token` and `leased_until` belong to whoever works on the row; only the holder of the
    token writes `state`. `next_at` is when to look at it again, null when it is at rest.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order_id = models.UUIDField(unique=True)
    customer_id = models.UUIDField(null=True)
    amount_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, default="")
    payment_token = models.TextField(default="", help_text="sensitive; erased once no capture can follow")
    deadline_at = models.DateTimeField(null=True)

    wanted = models.CharField(max_length=16, choices=[(wanted.value, wanted.value) for wanted in Wanted])
    route = models.CharField(max_length=16, default=Route.LOCAL.value)
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in State])
    captured_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    provider_capture_id = models.TextField(default="")
    provider_refund_id = models.TextField(default="")

    lease_token = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0, help_text="calls begun since the last published change")
    next_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="")

    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["route", "next_at"], condition=Q(next_at__isnull=False), name="payments_payment_due"),
            models.Index(fields=["customer_id", "-created_at"], name="payments_payment_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in State]), name="payments_payment_state"
            ),
            models.CheckConstraint(
                condition=Q(wanted__in=[wanted.value for wanted in Wanted]), name="payments_payment_wanted"
            ),
            models.CheckConstraint(
                condition=Q(captured_minor=0) | Q(captured_minor=F("amount_minor")),
                name="payments_payment_captured_in_full",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=F("captured_minor")),
                name="payments_payment_refunded_at_most_captured",
            ),
            models.CheckConstraint(
                condition=Q(payment_token="") | Q(wanted="captured", state__in=["requested", "charging"]),
                name="payments_payment_token_erased",
            ),
            models.CheckConstraint(
                condition=Q(state="unseen")
                | Q(customer_id__isnull=False, deadline_at__isnull=False, amount_minor__gt=0),
                name="payments_payment_order_known",
            ),
            # lifecycle.is_at_rest, so that the driver neither misses a payment nor claims one in vain.
            models.CheckConstraint(
                condition=Q(next_at__isnull=True, state__in=["unseen", "declined", "voided", "refunded"])
                | Q(next_at__isnull=True, state="captured", wanted="captured")
                | Q(next_at__isnull=False, state="captured", wanted="refunded")
                | Q(next_at__isnull=False, state__in=["requested", "charging"]),
                name="payments_payment_due_unless_at_rest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.state}, {self.wanted} wanted"
