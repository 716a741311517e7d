"""How inventory's values look in JSON."""

from rest_framework import serializers


class ProductSerializer(serializers.Serializer):
    """A product with the pieces that may still be ordered; the price in minor units of `currency`."""

    sku = serializers.CharField()
    name = serializers.CharField()
    unit_price_minor = serializers.IntegerField()
    currency = serializers.CharField(help_text="ISO 4217")
    available = serializers.IntegerField(source="stock.on_hand")


class StockSerializer(serializers.Serializer):
    """Where the pieces of one SKU are; `available` may be ordered, it is what is on hand."""

    sku = serializers.CharField()
    on_hand = serializers.IntegerField()
    reserved = serializers.IntegerField()
    sold = serializers.IntegerField()
    available = serializers.IntegerField(source="on_hand")
