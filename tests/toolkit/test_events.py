"""What can be declared as an event, and what is kept from people's eyes."""

import subprocess
import sys
from typing import Annotated
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from django_seams import events
from django_seams.bus import SubscriptionError, subscribe
from django_seams.events import (
    SENSITIVE,
    Envelope,
    Event,
    EventDeclarationError,
    View,
    declared_events,
    sensitive_fields,
)


@pytest.fixture
def cancelled():
    """An event that only these tests know."""

    class Cancelled(Event, type="orders.toolkit_test_cancelled.v1", key="order_id"):
        """Only these tests know it."""

        order_id: UUID
        card: Annotated[str, SENSITIVE]

    yield Cancelled
    events._declared.pop("orders.toolkit_test_cancelled.v1")


class TestDeclaring:
    def test_lists_the_event_by_its_type(self, cancelled):
        assert declared_events()["orders.toolkit_test_cancelled.v1"] is cancelled

    @pytest.mark.parametrize("type_", ["placed.v1", "orders.OrderPlaced.v1", "orders.order_placed", "orders.x.v0"])
    def test_refuses_a_type_that_is_not_a_module_a_fact_and_a_version(self, type_):
        with pytest.raises(EventDeclarationError, match=r"module\.past_tense\.v1"):
            type("Bad", (Event,), {"__annotations__": {"n": int}}, type=type_, key="n")

    def test_refuses_a_key_that_is_no_field(self):
        with pytest.raises(EventDeclarationError, match="'sku'"):
            type("Bad", (Event,), {"__annotations__": {"n": int}}, type="orders.bad_key.v1", key="sku")

    def test_refuses_a_second_event_of_the_same_type(self, cancelled):
        with pytest.raises(EventDeclarationError, match="declared by"):
            type(
                "Other",
                (Event,),
                {"__annotations__": {"n": int}},
                type="orders.toolkit_test_cancelled.v1",
                key="n",
            )

    def test_needs_no_django(self):
        code = "import sys, django_seams.events; sys.exit('django' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestEvent:
    def test_cannot_be_changed(self, cancelled):
        event = cancelled(order_id=uuid4(), card="4111")
        with pytest.raises(ValidationError, match="frozen"):
            event.card = "other"

    def test_refuses_a_field_that_it_does_not_declare(self, cancelled):
        with pytest.raises(ValidationError, match="extra"):
            cancelled(order_id=uuid4(), card="4111", colour="red")

    def test_does_not_show_what_is_sensitive(self, cancelled):
        event = cancelled(order_id=uuid4(), card="4111")
        assert "4111" not in repr(event)
        assert "4111" not in str(event)
        assert sensitive_fields(cancelled) == {"card"}


class TestSubscribing:
    def test_takes_the_view_from_the_function(self):
        class Wanted(View):
            order_id: UUID

        def charge_order(event: Wanted, envelope: Envelope) -> None: ...

        charge_order.__module__ = __name__
        from django_seams.bus import subscribed

        with subscribed("orders.order_placed.v1", charge_order, module="payments") as subscription:
            assert subscription.handler == "payments.charge_order"
            assert subscription.fields == ["order_id"]

    def test_refuses_a_function_outside_every_module(self):
        def anywhere(event: View, envelope: Envelope) -> None: ...

        with pytest.raises(SubscriptionError, match="no declared module"):
            subscribe("orders.order_placed.v1")(anywhere)

    def test_refuses_a_function_without_a_view(self):
        def charge(event: dict, envelope: Envelope) -> None: ...

        with pytest.raises(SubscriptionError, match="must take"):
            subscribe("orders.order_placed.v1", module="payments")(charge)

    def test_refuses_a_name_that_does_not_fit_the_log(self):
        def handler(event: View, envelope: Envelope) -> None: ...

        handler.__name__ = "x" * 60
        with pytest.raises(SubscriptionError, match="longer than 63"):
            subscribe("orders.order_placed.v1", module="payments")(handler)

    def test_refuses_a_type_that_is_none(self):
        def handler(event: View, envelope: Envelope) -> None: ...

        with pytest.raises(SubscriptionError, match="not of the form"):
            subscribe("order placed", module="payments")(handler)
