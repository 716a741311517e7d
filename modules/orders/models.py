"""Orders' tables. Private to this module: others get frozen values from ``api.py``."""

import uuid

from django.db import models
from django.db.models import Q

from django_seams.events import module_of
from modules.orders.lifecycle import OPEN
from modules.orders.types import Reason, Status

# Plain text, so that migrations need not import this module's enumerations.
_STATUSES = [status.value for status in Status]
_REASONS = [reason.value for reason in Reason]
_OPEN = [status.value for status in OPEN]
_CANCELLED = Status.CANCELLED.value


def _choices(values: list[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


class CatalogueProduct(models.Model):
    """Orders' own replica of inventory's catalogue; ``version`` only grows."""

    sku = models.CharField(max_length=64, primary_key=True)
    unit_price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    version = models.BigIntegerField()

    def __str__(self) -> str:
        return self.sku


class Order(models.Model):
    """One order: its place in the saga, its deadline and the total that was agreed on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer_id = models.UUIDField()
    status = models.CharField(max_length=9, choices=_choices(_STATUSES), default=Status.PENDING.value)
    reason = models.CharField(max_length=14, choices=_choices(_REASONS), null=True)  # noqa: DJ001 (null: none)
    total_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    refunded_minor = models.BigIntegerField(default=0)
    placed_at = models.DateTimeField()
    deadline_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["customer_id", "-placed_at", "-id"], name="orders_order_newest"),
            models.Index(fields=["deadline_at"], condition=Q(status__in=_OPEN), name="orders_order_open"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=_STATUSES), name="orders_order_status"),
            models.CheckConstraint(
                condition=Q(status=_CANCELLED, reason__isnull=False, reason__in=_REASONS)
                | (~Q(status=_CANCELLED) & Q(reason=None)),
                name="orders_order_reason_iff_cancelled",
            ),
            models.CheckConstraint(condition=Q(total_minor__gte=0, refunded_minor__gte=0), name="orders_order_amounts"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class OrderLine(models.Model):
    """One line of an order, its price frozen at placing."""

    # no index of its own: the unique one below begins with it
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    sku = models.CharField(max_length=64)
    quantity = models.IntegerField()
    unit_price_minor = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "sku"], name="orders_orderline_sku_once"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, unit_price_minor__gte=0), name="orders_orderline_amounts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"


class TimelineEntry(models.Model):
    """One event of an order's life. ``id`` is the order in which orders came to know of them."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="timeline")
    event_id = models.UUIDField(unique=True)
    type = models.CharField(max_length=100)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    changed = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "timeline entries"

    def __str__(self) -> str:
        return self.type

    @property
    def module(self) -> str:
        """The module that published the event."""
        return module_of(self.type)


class IdempotencyRecord(models.Model):
    """The answer that was given to a customer's Idempotency-Key, to be given again."""

    customer_id = models.UUIDField()
    operation = models.CharField(max_length=50)
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    body = models.TextField()
    location = models.CharField(max_length=500)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer_id", "operation", "key"], name="orders_idempotency_one_answer"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.created_at:%Y-%m-%d %H:%M}"
