from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from modules.orders.tests.builders import (
    NOW,
    TOKEN,
    Customer,
    client_of,
    deliver,
    place,
    sell,
    timeline_of,
)

pytestmark = [pytest.mark.seams_db, pytest.mark.urls("modules.orders.urls")]

BODY = {"lines": [{"sku": "TEA", "quantity": 2}], "payment_token": TOKEN, "currency": "EUR"}


@pytest.fixture
def customer():
    return Customer()


@pytest.fixture
def client(customer):
    return client_of(customer)


def post_order(client, body=BODY, key=None):
    return client.post("/orders", body, format="json", headers={"Idempotency-Key": key or str(uuid4())})


class TestPlacing:
    def test_answers_the_order_and_where_it_is(self, client):
        sell()
        answer = post_order(client)
        assert answer.status_code == 201
        order = answer.json()
        assert answer["Location"] == f"/orders/{order['id']}"
        assert {name: order[name] for name in ("status", "reason", "total_minor", "currency")} == {
            "status": "pending",
            "reason": None,
            "total_minor": 2500,
            "currency": "EUR",
        }
        assert order["lines"] == [{"sku": "TEA", "quantity": 2, "unit_price_minor": 1250}]
        assert client.get(answer["Location"]).json() == order
        assert TOKEN not in answer.content.decode()

    def test_needs_few_statements(self, client):
        sell()
        with CaptureQueriesContext(connections["orders"]) as captured:
            assert post_order(client).status_code == 201
        savepoints = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
        statements = [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(savepoints)]
        of_publish = 2
        assert len(statements) <= 8 + of_publish, "\n".join(statements)

    def test_takes_a_hundred_lines_of_a_thousand(self, client):
        for number in range(100):
            sell(sku=f"SKU-{number}")
        lines = [{"sku": f"SKU-{number}", "quantity": 1000} for number in range(100)]
        assert post_order(client, {**BODY, "lines": lines}).json()["total_minor"] == 125_000_000


class TestReading:
    def test_shows_another_customers_order_to_nobody(self, client):
        foreign = place().order_id
        for method, path in [("get", ""), ("get", "/timeline"), ("post", "/cancel")]:
            answer = getattr(client, method)(f"/orders/{foreign}{path}")
            assert answer.status_code == 404, path
        assert client.get("/orders").json()["results"] == []

    def test_says_the_same_of_an_order_that_is_not_there(self, client):
        foreign, nowhere = place().order_id, uuid4()
        answers = [client.get(f"/orders/{order_id}") for order_id in (foreign, nowhere)]
        assert answers[0].status_code == answers[1].status_code == 404
        texts = [
            answer.content.decode().replace(str(order_id), "")
            for answer, order_id in zip(answers, (foreign, nowhere), strict=True)
        ]
        assert texts[0] == texts[1]

    @pytest.mark.parametrize("path", ["", "/timeline"])
    @pytest.mark.parametrize("order_id", ["42", "not-a-uuid", f"urn:uuid:{uuid4()}", uuid4().hex, "%00"])
    def test_refuses_an_id_that_is_no_uuid(self, client, order_id, path):
        answer = client.get(f"/orders/{order_id}{path}")
        assert answer.status_code == 400
        assert "UUID" in answer.content.decode()

    def test_needs_somebody(self):
        order_id = place().order_id
        for path in ("/orders", f"/orders/{order_id}", f"/orders/{order_id}/timeline"):
            assert APIClient().get(path).status_code in (401, 403)


class TestListing:
    def test_is_newest_first_in_bounded_pages(self, client, customer):
        placed = [place(customer_id=customer.id, now=NOW + timedelta(seconds=number // 2)) for number in range(25)]
        first = client.get("/orders").json()
        second = client.get(first["next"]).json()
        assert (len(first["results"]), len(second["results"]), second["next"]) == (20, 5, None)
        shown = first["results"] + second["results"]
        assert {order["id"] for order in shown} == {str(order.order_id) for order in placed}
        times = [order["placed_at"] for order in shown]
        assert times == sorted(times, reverse=True)
        assert client.get(second["previous"]).json()["results"] == first["results"]

    def test_gives_no_page_of_more_than_a_hundred(self, client, customer):
        for _ in range(101):
            place(customer_id=customer.id)
        assert len(client.get("/orders?page_size=100000").json()["results"]) == 100

    def test_can_be_narrowed_to_one_status(self, client, customer):
        pending, paid = place(customer_id=customer.id), place(customer_id=customer.id)
        deliver("payments.payment_succeeded.v1", paid.order_id)
        for status, order in [("pending", pending), ("paid", paid)]:
            results = client.get(f"/orders?status={status}").json()["results"]
            assert [result["id"] for result in results] == [str(order.order_id)]

    def test_refuses_a_status_that_does_not_exist(self, client):
        answer = client.get("/orders?status=lost")
        assert answer.status_code == 400
        assert "pending, paid, confirmed, cancelled" in answer.content.decode()

    @pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD0yMDI2LTk5LTk5", "cj1h", "bz0tMQ=="])
    def test_refuses_a_cursor_that_is_not_ours(self, client, cursor):
        assert client.get("/orders", {"cursor": cursor}).status_code == 404

    def test_reads_the_lines_of_a_page_at_once(self, client, customer):
        for _ in range(15):
            place(customer_id=customer.id)
        with CaptureQueriesContext(connections["orders"]) as captured:
            client.get("/orders")
        assert len(captured) == 2


class TestCancelling:
    def test_cancels_and_answers_the_order_twice_alike(self, client, customer):
        order_id = place(customer_id=customer.id).order_id
        answers = [client.post(f"/orders/{order_id}/cancel") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        assert (answers[0].json()["status"], answers[0].json()["reason"]) == ("cancelled", "customer")

    def test_is_too_late_for_a_confirmed_order(self, client, customer):
        order_id = place(customer_id=customer.id).order_id
        deliver("inventory.stock_reserved.v1", order_id)
        answer = client.post(f"/orders/{order_id}/cancel")
        assert answer.status_code == 409
        assert "confirmed" in answer.content.decode()

    def test_refuses_an_id_that_is_no_uuid(self, client):
        assert client.post("/orders/42/cancel").status_code == 400


class TestTimeline:
    def test_tells_time_module_type_and_what_changed(self, client, customer):
        order_id = place(customer_id=customer.id).order_id
        deliver("payments.payment_failed.v1", order_id)
        deliver("payments.payment_succeeded.v1", order_id)
        answer = client.get(f"/orders/{order_id}/timeline")
        told = [(entry["module"], entry["type"], entry["changed"].get("status")) for entry in answer.json()["entries"]]
        assert told == [
            ("orders", "orders.order_placed.v1", [None, "pending"]),
            ("payments", "payments.payment_failed.v1", ["pending", "cancelled"]),
            ("orders", "orders.order_cancelled.v1", None),
            ("payments", "payments.payment_succeeded.v1", None),
        ]
        assert all(entry["occurred_at"] and entry["recorded_at"] for entry in answer.json()["entries"])
        assert TOKEN not in answer.content.decode()
        assert len(timeline_of(order_id)) == len(told)
