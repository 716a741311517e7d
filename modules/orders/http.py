"""How orders speaks HTTP: ids in paths, and a status for everything it refuses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from rest_framework.exceptions import APIException, ValidationError

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
