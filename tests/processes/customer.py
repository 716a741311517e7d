"""A customer of the public API who does not give up, and the provider's books."""

import time
import uuid
from collections import Counter
from typing import Any

import httpx2

from tests.processes.system import System, until

FINAL = ("confirmed", "cancelled")
_PATIENCE = 45.0


class Customer:
    """May be used by many threads."""

    def __init__(self, system: System, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.Client(base_url=f"{system.url}/api/v1", headers=headers, timeout=15, trust_env=False)

    def place(self, *, token: str = "tok_ok", sku: str = "cup", quantity: int = 1, key: str = "") -> str:
        """Place an order, trying again with the same key while the system cannot answer; answers its id."""
        key, deadline = key or str(uuid.uuid4()), time.monotonic() + _PATIENCE
        while True:
            answer = self._try(token=token, sku=sku, quantity=quantity, key=key)
            if answer is not None and answer.status_code == 201:
                return str(answer.json()["id"])
            assert answer is None or answer.status_code in (409, 503), answer.text
            assert time.monotonic() < deadline, answer and answer.text
            time.sleep(0.2)

    def status_of_place(self, *, sku: str, key: str) -> int | None:
        """What one attempt is answered with; None when nobody answers."""
        answer = self._try(token="tok_ok", sku=sku, quantity=1, key=key)
        return answer and answer.status_code

    def _try(self, *, token: str, sku: str, quantity: int, key: str) -> httpx2.Response | None:
        body = {"lines": [{"sku": sku, "quantity": quantity}], "payment_token": token, "currency": "EUR"}
        try:
            return self._http.post("/orders", json=body, headers={"Idempotency-Key": key})
        except httpx2.TransportError:
            return None

    def cancel(self, order: str) -> int:
        return self._http.post(f"/orders/{order}/cancel").status_code

    def order(self, order: str) -> dict[str, Any]:
        return dict(self._http.get(f"/orders/{order}").raise_for_status().json())

    def timeline(self, order: str) -> list[str]:
        """The names of the events, oldest first."""
        entries = self._http.get(f"/orders/{order}/timeline").raise_for_status().json()["entries"]
        return [entry["type"].split(".")[1] for entry in entries]

    def stock(self, sku: str) -> dict[str, Any]:
        return dict(self._http.get(f"/stock/{sku}").raise_for_status().json())

    def ends(self, *orders: str) -> Counter[str]:
        """Wait until all these orders have ended; answers how: ``confirmed``, or the reason."""
        waiting = list(orders)
        found: Counter[str] = Counter()

        def all_ended() -> bool:
            for order in list(waiting):
                shown = self.order(order)
                if shown["status"] in FINAL:
                    waiting.remove(order)
                    found[shown["reason"] or shown["status"]] += 1
            return not waiting

        until(all_ended, what="orders end")
        return found


class Provider:
    """The payment provider, as its operator sees it."""

    def __init__(self, system: System) -> None:
        self._http = httpx2.Client(base_url=system.psp_url, timeout=15, trust_env=False)

    def control(self, **switches: bool | int) -> None:
        self._http.post("/v1/control", json=switches).raise_for_status()

    def booked(self, kind: str, order: str) -> list[int]:
        """The amounts of an order's captures or refunds in the ledger."""
        entries = self._http.get("/v1/ledger").raise_for_status().json()["entries"]
        return [e["amount_minor"] for e in entries if e["kind"] == kind and e["merchant_reference"] == order]
