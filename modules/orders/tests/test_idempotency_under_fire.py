"""Idempotency with real transactions: concurrent requests, and a crash between claim and answer."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import OperationalError, connections

from django_seams.modules import atomic
from modules.orders import idempotency, services
from modules.orders.idempotency import Answer, answer_once
from modules.orders.models import IdempotencyRecord, Order, OrderLine, TimelineEntry
from modules.orders.tests.builders import NOW, Customer, client_of, published, sell
from modules.orders.types import WantedLine

pytestmark = [pytest.mark.seams_db(transaction=True), pytest.mark.urls("modules.orders.urls")]

BODY = {"lines": [{"sku": "TEA", "quantity": 2}], "payment_token": "tok_ok", "currency": "EUR"}
CLIENTS = 8
PATIENCE = 200  # tries of one client, each a second apart in real life


def post(customer, key="key-1"):
    return client_of(customer).post("/orders", BODY, format="json", headers={"Idempotency-Key": key})


def rows_written() -> dict[str, int]:
    models = (Order, OrderLine, TimelineEntry, IdempotencyRecord)
    counts = {model.__name__: model.objects.count() for model in models}
    return counts | {"published": len(published())}


ONE_ORDER = {"Order": 1, "OrderLine": 1, "TimelineEntry": 1, "IdempotencyRecord": 1, "published": 1}
NOTHING = dict.fromkeys(ONE_ORDER, 0)


class TestConcurrentRequestsWithOneKey:
    def test_make_exactly_one_order_and_all_get_its_answer(self):
        sell()
        customer, together = Customer(), threading.Barrier(CLIENTS)

        def insist():
            try:
                together.wait(timeout=30)
                for _ in range(PATIENCE):
                    answer = post(customer)
                    if answer.status_code != 409:
                        return answer.status_code, answer.content, "Idempotent-Replay" in answer
                    assert answer["Retry-After"] == "1"
                raise AssertionError("the key stayed in flight")
            finally:
                connections.close_all()

        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = [future.result(timeout=60) for future in [pool.submit(insist) for _ in range(CLIENTS)]]

        assert {(status, content) for status, content, _ in answers} == {answers[0][:2]}
        assert answers[0][0] == 201
        assert [is_replay for *_, is_replay in answers].count(False) == 1
        assert rows_written() == ONE_ORDER

    def test_are_told_to_come_back_while_the_first_is_in_flight(self):
        sell()
        customer = Customer()
        with another_request_in_flight(customer, "key-1"):
            answer = post(customer)
            assert answer.status_code == 409
            assert answer["Retry-After"] == "1"
            assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]
            assert post(customer, key="key-2").status_code == 201
            assert post(Customer()).status_code == 201
        assert post(customer).status_code == 201


class TestACrashBetweenClaimAndAnswer:
    def test_leaves_nothing_and_the_retry_succeeds(self, monkeypatch):
        sell()
        customer = Customer()

        def crash(record, **options):
            assert Order.objects.exists()
            raise ArithmeticError("killed in the middle")

        with monkeypatch.context() as patched:
            patched.setattr(IdempotencyRecord, "save", crash)
            with pytest.raises(ArithmeticError):
                post(customer)
        assert rows_written() == NOTHING
        answer = post(customer)
        assert (answer.status_code, "Idempotent-Replay" in answer) == (201, False)
        assert rows_written() == ONE_ORDER

    def test_of_the_server_process_leaves_nothing_and_the_retry_succeeds(self):
        sell()
        customer_id = uuid4()

        def place() -> Answer:
            order = services.place_order(
                customer_id=customer_id,
                lines=[WantedLine(sku="TEA", quantity=1)],
                currency="EUR",
                payment_token="tok_ok",
                now=NOW,
            )
            return Answer(status=201, body={"id": str(order.order_id)}, location="")

        def place_and_lose_the_server() -> Answer:
            place()
            with connections["orders"].cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            raise AssertionError("the connection should be gone")

        def ask(act):
            return answer_once(
                customer_id=customer_id, operation="place_order", key="k", request=BODY, now=NOW, act=act
            )

        with pytest.raises(OperationalError):
            ask(place_and_lose_the_server)
        connections["orders"].close()
        assert rows_written() == NOTHING
        assert not ask(place).is_replay
        assert rows_written() == ONE_ORDER


@contextmanager
def another_request_in_flight(customer: Customer, key: str) -> Iterator[None]:
    """Somebody else's transaction that has claimed the key and is not done yet."""
    claimed, done = threading.Event(), threading.Event()

    def claim():
        try:
            with atomic("orders"):
                idempotency._claim(customer.id, "place_order", key)
                claimed.set()
                done.wait(timeout=30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=claim)
    thread.start()
    try:
        assert claimed.wait(timeout=30)
        yield
    finally:
        done.set()
        thread.join(timeout=30)
