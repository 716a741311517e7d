"""Orders in the admin: to look at, not to change."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from modules.orders.models import CatalogueProduct, Order, OrderLine, TimelineEntry


class ReadOnly:
    """No adding, changing or deleting: orders change by their events only."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrderLineInline(ReadOnly, admin.TabularInline):
    model = OrderLine
    fields = ["sku", "quantity", "unit_price_minor"]


class TimelineEntryInline(ReadOnly, admin.TabularInline):
    model = TimelineEntry
    fields = ["occurred_at", "module", "type", "changed", "facts"]
    readonly_fields = ["module"]


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["id", "customer_id", "status", "reason", "total_minor", "currency", "placed_at"]
    list_filter = ["status", "reason"]
    search_fields = ["=id", "=customer_id"]
    inlines = [OrderLineInline, TimelineEntryInline]


@admin.register(CatalogueProduct)
class CatalogueProductAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["sku", "unit_price_minor", "currency", "version"]
    search_fields = ["sku"]
