"""Pages of a list, newest first. A list's view says what it is ordered by: ``ordering = ("-placed_at", "-id")``."""

from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView


class InvalidCursorError(NotFound):
    """A cursor that we cannot have written."""

    def __init__(self) -> None:
        super().__init__({"cursor": "Invalid cursor; follow next and previous, or start without one."})


class NewestFirst(CursorPagination):
    """Pages of 20, at most 100 with ``page_size``."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> tuple[str, ...]:
        return tuple(view.ordering)  # type: ignore[attr-defined]

    def decode_cursor(self, request: Request) -> Any:
        """DRF checks a cursor's numbers but not its position, a time, which would fail in the database."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise InvalidCursorError from None
        if cursor and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise InvalidCursorError
        return cursor


def _is_moment(text: str) -> bool:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is not None
