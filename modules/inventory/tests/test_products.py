"""What is on offer: putting and announcing products."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from modules.inventory import api, services
from modules.inventory.errors import InvalidProductError
from modules.inventory.tests.shop import UPDATED, published, stocked

CUP: dict[str, Any] = {"sku": "CUP-1", "name": "Cup", "unit_price_minor": 1250, "currency": "EUR"}


@pytest.mark.seams_db
class TestPutProduct:
    def test_offers_a_new_product_at_version_one_with_no_stock(self):
        product = api.put_product(**CUP)

        assert product.version == 1
        assert published(UPDATED) == [{**CUP, "version": 1}]
        [level] = api.stock_levels()
        assert (level.sku, level.on_hand, level.received) == ("CUP-1", 0, 0)

    def test_the_same_again_publishes_nothing(self):
        first = api.put_product(**CUP)

        assert api.put_product(**CUP) == first
        assert len(published(UPDATED)) == 1

    @pytest.mark.parametrize("change", [{"name": "Mug"}, {"unit_price_minor": 1}, {"currency": "USD"}])
    def test_a_change_is_published_under_the_next_version(self, change):
        api.put_product(**CUP)

        product = api.put_product(**{**CUP, **change})

        assert product.version == 2
        assert {**CUP, **change, "version": 2} in published(UPDATED)
        assert len(published(UPDATED)) == 2

    def test_a_change_leaves_stock_alone(self):
        stocked("CUP-1", 7)

        api.put_product(**{**CUP, "unit_price_minor": 99})

        [level] = api.stock_levels()
        assert level.on_hand == 7

    def test_announces_the_same_version_again_when_asked(self):
        api.put_product(**CUP)

        api.put_product(**CUP, announce=True)

        assert [body["version"] for body in published(UPDATED)] == [1, 1]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("sku", ""),
            ("sku", "with/slash"),
            ("sku", "x" * 65),
            ("sku", "line\n"),
            ("name", ""),
            ("name", "x" * 201),
            ("name", "nul \x00"),
            ("unit_price_minor", 0),
            ("unit_price_minor", -1),
            ("unit_price_minor", 10**12 + 1),
            ("currency", "eur"),
            ("currency", "EURO"),
        ],
    )
    def test_refuses_what_the_event_could_not_say_and_names_the_field(self, field, value):
        with pytest.raises(InvalidProductError, match=f"{field}: "):
            api.put_product(**{**CUP, field: value})

        assert api.stock_levels() == []
        assert published(UPDATED) == []


@pytest.mark.seams_db(transaction=True)
class TestPutProductAtOnce:
    def test_sixteen_at_once_make_one_product_with_one_version_per_change(self):
        def put(number: int) -> int:
            try:
                price = 100 + number
                return api.put_product(**{**CUP, "unit_price_minor": price}).version
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as pool:
            versions = list(pool.map(put, range(16), timeout=60))

        assert sorted(versions) == list(range(1, 17))
        assert sorted(body["version"] for body in published(UPDATED)) == list(range(1, 17))


@pytest.mark.seams_db
class TestAnnounceProducts:
    def test_publishes_every_product_as_it_is_now(self, monkeypatch):
        monkeypatch.setattr(services, "_ANNOUNCED_AT_ONCE", 2)
        for number in range(5):
            stocked(f"SKU-{number}")
        api.put_product(sku="SKU-3", name="Changed", unit_price_minor=5, currency="EUR")
        before = published(UPDATED)

        assert api.announce_products() == 5

        bodies = published(UPDATED)
        for body in before:
            bodies.remove(body)
        assert sorted((body["sku"], body["version"]) for body in bodies) == [
            ("SKU-0", 1),
            ("SKU-1", 1),
            ("SKU-2", 1),
            ("SKU-3", 2),
            ("SKU-4", 1),
        ]

    def test_of_nothing_announces_nothing(self):
        assert api.announce_products() == 0
