from datetime import timedelta
from uuid import uuid4

import pytest

from modules.orders import idempotency, jobs
from modules.orders.idempotency import Answer, answer_once, prune_idempotency_records
from modules.orders.models import IdempotencyRecord, Order
from modules.orders.tests.builders import NOW, Customer, client_of, sell

pytestmark = [pytest.mark.seams_db, pytest.mark.urls("modules.orders.urls")]

BODY = {"lines": [{"sku": "TEA", "quantity": 2}], "payment_token": "tok_ok", "currency": "EUR"}
SHUFFLED = {"currency": "EUR", "payment_token": "tok_ok", "lines": [{"quantity": 2, "sku": "TEA"}]}


@pytest.fixture
def client():
    sell()
    return client_of(Customer())


def post(client, body=BODY, key="key-1"):
    return client.post("/orders", body, format="json", headers={"Idempotency-Key": key})


class TestTheSameKey:
    @pytest.mark.parametrize("again", [BODY, SHUFFLED])
    def test_with_the_same_body_gives_the_first_answer_again(self, client, again):
        first, second = post(client), post(client, again)
        assert (second.status_code, second.content) == (first.status_code, first.content)
        assert second["Location"] == first["Location"]
        assert ("Idempotent-Replay" in first, second["Idempotent-Replay"]) == (False, "true")
        assert Order.objects.count() == 1

    def test_gives_the_first_answer_even_when_the_order_has_moved_on(self, client):
        first = post(client)
        client.post(f"{first['Location']}/cancel")
        assert post(client).json() == first.json()

    @pytest.mark.parametrize(
        "other",
        [
            {**BODY, "payment_token": "tok_other"},
            {**BODY, "lines": [{"sku": "TEA", "quantity": 3}]},
        ],
    )
    def test_with_another_body_is_refused(self, client, other):
        post(client)
        answer = post(client, other)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]
        assert Order.objects.count() == 1

    def test_of_another_customer_is_another_key(self, client):
        orders = {post(client).json()["id"], post(client_of(Customer())).json()["id"]}
        assert len(orders) == 2

    def test_is_free_again_after_a_refusal(self, client):
        refused = post(client, {**BODY, "currency": "USD"})
        assert refused.status_code == 422
        assert post(client).status_code == 201

    @pytest.mark.parametrize("key", ["!", "~" * 255, "a,b;c=d"])
    def test_may_be_any_visible_ascii(self, client, key):
        assert post(client, key=key).status_code == 201
        assert post(client, key=key)["Idempotent-Replay"] == "true"


class TestWhatIsKept:
    def test_holds_the_request_as_a_digest_only(self, client):
        post(client)
        record = IdempotencyRecord.objects.values().get()
        assert "tok_ok" not in str(record)
        assert len(record["request_sha256"]) == 64

    def test_is_nothing_when_the_work_fails(self):
        def fail() -> Answer:
            raise ArithmeticError

        with pytest.raises(ArithmeticError):
            answer_once(customer_id=uuid4(), operation="place_order", key="k", request={}, now=NOW, act=fail)
        assert not IdempotencyRecord.objects.exists()


class TestPruning:
    def keep(self, age: timedelta) -> None:
        answer = Answer(status=201, body={}, location="/orders/1")
        answer_once(
            customer_id=uuid4(),
            operation="place_order",
            key="k",
            request={},
            now=NOW - age,
            act=lambda: answer,
        )

    def test_removes_what_is_older_than_a_day(self):
        for age in (timedelta(hours=25), timedelta(hours=24, seconds=1), timedelta(hours=23)):
            self.keep(age)
        assert prune_idempotency_records(NOW) == 2
        assert IdempotencyRecord.objects.get().created_at == NOW - timedelta(hours=23)

    def test_works_in_batches_so_that_no_lock_is_held_for_long(self, monkeypatch):
        monkeypatch.setattr(idempotency, "PRUNE_BATCH", 2)
        for _ in range(3):
            self.keep(timedelta(days=2))
        assert [jobs.forget_old_answers(NOW) for _ in range(3)] == [2, 1, 0]
