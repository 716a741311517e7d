"""Inventory over HTTP, read-only. What is refused becomes a problem document in the roof."""

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from modules.inventory import models, queries
from modules.inventory.errors import UnknownSkuError
from modules.inventory.serializers import ProductSerializer, StockSerializer


class ProductPages(CursorPagination):
    """Newest first; `page_size` up to 200."""

    ordering = ("-created_at", "-sku")
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The client's cursor; one that we cannot have written is refused, which DRF leaves to the query."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise NotFound({"cursor": "Invalid cursor; follow `next` and `previous`, or start without one."})
        return cursor


def _is_moment(text: str) -> bool:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is not None


class ProductList(ListAPIView[models.Product]):
    """What is on offer, and how many pieces may still be ordered."""

    queryset = queries.newest_products()
    serializer_class = ProductSerializer
    pagination_class = ProductPages


class StockDetail(APIView):
    """Where the pieces of one SKU are."""

    def get(self, request: Request, sku: str) -> Response:
        try:
            level = queries.stock_level(sku=sku)
        except UnknownSkuError as error:
            raise NotFound({"sku": str(error)}) from error
        return Response(StockSerializer(level).data)
