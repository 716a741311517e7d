"""The system as a customer and a test see it: the API in front, a provider in memory behind."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from django_seams.inbox import MAX_ATTEMPTS, DeadLetter, dead_letters, replay
from django_seams.modules import declared_modules
from django_seams.testing import drain
from modules.inventory import api as inventory
from modules.orders import api as orders
from modules.orders.jobs import cancel_overdue_orders
from modules.payments import api as payments
from modules.payments.jobs import drive_payments
from modules.payments.local.testing import FakeProvider
from monolith.accounts.models import User
from monolith.accounts.tokens import issue_token
from tests.saga.wires import Wires

PRICE = 1250
JOBS = (drive_payments, cancel_overdue_orders)
LONG = timedelta(minutes=5)
MOMENT = timedelta(seconds=5)


class Shop:
    """``rest`` lets everything come to rest; ``later`` is how far the clock has been put forward."""

    def __init__(self, provider: FakeProvider) -> None:
        self.provider = provider
        self.later = timedelta(0)
        self._api = APIClient()
        user = User.objects.create(username=f"customer-{uuid.uuid4()}")
        self._api.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_token(user=user, label='test')}")

    # --- what a customer does ---

    def place(self, *, token: str = "tok_ok", **quantities: int) -> str:
        """Order one piece of TEA unless told otherwise; answers the order's id."""
        lines = [{"sku": sku, "quantity": count} for sku, count in (quantities or {"TEA": 1}).items()]
        body = {"lines": lines, "payment_token": token, "currency": "EUR"}
        answer = self._api.post("/api/v1/orders", body, headers={"Idempotency-Key": str(uuid.uuid4())})
        assert answer.status_code == 201, answer.content
        return str(answer.json()["id"])

    def cancel(self, order: str) -> Response:
        return self._api.post(f"/api/v1/orders/{order}/cancel")

    def shown(self, order: str) -> dict[str, Any]:
        return dict(self._api.get(f"/api/v1/orders/{order}").json())

    def end(self, order: str) -> tuple[str, str | None, int]:
        """Status, reason and what was given back, as the customer sees them."""
        shown = self.shown(order)
        return shown["status"], shown["reason"], shown["refunded_minor"]

    def timeline(self, order: str) -> list[tuple[str, str]]:
        """What happened, oldest first: the event's name, and the status it led to if it led to one."""
        entries = self._api.get(f"/api/v1/orders/{order}/timeline").json()["entries"]
        return [(entry["type"].split(".")[1], entry["changed"].get("status", [None, ""])[1]) for entry in entries]

    # --- what time does ---

    def rest(self, *, back_off: bool = False) -> None:
        """Relay, handle, drive and keep deadlines until nothing moves."""
        # Given a time, drain stops the clock at it, and what is appended a moment later is not due yet.
        now = timezone.now() + self.later if self.later else None
        drain(now=now, jobs=JOBS, back_off=back_off)

    def wait(self, duration: timedelta = LONG) -> None:
        """Put the clock forward, past every deadline unless told otherwise, and let everything come to rest."""
        self.later += duration
        self.rest()

    def wait_a_moment(self) -> None:
        """Past the driver's longest pause, and far from any deadline."""
        self.wait(MOMENT)

    def drive(self) -> None:
        """Let the driver take one step."""
        assert drive_payments(timezone.now() + self.later) == 1

    def pay(self, wires: Wires) -> None:
        """Capture what was placed and tell orders; inventory hears nothing yet."""
        wires.carry_and_work(("orders", "payments"))
        self.drive()
        wires.carry_and_work(("payments", "orders"))

    def give_up(self) -> None:
        """Let time pass until what keeps failing is a dead letter."""
        for _ in range(MAX_ATTEMPTS):
            self.rest(back_off=True)
            self.later += timedelta(minutes=2)

    def replay_all(self) -> None:
        """What an operator does once the cause of the dead letters is gone."""
        for letter in self.dead_letters():
            replay(alias=letter.module, id=letter.id)

    # --- what an auditor sees ---

    def payment(self, order: str) -> payments.PaymentSummary:
        [found] = [payment for payment in payments.payments() if str(payment.order_id) == order]
        return found

    def reservation(self, order: str) -> str:
        [found] = [each for each in inventory.reservations() if str(each.order_id) == order]
        return found.state.value

    def level(self, sku: str = "TEA") -> tuple[int, int, int]:
        """On hand, reserved, sold."""
        [found] = [level for level in inventory.stock_levels() if level.sku == sku]
        return found.on_hand, found.reserved, found.sold

    def dead_letters(self) -> list[DeadLetter]:
        return [letter for name in declared_modules() for letter in dead_letters(alias=name, module=name)]

    def books(self, order: str) -> tuple[int, int]:
        """What the provider captured and gave back for the order."""
        payment = self.payment(order)
        captured = self.provider.captures.get(f"charge-{order}", 0)
        return captured, self.provider.refunds.get(f"refund-{payment.payment_id}", 0)


def offer(sku: str = "TEA", *, pieces: int = 10) -> None:
    """A product with so many pieces in stock, known to orders."""
    inventory.put_product(sku=sku, name=f"The {sku}", unit_price_minor=PRICE, currency="EUR")
    inventory.receive_stock(sku=sku, quantity=pieces, reference="first delivery")
    drain()
    assert sku in orders.catalogue_versions()
