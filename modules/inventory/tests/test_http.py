"""Inventory over HTTP."""

from base64 import b64encode
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from modules.inventory import api
from modules.inventory.lifecycle import Fact
from modules.inventory.tests.shop import lines_of, stocked, tell

pytestmark = [pytest.mark.seams_db, pytest.mark.urls("modules.inventory.urls")]


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.force_authenticate(cast(Any, SimpleNamespace(id=uuid4(), is_authenticated=True)))
    return client


class TestProducts:
    def test_are_listed_with_price_and_what_is_available(self, client):
        stocked("CUP", 5)
        order_id = uuid4()
        tell(Fact.PLACED, order_id, lines_of({"CUP": 2}))
        tell(Fact.PAID, order_id)

        answer = client.get("/products")

        assert answer.status_code == 200
        assert answer.json()["results"] == [
            {"sku": "CUP", "name": "The CUP", "unit_price_minor": 1250, "currency": "EUR", "available": 3}
        ]

    def test_come_newest_first_page_by_page_each_once(self, client):
        skus = [stocked(f"SKU-{number}") for number in range(5)]
        seen, url = [], "/products?page_size=2"
        while url:
            answer = client.get(url).json()
            assert len(answer["results"]) <= 2
            seen += [product["sku"] for product in answer["results"]]
            url = answer["next"]

        assert seen == skus[::-1]

    def test_come_at_most_a_hundred_at_a_time(self, client):
        for number in range(101):
            stocked(f"SKU-{number}")

        assert len(client.get("/products?page_size=100000").json()["results"]) == 100

    @pytest.mark.parametrize("cursor", ["o=x", "p=abc", "p=", "p=%00", "r=1&p=9", "p=2026-13-01", "p=2026-01-01"])
    def test_of_a_cursor_that_we_never_wrote_are_refused_and_not_an_error_of_ours(self, client, cursor):
        stocked("CUP")
        encoded = b64encode(cursor.encode()).decode()

        answer = client.get("/products", {"cursor": encoded})

        assert answer.status_code == 404
        assert "Invalid cursor" in answer.content.decode()

    def test_cost_one_query_however_many_there_are(self, client, django_assert_num_queries):
        for number in range(10):
            stocked(f"SKU-{number}")

        with django_assert_num_queries(1, using="inventory"):
            client.get("/products")

    def test_cannot_be_written(self, client):
        assert client.post("/products", {"sku": "CUP"}).status_code == 405
        assert api.stock_levels() == []

    def test_need_authentication(self):
        assert APIClient().get("/products").status_code in {401, 403}


class TestStock:
    def test_tells_where_the_pieces_are(self, client):
        stocked("CUP-1.5_x", 9)
        sold, held = uuid4(), uuid4()
        for order_id, quantity in ((sold, 1), (held, 3)):
            tell(Fact.PLACED, order_id, lines_of({"CUP-1.5_x": quantity}))
            tell(Fact.PAID, order_id)
        tell(Fact.CONFIRMED, sold)

        answer = client.get("/stock/CUP-1.5_x")

        assert answer.status_code == 200
        assert answer.json() == {"sku": "CUP-1.5_x", "on_hand": 5, "reserved": 3, "sold": 1, "available": 5}

    @pytest.mark.parametrize("sku", ["GHOST", "%00", "a%0Ab", "x" * 5000, "%F0%9F%8D%B5"])
    def test_of_an_unknown_sku_is_not_found_and_names_the_field(self, client, sku):
        answer = client.get(f"/stock/{sku}")

        assert answer.status_code == 404
        assert "sku" in answer.content.decode()

    def test_needs_authentication(self):
        assert APIClient().get("/stock/CUP").status_code in {401, 403}
