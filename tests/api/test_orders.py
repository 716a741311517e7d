"""An order from the customer's side, through every module, the inbox and the outbox."""

from uuid import uuid4

import pytest

from django_seams.testing import drain
from tests.api.requests import BODY, assert_problem, post_order, rows_written

pytestmark = pytest.mark.seams_db


class TestPlacing:
    def test_twice_with_one_key_is_one_order(self, client):
        key = str(uuid4())
        first, second = post_order(client, key=key), post_order(client, key=key)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert first["Location"] == second["Location"] == f"/api/v1/orders/{first.json()['id']}"
        assert len(client.get("/api/v1/orders").json()["results"]) == 1

    def test_something_else_with_a_used_key_is_refused_and_writes_nothing(self, client):
        key = str(uuid4())
        post_order(client, key=key)
        before = rows_written()
        other = {**BODY, "lines": [{"sku": "TEA", "quantity": 2}]}
        assert_problem(post_order(client, other, key=key), 422, "Idempotency-Key")
        assert rows_written() == before

    def test_with_the_key_of_another_customer_is_an_order_of_ones_own(self, client, stranger):
        key = str(uuid4())
        assert post_order(client, key=key).json()["id"] != post_order(stranger, key=key).json()["id"]


class TestOrdersOfOthers:
    @pytest.mark.parametrize("rest", ["", "/timeline", "/cancel"])
    def test_look_like_orders_that_are_not_there(self, client, stranger, rest):
        order_id, nobodys = post_order(client).json()["id"], str(uuid4())
        send = stranger.post if rest == "/cancel" else stranger.get
        foreign = assert_problem(send(f"/api/v1/orders/{order_id}{rest}"), 404)
        missing = assert_problem(send(f"/api/v1/orders/{nobodys}{rest}"), 404)
        assert str(foreign).replace(order_id, nobodys) == str(missing)
        assert client.get(f"/api/v1/orders/{order_id}").json()["status"] == "pending"

    def test_are_not_listed_nor_are_their_payments(self, client, stranger):
        order_id = post_order(client).json()["id"]
        drain()
        assert len(client.get("/api/v1/payments", {"order_id": order_id}).json()["results"]) == 1
        assert stranger.get("/api/v1/payments", {"order_id": order_id}).json()["results"] == []
        assert stranger.get("/api/v1/orders").json()["results"] == []


class TestPaymentTokens:
    def test_are_shown_to_nobody(self, client):
        body = {**BODY, "payment_token": "tok_never_to_be_seen"}
        order = post_order(client, body)
        drain()
        order_id = order.json()["id"]
        paths = [f"orders/{order_id}", f"orders/{order_id}/timeline", "orders", f"payments?order_id={order_id}"]
        answers = [client.get(f"/api/v1/{path}") for path in paths]
        assert [answer.status_code for answer in answers] == [200] * len(paths)
        assert not any(b"tok_never_to_be_seen" in answer.content for answer in [order, *answers])
