"""Requests as customers send them, and what is expected of a refusal."""

import json
from typing import Any
from uuid import uuid4

from django.db import connections
from django.http import HttpResponse
from django.test import Client

BODY: dict[str, Any] = {
    "lines": [{"sku": "TEA", "quantity": 1}],
    "payment_token": "tok_ok",
    "currency": "EUR",
}


def post_order(
    client: Client, body: Any = BODY, *, key: str | None = "", content_type: str = "application/json", **headers: str
) -> HttpResponse:
    """Place an order; ``body`` is sent as it is if it is bytes. ``key``: none is sent if it is None."""
    if key is not None:
        headers["Idempotency-Key"] = key or str(uuid4())
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/api/v1/orders", data, content_type=content_type, headers=headers)


def assert_problem(answer: HttpResponse, status: int, field: str | None = None) -> dict[str, Any]:
    """It is a problem document of RFC 9457 that names the field; answers it."""
    assert answer.status_code == status, answer.content[:500]
    assert answer["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.content)
    assert set(problem) == {"type", "title", "status", "detail", "instance", "errors"}
    assert problem["status"] == status
    assert problem["type"].startswith("urn:django-seams:problem:")
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"].startswith("/")
    if field is not None:
        assert field in [error["field"] for error in problem["errors"]], problem
    assert all(error["detail"] for error in problem["errors"])
    return problem


def rows_written() -> dict[str, int]:
    """How many orders, idempotency records and events there are."""
    counts = {}
    with connections["orders"].cursor() as cursor:
        for table in [name for name in connections["orders"].introspection.table_names(cursor) if _is_data(name)]:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()[0]
    return counts


def _is_data(table: str) -> bool:
    return table.startswith("orders_") or table == "published"
