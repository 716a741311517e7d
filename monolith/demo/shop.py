"""The demo's customer: places, reads and cancels orders over the public API."""

from typing import Any
from uuid import uuid4

import httpx2

from monolith.demo.wishes import Wish


class ShopError(Exception):
    """The API answered something else than it had to."""


class Shop:
    """A client of the API; may be used by many threads."""

    def __init__(self, *, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx2.Client(base_url=f"{url}/api/v1", headers=headers, timeout=15, trust_env=False)

    def place(self, wish: Wish) -> str:
        """Order it, and cancel it at once if that is the wish; answers the order's id."""
        body = {
            "lines": [{"sku": wish.sku, "quantity": wish.quantity}],
            "payment_token": wish.token,
            "currency": "EUR",
        }
        answer = self._client.post("/orders", json=body, headers={"Idempotency-Key": str(uuid4())})
        order_id = str(_read(answer, 201)["id"])
        if wish.is_cancelled:
            _read(self.cancel(order_id), 200)
        return order_id

    def cancel(self, order_id: str) -> httpx2.Response:
        return self._client.post(f"/orders/{order_id}/cancel")

    def order(self, order_id: str) -> dict[str, Any]:
        return _read(self._client.get(f"/orders/{order_id}"), 200)

    def timeline(self, order_id: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = _read(self._client.get(f"/orders/{order_id}/timeline"), 200)["entries"]
        return entries


def _read(answer: httpx2.Response, expected: int) -> dict[str, Any]:
    if answer.status_code != expected:
        raise ShopError(
            f"{answer.request.method} {answer.request.url.path} → {answer.status_code}: {answer.text[:500]}"
        )
    body: dict[str, Any] = answer.json()
    return body
