"""Inventory over HTTP, read-only. What is refused becomes a problem document in the roof."""

from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from modules.inventory import models, queries
from modules.inventory.errors import UnknownSkuError
from modules.inventory.serializers import ProductSerializer, StockSerializer


class ProductList(ListAPIView[models.Product]):
    """What is on offer, and how many pieces may still be ordered."""

    queryset = queries.newest_products()
    serializer_class = ProductSerializer
    ordering = ("-created_at", "-sku")


class StockDetail(APIView):
    """Where the pieces of one SKU are."""

    def get(self, request: Request, sku: str) -> Response:
        try:
            level = queries.stock_level(sku=sku)
        except UnknownSkuError as error:
            raise NotFound({"sku": str(error)}) from error
        return Response(StockSerializer(level).data)
