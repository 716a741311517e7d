"""``manage.py seed_demo``: products, stock and a customer to try the system with."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_seams import liveness
from modules.inventory import api as inventory
from modules.inventory.types import Product
from modules.orders import api as orders
from monolith.accounts.tokens import ensure_demo_customer

CURRENCY = "EUR"
LAST_ITEMS = "print"
# SKU, name, price in minor units, pieces received once
PRODUCTS = [
    ("cup", "Espresso cup", 1250, 500),
    ("beans", "Coffee beans, 1 kg", 2390, 500),
    ("kettle", "Kettle", 6900, 500),
    (LAST_ITEMS, "Signed print, the last three", 4900, 3),
]


class Command(BaseCommand):
    help = "Make products, stock and the demo customer through the front doors; running it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=float, default=20.0, help="seconds to wait for orders' catalogue")

    def handle(self, *args: Any, timeout: float, **options: Any) -> None:
        products = _put_products()
        customer, token = ensure_demo_customer()
        _wait_for_replica(products, timeout)
        self.stdout.write(f"products: {', '.join(product.sku for product in products)}")
        self.stdout.write(f"customer: {customer.username} {customer.id}")
        self.stdout.write(f"token: {token}")


def _put_products() -> list[Product]:
    """Announced again where orders does not know them: its database may be newer than inventory's."""
    known = orders.catalogue_versions()
    products = []
    for sku, name, price, pieces in PRODUCTS:
        announce = sku not in known
        products.append(
            inventory.put_product(sku=sku, name=name, unit_price_minor=price, currency=CURRENCY, announce=announce)
        )
        inventory.receive_stock(sku=sku, quantity=pieces, reference="seed_demo")
    return products


def _wait_for_replica(products: list[Product], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while behind := _behind(products):
        if time.monotonic() > deadline:
            raise CommandError(f"orders does not know {', '.join(behind)} after {timeout:.0f} s ({_why()}).")
        time.sleep(0.1)


def _why() -> str:
    absent = liveness.missing("orders")
    return f"not running: {', '.join(absent)}; start `make run`" if absent else "see `manage.py seams deadletters`"


def _behind(products: list[Product]) -> list[str]:
    known = orders.catalogue_versions()
    return [product.sku for product in products if known.get(product.sku, 0) < product.version]
