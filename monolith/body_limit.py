"""Bodies that are too long are refused by their announced length, before a byte is read."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from monolith.problems import problem

_GetResponse = Callable[[HttpRequest], HttpResponseBase]


class BodyLimitMiddleware:
    """413 for a body longer than ``API_BODY_LIMIT`` bytes under ``/api/``.

    A body without ``Content-Length`` (chunked) is never read by Django: it counts as empty.
    """

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/api/") and _announced_length(request) > settings.API_BODY_LIMIT:
            limit = f"The body may have {settings.API_BODY_LIMIT} bytes; send less, or split it."
            return problem(request, status=413, detail=limit, errors=[{"field": "body", "detail": limit}])
        return self.get_response(request)


def _announced_length(request: HttpRequest) -> int:
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0
