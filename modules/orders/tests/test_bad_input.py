"""What is wrong is refused with the field's name and what to do, and nothing is written."""

import json
from uuid import uuid4

import pytest

from modules.orders.models import IdempotencyRecord, Order
from modules.orders.tests.builders import Customer, client_of, published, sell

pytestmark = [pytest.mark.seams_db, pytest.mark.urls("modules.orders.urls")]

LINE = {"sku": "TEA", "quantity": 1}
BODY = {"lines": [LINE], "payment_token": "tok_ok", "currency": "EUR"}


def post(body, *, content_type="application/json", **headers):
    headers = {"Idempotency-Key": str(uuid4()), **headers}
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    client = client_of(Customer())
    return client.post("/orders", text, content_type=content_type, headers=headers)


def lines(*quantities):
    return {**BODY, "lines": [{"sku": f"SKU-{n}", "quantity": q} for n, q in enumerate(quantities)]}


def without(name):
    return {field: value for field, value in BODY.items() if field != name}


MALFORMED = [
    (lines(0), "lines.0.quantity"),
    (lines(1, -1), "lines.1.quantity"),
    (lines(10**9), "lines.0.quantity"),
    (lines(10**400), "lines.0.quantity"),
    (lines(1001), "lines.0.quantity"),
    (lines("2"), "lines.0.quantity"),
    (lines(1.0), "lines.0.quantity"),
    (lines(1.5), "lines.0.quantity"),
    (lines(True), "lines.0.quantity"),
    (lines(None), "lines.0.quantity"),
    (lines(), "lines"),
    (lines(*[1] * 101), "lines"),
    (lines(*[1] * 1000), "lines"),
    ({**BODY, "lines": [LINE, LINE]}, "lines"),
    ({**BODY, "lines": "TEA"}, "lines"),
    ({**BODY, "lines": None}, "lines"),
    ({**BODY, "lines": {"sku": "TEA", "quantity": 1}}, "lines"),
    ({**BODY, "lines": ["TEA"]}, "lines.0"),
    ({**BODY, "lines": [None]}, "lines.0"),
    ({**BODY, "lines": [{"quantity": 1}]}, "lines.0.sku"),
    ({**BODY, "lines": [{"sku": "TEA"}]}, "lines.0.quantity"),
    ({**BODY, "lines": [{"sku": "", "quantity": 1}]}, "lines.0.sku"),
    ({**BODY, "lines": [{"sku": "x" * 65, "quantity": 1}]}, "lines.0.sku"),
    ({**BODY, "lines": [{"sku": 7, "quantity": 1}]}, "lines.0.sku"),
    ({**BODY, "lines": [{"sku": "T\x00A", "quantity": 1}]}, "lines.0.sku"),
    ({**BODY, "lines": [{"sku": "\ud800", "quantity": 1}]}, "lines.0.sku"),
    ({**BODY, "lines": [{**LINE, "price": 1}]}, "lines.0.price"),
    ({**BODY, "payment_token": ""}, "payment_token"),
    ({**BODY, "payment_token": "t" * 201}, "payment_token"),
    ({**BODY, "payment_token": None}, "payment_token"),
    ({**BODY, "payment_token": 4711}, "payment_token"),
    ({**BODY, "payment_token": "\ud800"}, "payment_token"),
    ({**BODY, "currency": "eur"}, "currency"),
    ({**BODY, "currency": "EURO"}, "currency"),
    ({**BODY, "currency": "XXX"}, "currency"),
    ({**BODY, "currency": 978}, "currency"),
    ({**BODY, "total_minor": 1}, "total_minor"),
    ({**BODY, "\ud800": 1}, "\\ud800"),
    (without("lines"), "lines"),
    (without("payment_token"), "payment_token"),
    (without("currency"), "currency"),
    ([], "body"),
    ('"TEA"', "body"),
    ("7", "body"),
]


@pytest.fixture(autouse=True)
def nothing_is_written():
    sell()
    yield
    assert not Order.objects.exists()
    assert not IdempotencyRecord.objects.exists()
    assert not published()


class TestMalformedBodies:
    @pytest.mark.parametrize(("body", "field"), MALFORMED)
    def test_are_refused_by_the_name_of_the_field(self, body, field):
        answer = post(body)
        assert answer.status_code == 400, answer.content
        errors = answer.json()["errors"]
        assert [error["field"] for error in errors] == [field]
        assert any(verb in errors[0]["detail"] for verb in ("Send", "send", "leave", "not allowed"))

    @pytest.mark.parametrize("text", ["{", "lines=TEA", b"\xff\xfe", "{'a': 1}", "[" * 100_000, '{"a": NaN}'])
    def test_are_refused_when_they_are_not_json(self, text):
        assert post(text).status_code == 400

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/xml"])
    def test_are_refused_in_another_format(self, content_type):
        assert post(json.dumps(BODY), content_type=content_type).status_code == 415

    def test_name_every_wrong_field_at_once(self):
        answer = post({"lines": [{"sku": "TEA", "quantity": 0}], "payment_token": ""})
        fields = {error["field"] for error in answer.json()["errors"]}
        assert fields == {"lines.0.quantity", "payment_token", "currency"}

    @pytest.mark.parametrize("text", ["null", "{}", ""])
    def test_are_refused_by_all_names_when_they_are_empty(self, text):
        answer = post(text)
        assert answer.status_code == 400
        assert {error["field"] for error in answer.json()["errors"]} == set(BODY)


class TestImpossibleOrders:
    def test_are_refused_for_a_sku_that_nobody_knows(self):
        answer = post({**BODY, "lines": [LINE, {"sku": "NOPE", "quantity": 1}]})
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["lines.1.sku"]

    def test_are_refused_in_a_currency_that_the_product_is_not_sold_in(self):
        answer = post({**BODY, "currency": "USD"})
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["field"] == "currency"
        assert "EUR" in error["detail"]

    def test_are_refused_when_the_total_is_too_large(self):
        sell(sku="MOON", unit_price_minor=2**62)
        answer = post({**BODY, "lines": [{"sku": "MOON", "quantity": 2}]})
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["lines"]


class TestBadKeys:
    @pytest.mark.parametrize("key", ["", "k" * 256, "two words", "tab\tbed", "schlüssel", "\x7f"])
    def test_are_refused(self, key):
        answer = post(BODY, **{"Idempotency-Key": key})
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]

    def test_are_refused_when_missing(self):
        answer = client_of(Customer()).post("/orders", BODY, format="json")
        assert answer.status_code == 400
        assert "Idempotency-Key" in answer.json()["detail"]
