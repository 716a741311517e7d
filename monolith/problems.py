"""Every refusal is a problem document (RFC 9457): what is wrong, which field, and what to do."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:django-seams:problem:"

# What the framework's own refusals lack: the field, and what to do next.
_ADVICE = {
    "not_authenticated": ("Authorization", "Send the header Authorization: Bearer <token>."),
    "authentication_failed": ("Authorization", ""),
    "parse_error": ("body", "Send one JSON object."),
    "unsupported_media_type": ("Content-Type", "Send Content-Type: application/json."),
    "not_acceptable": ("Accept", "Accept application/json."),
    "method_not_allowed": ("method", "Use one of those in the Allow header."),
}

logger = logging.getLogger(__name__)


class DatabaseAwayError(APIException):
    status_code = 503
    default_code = "database_away"
    default_detail = "A database does not answer. Send the same request again, with the same Idempotency-Key."


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. None for what is our own error: then ``server_error`` answers."""
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("database away: %s", error)
        error = DatabaseAwayError()
    response = exception_handler(error, dict(context))
    if response is None:
        return None
    code = _code(error, response.status_code)
    field, advice = _ADVICE.get(code, ("", ""))
    detail, errors = _explained(response.data, field=field, advice=advice)
    request: HttpRequest = context["request"]
    response.data = _document(request, code=code, status=response.status_code, detail=detail, errors=errors)
    response.content_type = CONTENT_TYPE
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "1"
    return response


def problem(
    request: HttpRequest, *, status: int, detail: str, errors: Iterable[Mapping[str, str]] = (), code: str = ""
) -> JsonResponse:
    """A problem document outside DRF. ``errors``: ``{"field": …, "detail": …}`` each."""
    code = code or HTTPStatus(status).name.lower()
    document = _document(request, code=code, status=status, detail=detail, errors=errors)
    return JsonResponse(document, status=status, content_type=CONTENT_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _is_for_people(request):
        return defaults.bad_request(request, exception)
    return problem(request, status=400, detail="The request is malformed; correct it and send it again.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if _is_for_people(request):
        return defaults.permission_denied(request, exception)
    return problem(request, status=403, detail="This is not allowed for you.")


@csrf_exempt  # else a POST to nowhere would be told of cookies
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    if _is_for_people(request):
        return defaults.page_not_found(request, exception or Exception("no such page"))
    return problem(request, status=404, detail=f"There is nothing at {request.path}; the API is under /api/v1/.")


def server_error(request: HttpRequest) -> HttpResponseBase:
    if _is_for_people(request):
        return defaults.server_error(request)
    detail = "The server failed and logged why. Send the same request again with the same Idempotency-Key."
    return problem(request, status=500, detail=detail)


def _is_for_people(request: HttpRequest) -> bool:
    return request.path_info.startswith("/admin")


def _document(
    request: HttpRequest, *, code: str, status: int, detail: str, errors: Iterable[Mapping[str, str]]
) -> dict[str, Any]:
    return {
        "type": _TYPE_PREFIX + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "errors": list(errors),
    }


def _code(error: Exception, status: int) -> str:
    code = getattr(error, "default_code", None)
    return code if isinstance(code, str) and code != "error" else HTTPStatus(status).name.lower()


def _explained(data: Any, *, field: str, advice: str) -> tuple[str, list[dict[str, str]]]:
    """One sentence for the whole, and what is wrong by field, from the data of a DRF error response."""
    if isinstance(data, Mapping) and set(data) == {"detail"} and not isinstance(data["detail"], Mapping | list):
        detail = f"{data['detail']} {advice}".strip()
        return detail, [{"field": field, "detail": detail}] if field else []
    errors = [{"field": name or "body", "detail": text} for name, text in _flat(data)]
    if len(errors) == 1:
        return f"{errors[0]['field']}: {errors[0]['detail']}", errors
    return f"{len(errors)} things are wrong; see errors.", errors


def _flat(data: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Nested DRF errors as (dotted field, message): ``lines.0.quantity``."""
    if isinstance(data, Mapping):
        for name, inner in data.items():
            step = "" if name in ("non_field_errors", "detail") else str(name)
            yield from _flat(inner, ".".join(filter(None, (path, step))))
    elif isinstance(data, list):
        for number, inner in enumerate(data):
            step = str(number) if isinstance(inner, Mapping | list) else ""
            yield from _flat(inner, ".".join(filter(None, (path, step))))
    else:
        yield path, str(data)
