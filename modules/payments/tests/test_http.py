"""GET payments?order_id=… as a customer sees it."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIRequestFactory, force_authenticate

from modules.payments.tests.arrivals import a_placed_order, cancelled_arrives, payment_of, placed_arrives
from modules.payments.views import PaymentList

pytestmark = pytest.mark.seams_db


def get(query, *, customer_id):
    request = APIRequestFactory().get("/payments", query)
    if customer_id:
        force_authenticate(request, user=get_user_model()(pk=customer_id))
    return PaymentList.as_view()(request)


class TestPaymentList:
    def test_shows_the_payment_of_an_own_order(self):
        order = a_placed_order()
        placed_arrives(order)
        response = get({"order_id": order["order_id"]}, customer_id=order["customer_id"])
        [shown] = response.data["results"]
        assert shown == {
            "payment_id": str(payment_of(order).pk),
            "order_id": order["order_id"],
            "state": "requested",
            "wanted": "captured",
            "amount_minor": 1999,
            "captured_minor": 0,
            "refunded_minor": 0,
            "currency": "EUR",
            "created_at": shown["created_at"],
        }

    def test_shows_nothing_of_a_foreign_order(self):
        order = a_placed_order()
        placed_arrives(order)
        response = get({"order_id": order["order_id"]}, customer_id=str(uuid.uuid4()))
        assert response.data["results"] == []

    def test_shows_no_tombstones(self):
        order = a_placed_order()
        cancelled_arrives(order)
        response = get({"order_id": order["order_id"]}, customer_id=order["customer_id"])
        assert response.data["results"] == []

    @pytest.mark.parametrize("query", [{}, {"order_id": ""}, {"order_id": "42"}, {"order_id": "x" * 5000}])
    def test_names_an_order_id_that_is_missing_or_malformed(self, query):
        response = get(query, customer_id=str(uuid.uuid4()))
        assert response.status_code == 400
        assert "order_id" in str(response.data)

    def test_needs_a_customer(self):
        assert get({"order_id": str(uuid.uuid4())}, customer_id=None).status_code in (401, 403)
