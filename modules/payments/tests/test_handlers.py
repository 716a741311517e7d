"""What payments hears, in every order of arrival."""

import uuid
from datetime import datetime
from itertools import permutations

import pytest

from modules.payments.models import Payment
from modules.payments.tests.arrivals import (
    a_placed_order,
    arrives,
    cancelled_arrives,
    payment_of,
    placed_arrives,
    published_about,
)
from modules.payments.types import Route, State, Wanted

pytestmark = pytest.mark.seams_db


class TestOrderPlaced:
    def test_wants_the_money_of_the_order(self):
        order = a_placed_order()
        placed_arrives(order)
        payment = payment_of(order)
        assert (payment.state, payment.wanted, payment.route) == (
            State.REQUESTED,
            Wanted.CAPTURED,
            Route.LOCAL,
        )
        assert (payment.amount_minor, payment.currency) == (1999, "EUR")
        assert str(payment.customer_id) == order["customer_id"]
        assert payment.deadline_at == datetime.fromisoformat(order["deadline_at"])
        assert payment.next_at is not None

    def test_publishes_nothing_before_the_provider_has_spoken(self):
        order = a_placed_order()
        placed_arrives(order)
        assert published_about(order) == []

    def test_keeps_what_it_heard_first(self):
        order = a_placed_order()
        placed_arrives(order)
        placed_arrives(order | {"total_minor": 1})
        assert payment_of(order).amount_minor == 1999
        assert Payment.objects.count() == 1

    def test_executes_an_event_that_is_delivered_twice_once(self):
        order, event_id = a_placed_order(), uuid.uuid4()
        arrives("orders.order_placed.v1", order, event_id=event_id)
        Payment.objects.all().delete()
        assert arrives("orders.order_placed.v1", order, event_id=event_id) == []
        assert not Payment.objects.exists()

    @pytest.mark.parametrize(
        "change", [{"total_minor": 0}, {"currency": "euro"}, {"deadline_at": "soon"}, {"customer_id": "me"}]
    )
    def test_refuses_an_order_that_cannot_be_charged(self, change):
        order = a_placed_order(**change)
        [failure] = arrives("orders.order_placed.v1", order)
        assert next(iter(change)) in str(failure.error)
        assert not Payment.objects.exists()


class TestOrderCancelled:
    def test_wants_the_money_back(self):
        order = a_placed_order()
        placed_arrives(order)
        cancelled_arrives(order)
        payment = payment_of(order)
        assert (payment.state, payment.wanted) == (State.REQUESTED, Wanted.REFUNDED)
        assert payment.next_at is not None

    def test_leaves_a_tombstone_for_an_order_not_seen_yet(self):
        order = a_placed_order()
        cancelled_arrives(order)
        payment = payment_of(order)
        assert (payment.state, payment.wanted, payment.next_at) == (State.UNSEEN, Wanted.REFUNDED, None)

    def test_outlives_an_order_that_is_seen_late(self):
        order = a_placed_order()
        cancelled_arrives(order)
        placed_arrives(order)
        payment = payment_of(order)
        assert (payment.state, payment.wanted) == (State.REQUESTED, Wanted.REFUNDED)
        assert payment.amount_minor == 1999
        assert payment.next_at is not None

    @pytest.mark.parametrize("final", [State.DECLINED, State.VOIDED, State.REFUNDED])
    def test_changes_nothing_about_a_payment_that_is_final(self, final):
        order = a_placed_order()
        placed_arrives(order)
        Payment.objects.update(state=final, payment_token="", next_at=None)
        cancelled_arrives(order)
        payment = payment_of(order)
        assert (payment.state, payment.next_at) == (final, None)

    def test_makes_a_captured_payment_due_again(self):
        order = a_placed_order()
        placed_arrives(order)
        Payment.objects.update(state=State.CAPTURED, captured_minor=1999, payment_token="", next_at=None)
        cancelled_arrives(order)
        assert payment_of(order).next_at is not None

    def test_takes_no_lease_away(self):
        order, token = a_placed_order(), uuid.uuid4()
        placed_arrives(order)
        Payment.objects.update(lease_token=token, state=State.CHARGING)
        cancelled_arrives(order)
        payment = payment_of(order)
        assert (payment.lease_token, payment.state) == (token, State.CHARGING)


class TestAnyOrderOfArrival:
    @pytest.mark.parametrize("arrivals", sorted(set(permutations([placed_arrives, cancelled_arrives] * 2)), key=str))
    def test_ends_with_one_payment_that_is_not_wanted(self, arrivals):
        order = a_placed_order()
        for arrival in arrivals:
            arrival(order)
        payment = payment_of(order)
        assert Payment.objects.count() == 1
        assert (payment.state, payment.wanted, payment.payment_token) == (
            State.REQUESTED,
            Wanted.REFUNDED,
            "",
        )
