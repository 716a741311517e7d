"""Orders over HTTP. A customer sees only their own orders; another's is unknown to them."""

from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from modules.orders import queries, services
from modules.orders.http import order_id_of, refusals
from modules.orders.idempotency import Answer, answer_once, checked_key
from modules.orders.models import Order
from modules.orders.serializers import OrderBody, ShownOrder, ShownTimelineEntry
from modules.orders.types import OrderDetails, Status


class OrdersView(ListAPIView[Order]):
    """List the customer's orders, or place one."""

    permission_classes = [IsAuthenticated]
    ordering = ("-placed_at", "-id")
    serializer_class = ShownOrder

    def get_queryset(self) -> QuerySet[Order]:
        return queries.orders_of(customer_id=_customer_id(self.request), status=_asked_status(self.request))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([_shown(queries.details(order=order)) for order in page])

    def post(self, request: Request) -> Response:
        with refusals():
            key = checked_key(request.headers.get("Idempotency-Key"))
            wanted = _checked_body(request.data)
            answer = answer_once(
                customer_id=_customer_id(request),
                operation="place_order",
                key=key,
                request=request.data,
                now=timezone.now(),
                act=lambda: _place(request, wanted),
            )
        headers = {"Location": answer.location} | ({"Idempotent-Replay": "true"} if answer.is_replay else {})
        return Response(answer.body, status=answer.status, headers=headers)


class OrderView(APIView):
    """Show one order."""

    permission_classes = [IsAuthenticated]

    def get(self, request: Request, order_id: str) -> Response:
        with refusals():
            found = queries.order_of(customer_id=_customer_id(request), order_id=order_id_of(order_id))
        return Response(_shown(found))


class TimelineView(APIView):
    """Show what happened to one order, in the order in which orders came to know of it."""

    permission_classes = [IsAuthenticated]

    def get(self, request: Request, order_id: str) -> Response:
        asked = order_id_of(order_id)
        with refusals():
            entries = queries.timeline_of(customer_id=_customer_id(request), order_id=asked)
        return Response({"order_id": str(asked), "entries": ShownTimelineEntry(entries, many=True).data})


class CancelView(APIView):
    """Cancel an order that is not confirmed yet; asking twice is as good as asking once."""

    permission_classes = [IsAuthenticated]

    def post(self, request: Request, order_id: str) -> Response:
        with refusals():
            cancelled = services.cancel_order(customer_id=_customer_id(request), order_id=order_id_of(order_id))
        return Response(_shown(cancelled))


def _customer_id(request: Request) -> UUID:
    return cast(UUID, request.user.pk)


def _asked_status(request: Request) -> Status | None:
    asked = request.query_params.get("status")
    try:
        return Status(asked) if asked is not None else None
    except ValueError:
        raise ValidationError({"status": f"Ask for one of {', '.join(Status)}."}) from None


def _checked_body(data: Any) -> dict[str, Any]:
    body = OrderBody(data={} if data is None else data)  # of null, DRF would say "no data" and no field
    body.is_valid(raise_exception=True)
    return cast(dict[str, Any], body.validated_data)


def _place(request: Request, wanted: dict[str, Any]) -> Answer:
    order = services.place_order(customer_id=_customer_id(request), now=timezone.now(), **wanted)
    return Answer(status=201, body=_shown(order), location=f"{request.path}/{order.order_id}")


def _shown(order: OrderDetails) -> dict[str, Any]:
    return ShownOrder(order).data
