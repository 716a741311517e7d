"""Payments over HTTP: a customer reads the payments of an order of theirs."""

from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from modules.payments import queries
from modules.payments.models import Payment
from modules.payments.types import State, Wanted


class PaymentSerializer(serializers.Serializer[Payment]):
    """One payment; amounts in minor units of `currency` (ISO 4217). The token is never shown."""

    payment_id = serializers.UUIDField(source="pk")
    order_id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=[state.value for state in State])
    wanted = serializers.ChoiceField(choices=[wanted.value for wanted in Wanted])
    amount_minor = serializers.IntegerField()
    captured_minor = serializers.IntegerField()
    refunded_minor = serializers.IntegerField()
    currency = serializers.CharField()
    created_at = serializers.DateTimeField()


class OrderIdFilter(BaseFilterBackend):
    """Takes `order_id` from the query; it is required. Raises ValidationError naming it."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        return queryset.filter(order_id=_order_id(request.query_params.get("order_id")))


class PaymentList(ListAPIView[Payment]):
    """GET payments?order_id=…: the payments of one order of the customer's own, newest first.

    An order that nobody placed, or somebody else, has none. 400 when `order_id` is missing or no UUID.
    """

    permission_classes = [IsAuthenticated]  # whatever the settings say: nobody's payments are the tombstones
    serializer_class = PaymentSerializer
    ordering = ("-created_at", "-id")
    filter_backends = [OrderIdFilter]

    def get_queryset(self) -> QuerySet[Payment]:
        return queries.payments_of(customer_id=cast(UUID, self.request.user.pk))


def _order_id(text: str | None) -> UUID:
    if not text:
        raise ValidationError({"order_id": "Add ?order_id= with the id that placing the order answered."})
    try:
        return UUID(text)
    except ValueError:
        advice = "This is no UUID; give the id that placing the order answered."
        raise ValidationError({"order_id": advice}) from None
