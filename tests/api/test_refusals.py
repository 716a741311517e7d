"""Bad input: a 4xx problem document that names the field and what to do, and nothing is written."""

import pytest
from django.test import Client

from tests.api.requests import BODY, assert_problem, post_order, rows_written

NOBODYS = "6f1c7a52-9f0e-4c59-8d3c-0d3f5f3f7a11"
PAYMENTS = f"payments?order_id={NOBODYS}"

pytestmark = pytest.mark.seams_db


@pytest.fixture(autouse=True)
def nothing_is_written(client):
    before = rows_written()
    yield
    assert rows_written() == before


def lines(*quantities, sku="TEA"):
    return {**BODY, "lines": [{"sku": sku, "quantity": quantity} for quantity in quantities]}


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "status", "field"),
        [
            pytest.param(lines(0), 400, "lines.0.quantity", id="quantity 0"),
            pytest.param(lines(-1), 400, "lines.0.quantity", id="negative quantity"),
            pytest.param(lines(10**9), 400, "lines.0.quantity", id="quantity 10⁹"),
            pytest.param(lines(1.5), 400, "lines.0.quantity", id="half a piece"),
            pytest.param(lines("1"), 400, "lines.0.quantity", id="quantity as text"),
            pytest.param(lines(), 400, "lines", id="no lines"),
            pytest.param(lines(*[1] * 1000), 400, "lines", id="1,000 lines"),
            pytest.param(lines(1, 1), 400, "lines", id="the same SKU twice"),
            pytest.param(lines(1, sku="NOPE"), 422, "lines.0.sku", id="unknown SKU"),
            pytest.param(lines(1, sku=""), 400, "lines.0.sku", id="empty SKU"),
            pytest.param(lines(1, sku="x\x00"), 400, "lines.0.sku", id="NUL in a SKU"),
            pytest.param(lines(1, sku="\ud800"), 400, "lines.0.sku", id="half a surrogate pair"),
            pytest.param({**BODY, "currency": "euro"}, 400, "currency", id="no currency code"),
            pytest.param({**BODY, "currency": "USD"}, 422, "currency", id="a currency that TEA is not sold in"),
            pytest.param({**BODY, "payment_token": ""}, 400, "payment_token", id="no payment token"),
            pytest.param({**BODY, "total_minor": 1}, 400, "total_minor", id="a field that is not theirs to set"),
            pytest.param([BODY], 400, "body", id="a list"),
            pytest.param("TEA", 400, "body", id="a string"),
            pytest.param(None, 400, "lines", id="null"),
        ],
    )
    def test_that_do_not_fit_are_refused_by_the_field(self, client, body, status, field):
        assert_problem(post_order(client, body), status, field)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"lines=TEA", id="a form"),
            pytest.param(b"", id="nothing"),
            pytest.param(b'{"lines": [', id="half of it"),
            pytest.param(b'{"currency": NaN}', id="NaN"),
            pytest.param(b'{"currency": "\xff"}', id="not UTF-8"),
            pytest.param(b"[" * 100_000, id="100,000 brackets"),
            pytest.param(b'{"quantity": ' + b"9" * 10_000 + b"}", id="a number of 10,000 digits"),
        ],
    )
    def test_that_are_not_json_are_refused(self, client, body):
        assert post_order(client, body).status_code == 400
        assert_problem(post_order(client, body), 400)

    def test_of_five_megabytes_are_refused_by_their_length(self, client):
        problem = assert_problem(post_order(client, b" " * 5_000_000), 413, "body")
        assert "262144 bytes" in problem["detail"]

    def test_in_another_format_are_refused(self, client):
        assert_problem(post_order(client, b"<order/>", content_type="application/xml"), 415, "Content-Type")


class TestKeys:
    @pytest.mark.parametrize("key", [None, " ", "x" * 300, "käse", "a\x01b"])
    def test_that_are_missing_or_malformed_are_refused(self, client, key):
        assert_problem(post_order(client, key=key), 400, "Idempotency-Key")


class TestTokens:
    def test_are_asked_for_when_missing(self, client):
        answer = post_order(Client())
        assert_problem(answer, 401, "Authorization")
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'

    @pytest.mark.parametrize("header", ["Bearer nobody", "Bearer", "Bearer a b", "Basic YTpi", "Bearer tök"])
    def test_that_are_not_ours_are_refused(self, client, header):
        assert_problem(post_order(Client(), Authorization=header), 401, "Authorization")

    @pytest.mark.parametrize(
        "path", ["products", "stock/TEA", "orders", f"orders/{NOBODYS}", f"payments?order_id={NOBODYS}"]
    )
    def test_are_needed_to_read(self, client, path):
        assert_problem(Client().get(f"/api/v1/{path}"), 401, "Authorization")


class TestAddresses:
    @pytest.mark.parametrize("rest", ["", "/timeline", "/cancel"])
    @pytest.mark.parametrize("order_id", ["42", "not-a-uuid", "%00", "0" * 300])
    def test_with_an_id_that_is_no_uuid_are_refused(self, client, order_id, rest):
        send = client.post if rest == "/cancel" else client.get
        assert_problem(send(f"/api/v1/orders/{order_id}{rest}"), 400, "id")

    @pytest.mark.parametrize("order_id", ["", "42"])
    def test_of_payments_need_an_order_id(self, client, order_id):
        assert_problem(client.get("/api/v1/payments", {"order_id": order_id}), 400, "order_id")

    @pytest.mark.parametrize("rest", ["", "/timeline", "/cancel"])
    def test_of_orders_that_are_not_there_are_unknown(self, client, rest):
        send = client.post if rest == "/cancel" else client.get
        assert_problem(send(f"/api/v1/orders/{NOBODYS}{rest}"), 404)

    @pytest.mark.parametrize("sku", ["NOPE", "%00", "%F0%9F%8D%B5", "x" * 300])
    def test_of_products_that_are_not_there_are_unknown(self, client, sku):
        assert_problem(client.get(f"/api/v1/stock/{sku}"), 404, "sku")

    @pytest.mark.parametrize("path", ["", "nothing", "orders/", "products/TEA/price"])
    def test_that_do_not_exist_say_where_the_api_is(self, client, path):
        assert "/api/v1/" in assert_problem(client.get(f"/api/v1/{path}"), 404)["detail"]

    @pytest.mark.parametrize("path", ["orders", "products", PAYMENTS])
    @pytest.mark.parametrize("cursor", ["garbage", "cD0x", "cD0lMDA="])
    def test_with_a_cursor_that_is_not_ours_are_refused(self, client, path, cursor):
        mark = "&" if "?" in path else "?"
        assert_problem(client.get(f"/api/v1/{path}{mark}cursor={cursor}"), 404)

    def test_that_do_not_exist_say_so_to_a_post_too(self, client):
        assert_problem(Client(enforce_csrf_checks=True).post("/api/v1/order", {}), 404)

    def test_do_not_take_every_method(self, client):
        answer = client.delete("/api/v1/orders")
        assert_problem(answer, 405, "method")
        assert "POST" in answer["Allow"]
