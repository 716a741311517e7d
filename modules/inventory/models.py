"""Inventory's tables. The database itself refuses what must never be: negative or lost pieces."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from modules.inventory.types import ReservationState

_STATES = [state.value for state in ReservationState]
_KNOWN_BEFORE_THE_LINES = ["paid", "promised", "cancelled"]


class Product(models.Model):
    """Something on offer; `version` grows with every change, so that replicas can tell old from new."""

    sku = models.CharField(primary_key=True, max_length=64)
    name = models.CharField(max_length=200)
    unit_price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    version = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-sku"], name="inventory_product_newest")]
        constraints = [
            models.CheckConstraint(condition=Q(unit_price_minor__gt=0), name="inventory_product_price"),
            models.CheckConstraint(condition=Q(version__gte=1), name="inventory_product_version"),
        ]

    def __str__(self) -> str:
        return self.sku


class Stock(models.Model):
    """Where the pieces of one product are. Made with the product, moved only by `stock.py`."""

    product = models.OneToOneField(
        Product, on_delete=models.PROTECT, primary_key=True, db_column="sku", related_name="stock"
    )
    on_hand = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    sold = models.BigIntegerField(default=0)
    received = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "stock"
        constraints = [
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="inventory_stock_never_oversold"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="inventory_stock_reserved"),
            models.CheckConstraint(condition=Q(sold__gte=0), name="inventory_stock_sold"),
            models.CheckConstraint(
                condition=Q(received=F("on_hand") + F("reserved") + F("sold")),
                name="inventory_stock_nothing_lost",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.on_hand} on hand, {self.reserved} reserved, {self.sold} sold"


class Receipt(models.Model):
    """Pieces that came in. A reference (a delivery note) books each SKU at most once."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, db_column="sku", related_name="receipts")
    reference = models.CharField(max_length=200)
    quantity = models.BigIntegerField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "reference"], name="inventory_receipt_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="inventory_receipt_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.reference}: {self.quantity} of {self.product_id}"


class Reservation(models.Model):
    """One row per order that was heard of, whatever was heard first; it joins what comes later.

    The states are described in `types.ReservationState`, their one table of transitions is
    `lifecycle.TRANSITIONS`. `lines` is a list of {"sku": …, "quantity": …}, null until known.
    """

    order_id = models.UUIDField(primary_key=True)
    state = models.CharField(max_length=16, choices=[(state, state) for state in _STATES])
    lines = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=_STATES), name="inventory_reservation_state"),
            models.CheckConstraint(
                condition=Q(lines__isnull=False) | Q(state__in=_KNOWN_BEFORE_THE_LINES),
                name="inventory_reservation_has_lines",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.state}"
