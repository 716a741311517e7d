"""A merchant's view of the provider over HTTP, one connection kept alive."""

from __future__ import annotations

import http.client
import json
from types import TracebackType
from typing import Any, NamedTuple, Self


class Reply(NamedTuple):
    status: int
    content: Any
    content_type: str


class Client:
    def __init__(self, *, port: int, timeout: float = 20.0) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._connection.close()

    def get(self, path: str) -> Reply:
        return self.send("GET", path)

    def post(self, path: str, body: object, *, key: str | None = None) -> Reply:
        return self.send("POST", path, body=json.dumps(body).encode(), key=key)

    def send(self, method: str, path: str, *, body: bytes | None = None, key: str | None = None) -> Reply:
        headers = {} if key is None else {"Idempotency-Key": key}
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next call opens a new one
            raise
        content = json.loads(data) if data else None
        return Reply(response.status, content, response.headers["Content-Type"])

    def capture(self, *, key: str, reference: str = "order-1", amount: int = 500, token: str = "tok_ok") -> Reply:
        body = {"merchant_reference": reference, "amount_minor": amount, "currency": "EUR", "token": token}
        return self.post("/v1/captures", body, key=key)

    def void(self, *, key: str, reference: str = "order-1") -> Reply:
        return self.post("/v1/voids", {"idempotency_key": key, "merchant_reference": reference})

    def refund(self, *, key: str, capture_id: str, amount: int, currency: str = "EUR") -> Reply:
        body = {"capture_id": capture_id, "amount_minor": amount, "currency": currency}
        return self.post("/v1/refunds", body, key=key)

    def ledger(self, query: str = "") -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.get(f"/v1/ledger{query}").content["entries"]
        return entries
