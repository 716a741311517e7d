"""Events of others, as they arrive from the inbox, become inventory's own commands."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from django_seams.bus import Subscription, handlers_of
from django_seams.events import Envelope
from django_seams.modules import atomic
from modules.inventory.tests.shop import level, reservation, stocked

PLACED = "orders.order_placed.v1"
PAID = "payments.payment_succeeded.v1"
CONFIRMED = "orders.order_confirmed.v1"
CANCELLED = "orders.order_cancelled.v1"


def subscription_to(event_type: str) -> Subscription:
    [found] = [wish for wish in handlers_of("inventory").values() if wish.event_type == event_type]
    return found


def deliver(event_type: str, body: dict[str, object]) -> None:
    """As the worker does: the subscription's view of the body, in a transaction of inventory's."""
    wish = subscription_to(event_type)
    source = f"/modules/{event_type.partition('.')[0]}"
    subject = str(body["order_id"])
    envelope = Envelope(id=uuid4(), type=event_type, source=source, subject=subject, time=datetime.now(UTC))
    with atomic("inventory"):
        wish.call(wish.view.model_validate(body), envelope)


def placed(order_id: UUID, **lines: int) -> dict[str, object]:
    """The whole body that orders publishes, with what inventory does not ask for."""
    return {
        "order_id": str(order_id),
        "customer_id": str(uuid4()),
        "lines": [{"sku": sku, "quantity": number, "unit_price_minor": 5} for sku, number in lines.items()],
        "total_minor": 10,
        "currency": "EUR",
        "deadline_at": "2026-11-01T10:00:00Z",
        "payment_token": "tok_ok",
    }


class TestSubscriptions:
    def test_are_these_four(self):
        assert {wish.event_type for wish in handlers_of("inventory").values()} == {
            PLACED,
            PAID,
            CONFIRMED,
            CANCELLED,
        }

    def test_only_the_release_compensates(self):
        assert [wish.event_type for wish in handlers_of("inventory").values() if wish.compensates] == [CANCELLED]

    def test_never_ask_for_the_payment_token(self):
        assert subscription_to(PLACED).fields == ["lines", "order_id"]


@pytest.mark.seams_db
class TestHandlers:
    def test_a_paid_order_is_reserved_then_sold(self):
        order_id = uuid4()
        stocked("CUP", 5)

        deliver(PLACED, placed(order_id, CUP=2))
        assert reservation(order_id).state == "placed"
        deliver(PAID, {"order_id": str(order_id), "payment_id": str(uuid4()), "amount_minor": 10})
        assert level("CUP") == (3, 2, 0)
        deliver(CONFIRMED, {"order_id": str(order_id)})
        assert level("CUP") == (3, 0, 2)

    def test_a_cancelled_order_is_released(self):
        order_id = uuid4()
        stocked("CUP", 5)

        deliver(PAID, {"order_id": str(order_id)})
        deliver(PLACED, placed(order_id, CUP=2))
        deliver(CANCELLED, {"order_id": str(order_id), "reason": "customer"})

        assert reservation(order_id).state == "cancelled"
        assert level("CUP") == (5, 0, 0)

    def test_an_order_that_is_cancelled_before_it_is_seen_never_reserves(self):
        order_id = uuid4()
        stocked("CUP", 5)

        deliver(CANCELLED, {"order_id": str(order_id), "reason": "deadline"})
        deliver(PLACED, placed(order_id, CUP=2))
        deliver(PAID, {"order_id": str(order_id)})

        assert level("CUP") == (5, 0, 0)

    @pytest.mark.parametrize("quantity", [0, -1])
    def test_a_quantity_that_would_add_stock_is_refused(self, quantity):
        with pytest.raises(ValidationError, match="quantity"):
            deliver(PLACED, placed(uuid4(), CUP=quantity))
