"""Reading request bodies and queries: everything that is wrong is named, field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from simulators.psp.answers import ProblemError
from simulators.psp.records import CaptureRequest, RefundRequest

MAX_AMOUNT_MINOR = 10**12
MAX_TEXT = 255
MAX_DELAY_MS = 60_000
MAX_PAGE = 10_000

Check = Callable[[object], str | None]
"""Says what is wrong with a value, or None."""


def _text(value: object) -> str | None:
    if isinstance(value, str) and 1 <= len(value) <= MAX_TEXT and value.isprintable():
        return None
    return f"Give 1 to {MAX_TEXT} printable characters."


def _whole_number(low: int, high: int) -> Check:
    def check(value: object) -> str | None:
        # bool is a subclass of int, and `true` is not an amount.
        if type(value) is int and low <= value <= high:
            return None
        return f"Give a whole number from {low} to {high}."

    return check


def _currency(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch("[A-Z]{3}", value):
        return None
    return "Give an ISO 4217 code, such as EUR."


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "Give true or false."


_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_AMOUNT = _whole_number(1, MAX_AMOUNT_MINOR)
_CAPTURE: dict[str, Check] = {
    "merchant_reference": _text,
    "amount_minor": _AMOUNT,
    "currency": _currency,
    "token": _text,
}
_REFUND: dict[str, Check] = {"capture_id": _text, "amount_minor": _AMOUNT, "currency": _currency}
_VOID: dict[str, Check] = {"idempotency_key": lambda value: _key_fault(value), "merchant_reference": _text}
_CONTROL: dict[str, Check] = {"outage": _flag, "delay_ms": _whole_number(0, MAX_DELAY_MS)}


def idempotency_key(*, headers: dict[str, str]) -> str:
    """The header's value. Raises ProblemError (400) when it is missing or malformed."""
    key = headers.get("idempotency-key")
    fault = "Send this header." if key is None else _key_fault(key)
    if key is None or fault:
        raise _invalid({"Idempotency-Key": str(fault)})
    return key


def capture_request(*, body: bytes) -> CaptureRequest:
    """The body of POST /v1/captures. Raises ProblemError (400)."""
    return CaptureRequest(**_fields(body, checks=_CAPTURE))


def refund_request(*, body: bytes) -> RefundRequest:
    """The body of POST /v1/refunds. Raises ProblemError (400)."""
    return RefundRequest(**_fields(body, checks=_REFUND))


def void_request(*, body: bytes) -> dict[str, str]:
    """The body of POST /v1/voids: idempotency_key, merchant_reference. Raises ProblemError (400)."""
    return _fields(body, checks=_VOID)


def control_request(*, body: bytes) -> dict[str, int]:
    """The body of POST /v1/control: `outage`, `delay_ms`, or both. Raises ProblemError (400)."""
    return _fields(body, checks=_CONTROL, may_be_missing=True)


def text_parameter(*, query: str, name: str) -> str:
    """A required query parameter. Raises ProblemError (400)."""
    value = _query(query).get(name)
    fault = _text(value)
    if value is None or fault:
        raise _invalid({name: str(fault)})
    return value


def page(*, query: str) -> tuple[int, int | None]:
    """`after` (default 0) and `limit` (default: all) of GET /v1/ledger. Raises ProblemError (400)."""
    values = _query(query)
    after = _number(values, "after", low=0, high=10**15)
    return after or 0, _number(values, "limit", low=1, high=MAX_PAGE)


def _number(values: dict[str, str], name: str, *, low: int, high: int) -> int | None:
    text = values.get(name)
    if text is None:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= 18
    fault = _whole_number(low, high)(int(text) if is_number else None)
    if fault:
        raise _invalid({name: fault})
    return int(text)


def _query(query: str) -> dict[str, str]:
    try:
        values = parse_qs(query, keep_blank_values=True, max_num_fields=8)
    except ValueError as error:
        raise _invalid({"query": "Send at most 8 parameters."}) from error
    return {name: found[-1] for name, found in values.items()}


def _key_fault(value: object) -> str | None:
    if isinstance(value, str) and _KEY.fullmatch(value):
        return None
    return "Give one key of 1 to 255 visible ASCII characters, no spaces."


def _fields(body: bytes, *, checks: dict[str, Check], may_be_missing: bool = False) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProblemError(status=400, kind="malformed", detail="The body must be JSON: an object.") from error
    if not isinstance(fields, dict):
        raise ProblemError(status=400, kind="malformed", detail="The body must be a JSON object.")
    faults = {name: "There is no such field: leave it out." for name in fields if name not in checks}
    for name, check in checks.items():
        fault = check(fields[name]) if name in fields else "This field is required."
        if fault and not (may_be_missing and name not in fields):
            faults[name] = fault
    if faults:
        raise _invalid(faults)
    return fields


def _invalid(faults: dict[str, str]) -> ProblemError:
    return ProblemError(status=400, kind="invalid", detail="Correct what errors names.", errors=faults)
