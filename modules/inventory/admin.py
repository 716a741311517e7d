"""Inventory for people who look: nothing can be changed here, only through the door."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from modules.inventory.models import Product, Receipt, Reservation, Stock


class LookOnlyAdmin(admin.ModelAdmin):
    """Lists and shows; adds, changes and deletes nothing."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Product)
class ProductAdmin(LookOnlyAdmin):
    list_display = ("sku", "name", "unit_price_minor", "currency", "version", "created_at")
    search_fields = ("sku", "name")


@admin.register(Stock)
class StockAdmin(LookOnlyAdmin):
    list_display = ("pk", "on_hand", "reserved", "sold", "received")
    search_fields = ("product__sku",)


@admin.register(Receipt)
class ReceiptAdmin(LookOnlyAdmin):
    list_display = ("reference", "product_id", "quantity", "received_at")
    search_fields = ("reference",)


@admin.register(Reservation)
class ReservationAdmin(LookOnlyAdmin):
    list_display = ("order_id", "state", "lines", "created_at", "changed_at")
    list_filter = ("state",)
    search_fields = ("order_id",)
