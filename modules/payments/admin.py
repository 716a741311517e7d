"""Payments for an operator's eyes: nothing can be changed here, and the token is not even read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from modules.payments.models import Payment


@admin.register(Payment)
class PaymentAdmin(admin.ModelAdmin):
    """Search by order id: where is its money, and what is being tried?"""

    list_display = ("order_id", "state", "wanted", "route", "amount_minor", "currency", "attempts", "next_at")
    list_filter = ("state", "wanted", "route")
    search_fields = ("=id", "=order_id", "=customer_id")
    ordering = ("-created_at",)
    exclude = ("payment_token", "lease_token")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        return super().get_queryset(request).defer("payment_token")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Payment | None = None) -> bool:
        return False
