"""How orders speaks HTTP: ids in paths, pages, and a status for everything it refuses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from modules.orders import errors

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_STATUS: Final[dict[type[errors.OrdersError], int]] = {
    errors.UnknownOrderError: 404,
    errors.OrderAlreadyConfirmedError: 409,
    errors.OrderRefusedError: 422,
    errors.KeyMissingError: 400,
    errors.KeyMalformedError: 400,
    errors.KeyInFlightError: 409,
    errors.KeyReusedError: 422,
}


class Refusal(APIException):
    """A refusal with its own status; ``wait`` becomes the Retry-After header, in seconds."""

    def __init__(self, *, status: int, detail: str | dict[str, str], wait: int | None = None) -> None:
        super().__init__(detail)
        self.status_code = status
        self.wait = wait


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what orders refuses into the HTTP answer for it."""
    try:
        yield
    except errors.OrdersError as error:
        status = next(code for kind, code in _STATUS.items() if isinstance(error, kind))
        wait = 1 if isinstance(error, errors.KeyInFlightError) else None
        raise Refusal(status=status, detail=_detail(error), wait=wait) from error


def _detail(error: errors.OrdersError) -> str | dict[str, str]:
    if isinstance(error, errors.OrderRefusedError):
        return {error.field: str(error)}
    if isinstance(error, errors.IdempotencyError):
        return {"Idempotency-Key": str(error)}
    return str(error)


def order_id_of(text: str) -> UUID:
    """The order id in a path. Raises ValidationError unless it is a UUID as we print them."""
    if not _UUID.fullmatch(text):
        raise ValidationError({"id": "An order's id is a UUID; take it from the order's Location header."})
    return UUID(text)


class NewestFirst(CursorPagination):
    """Pages of 20 orders, at most 100 with ``page_size``, newest first."""

    ordering = ("-placed_at", "-id")
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def decode_cursor(self, request: Request) -> Any:
        """DRF checks a cursor's numbers but not its position, which would fail in the database."""
        cursor = super().decode_cursor(request)
        if cursor and cursor.position is not None and not _is_time(str(cursor.position)):
            raise NotFound("This cursor is not one of ours; start again without it.")
        return cursor


def _is_time(text: str) -> bool:
    try:
        return parse_datetime(text) is not None
    except ValueError:
        return False
