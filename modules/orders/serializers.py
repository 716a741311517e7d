"""The shapes of the HTTP API: what a body must look like, and how an order is shown."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from modules.orders.currencies import ISO_4217
from modules.orders.types import WantedLine

MAX_LINES = 100
MAX_QUANTITY = 1000

_LINES_MESSAGE = f"Send a list of 1 to {MAX_LINES} lines, each an object with sku and quantity."
_QUANTITY_MESSAGE = f"Send a whole number from 1 to {MAX_QUANTITY}."
_CURRENCY_MESSAGE = "Send an ISO 4217 code of three capital letters, such as EUR."


class Text(serializers.CharField):
    """A JSON string, taken as it is: numbers are not turned into text, nor blanks trimmed."""

    def __init__(self, *, max_length: int, message: str) -> None:
        names = ("invalid", "required", "null", "blank", "max_length")
        super().__init__(max_length=max_length, trim_whitespace=False, error_messages=dict.fromkeys(names, message))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumber(serializers.IntegerField):
    """A JSON number without a fraction: no text, no true or false."""

    def __init__(self, *, min_value: int, max_value: int, message: str) -> None:
        names = ("invalid", "required", "null", "min_value", "max_value", "max_string_length", "overflow")
        super().__init__(min_value=min_value, max_value=max_value, error_messages=dict.fromkeys(names, message))

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a misspelt field must not be dropped in silence."""

    default_error_messages = {
        "invalid": "Send a JSON object.",
        "null": "Send a JSON object.",
        "unknown": "This field is not known; leave it out. Known: {known}.",
    }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(_printable(name) for name in data.keys() - self.fields.keys())
            if unknown:
                message = self.error_messages["unknown"].format(known=", ".join(self.fields))
                raise serializers.ValidationError({name: [message] for name in unknown[:10]})
        return super().to_internal_value(data)


class OrderLineBody(StrictSerializer):
    sku = Text(max_length=64, message="Send the product's SKU, 1 to 64 characters.")
    quantity = WholeNumber(min_value=1, max_value=MAX_QUANTITY, message=_QUANTITY_MESSAGE)


class OrderBody(StrictSerializer):
    """What ``POST /api/v1/orders`` takes."""

    lines: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=OrderLineBody(),
        allow_empty=False,
        max_length=MAX_LINES,
        error_messages=dict.fromkeys(("required", "null", "not_a_list", "empty", "max_length"), _LINES_MESSAGE),
    )
    payment_token = Text(max_length=200, message="Send the payment provider's token, 1 to 200 characters.")
    currency = Text(max_length=3, message=_CURRENCY_MESSAGE)

    def validate_currency(self, value: str) -> str:
        if value not in ISO_4217:
            raise serializers.ValidationError(_CURRENCY_MESSAGE)
        return value

    def validate_lines(self, value: list[dict[str, Any]]) -> list[WantedLine]:
        twice = [sku for sku, count in Counter(line["sku"] for line in value).items() if count > 1]
        if twice:
            raise serializers.ValidationError(
                f"SKU {twice[0]!r} appears in more than one line; send one line with the sum."
            )
        return [WantedLine(**line) for line in value]


class ShownLine(serializers.Serializer[Any]):
    sku = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price_minor = serializers.IntegerField()


class ShownOrder(serializers.Serializer[Any]):
    """An order as its customer sees it."""

    id = serializers.UUIDField(source="order_id")
    status = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    lines = ShownLine(many=True)
    total_minor = serializers.IntegerField()
    currency = serializers.CharField()
    refunded_minor = serializers.IntegerField()
    placed_at = serializers.DateTimeField()
    deadline_at = serializers.DateTimeField()


class ShownTimelineEntry(serializers.Serializer[Any]):
    """One event of an order's life; ``changed`` maps a field to ``[before, after]``."""

    event_id = serializers.UUIDField()
    occurred_at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    module = serializers.CharField()
    type = serializers.CharField()
    changed = serializers.JSONField()
    facts = serializers.JSONField()


def _printable(name: str) -> str:
    """A field's name that can be sent back: short, and without halves of surrogate pairs."""
    return name[:64].encode("ascii", "backslashreplace").decode()
