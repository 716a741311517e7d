from itertools import permutations

import pytest

from django_seams.modules import atomic
from modules.orders import api, catalogue, handlers
from modules.orders.errors import CurrencyMismatchError, TotalTooLargeError, UnknownSkuError
from modules.orders.models import CatalogueProduct
from modules.orders.tests.builders import envelope, place, sell
from modules.orders.types import WantedLine

pytestmark = pytest.mark.seams_db


class TestKeepProduct:
    @pytest.mark.parametrize("arrival", list(permutations([1, 2, 3])))
    def test_keeps_the_greatest_version_in_any_order_of_arrival(self, arrival):
        for version in arrival:
            sell(version=version, unit_price_minor=100 * version)
        kept = CatalogueProduct.objects.get(sku="TEA")
        assert (kept.version, kept.unit_price_minor) == (3, 300)

    def test_changes_nothing_when_a_version_comes_again(self):
        sell(version=2, unit_price_minor=200)
        sell(version=2, unit_price_minor=999)
        assert CatalogueProduct.objects.get(sku="TEA").unit_price_minor == 200

    def test_is_what_the_handler_of_product_updated_does(self):
        event = handlers.ProductUpdated(sku="MUG", unit_price_minor=900, currency="EUR", version=4)
        with atomic("orders"):
            handlers.keep_product(event, envelope("inventory.product_updated.v1", event.sku))  # type: ignore[arg-type]
        assert api.catalogue_versions() == {"MUG": 4}


class TestPrice:
    def test_freezes_the_price_of_the_moment(self):
        order = place(quantity=2)
        sell(version=2, unit_price_minor=9900)
        kept = api.order(order_id=order.order_id)
        assert kept.lines[0].unit_price_minor == 1250
        assert kept.total_minor == 2500

    def test_refuses_a_sku_that_the_replica_does_not_know(self):
        sell()
        wanted = [WantedLine(sku="TEA", quantity=1), WantedLine(sku="NOPE", quantity=1)]
        with pytest.raises(UnknownSkuError, match="NOPE") as caught:
            catalogue.price(lines=wanted, currency="EUR")
        assert caught.value.field == "lines.1.sku"

    def test_refuses_another_currency_and_names_the_right_one(self):
        sell(currency="USD")
        with pytest.raises(CurrencyMismatchError, match="USD") as caught:
            catalogue.price(lines=[WantedLine(sku="TEA", quantity=1)], currency="EUR")
        assert caught.value.field == "currency"

    def test_refuses_a_total_that_no_column_can_hold(self):
        sell(unit_price_minor=catalogue.MAX_AMOUNT_MINOR)
        most = catalogue.price(lines=[WantedLine(sku="TEA", quantity=1)], currency="EUR")
        assert catalogue.total_minor(lines=most) == catalogue.MAX_AMOUNT_MINOR
        with pytest.raises(TotalTooLargeError):
            catalogue.price(lines=[WantedLine(sku="TEA", quantity=2)], currency="EUR")
