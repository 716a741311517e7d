"""A shop with a product, and customers with tokens, over the whole HTTP stack."""

from uuid import uuid4

import pytest
from django.test import Client

from django_seams.testing import drain
from modules.inventory import api as inventory
from monolith.accounts.models import User
from monolith.accounts.tokens import issue_token


@pytest.fixture
def tea():
    """TEA at 12.50 EUR, ten pieces, known to orders."""
    inventory.put_product(sku="TEA", name="Tea", unit_price_minor=1250, currency="EUR")
    inventory.receive_stock(sku="TEA", quantity=10, reference="first")
    drain()


@pytest.fixture
def client(tea):
    """A customer's client; a failure of ours is an answer with status 500, as it is for customers."""
    return new_customer()


@pytest.fixture
def stranger(tea):
    """Another customer's client."""
    return new_customer()


def new_customer():
    user = User.objects.create(username=str(uuid4()))
    token = issue_token(user=user, label="test")
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
